//! The key that all spellings of one journal share.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The key of a journal's name, without case, accents and punctuation: `The Journal of Maternal-Fetal & Neonatal
/// Medicine` and `the journal of maternal-fetal and neonatal medicine` have the same key. Apostrophes are removed, and
/// any other sign separates words.
///
/// A name of only signs is its own key, so that every journal has one.
pub fn journal_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    if name.is_ascii() {
        push_ascii(&mut key, name);
    } else {
        push_folded(&mut key, name);
    }
    if key.is_empty() { name.to_lowercase() } else { key }
}

/// Like [`push_folded`], but for ASCII only and without tables: nearly all names are ASCII.
fn push_ascii(key: &mut String, name: &str) {
    let mut parted = false;
    for byte in name.bytes() {
        match byte {
            b'\'' | b'`' => {}
            b'&' => {
                push_word(key, "and");
                parted = true;
            }
            _ if byte.is_ascii_alphanumeric() => {
                if parted && !key.is_empty() {
                    key.push(' ');
                }
                parted = false;
                key.push(char::from(byte.to_ascii_lowercase()));
            }
            _ => parted = true,
        }
    }
}

fn push_folded(key: &mut String, name: &str) {
    let mut parted = false;
    for letter in name.nfkd() {
        if is_combining_mark(letter) || is_apostrophe(letter) {
            continue;
        }
        if letter == '&' {
            push_word(key, "and");
            parted = true;
        } else if letter.is_alphanumeric() {
            if parted && !key.is_empty() {
                key.push(' ');
            }
            parted = false;
            // Lower-casing a letter can add marks (`İ`), which are accents too.
            for lower in letter.to_lowercase().filter(|lower| !is_combining_mark(*lower)) {
                match lower {
                    // Letters with another form in capitals, or at the end of a word.
                    'ß' => key.push_str("ss"),
                    'ς' => key.push('σ'),
                    _ => key.push(lower),
                }
            }
        } else {
            parted = true;
        }
    }
}

fn push_word(key: &mut String, word: &str) {
    if !key.is_empty() {
        key.push(' ');
    }
    key.push_str(word);
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’' | '‘' | 'ʼ' | '′' | '`' | '´')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_a_key_agree_where_both_can_go() {
        let pieces = [
            "A", "b", "7", " ", "'", "`", "&", "-", ".", "and", "\t", "_", "@", "~",
        ];
        for first in pieces {
            for second in pieces {
                for third in pieces {
                    let name = format!("{first}{second}{third}{first}");
                    let (mut quick, mut slow) = (String::new(), String::new());
                    push_ascii(&mut quick, &name);
                    push_folded(&mut slow, &name);
                    assert_eq!(quick, slow, "{name}");
                }
            }
        }
    }
}
