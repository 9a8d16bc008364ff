//! The part of XML that is needed to take known elements out of a record: tags, attributes, character references,
//! comments, CDATA.
//!
//! Of a PubMed file, 90 % is not needed (authors, headings, references). A parser that emits an event for every tag
//! spends its time on that; here the wanted elements are found by a substring search for their names, and everything
//! else is skipped at its speed. Nothing is ever expanded or fetched: a reference to an entity that XML itself does not
//! define stays unchanged.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3, memmem};

use crate::text::begins_line;

/// An element of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct XmlElement<'x> {
    /// The rest of its opening tag after the name.
    pub attributes: &'x str,
    /// The text between its tags.
    pub inner: &'x str,
    /// Its start in the searched text.
    pub start: usize,
    /// Its end in the searched text.
    pub end: usize,
}

/// Searches for elements of one name; an element that holds elements of its own name ends at the first closing tag.
#[derive(Debug)]
pub(crate) struct ElementName {
    open: memmem::Finder<'static>,
    close: memmem::Finder<'static>,
}

impl ElementName {
    /// Takes the beginnings of the opening and closing tags: `<PMID` and `</PMID`.
    pub(crate) fn new(open: &'static str, close: &'static str) -> Self {
        Self {
            open: memmem::Finder::new(open),
            close: memmem::Finder::new(close),
        }
    }

    /// The first element of this name from `from` on.
    pub(crate) fn find<'x>(&self, xml: &'x str, from: usize) -> Option<XmlElement<'x>> {
        let bytes = xml.as_bytes();
        let mut at = from;
        loop {
            let rest = bytes.get(at..)?;
            let start = at + searched(rest, self.open.find(rest))?;
            let name_end = start + self.open.needle().len();
            if !ends_name(*bytes.get(name_end)?) {
                // A longer name: `<AbstractText` in a search for `<Abstract`.
                at = name_end;
                continue;
            }
            let tag_end = name_end + tag_length(&bytes[name_end..])?;
            let attributes = &xml[name_end..tag_end - 1];
            if attributes.ends_with('/') {
                return Some(XmlElement {
                    attributes: attributes.trim_end_matches('/'),
                    inner: "",
                    start,
                    end: tag_end,
                });
            }
            let (inner_end, end) = closing_tag(&self.close, bytes, tag_end)?;
            return Some(XmlElement {
                attributes,
                inner: &xml[tag_end..inner_end],
                start,
                end,
            });
        }
    }

    /// The last element of this name.
    pub(crate) fn find_last<'x>(&self, xml: &'x str) -> Option<XmlElement<'x>> {
        // Forwards: the search from the end is many times slower, and an element like this comes once.
        let mut last = self.find(xml, 0)?;
        while let Some(found) = self.find(xml, last.end) {
            last = found;
        }
        Some(last)
    }

    /// The elements of this name, one behind the other.
    pub(crate) fn all<'x>(&self, xml: &'x str) -> impl Iterator<Item = XmlElement<'x>> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.find(xml, from)?;
            from = found.end;
            Some(found)
        })
    }

    /// Whether the element begins and never ends.
    pub(crate) fn never_closes(&self, xml: &str) -> bool {
        self.find(xml, 0).is_none() && self.open.find(xml.as_bytes()).is_some()
    }

    /// The beginning of the opening tag.
    pub(crate) fn opening(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.open.needle())
    }

    /// Whether these bytes begin with an opening tag of this name.
    pub(crate) fn begins(&self, bytes: &[u8]) -> bool {
        bytes
            .strip_prefix(self.open.needle())
            .and_then(<[u8]>::first)
            .is_some_and(|byte| ends_name(*byte))
    }

    /// The values of an attribute in the opening tags of this name, one behind the other: of elements whose content is not
    /// needed. A tag without it has none.
    pub(crate) fn attributes<'x>(&self, xml: &'x str, name: &str) -> impl Iterator<Item = Cow<'x, str>> {
        let bytes = xml.as_bytes();
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let rest = bytes.get(at..)?;
                let start = at + searched(rest, self.open.find(rest))?;
                at = start + self.open.needle().len();
                if !ends_name(*bytes.get(at)?) {
                    continue;
                }
                if let Some(value) = opening_attribute(&xml[at..], name) {
                    return Some(value);
                }
            }
        })
    }

    /// The text of the first element of this name, without the tags in it; empty if there is none.
    pub(crate) fn text<'x>(&self, xml: &'x str) -> Cow<'x, str> {
        self.find(xml, 0)
            .map_or(Cow::Borrowed(""), |element| text(element.inner))
    }
}

/// Whether an element's name ends before this byte of its opening tag.
fn ends_name(byte: u8) -> bool {
    matches!(byte, b'>' | b'/' | b' ' | b'\t' | b'\n' | b'\r')
}

/// The range of the first closing tag from `from` on, given its beginning (`</PMID`). Blanks may follow its name.
pub(crate) fn closing_tag(close: &memmem::Finder<'_>, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        let start = at + searched(rest, close.find(rest))?;
        at = start + close.needle().len();
        let blanks = bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace());
        let end = at + blanks.count();
        // Anything else is a longer name: `</AbstractText>` in a search for `</Abstract`.
        if bytes.get(end) == Some(&b'>') {
            return Some((start, end + 1));
        }
    }
}

/// The length up to and including the `>` that closes a tag; one inside a quoted value closes nothing.
pub(crate) fn tag_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let sign = at + searched(rest, memchr3(b'>', b'"', b'\'', rest))?;
        at = sign + 1;
        if bytes[sign] == b'>' {
            return Some(at);
        }
        let value = &bytes[at..];
        at += searched(value, memchr(bytes[sign], value))? + 1;
    }
}

/// The length of a tag in the text of an element, like [`tag_length`], but ending before the next `<`: XML allows none
/// inside tags, quoted or not. So each byte is read for only one tag, however many never end.
fn inner_tag_length(bytes: &[u8]) -> Option<usize> {
    let behind = bytes.get(1..)?;
    let end = searched(behind, memchr(b'<', behind)).map_or(bytes.len(), |next| next + 1);
    tag_length(&bytes[..end])
}

/// Returns the result of a search. Tests count the bytes that it looked at.
fn searched(_bytes: &[u8], found: Option<usize>) -> Option<usize> {
    #[cfg(test)]
    tests::SEARCHED.set(tests::SEARCHED.get() + found.map_or(_bytes.len(), |place| place + 1));
    found
}

/// The value of an attribute of an opening tag.
pub(crate) fn attribute<'x>(attributes: &'x str, name: &str) -> Option<Cow<'x, str>> {
    let mut rest = attributes;
    loop {
        let equals = memchr(b'=', rest.as_bytes())?;
        let found = &rest[..equals];
        let behind = rest[equals + 1..].trim_start();
        let quote = *behind.as_bytes().first()?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let end = 1 + memchr(quote, &behind.as_bytes()[1..])?;
        if found.trim() == name {
            return Some(text(&behind[1..end]));
        }
        rest = &behind[end + 1..];
    }
}

/// The value of an attribute of the opening tag whose name ends here. As the first one, it needs no look at the others.
fn opening_attribute<'x>(xml: &'x str, name: &str) -> Option<Cow<'x, str>> {
    let first = xml.strip_prefix(' ').and_then(|xml| xml.strip_prefix(name));
    if let Some(behind) = first.and_then(|xml| xml.strip_prefix("=\"")) {
        let end = searched(behind.as_bytes(), memchr(b'"', behind.as_bytes()))?;
        return Some(text(&behind[..end]));
    }
    let end = tag_length(xml.as_bytes())?;
    attribute(&xml[..end - 1], name)
}

/// The text of a piece of XML, with its tags removed and its character references decoded.
pub(crate) fn text(xml: &str) -> Cow<'_, str> {
    if memchr2(b'<', b'&', xml.as_bytes()).is_none() {
        return Cow::Borrowed(xml);
    }
    let mut text = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some(place) = searched(rest.as_bytes(), memchr2(b'<', b'&', rest.as_bytes())) {
        text.push_str(&rest[..place]);
        rest = &rest[place..];
        if rest.starts_with("<?") {
            // A processing instruction may hold quotes and `>`.
            let length = memmem::find(rest.as_bytes(), b"?>").map_or(rest.len(), |place| place + 2);
            rest = &rest[length..];
        } else if rest.starts_with('<') {
            // A `<` without a `>` is no tag, nor is one followed by a blank or a number.
            let is_tag = |letter: &u8| {
                letter.is_ascii_alphabetic() || matches!(letter, b'/' | b'!' | b'?' | b'_' | b':' | 0x80..)
            };
            let length = rest.as_bytes().get(1).filter(|letter| is_tag(letter));
            let length = length
                .and_then(|_| inner_tag_length(rest.as_bytes()))
                .unwrap_or(0);
            if length == 0 {
                text.push('<');
            } else if begins_line(rest.as_bytes()) {
                text.push(' ');
            }
            rest = &rest[length.max(1)..];
        } else {
            let (letter, length) = reference(rest).unwrap_or(('&', 1));
            text.push(letter);
            rest = &rest[length..];
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The letter of a reference, and the reference's length. `None` for entities other than the five of XML.
fn reference(text: &str) -> Option<(char, usize)> {
    let end = memchr(b';', &text.as_bytes()[..text.len().min(12)])?;
    let name = &text[1..end];
    let letter = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            match number.ok()? {
                0 => char::REPLACEMENT_CHARACTER,
                number => char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER),
            }
        }
    };
    Some((letter, end + 1))
}

/// Comments and CDATA, whose content hides tags: their beginnings and ends.
const COMMENT: (&str, &str) = ("<!--", "-->");
const CDATA: (&str, &str) = ("<![CDATA[", "]]>");

/// A record at the beginning of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordEnd {
    /// The place after its closing tag.
    pub end: usize,
    /// Whether it may hold comments or CDATA, so that it must go through [`plain`].
    pub hides: bool,
}

/// The end of a record, given the beginning of its closing tag; a tag inside a comment or CDATA ends nothing. `None` if
/// more bytes are needed.
pub(crate) fn record_end(close: &memmem::Finder<'_>, bytes: &[u8]) -> Option<RecordEnd> {
    let (mut behind, mut hides) = (0, false);
    loop {
        let (start, end) = closing_tag(close, bytes, behind)?;
        while let Some(place) = bytes
            .get(behind..start)
            .and_then(|before| searched(before, memmem::find(before, b"<!")))
        {
            hides = true;
            let at = behind + place;
            let hider = [COMMENT, CDATA]
                .into_iter()
                .find(|(opens, _)| bytes[at..].starts_with(opens.as_bytes()));
            behind = at + 2;
            if let Some((opens, closes)) = hider {
                let inside = at + opens.len();
                let hidden = &bytes[inside..];
                behind = inside + searched(hidden, memmem::find(hidden, closes.as_bytes()))? + closes.len();
            }
        }
        if behind <= start {
            return Some(RecordEnd { end, hides });
        }
    }
}

/// A record without its comments, and with its CDATA escaped as normal text.
pub(crate) fn plain(xml: &str) -> Cow<'_, str> {
    let Some(first) = memmem::find(xml.as_bytes(), b"<!") else {
        return Cow::Borrowed(xml);
    };
    let mut plain = String::with_capacity(xml.len());
    plain.push_str(&xml[..first]);
    let mut rest = &xml[first..];
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix(COMMENT.0) {
            rest = inside.split_once(COMMENT.1).map_or("", |(_, behind)| behind);
        } else if let Some(inside) = rest.strip_prefix(CDATA.0) {
            let (data, behind) = inside.split_once(CDATA.1).unwrap_or((inside, ""));
            for letter in data.chars() {
                match letter {
                    '&' => plain.push_str("&amp;"),
                    '<' => plain.push_str("&lt;"),
                    '>' => plain.push_str("&gt;"),
                    _ => plain.push(letter),
                }
            }
            rest = behind;
        } else {
            // The next `<!`, at the earliest after this `<`.
            let next = memmem::find(&rest.as_bytes()[1..], b"<!").map_or(rest.len(), |place| place + 1);
            plain.push_str(&rest[..next]);
            rest = &rest[next..];
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
pub(crate) mod tests;
