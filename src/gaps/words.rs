//! The words of a text, folded as the matcher folds them.

use crate::text::fold::{Accents, Class, class, fold};

/// A run of letters: its bytes in the text, and its folded letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldedWord {
    pub start: usize,
    pub end: usize,
    pub folded: String,
}

/// The words of a text in order. A digit ends a word.
pub fn folded_words(text: &str) -> Vec<FoldedWord> {
    let mut words: Vec<FoldedWord> = Vec::new();
    let mut is_open = false;
    for (start, letter) in text.char_indices() {
        let kind = class(letter);
        let is_letter = match kind {
            Class::Word => !letter.is_numeric(),
            // An accent belongs to the letter before it.
            Class::Mark => is_open,
            Class::Gap | Class::Sign(_) => false,
        };
        if !is_letter {
            is_open = false;
            continue;
        }
        let end = start + letter.len_utf8();
        let mut word = match words.pop() {
            Some(word) if is_open => word,
            before => {
                words.extend(before);
                FoldedWord {
                    start,
                    end,
                    folded: String::new(),
                }
            }
        };
        word.end = end;
        fold(letter, Accents::Fold, |folded| word.folded.push(folded));
        words.push(word);
        is_open = true;
    }
    words
}

/// The letters and digits of a text, folded: the key of a code, however it is written.
pub(super) fn code_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for letter in text.chars().filter(|letter| class(*letter) == Class::Word) {
        fold(letter, Accents::Fold, |folded| key.push(folded));
    }
    key
}
