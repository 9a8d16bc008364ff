//! Everyday words that stand in vocabularies as names of drugs and nearly never mean the drug.

use std::collections::{BTreeMap, BTreeSet};

use crate::text::fold::Accents;

use super::names::folded_name;

/// The shipped list: a word, a tab, the reason. Lines that begin with `#` are comments.
const SHIPPED: &str = include_str!("stop_words.tsv");

/// Names that are not looked for.
#[derive(Debug, Clone)]
pub struct StopWords {
    forms: BTreeSet<String>,
    /// Whether single letters and digits are left out too.
    shortest: usize,
}

impl Default for StopWords {
    /// The shipped list.
    fn default() -> Self {
        Self {
            forms: shipped().into_keys().collect(),
            shortest: 2,
        }
    }
}

impl StopWords {
    /// No stop words: every name of the vocabulary is looked for, the single letters too.
    pub fn none() -> Self {
        Self {
            forms: BTreeSet::new(),
            shortest: 0,
        }
    }

    /// Just these names; an empty list is [`StopWords::none`].
    pub fn of<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        Self {
            forms: names
                .into_iter()
                .map(|name| folded_name(name.as_ref(), Accents::Fold))
                .collect(),
            shortest: 0,
        }
    }

    /// These names besides the ones already there.
    #[must_use]
    pub fn with<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.forms.extend(
            names
                .into_iter()
                .map(|name| folded_name(name.as_ref(), Accents::Fold)),
        );
        self
    }

    /// Whether a folded name is left out.
    pub(crate) fn stops(&self, form: &str) -> bool {
        form.chars().count() < self.shortest || self.forms.contains(form)
    }

    /// The names that are left out, as text to fingerprint.
    pub fn fingerprint(&self) -> String {
        format!("{}:{:?}", self.shortest, self.forms)
    }
}

/// The shipped stop words, each with its reason.
pub fn shipped() -> BTreeMap<String, &'static str> {
    SHIPPED
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .map(|(word, reason)| (folded_name(word, Accents::Fold), reason))
        .collect()
}
