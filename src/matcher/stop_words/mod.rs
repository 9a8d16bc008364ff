//! The names of a vocabulary that the matcher skips: everyday words by a list, classes by a rule, single letters.

mod class_words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::tokens::folded_name;
use crate::text::fold::Accents;

/// The shipped list: a word, a tab, the reason. Lines that begin with `#` are comments.
const SHIPPED: &str = include_str!("stop_words.tsv");
/// The names that are kept in spite of the rules, in the same format.
const KEPT: &str = include_str!("kept_names.tsv");

static KEPT_FORMS: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| table(KEPT));
static SHIPPED_FORMS: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| table(SHIPPED));

/// Names that are not looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopWords {
    forms: BTreeSet<String>,
    /// Whether the rules apply too: classes, single letters and digits, the case of short names.
    rules: bool,
}

impl Default for StopWords {
    /// The shipped list and the rules.
    fn default() -> Self {
        Self {
            forms: SHIPPED_FORMS.keys().cloned().collect(),
            rules: true,
        }
    }
}

impl StopWords {
    /// No stop words and no rules: every name of the vocabulary is looked for, single letters too.
    pub fn none() -> Self {
        Self {
            forms: BTreeSet::new(),
            rules: false,
        }
    }

    /// Only these names, without the rules; an empty list equals [`StopWords::none`].
    pub fn of<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> Self {
        Self::none().with(names)
    }

    /// Adds these names.
    #[must_use]
    pub fn with<S: AsRef<str>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.forms.extend(
            names
                .into_iter()
                .map(|name| folded_name(name.as_ref(), Accents::Fold)),
        );
        self
    }

    /// Whether the rules apply besides the list.
    pub(super) fn has_rules(&self) -> bool {
        self.rules
    }

    /// The list with these parts.
    pub(super) fn of_parts(forms: BTreeSet<String>, rules: bool) -> Self {
        Self { forms, rules }
    }

    pub(super) fn forms(&self) -> &BTreeSet<String> {
        &self.forms
    }

    /// Whether a folded name is left out.
    pub(super) fn stops(&self, form: &str) -> bool {
        self.reason(form).is_some()
    }

    /// Why a folded name is left out.
    pub(super) fn reason(&self, form: &str) -> Option<&'static str> {
        if self.forms.contains(form) {
            return Some(
                SHIPPED_FORMS
                    .get(form)
                    .copied()
                    .unwrap_or("it is on your list of stop words"),
            );
        }
        if !self.rules || KEPT_FORMS.contains_key(form) {
            return None;
        }
        if form
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .nth(1)
            .is_none()
        {
            return Some("a single letter or digit is no name in running text");
        }
        class_words::reason(form)
    }
}

fn table(text: &'static str) -> BTreeMap<String, &'static str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .map(|(word, reason)| (folded_name(word, Accents::Fold), reason))
        .collect()
}
