//! What a replay of corrected rows did.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::lake::report::StepReport;

/// A row of a replayed file that would be rejected again; its rejected row stays open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StillRejected {
    /// The replayed file, and the row in it.
    pub file: String,
    pub row: u64,
    /// The rejected row.
    pub dt: String,
    pub table: String,
    pub source_uri: String,
    pub source_row: u64,
    /// Why, as `silver/rejected` would have it.
    pub reason: String,
    pub message: String,
}

/// A correction that meets no rejected row any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaleCorrection {
    pub dt: String,
    pub table: String,
    pub source_uri: String,
    pub source_row: u64,
}

/// What a replay did. `rows` = `resolved` + `changed` + `already_resolved` + `withdrawn` + the rows of `still_rejected`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayReport {
    pub step: &'static str,
    pub lake: String,
    /// Whether nothing was written.
    pub unchanged: bool,
    /// The rows of the replayed file.
    pub rows: u64,
    /// Rows whose rejected row had no correction before.
    pub resolved: u64,
    /// Rows that replace another correction.
    pub changed: u64,
    /// Rows that the lake has already.
    pub already_resolved: u64,
    /// Corrections that were taken out.
    pub withdrawn: u64,
    pub still_rejected: Vec<StillRejected>,
    /// Corrections, of the tables and dates of the file, that meet no rejected row.
    pub stale: Vec<StaleCorrection>,
    /// The rejected rows that are left in the tables and dates of the file.
    pub open: u64,
    /// The reports of silver, by date and table.
    pub steps: Vec<StepReport>,
}

impl ReplayReport {
    /// Fails if a row would be rejected again.
    pub fn check(&self) -> Result<()> {
        let Some(first) = self.still_rejected.first() else {
            return Ok(());
        };
        let found = format!("still rejected as {}: {}", first.reason, first.message);
        let remedy = match self.still_rejected.len() {
            1 => "correct it and replay the file again; the other rows are taken".to_owned(),
            count => format!(
                "correct it and {} more and replay the file again; the other rows are taken",
                count - 1
            ),
        };
        Err(Error::format(
            &first.file,
            format!("row {}", first.row),
            found,
            remedy,
        ))
    }
}
