//! Finds the drugs that a text mentions.
//!
//! A drug is mentioned where one of its names occurs as whole words. Names are compared under [`crate::text::fold`] and
//! bounded by anything that is not a letter or a digit. The leftmost match wins, then the longest, and matches never
//! overlap. A gap inside a name (`tranexamic acid`, `co-trimoxazole`) matches one run of white space or dashes. Names
//! are literal text, never patterns: `c++ (drug` and `.*` match only themselves. Offsets are those of the original
//! text.
//!
//! A combination of several substances is also found in other spellings than its name ([`Rule::Combination`]), in
//! addition to the mentions inside it.
//!
//! A [`StopWords`] list leaves out the everyday words of a vocabulary, each with its reason.

mod abbreviation;
mod explain;
mod fingerprint;
mod index;
mod mention;
pub mod naive;
mod names;
mod options;
mod saved;
mod stop_words;
mod substring;
mod tokens;

use std::ops::ControlFlow;

use index::{Hit, WordIndex, build, combination};
pub use mention::{CodePoints, Mention};
use names::PatternNames;
use names::vocabulary::EntryTable;
pub use names::vocabulary::VocabularyEntry;
pub use names::{MOST_WORDS, is_too_long};
pub use options::{Boundary, EmptyList, MatcherOption, MatcherSettings, OPTIONS, OptionKind, WordOption};
pub use stop_words::StopWords;
use substring::Substrings;

use crate::error::Result;
use crate::schema::Rule;
use crate::task::Task;
pub use crate::text::fold::Accents;

/// An immutable matcher over a vocabulary. Sharing it between threads costs nothing.
#[derive(Debug)]
pub struct Matcher {
    settings: MatcherSettings,
    vocabulary: EntryTable,
    names: PatternNames,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Words(WordIndex),
    Substrings(Substrings),
}

impl Matcher {
    /// Builds a matcher. Blank names and names on the stop list match nothing. A name of several entries is found for
    /// each of them.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Argument`] for more than 4 GiB of names, and for a name of more than [`MOST_WORDS`] words and signs.
    pub fn new(entries: &[VocabularyEntry], settings: &MatcherSettings) -> Result<Self> {
        Self::build(entries, settings, &Task::new())
    }

    /// Builds a matcher as [`Matcher::new`] does, but stops if the task is cancelled: a vocabulary of a million names
    /// takes seconds.
    pub fn build(entries: &[VocabularyEntry], settings: &MatcherSettings, task: &Task) -> Result<Self> {
        let vocabulary = EntryTable::of_entries(entries)?;
        let names = PatternNames::collect(&vocabulary, settings, task)?;
        let engine = match settings.boundary {
            Boundary::Word => Engine::Words(build::build(&names, settings.accents, task)?),
            Boundary::None => Engine::Substrings(Substrings::build(names.forms(), settings.accents)),
        };
        Ok(Self {
            settings: settings.clone(),
            vocabulary,
            names,
            engine,
        })
    }

    /// The number of entries of the vocabulary.
    pub fn entries(&self) -> usize {
        self.vocabulary.len()
    }

    /// The number of different names that can be found.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no name to find.
    pub fn is_empty(&self) -> bool {
        self.names.len() == 0
    }

    /// The mentions of a text, in the order of their places; at one place in the order of code and drug.
    pub fn find<'m>(&'m self, text: &str) -> Vec<Mention<'m>> {
        let mut mentions = Vec::new();
        self.finder().each(text, |mention| mentions.push(mention));
        mentions
    }

    /// A finder for many texts.
    pub fn finder(&self) -> Finder<'_> {
        Finder {
            matcher: self,
            hits: Vec::new(),
            task: None,
        }
    }

    /// A finder that also stops within a text once the task is cancelled; its owner checks the task before it uses the
    /// result.
    pub fn finder_under<'m>(&'m self, task: &'m Task) -> Finder<'m> {
        Finder {
            task: Some(task),
            ..self.finder()
        }
    }

    /// Says in one sentence why the drug of a name or code is found in a text, or why it is not.
    pub fn explain(&self, text: &str, drug: &str) -> Result<String> {
        self.explain_under(text, drug, &Task::new())
    }

    /// Explains as [`Matcher::explain`] does; an error if the task is cancelled.
    pub fn explain_under(&self, text: &str, drug: &str, task: &Task) -> Result<String> {
        explain::explain(self, text, drug, task)
    }

    /// Finds mentions as [`Matcher::find`] does; an error if the task is cancelled.
    pub fn find_under<'m>(&'m self, text: &str, task: &'m Task) -> Result<Vec<Mention<'m>>> {
        let mut mentions = Vec::new();
        self.finder_under(task)
            .each(text, |mention| mentions.push(mention));
        task.check()?;
        Ok(mentions)
    }

    fn hits(&self, text: &str, task: Option<&Task>, mut give: impl FnMut(Hit)) {
        match &self.engine {
            Engine::Words(index) if self.names.patterns() == self.names.len() => {
                index.find(&self.names, (text, 0), task, &|_| true, |hit| {
                    give(hit);
                    ControlFlow::Continue(())
                });
            }
            Engine::Words(index) => combination::find(index, &self.names, text, task, give),
            Engine::Substrings(substrings) => substrings.find(text, give),
        }
    }
}

/// Finds the mentions of one text after the other. It reuses its memory, so that a text costs no allocation.
#[derive(Debug)]
pub struct Finder<'m> {
    matcher: &'m Matcher,
    hits: Vec<Hit>,
    task: Option<&'m Task>,
}

impl<'m> Finder<'m> {
    /// Passes on the mentions of a text, as [`Matcher::find`] returns them.
    #[inline]
    pub fn each(&mut self, text: &str, mut give: impl FnMut(Mention<'m>)) {
        let matcher = self.matcher;
        let mut one = |hit: Hit, abbreviated: bool| {
            for (entry, rule) in matcher.names.targets(hit.pattern) {
                give(Mention {
                    entry,
                    start: hit.start,
                    end: hit.end,
                    rule: if abbreviated { Rule::Abbreviation } else { rule },
                    vocabulary: &matcher.vocabulary,
                });
            }
        };
        if !matcher.settings.abbreviations {
            matcher.hits(text, self.task, |hit| one(hit, false));
            return;
        }
        self.hits.clear();
        let mut joined = Vec::new();
        matcher.hits(text, self.task, |hit| {
            let is_name = (hit.pattern as usize) < matcher.names.len();
            if is_name { &mut self.hits } else { &mut joined }.push(hit);
        });
        if joined.is_empty() {
            abbreviation::each(text, &self.hits, one);
            return;
        }
        // Abbreviations refer to names; the spellings of combinations are merged in afterwards.
        let mut all: Vec<(Hit, bool)> = joined.into_iter().map(|hit| (hit, false)).collect();
        abbreviation::each(text, &self.hits, |hit, abbreviated| all.push((hit, abbreviated)));
        all.sort_by_key(|(hit, _)| (hit.start, std::cmp::Reverse(hit.end)));
        all.into_iter()
            .for_each(|(hit, abbreviated)| one(hit, abbreviated));
    }
}
