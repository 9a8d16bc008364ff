//! What a text is, by its beginning: the one place that says it, for the readers and for the manifest of bronze.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE};
use memchr::{memchr_iter, memmem};

use super::input::MARK;
use super::{json_head, ndjson, pubmed_xml};

/// The formats that are texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextFormat {
    JsonArray,
    /// Objects one after the other, a line each or not, or pages with rows in them.
    JsonObjects,
    PubmedXml,
    OtherXml,
    Tagged(Dialect),
    /// Whatever has no mark of its own.
    Delimited,
}

/// The formats whose lines begin with a tag: `TI  - A title`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// As PubMed saves it.
    Medline,
    /// As Ovid saves MEDLINE and other databases.
    Ovid,
    /// As programs for references exchange it.
    Ris,
}

impl Dialect {
    /// The name of the format, for reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Medline => "medline",
            Self::Ovid => "ovid",
            Self::Ris => "ris",
        }
    }

    /// The name of the format in a sentence.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Medline => "a MEDLINE file",
            Self::Ovid => "a file of Ovid",
            Self::Ris => "a RIS file",
        }
    }
}

/// The format of a text whose beginning this is, without byte order marks.
pub(super) fn text_format(head: &[u8]) -> TextFormat {
    let text = head.trim_ascii_start();
    match text.first() {
        Some(b'[') => TextFormat::JsonArray,
        Some(b'{') => TextFormat::JsonObjects,
        Some(b'<') if is_record_mark(first_line(text)) => TextFormat::Tagged(Dialect::Ovid),
        Some(b'<') if pubmed_xml::is_pubmed(head) => TextFormat::PubmedXml,
        Some(b'<') => TextFormat::OtherXml,
        Some(b'A'..=b'Z') => dialect(text).map_or(TextFormat::Delimited, TextFormat::Tagged),
        _ => TextFormat::Delimited,
    }
}

/// The media type of a text whose first bytes these are, in any encoding that is recognised.
pub fn text_media_type(head: &[u8]) -> &'static str {
    let head = in_utf8(head);
    match text_format(&head) {
        TextFormat::JsonArray => "application/json",
        TextFormat::JsonObjects
            if json_head::is_page(&head) || ndjson::spread_from(&head, line_end(&head)).is_some() =>
        {
            "application/json"
        }
        TextFormat::JsonObjects => "application/x-ndjson",
        TextFormat::PubmedXml | TextFormat::OtherXml => "application/xml",
        TextFormat::Tagged(Dialect::Medline) => "application/nbib",
        TextFormat::Tagged(Dialect::Ovid) => "application/x-ovid",
        TextFormat::Tagged(Dialect::Ris) => "application/x-research-info-systems",
        TextFormat::Delimited => "text/csv",
    }
}

/// The beginning of a file as the readers see it.
fn in_utf8(head: &[u8]) -> Cow<'_, [u8]> {
    let encoding = match head {
        [0xff, 0xfe, ..] => UTF_16LE,
        [0xfe, 0xff, ..] => UTF_16BE,
        _ => return Cow::Borrowed(without_marks(head)),
    };
    let (text, _) = encoding.decode_with_bom_removal(head);
    Cow::Owned(without_marks(text.as_bytes()).to_vec())
}

/// The bytes after byte order marks; programs put one before a file that has one already.
pub(super) fn without_marks(mut head: &[u8]) -> &[u8] {
    while let Some(rest) = head.strip_prefix(MARK) {
        head = rest;
    }
    head
}

/// The byte that ends the lines of a text with this beginning: LF, also behind a CR, or CR alone.
pub(super) fn line_end(head: &[u8]) -> u8 {
    let alone = memchr_iter(b'\r', head)
        .filter(|at| head.get(at + 1) != Some(&b'\n'))
        .count();
    if alone > memchr_iter(b'\n', head).count() {
        b'\r'
    } else {
        b'\n'
    }
}

fn first_line(text: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'\n', b'\r', text);
    &text[..end.unwrap_or(text.len())]
}

/// `TI  - `, `PMID- `.
pub(super) fn is_tag(line: &[u8]) -> bool {
    let Some((tag, rest)) = line.split_at_checked(4) else {
        return false;
    };
    let name = tag.trim_ascii_end();
    name.len() >= 2
        && name
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && matches!(rest, [b'-', b' ' | b'\r' | b'\n', ..] | [b'-'])
}

/// `<1. >`, `<1>`: the line before each record of Ovid.
pub(super) fn is_record_mark(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let inner = line.strip_prefix(b"<").and_then(|line| line.strip_suffix(b">"));
    inner.is_some_and(|inner| {
        let number = inner.trim_ascii_end();
        let number = number.strip_suffix(b".").unwrap_or(number);
        !number.is_empty() && number.iter().all(u8::is_ascii_digit)
    })
}

/// Which tagged format begins so: it has a tag that only one of them has, as its first tag or, behind any other one, on a later
/// line.
fn dialect(text: &[u8]) -> Option<Dialect> {
    let own: [(&[u8], Dialect); 4] = [
        (b"PMID- ", Dialect::Medline),
        (b"TY  - ", Dialect::Ris),
        (b"VN  - Ovid", Dialect::Ovid),
        (b"UI  - ", Dialect::Ovid),
    ];
    if !is_tag(text) {
        return None;
    }
    let starts = own.iter().find(|(tag, _)| text.starts_with(tag));
    let found = starts.or_else(|| own.iter().find(|(tag, _)| has_line(text, tag)));
    found.map(|&(_, dialect)| dialect)
}

/// Whether a line of a text, but for the first, begins so.
fn has_line(text: &[u8], beginning: &[u8]) -> bool {
    memmem::find_iter(text, beginning).any(|at| at > 0 && matches!(text[at - 1], b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_text() {
        for line in ["PMID- 1", "TI  - A title", "AB  -", "FAU - Name", "AB  -\r"] {
            assert!(is_tag(line.as_bytes()), "{line}");
        }
        for line in [
            "      going on",
            "ti  - small",
            "T   - one letter",
            "TITLE- x",
            "",
            "PMID",
            "TI - x",
        ] {
            assert!(!is_tag(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_text_is_known_by_its_beginning() {
        let utf16: Vec<u8> = "\u{feff}[{}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (head, wanted) in [
            (&b" \n[{}]"[..], "application/json"),
            (b"\xef\xbb\xbf\xef\xbb\xbf[{}]", "application/json"),
            (&utf16, "application/json"),
            (b"{\"id\": 1}\n{\"id\": 2}\n", "application/x-ndjson"),
            (b"{\"id\": 1}\r{\"id\": 2}\r", "application/x-ndjson"),
            (b"{\n \"id\": 1\n}\n", "application/json"),
            (b"{\"meta\": {}, \"data\": [{\"id\": 1}]}", "application/json"),
            (b"<PubmedArticleSet>", "application/xml"),
            (b"<html>", "application/xml"),
            (b"PMID- 1\n", "application/nbib"),
            (b"OWN - NLM\nPMID- 1\n", "application/nbib"),
            (b"OWN - NLM\rPMID- 1\r", "application/nbib"),
            (
                b"TY  - JOUR\r\nTI  - a\r\n",
                "application/x-research-info-systems",
            ),
            (b"<1. >\nVN  - Ovid Technologies\n", "application/x-ovid"),
            (b"VN  - Ovid Technologies\n", "application/x-ovid"),
            (b"UI  - 1\nTI  - a\n", "application/x-ovid"),
            (b"TI  - a\nXX  - b\n", "text/csv"),
            (b"id,title\n", "text/csv"),
            (b"", "text/csv"),
        ] {
            assert_eq!(text_media_type(head), wanted, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn lines_end_as_most_of_them_do() {
        for (text, wanted) in [
            ("a\rb\rc", b'\r'),
            ("a\nb\n", b'\n'),
            ("a\r\nb\r\n", b'\n'),
            ("a\r\r\nb\r\r\n", b'\n'),
            ("a stray\rone\nb\nc", b'\n'),
            ("one line", b'\n'),
        ] {
            assert_eq!(line_end(text.as_bytes()), wanted, "{text:?}");
        }
    }
}
