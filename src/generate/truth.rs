//! The truth about the records, as files beside the sources.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dirt::Dirt;
use super::format::{Format, MadeTable};
use super::record::MadeRecord;

/// The expected counts of the rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub rows_in: u64,
    pub rows_kept: u64,
    pub rows_merged: u64,
    pub rows_rejected: u64,
    pub merged: BTreeMap<&'static str, u64>,
    pub rejected: BTreeMap<&'static str, u64>,
    /// Places of drugs in titles and abstracts of kept records.
    pub mentions: u64,
    /// Rows that correct records of earlier deliveries.
    #[serde(skip_serializing_if = "is_zero")]
    pub corrected: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Counts {
    pub(super) fn add(&mut self, record: &MadeRecord, format: Format) {
        self.rows_in += 1 + u64::from(record.later.is_some());
        self.corrected += u64::from(record.corrected.is_some());
        let mut merge = |reason: &'static str| {
            self.rows_merged += 1;
            *self.merged.entry(reason).or_default() += 1;
        };
        match record.dirt {
            Some(Dirt::HalfRows) => merge("half_row"),
            Some(Dirt::RepeatedId) => merge("identical"),
            Some(Dirt::SupersededId) => merge("superseded"),
            Some(Dirt::Deleted) => merge("deleted"),
            _ => {}
        }
        let reason = match record.dirt {
            Some(Dirt::BlankTitle) => "blank_title",
            Some(Dirt::MalformedRow) if format.is_ndjson() => "invalid_json",
            Some(Dirt::MalformedRow) if format.is_json() => "not_an_object",
            Some(Dirt::MalformedRow) => "malformed_row",
            _ => "",
        };
        if !reason.is_empty() {
            self.rows_rejected += 1;
            *self.rejected.entry(reason).or_default() += 1;
        }
        if record.truth.kept {
            self.rows_kept += 1;
            self.mentions += record.truth.mentions.len() as u64;
        }
    }

    /// Adds the counts of other records of the same table.
    pub fn extend(&mut self, other: &Self) {
        self.rows_in += other.rows_in;
        self.rows_kept += other.rows_kept;
        self.rows_merged += other.rows_merged;
        self.rows_rejected += other.rows_rejected;
        self.mentions += other.mentions;
        self.corrected += other.corrected;
        for (sums, counts) in [
            (&mut self.merged, &other.merged),
            (&mut self.rejected, &other.rejected),
        ] {
            for (reason, count) in counts {
                *sums.entry(reason).or_default() += count;
            }
        }
    }
}

#[derive(Serialize)]
struct Line<'m> {
    kind: &'static str,
    publication_id: Option<&'m str>,
    atccode: &'m str,
    field: &'m str,
    start: u64,
    end: u64,
    surface: &'m str,
    date: Option<&'m str>,
    journal: Option<&'m str>,
}

/// Writes the mentions of a record, one on each line.
pub(super) fn write(record: &MadeRecord, table: MadeTable, out: &mut Vec<u8>) {
    if !record.truth.kept {
        return;
    }
    for mention in &record.truth.mentions {
        let line = Line {
            kind: kind(table),
            publication_id: record.truth.id.as_deref(),
            atccode: &mention.atccode,
            field: mention.field,
            start: mention.start,
            end: mention.end,
            surface: &mention.surface,
            date: record.truth.date.as_deref(),
            journal: record.truth.journal.as_deref(),
        };
        // Serialising texts into memory cannot fail.
        let _ = serde_json::to_writer(&mut *out, &line);
        out.push(b'\n');
    }
}

fn kind(table: MadeTable) -> &'static str {
    match table {
        MadeTable::Trials => "clinical_trial",
        _ => "pubmed",
    }
}

#[derive(Serialize)]
struct CorrectionLine<'c> {
    kind: &'static str,
    publication_id: Option<&'c str>,
    changed: Vec<&'static str>,
}

/// Writes which record of an earlier delivery a correction replaces, on a line.
pub(super) fn write_correction(record: &MadeRecord, table: MadeTable, out: &mut Vec<u8>) {
    let Some(changes) = record.corrected else { return };
    let line = CorrectionLine {
        kind: kind(table),
        publication_id: record.truth.id.as_deref(),
        changed: changes.names(),
    };
    let _ = serde_json::to_writer(&mut *out, &line);
    out.push(b'\n');
}
