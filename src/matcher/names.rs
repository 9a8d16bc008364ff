//! Which names of a vocabulary are looked for, and what each stands for.

use super::index::packed;
use super::packed::too_large;
use super::tokens::{Kind, Tokens, fold_into};
use super::vocabulary::Vocabulary;
use super::{Entry, Settings};
use crate::error::Result;
use crate::schema::Rule;
use crate::task::Task;
use crate::text::fold::Accents;

/// The folded names that may match, ascending and different, each with the entries that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// The forms, one after the other.
    pub(super) text: String,
    /// For each form where its targets end, then 32 bits that say where it ends itself.
    pub(super) ends: Vec<u64>,
    /// For each form whether its plural is a mention too: 1 or 0.
    pub(super) plurals: Vec<u8>,
    /// Twice the number of an entry, and one more where the form is a synonym of it.
    pub(super) targets: Vec<u32>,
}

impl Names {
    /// The names of a vocabulary, without those that the settings stop. Targets stand in the order of code and drug.
    pub(super) fn collect(vocabulary: &Vocabulary, settings: &Settings, task: &Task) -> Result<Self> {
        let mut drafts = Vec::with_capacity(vocabulary.len() + vocabulary.synonyms.len());
        for entry in 0..vocabulary.len() as u32 {
            if entry % 1024 == 0 {
                task.check()?;
            }
            let mut synonym = false;
            for name in vocabulary.names(entry) {
                let form = folded_name(name, settings.accents);
                if !form.is_empty() && !settings.stop_words.stops(&form) {
                    drafts.push((form, 2 * entry + u32::from(synonym)));
                }
                synonym = true;
            }
        }
        let order = |target: &u32| (vocabulary.code(target / 2), vocabulary.drug(target / 2), *target);
        drafts.sort_unstable_by(|(left, one), (right, other)| {
            left.cmp(right).then_with(|| order(one).cmp(&order(other)))
        });
        task.check()?;
        let mut names = Self::default();
        for same in drafts.chunk_by(|left, right| left.0 == right.0) {
            names.text.push_str(&same[0].0);
            let first = names.targets.len();
            for (_, target) in same {
                // A synonym that folds to the entry's own name says nothing new.
                if names.targets.len() == first
                    || names.targets.last().is_some_and(|last| last / 2 != target / 2)
                {
                    names.targets.push(*target);
                }
            }
            let end = u32::try_from(names.text.len()).map_err(|_| too_large())?;
            names.ends.push(packed(names.targets.len() as u32, end));
        }
        names.plurals = names
            .forms()
            .map(|form| u8::from(has_plural(form) && !settings.stop_words.stops(&format!("{form}s"))))
            .collect();
        Ok(names)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(super) fn form(&self, pattern: u32) -> &str {
        let (start, end) = self.around(pattern);
        &self.text[start as u32 as usize..end as u32 as usize]
    }

    pub(super) fn forms(&self) -> impl Iterator<Item = &str> {
        (0..self.len() as u32).map(|pattern| self.form(pattern))
    }

    /// The entries that a form names.
    #[inline]
    pub(super) fn targets(&self, pattern: u32) -> impl Iterator<Item = (u32, Rule)> + '_ {
        let (start, end) = self.around(pattern);
        self.targets[(start >> 32) as usize..(end >> 32) as usize]
            .iter()
            .map(|target| {
                (
                    target / 2,
                    if target % 2 == 0 {
                        Rule::Name
                    } else {
                        Rule::Synonym
                    },
                )
            })
    }

    /// Where the form before ends, and this one.
    #[inline]
    fn around(&self, pattern: u32) -> (u64, u64) {
        let pattern = pattern as usize;
        let start = if pattern == 0 { 0 } else { self.ends[pattern - 1] };
        (start, self.ends[pattern])
    }
}

/// The forms of a vocabulary and their entries, for the slow oracle.
pub(super) fn names_of(entries: &[Entry], settings: &Settings) -> Result<Names> {
    Names::collect(&Vocabulary::of_entries(entries)?, settings, &Task::new())
}

/// The last word of a name that may stand in the plural has at least so many letters.
pub(super) const SHORTEST_SINGULAR: usize = 4;

/// Whether a mention may stand in the plural: names that end in a word of at least four ASCII letters, but not in `s`,
/// `x` or `z`, whose plural is another.
fn has_plural(form: &str) -> bool {
    let letters = form.bytes().rev().take_while(u8::is_ascii_lowercase).count();
    let whole_word = !form[..form.len() - letters].ends_with(char::is_alphanumeric);
    letters >= SHORTEST_SINGULAR && whole_word && !form.ends_with(['s', 'x', 'z'])
}

/// The folded form of a name, with single blanks for its gaps and none at its ends: equal forms are equal names.
pub(super) fn folded_name(name: &str, accents: Accents) -> String {
    let mut form = String::with_capacity(name.len());
    let mut gap = false;
    for token in Tokens::new(name, accents, 0) {
        if token.kind == Kind::Gap {
            gap = !form.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) {
            form.push(' ');
        }
        match token.kind {
            Kind::Sign(sign) => form.push(sign),
            _ => fold_into(&mut form, &name[token.start..token.end], accents),
        }
    }
    form
}
