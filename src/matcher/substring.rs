//! `boundary="none"`: finds names anywhere in the text, also inside words, for comparison with tools that do the same.

use aho_corasick::{AhoCorasick, MatchKind};

use super::index::Hit;
use super::tokens::{TokenKind, Tokens};
use crate::text::fold::{Accents, fold};

/// An automaton over the folded names.
#[derive(Debug)]
pub(super) struct Substrings {
    automaton: Option<AhoCorasick>,
    accents: Accents,
}

impl Substrings {
    pub(super) fn build<'n>(forms: impl Iterator<Item = &'n str>, accents: Accents) -> Self {
        let forms: Vec<&str> = forms.collect();
        // Without an automaton if the names exceed its 32-bit states; the memory is exhausted long before that.
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(forms)
            .ok();
        Self { automaton, accents }
    }

    pub(super) fn find(&self, text: &str, mut give: impl FnMut(Hit)) {
        let Some(automaton) = &self.automaton else { return };
        let folded = FoldedText::new(text, self.accents);
        for found in automaton.find_iter(&folded.text) {
            // A name may end inside the letters that one letter folds to (`α` is `alpha`): the mention includes the
            // whole letter.
            let (start, _) = folded.places[found.start()];
            let (_, end) = folded.places[found.end() - 1];
            give(Hit {
                pattern: found.pattern().as_u32(),
                start,
                end,
            });
        }
    }
}

/// A folded text, and for each of its bytes the range of the original letter or gap.
struct FoldedText {
    text: String,
    places: Vec<(usize, usize)>,
}

impl FoldedText {
    fn new(original: &str, accents: Accents) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut places = Vec::with_capacity(original.len());
        let mut push = |letter: char, start: usize, end: usize| {
            text.push(letter);
            places.resize(places.len() + letter.len_utf8(), (start, end));
        };
        for token in Tokens::new(original, accents, 0) {
            match token.kind {
                TokenKind::Gap => push(' ', token.start, token.end),
                TokenKind::Sign(sign) => push(sign, token.start, token.end),
                TokenKind::Word => {
                    for (offset, letter) in original[token.start..token.end].char_indices() {
                        let start = token.start + offset;
                        fold(letter, accents, |folded| {
                            push(folded, start, start + letter.len_utf8());
                        });
                    }
                }
            }
        }
        Self { text, places }
    }
}
