//! A mention of a drug, and the conversion of byte offsets to code points.

use super::vocabulary::EntryTable;
use crate::schema::Rule;

/// A drug found at one place of a text. `start` and `end` are byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention<'m> {
    /// The number of the entry in the vocabulary.
    pub entry: u32,
    pub start: usize,
    pub end: usize,
    pub rule: Rule,
    pub(super) vocabulary: &'m EntryTable,
}

impl<'m> Mention<'m> {
    /// The code of the drug.
    pub fn atccode(&self) -> &'m str {
        self.vocabulary.code(self.entry)
    }

    /// The name of the drug in the vocabulary, which may differ from the name in the text.
    pub fn drug(&self) -> &'m str {
        self.vocabulary.drug(self.entry)
    }
}

/// Converts ascending byte offsets of one text to offsets of Unicode code points, in one pass over the text.
#[derive(Debug)]
pub struct CodePoints<'t> {
    text: &'t str,
    ascii: bool,
    byte: usize,
    point: usize,
}

impl<'t> CodePoints<'t> {
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            ascii: text.is_ascii(),
            byte: 0,
            point: 0,
        }
    }

    /// The code-point offset of a byte offset. A smaller offset than the last one restarts from the beginning.
    pub fn at(&mut self, byte: usize) -> usize {
        if self.ascii {
            return byte;
        }
        if byte < self.byte {
            (self.byte, self.point) = (0, 0);
        }
        self.point += self.text[self.byte..byte].chars().count();
        self.byte = byte;
        self.point
    }
}
