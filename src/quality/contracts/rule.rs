//! A rule of a contract: what it counts, what it allows, and how much a broken one matters.

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::choice::{Choice, parse_choices};
use crate::schema::Flag;

/// What a broken rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum RuleSeverity {
    /// The result is recorded.
    Info,
    /// The result is recorded, and the run warns.
    #[default]
    Warning,
    /// The step fails before it commits.
    Error,
}

impl Choice for RuleSeverity {
    const CHOICES: &'static [Self] = &[Self::Info, Self::Warning, Self::Error];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Info => "record the result",
            Self::Warning => "record the result and warn",
            Self::Error => "fail before anything is committed",
        }
    }
}

parse_choices!(RuleSeverity);

/// What a rule counts. The names are those of ODCS.
#[derive(Debug, Clone)]
pub(super) enum RuleMetric {
    /// Rows of the table.
    RowCount,
    /// Keys that more than one row has.
    DuplicateValues(Vec<&'static str>),
    /// Rows without a value.
    NullValues,
    /// Rows without a value, or with one of these.
    MissingValues(Vec<String>),
    /// Rows whose value is none of these, or does not match the pattern; rows without a value do not count.
    InvalidValues {
        valid: Option<Vec<String>>,
        pattern: Option<Regex>,
    },
    /// Rows with this flag.
    FlaggedRows(Flag),
    /// What another tool checks: SQL without a counterpart here, a text, or a rule for another engine.
    Elsewhere,
}

impl RuleMetric {
    /// Its name in results.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RowCount => "rowCount",
            Self::DuplicateValues(_) => "duplicateValues",
            Self::NullValues => "nullValues",
            Self::MissingValues(_) => "missingValues",
            Self::InvalidValues { .. } => "invalidValues",
            Self::FlaggedRows(_) => "flaggedRows",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// The numbers that a rule allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AllowedNumber {
    Exactly(f64),
    Not(f64),
    MoreThan(f64),
    AtLeast(f64),
    LessThan(f64),
    AtMost(f64),
    Between(f64, f64),
    NotBetween(f64, f64),
}

impl AllowedNumber {
    pub fn allows(self, found: f64) -> bool {
        match self {
            Self::Exactly(number) => found == number,
            Self::Not(number) => found != number,
            Self::MoreThan(least) => found > least,
            Self::AtLeast(least) => found >= least,
            Self::LessThan(most) => found < most,
            Self::AtMost(most) => found <= most,
            Self::Between(least, most) => (least..=most).contains(&found),
            Self::NotBetween(least, most) => !(least..=most).contains(&found),
        }
    }

    /// As it reads in a message: `at most 5`.
    fn sentence(self) -> String {
        match self {
            Self::Exactly(number) => format!("exactly {number}"),
            Self::Not(number) => format!("not {number}"),
            Self::MoreThan(least) => format!("more than {least}"),
            Self::AtLeast(least) => format!("at least {least}"),
            Self::LessThan(most) => format!("less than {most}"),
            Self::AtMost(most) => format!("at most {most}"),
            Self::Between(least, most) => format!("{least} to {most}"),
            Self::NotBetween(least, most) => format!("not {least} to {most}"),
        }
    }
}

/// A rule of a contract for a table, or for a column of it.
#[derive(Debug, Clone)]
pub(super) struct ContractRule {
    pub id: String,
    pub column: Option<&'static str>,
    pub metric: RuleMetric,
    pub allowed: AllowedNumber,
    /// Whether the numbers are percent of the rows.
    pub percent: bool,
    pub severity: RuleSeverity,
    pub dimension: String,
    pub description: String,
}

impl ContractRule {
    /// Compares what was counted among `rows` rows with what is allowed.
    pub fn result(&self, table: &str, count: u64, rows: u64) -> RuleResult {
        // As other tools round it, so that a bound holds there and here.
        let share = match rows {
            0 => 0.0,
            rows => (count as f64 / rows as f64 * 1e8).round() / 1e6,
        };
        let found = if self.percent { share } else { count as f64 };
        let unit = if self.percent { " % of rows" } else { "" };
        RuleResult {
            rule: self.id.clone(),
            table: table.to_owned(),
            column: self.column.map(str::to_owned),
            metric: self.metric.name().to_owned(),
            dimension: self.dimension.clone(),
            severity: self.severity.choice_name().to_owned(),
            description: self.description.clone(),
            rows,
            count,
            percent: self.percent.then_some(share),
            allowed: format!("{}{unit}", self.allowed.sentence()),
            passed: self.allowed.allows(found),
        }
    }
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleResult {
    /// The id of the rule.
    pub rule: String,
    pub table: String,
    /// `None` for a rule of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    pub metric: String,
    /// The dimension of quality that the rule belongs to, such as `completeness`.
    pub dimension: String,
    pub severity: String,
    pub description: String,
    /// The rows of the table that were looked at.
    pub rows: u64,
    /// What the rule counted.
    pub count: u64,
    /// The count as percent of the rows, for a rule that bounds a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// What the rule allows, in words.
    pub allowed: String,
    pub passed: bool,
}

impl RuleResult {
    /// Whether a rule of this severity is broken.
    pub fn breaks(&self, severity: RuleSeverity) -> bool {
        !self.passed && self.severity == severity.choice_name()
    }

    /// A sentence for people, if the rule is broken.
    pub fn sentence(&self) -> String {
        let place = match &self.column {
            Some(column) => format!("{}.{column}", self.table),
            None => self.table.clone(),
        };
        let share = self
            .percent
            .map(|share| format!(" ({share} %)"))
            .unwrap_or_default();
        format!(
            "{place}: the rule {} ({}) counts {}{share} in {} rows and allows {}",
            self.rule, self.metric, self.count, self.rows, self.allowed
        )
    }
}
