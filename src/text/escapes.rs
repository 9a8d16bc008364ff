//! Literal `\xNN` escapes: UTF-8 bytes that an earlier tool printed in Python's notation.

/// A text with its escapes decoded or removed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub text: String,
    /// At least one run was valid UTF-8 and was decoded.
    pub decoded: bool,
    /// At least one run was invalid and was removed, with the blank after it unless that blank separates two words.
    pub removed: bool,
}

/// Decodes each whole run of escapes (`\xNN` or `\\xNN`) that is valid UTF-8, and removes each that is not; `None` if
/// the text has no escape.
pub(super) fn decode(text: &str) -> Option<Decoded> {
    let bytes = text.as_bytes();
    let first = next_escape(bytes, 0)?;
    let mut result = Decoded {
        text: String::with_capacity(text.len()),
        decoded: false,
        removed: false,
    };
    let mut copied = 0;
    let mut next = Some(first);
    let mut run = Vec::new();
    while let Some(start) = next {
        result.text.push_str(&text[copied..start]);
        run.clear();
        let mut position = start;
        while let Some((byte, length)) = escape_at(bytes, position) {
            run.push(byte);
            position += length;
        }
        match std::str::from_utf8(&run) {
            // A title holds no control characters other than white space.
            Ok(letters)
                if !letters
                    .chars()
                    .any(|letter| letter.is_control() && !letter.is_whitespace()) =>
            {
                result.text.push_str(letters);
                result.decoded = true;
            }
            _ => {
                result.removed = true;
                // Removes the next blank too, unless only that blank separates two words.
                let parts_words = result.text.ends_with(|letter: char| !letter.is_whitespace());
                if bytes.get(position) == Some(&b' ') && !parts_words {
                    position += 1;
                }
            }
        }
        copied = position;
        next = next_escape(bytes, position);
    }
    result.text.push_str(&text[copied..]);
    Some(result)
}

fn next_escape(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memchr_iter(b'\\', &bytes[from..])
        .map(|offset| from + offset)
        .find(|&position| escape_at(bytes, position).is_some())
}

/// The byte and the length of the escape that starts at `position`.
fn escape_at(bytes: &[u8], position: usize) -> Option<(u8, usize)> {
    let rest = bytes.get(position..)?;
    let digits = match rest {
        [b'\\', b'x', digits @ ..] => digits,
        [b'\\', b'\\', b'x', digits @ ..] => digits,
        _ => return None,
    };
    let high = hexadecimal(*digits.first()?)?;
    let low = hexadecimal(*digits.get(1)?)?;
    Some((high << 4 | low, rest.len() - digits.len() + 2))
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
