//! Data contracts: the rules that tables must keep, read from the Open Data Contract Standard (ODCS 3.1), and counted in
//! the rows as they are written.
//!
//! A [`Contract`] comes from a file. Its rules for one table are [`TableRules`], which count the rows of a frame that break
//! each rule; [`TableRules::results`] compares the counts with what the contract allows. The severity of a rule decides what
//! a broken one does: `info` records it, `warning` also warns, `error` fails the step before it commits.

mod counts;
mod document;
mod objective;
mod quality_rule;
mod rule;

pub use counts::{TableRules, key_hashes};
pub use document::Contract;
pub use objective::{Objective, ObjectiveKind};
pub use rule::{RuleResult, RuleSeverity};
