//! The statuses of a publication: whether it was retracted, corrected or is doubtful.

use crate::choice::{Choice, parse_choices};

/// What later notices make of a publication. The first that holds counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PublicationStatus {
    /// It was retracted.
    Retracted,
    /// It is the notice that another publication is retracted.
    RetractionNotice,
    /// Its editors have doubts about it, or it is the notice of such doubts.
    ExpressionOfConcern,
    /// It was corrected, or retracted in part.
    Corrected,
}

impl PublicationStatus {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        self.choice_name()
    }

    /// The status that a publication type of PubMed or the type of a notice gives.
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "Retracted Publication" | "RetractionIn" => Self::Retracted,
            "Retraction of Publication" | "Retraction Notice" | "RetractionOf" => Self::RetractionNotice,
            "Expression of Concern" | "ExpressionOfConcernIn" | "ExpressionOfConcernFor" => {
                Self::ExpressionOfConcern
            }
            "ErratumIn"
            | "CorrectedandRepublishedIn"
            | "PartialRetractionIn"
            | "Corrected and Republished Article" => Self::Corrected,
            _ => return None,
        })
    }
}

impl Choice for PublicationStatus {
    const CHOICES: &'static [Self] = &[
        Self::Retracted,
        Self::RetractionNotice,
        Self::ExpressionOfConcern,
        Self::Corrected,
    ];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Retracted => "retracted",
            Self::RetractionNotice => "retraction_notice",
            Self::ExpressionOfConcern => "expression_of_concern",
            Self::Corrected => "corrected",
        }
    }
}

parse_choices!(PublicationStatus);
