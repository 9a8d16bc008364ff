//! The display name of a journal: the most frequent spelling of its key; of equally frequent ones the first in
//! code-point order. Keys that are one journal have one name.

use std::collections::{BTreeMap, HashMap};

use super::same_journals::JoinedKeys;

/// How many current publications spell the journal of a key how. Counts of parts of a lake add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpellingCounts(BTreeMap<String, BTreeMap<String, i64>>);

impl SpellingCounts {
    /// Adds publications of a journal, or takes some away.
    pub fn add(&mut self, key: &str, spelling: &str, publications: i64) {
        if publications == 0 {
            return;
        }
        let spellings = match self.0.get_mut(key) {
            Some(spellings) => spellings,
            None => self.0.entry(key.to_owned()).or_default(),
        };
        match spellings.get_mut(spelling) {
            Some(count) => *count += publications,
            None => {
                spellings.insert(spelling.to_owned(), publications);
            }
        }
        if spellings.get(spelling) == Some(&0) {
            spellings.remove(spelling);
            if spellings.is_empty() {
                self.0.remove(key);
            }
        }
    }

    /// Adds other counts (`times` is 1) or takes them away (-1).
    pub fn add_all(&mut self, other: &Self, times: i64) {
        for (key, spelling, count) in other.iter() {
            self.add(key, spelling, count * times);
        }
    }

    /// Each key and spelling with its publications, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, i64)> {
        self.0.iter().flat_map(|(key, spellings)| {
            spellings
                .iter()
                .map(move |(spelling, count)| (key.as_str(), spelling.as_str(), *count))
        })
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Chooses the display names of journals some of whose keys are joined.
    pub fn display_names(&self, joined: JoinedKeys) -> DisplayNames {
        let mut counts: HashMap<&str, HashMap<&str, i64>> = HashMap::with_capacity(self.0.len());
        for (key, spelling, count) in self.iter() {
            *counts
                .entry(joined.of(key))
                .or_default()
                .entry(spelling)
                .or_default() += count;
        }
        let names = counts
            .into_iter()
            .filter_map(|(key, spellings)| {
                let (name, _) = spellings
                    .into_iter()
                    .max_by(|(left, most), (right, more)| most.cmp(more).then_with(|| right.cmp(left)))?;
                Some((key.to_owned(), name.to_owned()))
            })
            .collect();
        DisplayNames { joined, names }
    }
}

/// Counts spellings row by row: most rows share few of them, and looking up a hash is quicker than a place in an order.
#[derive(Debug, Default)]
pub struct SpellingCounter(HashMap<String, HashMap<String, i64>>);

impl SpellingCounter {
    /// Counts one publication of a journal.
    pub fn add(&mut self, key: &str, spelling: &str) {
        let spellings = match self.0.get_mut(key) {
            Some(spellings) => spellings,
            None => self.0.entry(key.to_owned()).or_default(),
        };
        match spellings.get_mut(spelling) {
            Some(count) => *count += 1,
            None => {
                spellings.insert(spelling.to_owned(), 1);
            }
        }
    }

    /// The counts in order.
    pub fn finish(self) -> SpellingCounts {
        let mut counts = SpellingCounts::default();
        for (key, spellings) in &self.0 {
            for (spelling, count) in spellings {
                counts.add(key, spelling, *count);
            }
        }
        counts
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

    /// How many current publications each journal has, by display name.
    pub fn publications(&self, counts: &SpellingCounts) -> BTreeMap<String, u64> {
        let mut publications: BTreeMap<String, u64> = BTreeMap::new();
        for (key, _, count) in counts.iter() {
            if let Some(name) = self.get(key) {
                *publications.entry(name.to_owned()).or_default() += count.unsigned_abs();
            }
        }
        publications
    }
}
