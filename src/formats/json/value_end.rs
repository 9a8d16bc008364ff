//! Finds the end of a JSON value without parsing it.

use memchr::memchr2;

/// The end of the value that begins at `start`; `None` if the bytes end before it.
pub(crate) fn value_end(bytes: &[u8], start: usize, ended: bool) -> Option<usize> {
    match bytes[start] {
        b'"' => text_end(bytes, start + 1),
        b'{' | b'[' => brackets_end(bytes, start, 0),
        _ => {
            let length = bytes[start..]
                .iter()
                .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}'));
            match length {
                // A lone closing brace is no value; it counts as one letter, which is then rejected.
                Some(0) => Some(start + 1),
                Some(length) => Some(start + length),
                None => ended.then_some(bytes.len()),
            }
        }
    }
}

/// The place after the bracket that closes the outermost one, with `depth` of them open at `at`.
pub(crate) fn brackets_end(bytes: &[u8], mut at: usize, mut depth: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = text_end(bytes, at + 1)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Whether these bytes, which begin outside of a text, end inside one.
pub(crate) fn ends_in_text(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(offset) = memchr::memchr(b'"', &bytes[at..]) {
        match text_end(bytes, at + offset + 1) {
            Some(end) => at = end,
            None => return true,
        }
    }
    false
}

/// The end of the text whose letters begin at `start`.
fn text_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let found = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[found] == b'"' {
            return Some(found + 1);
        }
        at = found + 2;
    }
}
