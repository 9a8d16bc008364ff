//! The display name of a journal: the most frequent spelling of its key; of equally frequent ones the first in
//! code-point order. Keys that are one journal have one name.

use std::collections::HashMap;

use super::same_journals::JoinedKeys;

/// Counts the spellings of journals.
#[derive(Debug, Default)]
pub struct Spellings {
    joined: JoinedKeys,
    counts: HashMap<String, HashMap<String, u64>>,
}

impl Spellings {
    /// Of journals some of whose keys are joined.
    pub fn new(joined: JoinedKeys) -> Self {
        Self {
            joined,
            counts: HashMap::new(),
        }
    }

    /// Counts one publication of a journal.
    pub fn add(&mut self, key: &str, spelling: &str) {
        let key = self.joined.of(key);
        let spellings = match self.counts.get_mut(key) {
            Some(spellings) => spellings,
            None => self.counts.entry(key.to_owned()).or_default(),
        };
        match spellings.get_mut(spelling) {
            Some(count) => *count += 1,
            None => {
                spellings.insert(spelling.to_owned(), 1);
            }
        }
    }

    /// Chooses the display names.
    pub fn finish(self) -> DisplayNames {
        let names = self
            .counts
            .into_iter()
            .filter_map(|(key, spellings)| {
                let (name, _) = spellings
                    .into_iter()
                    .max_by(|(left, most), (right, more)| most.cmp(more).then_with(|| right.cmp(left)))?;
                Some((key, name))
            })
            .collect();
        DisplayNames {
            joined: self.joined,
            names,
        }
    }
}

/// The display name of each key.
#[derive(Debug, Default)]
pub struct DisplayNames {
    joined: JoinedKeys,
    names: HashMap<String, String>,
}

impl DisplayNames {
    /// The display name of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.names.get(self.joined.of(key)).map(String::as_str)
    }

    /// All display names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.values().map(String::as_str)
    }
}
