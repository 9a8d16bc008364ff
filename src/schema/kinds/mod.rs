//! The kinds of publications: one file each, registered in one list.
//!
//! Everything that distinguishes a kind is a value of its [`KindDescription`]; other code goes through
//! [`PublicationKind::ALL`] or [`SourceTable::ALL`] and asks. So a new kind is a new file here and its line in the list
//! below.

use serde::{Deserialize, Serialize};

use crate::choice::{Choice, parse_choices};

/// What distinguishes a kind of publications from the others.
#[derive(Debug)]
pub struct KindDescription {
    /// The name in tables, in paths and in the graph, where it is the name of its table.
    pub name: &'static str,
    /// The name of its sources: the argument, and the folder in bronze.
    pub sources: &'static str,
    /// The flag of the command for them: that name with dashes.
    pub flag: &'static str,
    /// Its place among the arguments and in a run, where drugs have place 0. A new kind takes the next one.
    pub turn: usize,
    /// Several of them, in messages.
    pub plural: &'static str,
    /// The column in the summary of a run.
    pub column: &'static str,
    /// What a source may be, in messages.
    pub expected: &'static str,
    /// Which columns its sources have.
    pub shape: SourceShape,
    /// The list of its identifiers in a drug of the graph: the name with `_id`.
    pub ids: &'static str,
    /// Whether the graph has its table even if it is empty. A kind that came later has one only if it has publications, so that
    /// graphs without it keep their bytes.
    pub is_always_in_graph: bool,
}

/// Which columns the sources of a kind have, under which names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceShape {
    /// Those of articles: title, date, journal and abstract, also in the formats of PubMed.
    Articles,
    /// Those of registries of trials, with a scientific and a brief title, and interventions.
    Trials,
}

/// Makes the kinds, and the tables of their sources, from one line each.
macro_rules! kinds {
    ($($module:ident => $kind:ident from $table:ident;)+) => {
        $(mod $module;)+

        /// What a publication is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum PublicationKind {
            $(#[doc = concat!("Described in `kinds/", stringify!($module), ".rs`.")] $kind,)+
        }

        impl PublicationKind {
            /// All kinds, in the order in which their names sort.
            pub const ALL: [Self; [$(stringify!($kind)),+].len()] = [$(Self::$kind),+];

            /// What distinguishes it from the others.
            pub const fn description(self) -> &'static KindDescription {
                match self {
                    $(Self::$kind => &$module::KIND,)+
                }
            }

            /// The table of its sources.
            pub const fn source_table(self) -> SourceTable {
                match self {
                    $(Self::$kind => SourceTable::$table,)+
                }
            }
        }

        /// What a source delivers. The plural follows the argument names of the interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum SourceTable {
            /// Drug vocabularies.
            Drugs,
            $(#[doc = concat!("Publications of the kind `", stringify!($module), "`.")] $table,)+
        }

        impl SourceTable {
            /// The kind of its publications; `None` for drugs.
            pub const fn publication_kind(self) -> Option<PublicationKind> {
                match self {
                    Self::Drugs => None,
                    $(Self::$table => Some(PublicationKind::$kind),)+
                }
            }
        }
    };
}

// In the order of the names, which is the order of the tables in the graph.
kinds! {
    clinical_trial => ClinicalTrial from ClinicalTrials;
    preprint => Preprint from Preprints;
    pubmed => Pubmed from Pubmed;
}

impl PublicationKind {
    /// The kind with this number: `kind as u8`.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The name in tables, paths and the graph.
    pub const fn name(self) -> &'static str {
        self.description().name
    }

    /// All kinds, in the order in which a run takes them.
    pub fn in_turn() -> impl Iterator<Item = Self> {
        SourceTable::ALL
            .into_iter()
            .filter_map(SourceTable::publication_kind)
    }
}

impl SourceTable {
    /// All of them, in the order in which a run takes them.
    pub const ALL: [Self; PublicationKind::ALL.len() + 1] = {
        let mut tables = [Self::Drugs; PublicationKind::ALL.len() + 1];
        let mut place = 0;
        while place < PublicationKind::ALL.len() {
            let kind = PublicationKind::ALL[place];
            tables[kind.description().turn] = kind.source_table();
            place += 1;
        }
        tables
    };

    /// The name of the argument and of the bronze folder.
    pub const fn name(self) -> &'static str {
        match self.publication_kind() {
            None => "drugs",
            Some(kind) => kind.description().sources,
        }
    }

    /// The table of a name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// The names of all tables in a sentence, each with `prefix` before it: "drugs, pubmed and clinical_trials".
    pub fn names(prefix: &str) -> String {
        let names = Self::ALL.map(|table| format!("{prefix}{}", table.name()));
        match names.as_slice() {
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
            [] => String::new(),
        }
    }

    /// What a source may be, in messages.
    pub const fn expected(self) -> &'static str {
        match self.publication_kind() {
            None => "a CSV, JSON, NDJSON or Parquet file of drugs",
            Some(kind) => kind.description().expected,
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

parse_choices!(SourceTable, PublicationKind);
