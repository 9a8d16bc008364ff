//! Compares a piece of a text with a folded name, eight bytes at a time.

use crate::matcher::tokens::{CLASS, GAP, HIGH, SMALL, ascii_letters, eight};

/// All bits of a byte except the one of case.
const BUT_CASE: u64 = !SMALL;

/// Whether `length` bytes of a text equal those of a name, ignoring case and the kind of single gaps. Each side is a
/// whole text and a place in it.
#[inline]
pub(super) fn equal_letters(text: (&[u8], usize), name: (&[u8], usize), length: usize) -> bool {
    let mut done = 0;
    while done < length {
        let left = length - done;
        let some = if left >= 8 {
            u64::MAX
        } else {
            u64::MAX >> (64 - 8 * left)
        };
        let own = eight(text.0, text.1 + done) & some;
        let other = eight(name.0, name.1 + done) & some;
        let differs = own ^ other;
        // The bytes differ at most in case, and where they do, the name has a letter.
        let only_case = differs & BUT_CASE == 0 && (differs << 2) & HIGH & !ascii_letters(other) == 0;
        if !only_case && !equal_bytes(own, other) {
            return false;
        }
        done += 8;
    }
    true
}

/// Compares eight bytes one by one, because a gap may be of another kind.
#[cold]
fn equal_bytes(text: u64, name: u64) -> bool {
    text.to_le_bytes()
        .iter()
        .zip(name.to_le_bytes())
        .all(|(own, other)| {
            own.to_ascii_lowercase() == other || (other == b' ' && CLASS[usize::from(*own)] == GAP)
        })
}

/// Whether a byte is the letter that makes a plural.
#[inline]
pub(super) fn is_plural_letter(byte: u8) -> bool {
    byte.eq_ignore_ascii_case(&b's')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_equal_but_for_case_and_gaps() {
        for (text, name, equal) in [
            ("", "", true),
            ("Insulin", "insulin", true),
            ("INSULIN glargine 300", "insulin glargine 300", true),
            ("tranexamic-acid", "tranexamic acid", true),
            ("tranexamic\tacid", "tranexamic acid", true),
            ("tranexamic/acid", "tranexamic acid", false),
            ("insulim", "insulin", false),
            ("insulin glargime", "insulin glargine", false),
            // These pairs differ only in the bit of case, and are no letters.
            ("a[b", "a{b", false),
            ("a@b", "a`b", false),
            ("a\u{10}b", "a0b", false),
            ("a\u{0}b", "a b", false),
        ] {
            let (around, beyond) = (format!("<{text}> and more"), format!("..{name}.."));
            assert_eq!(
                equal_letters((around.as_bytes(), 1), (beyond.as_bytes(), 2), name.len()),
                equal,
                "{text:?} and {name:?}"
            );
            assert_eq!(
                equal_letters((text.as_bytes(), 0), (name.as_bytes(), 0), name.len()),
                equal,
                "{text:?} and {name:?}, with nothing behind them"
            );
        }
    }
}
