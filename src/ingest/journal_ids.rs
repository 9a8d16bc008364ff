//! Collects the journal ids for the file of a partition; those of a rejected file are dropped.

use std::collections::HashSet;

use polars::prelude::DataFrame;

use crate::error::Result;
use crate::row_frame::RowFrame;
use crate::schema::{JOURNAL_IDS, JournalIds};
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::TableWriter;

/// Grows with the number of journals, not of rows.
#[derive(Debug, Default)]
pub(crate) struct JournalIdFile {
    /// The ids of the current file.
    of_file: HashSet<JournalIds>,
    all: HashSet<JournalIds>,
}

impl JournalIdFile {
    /// Adds the ids in some rows of the current file.
    pub(crate) fn add(&mut self, ids: Vec<JournalIds>) {
        for ids in ids {
            if !self.all.contains(&ids) {
                self.of_file.insert(ids);
            }
        }
    }

    /// Keeps the ids of the current file, which was read completely.
    pub(crate) fn settle(&mut self) {
        self.all.extend(self.of_file.drain());
    }

    /// Drops the ids of the current file, which was rejected.
    pub(crate) fn drop_file(&mut self) {
        self.of_file.clear();
    }

    /// Writes the ids in order to their file; without ids there is no file.
    pub(crate) fn finish(
        self,
        transaction: &mut dyn Transaction,
        path: String,
    ) -> Result<Option<OutputFile>> {
        if self.all.is_empty() {
            return Ok(None);
        }
        let mut all: Vec<JournalIds> = self.all.into_iter().collect();
        all.sort_unstable();
        let mut writer = TableWriter::create(transaction, path, &JOURNAL_IDS)?;
        writer.write(&frame(&all)?)?;
        writer.finish().map(Some)
    }
}

fn frame(all: &[JournalIds]) -> Result<DataFrame> {
    RowFrame::of(all)
        .column("journal_key", |ids| ids.key.as_str())
        .column("nlm_id", |ids| ids.nlm_id.as_deref())
        .column("issn", |ids| ids.issn.as_deref())
        .finish()
}
