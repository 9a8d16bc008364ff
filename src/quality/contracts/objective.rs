//! Objectives of a contract: what a lake as a whole must reach, such as how fresh it is.

use crate::choice::{Choice, parse_choices};

/// What an objective measures. The names are properties of `slaProperties` in ODCS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectiveKind {
    /// Days since the date that gold has reached.
    Freshness,
    /// By how many percent the rows of the newest delivery may differ from the median of those before it.
    Volume,
    /// Percent of the rows of the newest delivery that were rejected.
    RejectedShare,
    /// Percent of the current publications that mention a drug.
    HitRate,
}

impl Choice for ObjectiveKind {
    const CHOICES: &'static [Self] = &[Self::Freshness, Self::Volume, Self::RejectedShare, Self::HitRate];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Freshness => "freshness",
            Self::Volume => "volume",
            Self::RejectedShare => "rejectedShare",
            Self::HitRate => "hitRate",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Freshness => "days since the date that gold has reached",
            Self::Volume => "percent by which the rows of a delivery may differ from the usual number",
            Self::RejectedShare => "percent of the rows of a delivery that may be rejected",
            Self::HitRate => "percent of current publications that must mention a drug",
        }
    }
}

parse_choices!(ObjectiveKind);

impl ObjectiveKind {
    /// The unit of its value.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Freshness => "d",
            Self::Volume | Self::RejectedShare | Self::HitRate => "percent",
        }
    }
}

/// An objective of a contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    pub kind: ObjectiveKind,
    /// The least hit rate, or the most of the others.
    pub value: f64,
}
