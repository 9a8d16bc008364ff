//! The rejected rows of a partition: those with a corrected row in bronze are not stored, and count as merged.

use super::{OnBadFile, SilverPartition, SilverSettings};
use crate::error::{Error, Result};
use crate::formats::MostRatio;
use crate::ingest::rejects::Rejects;
use crate::lake::corrections::{corrected_rows, read_corrections};
use crate::lake::dt::Dt;
use crate::lake::layout;
use crate::lake::report::{ReportSettings, StepReport};
use crate::quality::CorrectedRows;
use crate::schema::{REJECTED, SourceTable};
use crate::storage::{Storage, Transaction};
use crate::tables::spill_buffer::SpillBuffer;
use crate::tables::table_writer::TableWriter;
use crate::text::date::NumericOrder;

impl SilverPartition<'_> {
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
        Ok(Rejects::new(kept, waiting).without(self.corrected()?))
    }

    fn corrected(&self) -> Result<CorrectedRows> {
        let Some(input) = self.inputs.iter().find(|input| input.corrections) else {
            return Ok(CorrectedRows::default());
        };
        input.check(self.storage, self.task)?;
        let (corrections, _) = read_corrections(self.storage, self.table, self.dt, self.task)?;
        Ok(corrected_rows(corrections))
    }
}

/// The settings that a partition was cleaned with, as the report of its run has them.
pub(crate) fn recorded_settings(storage: &dyn Storage, table: SourceTable, dt: Dt) -> Result<SilverSettings> {
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
