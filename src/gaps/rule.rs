//! The rules, and how sure a gap is.

use serde::Serialize;

use crate::choice::{Choice, parse_choices};

/// What says that a name is probably a drug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapRule {
    InnStem,
    CompanyCode,
    Intervention,
    Substance,
    Context,
}

impl Choice for GapRule {
    const CHOICES: &'static [Self] = &[
        Self::InnStem,
        Self::CompanyCode,
        Self::Intervention,
        Self::Substance,
        Self::Context,
    ];

    fn choice_name(self) -> &'static str {
        match self {
            Self::InnStem => "inn_stem",
            Self::CompanyCode => "company_code",
            Self::Intervention => "intervention",
            Self::Substance => "substance",
            Self::Context => "context",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::InnStem => "a word of a text has a stem of international nonproprietary names",
            Self::CompanyCode => "a text has a research code of a company",
            Self::Intervention => "a trial gives it",
            Self::Substance => "NLM's indexers name it",
            Self::Context => "a text says that patients are treated with it",
        }
    }
}

/// How sure it is that a gap is a drug; the surest is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapConfidence {
    High,
    Medium,
    Low,
}

impl Choice for GapConfidence {
    const CHOICES: &'static [Self] = &[Self::High, Self::Medium, Self::Low];

    fn choice_name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::High => {
                "a stem, a code, a substance that patients are treated with, or two rules that agree"
            }
            Self::Medium => "a trial gives it, or a text says that patients are treated with it",
            Self::Low => "NLM's indexers name it, and nothing else",
        }
    }
}

parse_choices!(GapRule, GapConfidence);
