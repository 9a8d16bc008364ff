//! The ids of journals on their way into the file of a partition; those of a bad file never get there.

use std::collections::HashSet;

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use crate::error::Result;
use crate::schema::{JOURNALS, JournalIds};
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::TableWriter;

/// As many as there are journals, whatever the number of rows.
#[derive(Debug, Default)]
pub(crate) struct JournalIdFile {
    /// Those of the file that is being read.
    of_file: HashSet<JournalIds>,
    all: HashSet<JournalIds>,
}

impl JournalIdFile {
    /// Takes what some rows of the file that is being read say.
    pub(crate) fn add(&mut self, ids: Vec<JournalIds>) {
        for ids in ids {
            if !self.all.contains(&ids) {
                self.of_file.insert(ids);
            }
        }
    }

    /// The file is read to its end.
    pub(crate) fn settle(&mut self) {
        self.all.extend(self.of_file.drain());
    }

    /// The file is bad: what it says does not count.
    pub(crate) fn drop_file(&mut self) {
        self.of_file.clear();
    }

    /// Writes their file, in order; there is none where no source names any.
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
        let mut writer = TableWriter::create(transaction, path, &JOURNALS)?;
        writer.write(&frame(&all)?)?;
        writer.finish().map(Some)
    }
}

fn frame(all: &[JournalIds]) -> Result<DataFrame> {
    let keys: Vec<&str> = all.iter().map(|ids| ids.key.as_str()).collect();
    let nlm_ids: Vec<Option<&str>> = all.iter().map(|ids| ids.nlm_id.as_deref()).collect();
    let issns: Vec<Option<&str>> = all.iter().map(|ids| ids.issn.as_deref()).collect();
    let columns = vec![
        Series::new("journal_key".into(), keys).into_column(),
        Series::new("nlm_id".into(), nlm_ids).into_column(),
        Series::new("issn".into(), issns).into_column(),
    ];
    Ok(DataFrame::new(all.len(), columns)?)
}
