//! Which drugs a text mentions.
//!
//! A drug is mentioned where one of its names stands as whole words: compared under [`crate::text::fold`], bounded by
//! anything that is not a letter or a digit, leftmost first, of several the longest, never overlapping. A gap inside a
//! name (`tranexamic acid`, `co-trimoxazole`) bridges one run of white space or dashes. Names are literal text, never
//! patterns: `c++ (drug` and `.*` are found as they stand. Offsets are those of the original text.
//!
//! Everyday words of a vocabulary are left out by a [`StopWords`] list, each with its reason.
//!
//! ```
//! use drugs_rs::matcher::{Entry, Matcher, Settings};
//!
//! let vocabulary = vec![Entry::new("A01AD", "EPINEPHRINE", [])];
//! let matcher = Matcher::new(vocabulary, &Settings::default());
//! let text = "Norepinephrine or (epinephrine)-treated?";
//! let found: Vec<_> = matcher.find(text).map(|mention| &text[mention.start..mention.end]).collect();
//! assert_eq!(found, ["epinephrine"]);
//! ```

mod abbreviation;
mod explain;
mod index;
mod mention;
pub mod naive;
mod stop_words;
mod substring;
mod tokens;

use std::collections::BTreeMap;

use index::{Hit, Index, folded_name};
pub use mention::{CodePoints, Mention};
pub use stop_words::StopWords;
use substring::Substrings;

use crate::error::Result;
use crate::schema::Rule;
use crate::task::Task;
pub use crate::text::fold::Accents;

/// An entry of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub atccode: String,
    pub drug: String,
    pub synonyms: Vec<String>,
}

impl Entry {
    /// An entry of a code, a name and maybe other names.
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

/// Where a name may begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Boundary {
    /// Only at the bounds of words.
    #[default]
    Word,
    /// Anywhere: plain substrings.
    None,
}

/// How a [`Matcher`] compares.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub boundary: Boundary,
    /// Whether abbreviations that a text itself introduces are looked for.
    pub abbreviations: bool,
    pub accents: Accents,
    pub stop_words: StopWords,
}

impl Settings {
    /// What these settings change in the mentions, as text to fingerprint.
    pub fn fingerprint(&self) -> String {
        format!(
            "boundary={:?} abbreviations={} accents={:?} stop_words={}",
            self.boundary,
            self.abbreviations,
            self.accents,
            self.stop_words.fingerprint()
        )
    }
}

/// An immutable matcher over a vocabulary. Sharing it between threads costs nothing.
#[derive(Debug)]
pub struct Matcher {
    entries: Vec<Entry>,
    settings: Settings,
    /// For each pattern the entries that it names, in the order of code and drug.
    targets: Vec<Vec<(u32, Rule)>>,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    Words(Index),
    Substrings(Substrings),
}

impl Matcher {
    /// Builds a matcher. Blank names and names on the stop list match nothing; a name of several entries is found for
    /// each of them.
    pub fn new(entries: Vec<Entry>, settings: &Settings) -> Self {
        let names = names_by_form(&entries, settings);
        Self::of_names(entries, settings, names)
    }

    /// The same, unless somebody asks the task to stop: a vocabulary of a million names takes seconds.
    pub fn build(entries: Vec<Entry>, settings: &Settings, task: &Task) -> Result<Self> {
        let mut names = Names::default();
        for (number, entry) in (0_u32..).zip(&entries) {
            if number % 1024 == 0 {
                task.check()?;
            }
            add_names(&mut names, number, entry, settings);
        }
        sort_targets(&mut names, &entries);
        task.check()?;
        Ok(Self::of_names(entries, settings, names))
    }

    fn of_names(entries: Vec<Entry>, settings: &Settings, names: Names) -> Self {
        let forms = names.keys().map(String::as_str);
        let engine = match settings.boundary {
            Boundary::Word => Engine::Words(Index::build(forms, settings.accents)),
            Boundary::None => Engine::Substrings(Substrings::build(forms, settings.accents)),
        };
        let targets = names.into_values().collect();
        Self {
            entries,
            settings: settings.clone(),
            targets,
            engine,
        }
    }

    /// The vocabulary, as given.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many different names can be found.
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there is no name to find.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The mentions of a text, in the order of their places; at one place in the order of code and drug.
    pub fn find<'m>(&'m self, text: &str) -> impl Iterator<Item = Mention<'m>> + use<'m> {
        let mut hits = Vec::new();
        self.hits(text, |hit| hits.push((hit, false)));
        if self.settings.abbreviations && !hits.is_empty() {
            let names: Vec<Hit> = hits.iter().map(|(hit, _)| *hit).collect();
            hits = abbreviation::extend(text, &names);
        }
        hits.into_iter().flat_map(move |(hit, abbreviated)| {
            self.targets[hit.pattern as usize]
                .iter()
                .map(move |&(entry, rule)| Mention {
                    entry: &self.entries[entry as usize],
                    start: hit.start,
                    end: hit.end,
                    rule: if abbreviated { Rule::Abbreviation } else { rule },
                })
        })
    }

    /// Says in one sentence why the drug of a name or code is found in a text, or why it is not.
    pub fn explain(&self, text: &str, drug: &str) -> Result<String> {
        explain::explain(self, text, drug)
    }

    fn hits(&self, text: &str, give: impl FnMut(Hit)) {
        match &self.engine {
            Engine::Words(index) => index.find(text, give),
            Engine::Substrings(substrings) => substrings.find(text, give),
        }
    }
}

/// The folded forms of all names that may match, each with the entries that it names.
type Names = BTreeMap<String, Vec<(u32, Rule)>>;

pub(crate) fn names_by_form(entries: &[Entry], settings: &Settings) -> Names {
    let mut names = Names::default();
    for (number, entry) in (0_u32..).zip(entries) {
        add_names(&mut names, number, entry, settings);
    }
    sort_targets(&mut names, entries);
    names
}

fn add_names(names: &mut Names, number: u32, entry: &Entry, settings: &Settings) {
    let own = std::iter::once((&entry.drug, Rule::Name));
    let others = entry.synonyms.iter().map(|synonym| (synonym, Rule::Synonym));
    for (name, rule) in own.chain(others) {
        let form = folded_name(name, settings.accents);
        if form.is_empty() || settings.stop_words.stops(&form) {
            continue;
        }
        let targets = names.entry(form).or_default();
        // A synonym that folds to the entry's own name says nothing new.
        if !targets.iter().any(|(target, _)| *target == number) {
            targets.push((number, rule));
        }
    }
}

fn sort_targets(names: &mut Names, entries: &[Entry]) {
    for targets in names.values_mut() {
        targets.sort_by(|(left, _), (right, _)| {
            let (left, right) = (&entries[*left as usize], &entries[*right as usize]);
            (&left.atccode, &left.drug).cmp(&(&right.atccode, &right.drug))
        });
    }
}
