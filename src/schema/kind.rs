//! The closed vocabularies of the tables: what a publication is, how exact a date is, how a drug was found.

use serde::{Deserialize, Serialize};

use crate::choice::{Choice, parse_choices};

/// What a publication is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublicationKind {
    /// A clinical trial.
    ClinicalTrial,
    /// A PubMed article.
    Pubmed,
}

impl PublicationKind {
    /// Both kinds, in the order in which their names sort.
    pub const ALL: [Self; 2] = [Self::ClinicalTrial, Self::Pubmed];

    /// The name in tables, paths and the graph.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClinicalTrial => "clinical_trial",
            Self::Pubmed => "pubmed",
        }
    }
}

/// What a source delivers. The plural follows the argument names of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceTable {
    /// Drug vocabularies.
    Drugs,
    /// PubMed articles.
    Pubmed,
    /// Clinical trials.
    ClinicalTrials,
}

impl SourceTable {
    /// All of them, in the order in which a run takes them.
    pub const ALL: [Self; 3] = [Self::Drugs, Self::Pubmed, Self::ClinicalTrials];

    /// The name of the argument and of the bronze folder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drugs => "drugs",
            Self::Pubmed => "pubmed",
            Self::ClinicalTrials => "clinical_trials",
        }
    }

    /// The table of a name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The kind of its publications; none for drugs.
    pub fn publication_kind(self) -> Option<PublicationKind> {
        match self {
            Self::Drugs => None,
            Self::Pubmed => Some(PublicationKind::Pubmed),
            Self::ClinicalTrials => Some(PublicationKind::ClinicalTrial),
        }
    }
}

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

impl Choice for SourceTable {
    const CHOICES: &'static [Self] = &Self::ALL;

    fn choice_name(self) -> &'static str {
        self.name()
    }
}

impl Choice for PublicationKind {
    const CHOICES: &'static [Self] = &Self::ALL;

    fn choice_name(self) -> &'static str {
        self.name()
    }
}

parse_choices!(DrugUnit, SourceTable, PublicationKind);

/// By which rule a drug was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The drug's name stands in the text.
    Name,
    /// One of its synonyms stands in the text.
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
