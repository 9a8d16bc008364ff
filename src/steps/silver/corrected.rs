//! Rejected rows: where they go, which of them are corrected, and the partition that a replay makes again.

use std::sync::Arc;

use super::{Looked, OnBadFile, SilverPartition, SilverSettings, make_all};
use crate::error::{Error, Result};
use crate::formats::MostRatio;
use crate::ingest::rejects::Rejects;
use crate::lake::corrections::{corrections_manifest, write_corrections};
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::report::{ReportSettings, StepReport};
use crate::lake::{layout, manifest};
use crate::quality::FileTally;
use crate::quality::contracts::Contract;
use crate::schema::{REJECTED, SourceTable};
use crate::silver::corrections::{CorrectionSet, Corrections};
use crate::storage::{Storage, Transaction};
use crate::tables::spill_buffer::SpillBuffer;
use crate::tables::table_writer::TableWriter;
use crate::task::Task;
use crate::text::date::NumericOrder;

/// At most this many stale corrections in a report.
const MOST_LISTED: usize = 20;

impl<'p> SilverPartition<'p> {
    /// A partition to correct, with its manifest; `None` if silver has not made it. What silver would make of bronze now must
    /// be what it has: a replay takes in corrected rows and nothing else.
    pub(crate) fn to_correct(
        storage: &'p dyn Storage,
        (table, dt): (SourceTable, Dt),
        task: &'p Task,
    ) -> Result<Option<(Self, SilverManifest)>> {
        let path = layout::silver_manifest(table, dt);
        let (found, version) = manifest::read::<SilverManifest>(storage, path)?;
        let Some(found) = found else { return Ok(None) };
        let refused = |found: &str, remedy: String| {
            let uri = format!("{}/{}", storage.root(), layout::silver(table, dt));
            Err(Error::format(
                uri,
                "the partition",
                found,
                format!("{remedy}; nothing was replayed"),
            ))
        };
        if found.cleaned_as.is_some() {
            return refused(
                "publications were dropped from it, which a replay would clean from bronze again",
                format!("deliver dt={dt} without them, run silver, and replay then"),
            );
        }
        let mut settings = recorded_settings(storage, table, dt)?;
        // Another contract is not known here: silver checks it again when it runs.
        if let Some(digest) = &found.contract {
            let shipped = Contract::shipped()?;
            settings.contract = (shipped.digest == *digest).then(|| Arc::new(shipped));
        }
        let mut partition = Self::find(storage, (table, dt), settings, task)?;
        let manifest = corrections_manifest(table, dt);
        if !partition.versions.iter().any(|(path, _)| *path == manifest) {
            partition.versions.push((manifest.clone(), None));
        } else if partition.inputs.iter().any(|input| {
            input
                .path
                .starts_with(manifest.trim_end_matches(layout::MANIFEST))
        }) {
            return refused(
                "bronze has a delivery under a name for corrected rows, which an earlier version of drugs_rs took",
                "deliver it under another name and remove that folder".to_owned(),
            );
        }
        if matches!(partition.look()?, Looked::Stale(_)) {
            return refused(
                "bronze has other files than those that silver was made from, or silver is of another version",
                format!("run silver of dt={dt}, write its rejected rows again, and replay those"),
            );
        }
        partition.versions.push(version);
        Ok(Some((partition, found)))
    }

    pub(crate) fn corrections(&self) -> &CorrectionSet {
        self.corrections.rows()
    }

    /// The partition with other corrections, which are committed with it.
    #[must_use]
    pub(crate) fn corrected_by(self, rows: CorrectionSet) -> Self {
        Self {
            corrections: Arc::new(Corrections::new(rows)),
            is_replay: true,
            ..self
        }
    }

    /// Writes the corrections of a replay, counts corrected rows, and returns the ids of corrections that met no rejected row.
    pub(super) fn settle_corrections(
        &self,
        sources: &mut Vec<FileTally>,
        transaction: &mut dyn Transaction,
    ) -> Result<Vec<String>> {
        let rows = self.corrections.rows();
        if self.is_replay {
            write_corrections(transaction, self.table, self.dt, rows)?;
        }
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let files = || self.inputs.iter().map(|input| input.path.as_str());
        for (file, tally) in files().zip(&*sources) {
            if tally.format.is_empty() {
                self.corrections.drop_file(file);
            }
        }
        let corrected = self.corrections.corrected();
        for (file, tally) in files().zip(&mut *sources) {
            tally.corrected = corrected.get(file).copied().unwrap_or_default();
        }
        let stale = self.corrections.stale();
        if !stale.is_empty() {
            let listed = stale.iter().filter_map(|id| rows.get(id)).take(MOST_LISTED);
            let notes = listed.map(|row| format!("stale: row {} of {}", row.source_row, row.source_uri));
            sources.push(FileTally {
                uri: layout::bronze(&layout::corrections(self.table), self.dt),
                table: self.table.name().to_owned(),
                format: "corrections".to_owned(),
                stale_corrections: stale.len() as u64,
                notes: notes.collect(),
                ..FileTally::default()
            });
        }
        Ok(stale)
    }

    /// Where the rejected rows go.
    pub(super) fn aside(&self, transaction: &mut dyn Transaction) -> Result<Rejects<TableWriter>> {
        let kept = TableWriter::create(transaction, layout::rejected(self.table, self.dt), &REJECTED)?;
        let waiting = match self.settings.on_bad_file {
            OnBadFile::Fail => None,
            OnBadFile::Reject => Some(SpillBuffer::new(
                &REJECTED,
                transaction.scratch("rejected")?,
                self.settings.memory.0,
            )?),
        };
        Ok(Rejects::new(kept, waiting))
    }
}

/// Makes corrected partitions of one date and their corrections in one commit.
pub(crate) fn make_corrected(
    storage: &dyn Storage,
    partitions: Vec<SilverPartition<'_>>,
    dt: Dt,
    task: &Task,
) -> Result<Vec<(SourceTable, StepReport)>> {
    let parts = make_all(storage, partitions, dt, task)?;
    for (table, part) in &parts {
        part.save(storage, dt, table.name())?;
        part.save_quality(storage, dt, table.name(), Contract::DEFAULT)?;
        part.record(storage)?;
    }
    Ok(parts)
}

/// The settings that a partition was cleaned with, as the report of its run has them.
fn recorded_settings(storage: &dyn Storage, table: SourceTable, dt: Dt) -> Result<SilverSettings> {
    let path = layout::report("silver", dt, table.name());
    let report = storage.read(&path)?;
    let settings = report.and_then(|bytes| serde_json::from_slice::<StepReport>(&bytes).ok());
    settings
        .and_then(|report| parse_settings(&report.settings))
        .ok_or_else(|| {
            Error::format(
                format!("{}/{path}", storage.root()),
                "the settings",
                "no record of the settings that silver cleaned with",
                format!("run silver of dt={dt} with them, and replay again"),
            )
        })
}

fn parse_settings(settings: &ReportSettings) -> Option<SilverSettings> {
    let text = |name: &str| settings.get(name)?.as_str();
    Some(SilverSettings {
        encoding: text("encoding")?.parse().ok()?,
        order: match settings.get("month_first")?.as_bool()? {
            true => NumericOrder::MonthFirst,
            false => NumericOrder::DayFirst,
        },
        on_bad_file: text("on_bad_file")?.parse().ok()?,
        most_ratio: MostRatio(settings.get("max_ratio")?.as_u64()?),
        ..SilverSettings::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Encoding;

    #[test]
    fn settings_are_read_back_from_a_report() {
        let other = SilverSettings {
            encoding: Encoding::Windows1252,
            order: NumericOrder::MonthFirst,
            on_bad_file: OnBadFile::Reject,
            most_ratio: MostRatio(0),
            ..SilverSettings::default()
        };
        for settings in [SilverSettings::default(), other] {
            let read = parse_settings(&settings.in_report());
            assert_eq!(read.map(|read| read.in_report()), Some(settings.in_report()));
        }
        assert!(parse_settings(&ReportSettings::new()).is_none());
    }
}
