//! Removes XML markup from titles: the tags that PubMed and publishers use, and no other angle bracket.

/// Elements that occur in titles and abstracts. `p < 0.05` and `<unknown>` are text, not markup.
const ELEMENTS: [&str; 17] = [
    "i",
    "b",
    "u",
    "em",
    "strong",
    "sub",
    "sup",
    "sc",
    "small",
    "br",
    "p",
    "span",
    "italic",
    "bold",
    "underline",
    "inf",
    "a",
];

/// A longer tag is no markup of a title.
const LONGEST_TAG: usize = 512;

/// Elements that begin a new line, and so separate two words.
const LINES: [&[u8]; 2] = [b"br", b"p"];

/// Whether the tag at the start of `bytes` begins a new line.
pub fn begins_line(bytes: &[u8]) -> bool {
    let inside = bytes.strip_prefix(b"<").unwrap_or(bytes);
    let inside = inside.strip_prefix(b"/").unwrap_or(inside);
    LINES.iter().any(|name| {
        let behind = inside.get(name.len());
        let ends = behind.is_some_and(|byte| matches!(byte, b'>' | b'/') || byte.is_ascii_whitespace());
        ends && inside[..name.len()].eq_ignore_ascii_case(name)
    })
}

/// Removes the tags and keeps their text, with a blank for tags that begin a line; `None` if there is no tag.
pub(super) fn remove(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut kept = String::new();
    let mut copied = 0;
    let mut found = false;
    let mut from = 0;
    while let Some(offset) = memchr::memchr(b'<', &bytes[from..]) {
        let start = from + offset;
        match tag_at(&bytes[start..]) {
            Some(length) => {
                found = true;
                kept.push_str(&text[copied..start]);
                if begins_line(&bytes[start..]) {
                    kept.push(' ');
                }
                copied = start + length;
                from = copied;
            }
            None => from = start + 1,
        }
    }
    if !found {
        return None;
    }
    kept.push_str(&text[copied..]);
    Some(kept)
}

/// The length of the tag at the start of `bytes`.
fn tag_at(bytes: &[u8]) -> Option<usize> {
    let window = &bytes[..bytes.len().min(LONGEST_TAG)];
    let end = memchr::memchr(b'>', window)?;
    let inside = &window[1..end];
    let inside = inside.strip_prefix(b"/").unwrap_or(inside);
    let name_end = inside
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b':'))
        .unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(name_end);
    let separated = attributes.is_empty() || attributes == b"/" || attributes[0].is_ascii_whitespace();
    let known = name.to_ascii_lowercase().starts_with(b"mml:")
        || ELEMENTS
            .iter()
            .any(|element| element.as_bytes().eq_ignore_ascii_case(name));
    // `a <b and c> d` has a letter after "<b " but no attribute: an attribute has a value.
    let attributes_look_right = attributes.is_empty()
        || attributes == b"/"
        || attributes.trim_ascii() == b"/"
        || attributes.trim_ascii().is_empty()
        || (attributes.contains(&b'=') && !attributes.contains(&b'<'));
    (known && separated && attributes_look_right).then_some(end + 1)
}
