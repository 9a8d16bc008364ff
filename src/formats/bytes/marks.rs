//! Byte order marks and line ends.

use memchr::memchr_iter;

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes after byte order marks; programs put one before a file that has one already.
pub(crate) fn without_marks(mut head: &[u8]) -> &[u8] {
    while let Some(rest) = head.strip_prefix(MARK) {
        head = rest;
    }
    head
}

/// The byte that ends the lines of a text with this beginning: LF, also behind a CR, or CR alone.
pub(crate) fn line_end(head: &[u8]) -> u8 {
    let alone = memchr_iter(b'\r', head)
        .filter(|at| head.get(at + 1) != Some(&b'\n'))
        .count();
    if alone > memchr_iter(b'\n', head).count() {
        b'\r'
    } else {
        b'\n'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
