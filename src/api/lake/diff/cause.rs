//! Why a mention came or went: the closed list of causes.

use serde::Serialize;

use crate::choice::{Choice, parse_choices};

/// Whether a mention came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MentionChange {
    Gained,
    Lost,
}

impl MentionChange {
    /// The word in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gained => "gained",
            Self::Lost => "lost",
        }
    }
}

/// The one cause of a gained or lost mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MentionCause {
    NewPublication,
    ChangedPublication,
    DeletedPublication,
    AbsentFromSnapshot,
    NewDrug,
    RemovedDrug,
    ChangedNames,
    ChangedSettings,
    ChangedRules,
    Held,
    Released,
    Unknown,
}

impl Choice for MentionCause {
    const CHOICES: &'static [Self] = &[
        Self::NewPublication,
        Self::ChangedPublication,
        Self::DeletedPublication,
        Self::AbsentFromSnapshot,
        Self::NewDrug,
        Self::RemovedDrug,
        Self::ChangedNames,
        Self::ChangedSettings,
        Self::ChangedRules,
        Self::Held,
        Self::Released,
        Self::Unknown,
    ];

    fn choice_name(self) -> &'static str {
        match self {
            Self::NewPublication => "new_publication",
            Self::ChangedPublication => "changed_publication",
            Self::DeletedPublication => "deleted_publication",
            Self::AbsentFromSnapshot => "absent_from_snapshot",
            Self::NewDrug => "new_drug",
            Self::RemovedDrug => "removed_drug",
            Self::ChangedNames => "changed_names",
            Self::ChangedSettings => "changed_settings",
            Self::ChangedRules => "changed_rules",
            Self::Held => "held",
            Self::Released => "released",
            Self::Unknown => "unknown",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::NewPublication => "the earlier state has no such publication",
            Self::ChangedPublication => "another version of the publication has another text or status",
            Self::DeletedPublication => {
                "a notice deleted the publication, or its date was delivered again without it"
            }
            Self::AbsentFromSnapshot => {
                "a snapshot, which replaces all earlier deliveries, lacks the publication"
            }
            Self::NewDrug => "the vocabulary of the earlier state lacks the code",
            Self::RemovedDrug => "the vocabulary of the later state lacks the code",
            Self::ChangedNames => {
                "the vocabularies have other names, of this drug or of one that takes its place"
            }
            Self::ChangedSettings => {
                "the settings of the matcher, the searched fields or the excluded statuses are others"
            }
            Self::ChangedRules => "a version of drugs_rs with other rules found the mentions",
            Self::Held => "the date that delivered it is held in the later state",
            Self::Released => "the date that delivered it was held in the earlier state",
            Self::Unknown => "a state does not record what its mentions were found with",
        }
    }
}

parse_choices!(MentionCause);
