//! Detects the format of a text by its beginning, in one place for the readers and for the manifest of bronze.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE};
use memchr::memmem;

use super::bytes::compression::packing;
use super::bytes::input::PARQUET as PARQUET_MAGIC;
use super::bytes::marks::{line_end, without_marks};
use super::bytes::members::archive_kind;
use super::json::{head as json_head, ndjson};
use super::pubmed::dialect::{Dialect, is_record_mark, is_tag};
use super::pubmed::xml_reader::is_pubmed;

/// The formats of text files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    JsonArray,
    /// Objects one after the other, one on each line or not, or pages with rows in them.
    JsonObjects,
    PubmedXml,
    OtherXml,
    Tagged(Dialect),
    /// A text without a mark of another format.
    Delimited,
}

/// The format of a text that begins with these bytes, without byte order marks.
pub(crate) fn text_format(head: &[u8]) -> TextFormat {
    let text = head.trim_ascii_start();
    match text.first() {
        Some(b'[') => TextFormat::JsonArray,
        Some(b'{') => TextFormat::JsonObjects,
        Some(b'<') if is_record_mark(first_line(text)) => TextFormat::Tagged(Dialect::Ovid),
        Some(b'<') if is_pubmed(head) => TextFormat::PubmedXml,
        Some(b'<') => TextFormat::OtherXml,
        Some(b'A'..=b'Z') => dialect(text).map_or(TextFormat::Delimited, TextFormat::Tagged),
        _ => TextFormat::Delimited,
    }
}

/// The media type of a text that begins with these bytes, in any recognised encoding.
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

/// The media type of Parquet.
pub const PARQUET_TYPE: &str = "application/vnd.apache.parquet";

/// The media type of a file that is not plain text, by its first bytes; `None` for plain text.
pub fn packed_media_type(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(PARQUET_MAGIC) {
        return Some(PARQUET_TYPE);
    }
    match (packing(head), archive_kind(head)) {
        (Some("gzip"), _) => Some("application/gzip"),
        (Some("zstd"), _) => Some("application/zstd"),
        (Some(_), _) => Some("application/x-bzip2"),
        (None, Some("ZIP")) => Some("application/zip"),
        (None, Some(_)) => Some("application/x-tar"),
        (None, None) => None,
    }
}

/// The beginning of a file as UTF-8, as the readers see it.
fn in_utf8(head: &[u8]) -> Cow<'_, [u8]> {
    let encoding = match head {
        [0xff, 0xfe, ..] => UTF_16LE,
        [0xfe, 0xff, ..] => UTF_16BE,
        _ => return Cow::Borrowed(without_marks(head)),
    };
    let (text, _) = encoding.decode_with_bom_removal(head);
    Cow::Owned(without_marks(text.as_bytes()).to_vec())
}

fn first_line(text: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'\n', b'\r', text);
    &text[..end.unwrap_or(text.len())]
}

/// The tagged format of a text that begins with a tag: the first tag decides if only one format has it, or else the
/// first such tag on a later line.
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

/// Whether a line of a text other than the first begins with these bytes.
fn has_line(text: &[u8], beginning: &[u8]) -> bool {
    memmem::find_iter(text, beginning).any(|at| at > 0 && matches!(text[at - 1], b'\n' | b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
