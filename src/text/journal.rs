//! The key under which spellings of one journal meet.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Folds case, accents and punctuation: `The Journal of Maternal-Fetal & Neonatal Medicine` and
/// `the journal of maternal-fetal and neonatal medicine` have one key. Apostrophes vanish, any other sign parts words.
///
/// A name of signs alone is its own key, so that a journal always has one.
pub fn journal_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut parted = false;
    for letter in name.nfkd() {
        if is_combining_mark(letter) || is_apostrophe(letter) {
            continue;
        }
        if letter == '&' {
            push_word(&mut key, "and");
            parted = true;
        } else if letter.is_alphanumeric() {
            if parted && !key.is_empty() {
                key.push(' ');
            }
            parted = false;
            // Lower-casing a letter can give marks of its own (`İ`), which are accents too.
            key.extend(letter.to_lowercase().filter(|lower| !is_combining_mark(*lower)));
        } else {
            parted = true;
        }
    }
    if key.is_empty() { name.to_lowercase() } else { key }
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
