//! The closed vocabularies of the tables: how exact a date is, what counts as one drug, how a drug was found.

use serde::{Deserialize, Serialize};

use crate::choice::{Choice, parse_choices};

/// How exactly a source gave a date. A less exact date is stored as its first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DatePrecision {
    Day,
    Month,
    Season,
    Year,
}

impl DatePrecision {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Season => "season",
            Self::Year => "year",
        }
    }
}

/// What counts as one drug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrugUnit {
    /// A substance: the codes of the vocabulary whose names have the same canonical form.
    #[default]
    Substance,
    /// A code of the vocabulary.
    Code,
}

impl DrugUnit {
    /// Both units.
    pub const ALL: [Self; 2] = [Self::Substance, Self::Code];

    /// The name of the setting.
    pub fn name(self) -> &'static str {
        match self {
            Self::Substance => "substance",
            Self::Code => "code",
        }
    }

    /// The name of several of them.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Substance => "substances",
            Self::Code => "codes",
        }
    }
}

impl Choice for DrugUnit {
    const CHOICES: &'static [Self] = &Self::ALL;

    fn choice_name(self) -> &'static str {
        self.name()
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Substance => "all codes of one substance are one drug",
            Self::Code => "each code of the vocabulary is a drug",
        }
    }
}

parse_choices!(DrugUnit);

/// Whether gold writes `drug_graph.json`. Nothing else in a lake depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GraphOutput {
    /// The file, of which the size is that of all publications.
    #[default]
    Json,
    /// No file: the tables have the graph.
    None,
}

impl Choice for GraphOutput {
    const CHOICES: &'static [Self] = &[Self::Json, Self::None];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::None => "none",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Json => "write drug_graph.json",
            Self::None => "write no graph file: the tables have it",
        }
    }
}

parse_choices!(GraphOutput);

/// By which rule a drug was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The text contains the drug's name.
    Name,
    /// The text contains one of the drug's synonyms.
    Synonym,
    /// An abbreviation that the text itself introduced.
    Abbreviation,
    /// The parts of a combination, joined or ordered in another way than in its name.
    Combination,
}

impl Rule {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Synonym => "synonym",
            Self::Abbreviation => "abbreviation",
            Self::Combination => "combination",
        }
    }
}
