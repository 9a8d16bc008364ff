//! The vocabulary inside a matcher. Its entries are a few long columns instead of many small strings, so that a hundred
//! thousand names load in milliseconds.

use super::packed::PackedTexts;
use crate::error::Result;

/// An entry of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VocabularyEntry {
    pub atccode: String,
    pub drug: String,
    pub synonyms: Vec<String>,
}

impl VocabularyEntry {
    /// An entry with a code, a name and any number of other names.
    pub fn new(
        atccode: impl Into<String>,
        drug: impl Into<String>,
        synonyms: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            atccode: atccode.into(),
            drug: drug.into(),
            synonyms: synonyms.into_iter().collect(),
        }
    }
}

/// Entries in columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct EntryTable {
    /// The code and the drug of each entry, side by side, because they are read together.
    pub(super) labels: PackedTexts,
    pub(super) synonyms: PackedTexts,
    /// The end of each entry's synonyms.
    pub(super) synonym_ends: Vec<u32>,
}

impl EntryTable {
    pub(super) fn of_entries(entries: &[VocabularyEntry]) -> Result<Self> {
        let mut vocabulary = Self::default();
        for entry in entries {
            vocabulary.labels.push(&entry.atccode)?;
            vocabulary.labels.push(&entry.drug)?;
            for synonym in &entry.synonyms {
                vocabulary.synonyms.push(synonym)?;
            }
            let end = vocabulary.synonyms.len();
            vocabulary
                .synonym_ends
                .push(u32::try_from(end).unwrap_or(u32::MAX));
        }
        Ok(vocabulary)
    }

    pub(super) fn len(&self) -> usize {
        self.labels.len() / 2
    }

    pub(super) fn code(&self, entry: u32) -> &str {
        self.labels.get(2 * entry as usize)
    }

    pub(super) fn drug(&self, entry: u32) -> &str {
        self.labels.get(2 * entry as usize + 1)
    }

    pub(super) fn synonyms(&self, entry: u32) -> impl Iterator<Item = &str> {
        let entry = entry as usize;
        let first = if entry == 0 {
            0
        } else {
            self.synonym_ends[entry - 1]
        };
        (first..self.synonym_ends[entry]).map(|place| self.synonyms.get(place as usize))
    }

    /// The name of an entry and its synonyms.
    pub(super) fn names(&self, entry: u32) -> impl Iterator<Item = &str> {
        std::iter::once(self.drug(entry)).chain(self.synonyms(entry))
    }

    /// Whether the columns are consistent.
    pub(super) fn is_whole(&self) -> bool {
        self.labels.len().is_multiple_of(2)
            && self.synonym_ends.len() == self.len()
            && self.synonym_ends.is_sorted()
            && self.synonym_ends.last().map_or(0, |end| *end as usize) == self.synonyms.len()
    }
}
