//! What the pieces of several files of publications come to: counts, rows kept aside, and what merging has to know.

use super::rejects::{RejectSink, Rejects};
use crate::error::{Error, Result};
use crate::formats::Notes;
use crate::quality::FileTally;
use crate::silver::merge::{Change, Fate, Merger, Plan};
use crate::silver::publications::{CleanBatch, id_hash};

/// Collects pieces in their order.
pub(crate) struct Collector<K> {
    tallies: Vec<FileTally>,
    aside: Rejects<K>,
    merger: Merger,
}

/// All of them together.
pub(crate) struct Collected<K> {
    pub tallies: Vec<FileTally>,
    pub aside: Rejects<K>,
    pub plan: Plan,
}

impl<K: RejectSink> Collector<K> {
    pub(crate) fn new(tallies: Vec<FileTally>, aside: Rejects<K>, merger: Merger) -> Self {
        Self {
            tallies,
            aside,
            merger,
        }
    }

    /// Some clean rows of a file.
    pub(crate) fn batch(&mut self, file: usize, batch: CleanBatch) -> Result<()> {
        let tally = &mut self.tallies[file];
        count_batch(tally, &batch);
        self.aside.add(&batch.rejected, &batch.uri)?;
        let ids = batch
            .deletions
            .iter()
            .map(|deletion| (deletion.behind, id_hash(&deletion.publication_id)));
        self.merger.extend(file as u32, &batch.keys, batch.halves, ids)
    }

    /// A file is read to its end.
    pub(crate) fn end(&mut self, file: usize, format: &str, notes: Notes) -> Result<()> {
        note(&mut self.tallies[file], format, notes);
        self.aside.settle()
    }

    /// A file is bad: what was given of it counts no more.
    pub(crate) fn bad(&mut self, file: usize, error: &Error) -> Result<()> {
        self.merger.drop_file(file as u32);
        self.aside.reject_file(&mut self.tallies[file], error)
    }

    /// All files are read.
    pub(crate) fn finish(self) -> Result<Collected<K>> {
        Ok(Collected {
            tallies: self.tallies,
            aside: self.aside,
            plan: self.merger.finish()?,
        })
    }
}

/// Counts the rows of a batch. Merging lets some of those kept go again.
pub(crate) fn count_batch(tally: &mut FileTally, batch: &CleanBatch) {
    tally.rows_in += (batch.keys.len() + batch.rejected.len()) as u64;
    batch.keys.iter().for_each(|key| tally.keep(key.flags));
    batch.rejected.iter().for_each(|row| tally.reject(row.reason));
}

/// Counts what merging makes of a row.
pub(crate) fn recount(tallies: &mut [FileTally], change: &Change) {
    let tally = &mut tallies[change.file as usize];
    tally.let_go(change.counted);
    match change.fate {
        Fate::Complete(_) => tally.keep(change.flags),
        Fate::Merged(reason) => tally.merge(reason),
    }
}

/// What a reader noticed about its file, for the report.
pub(crate) fn note(tally: &mut FileTally, format: &str, notes: Notes) {
    tally.format = format.to_owned();
    tally.blank_lines = notes.blank_lines;
    tally.extra_columns = notes.extra_columns;
    tally.notes = notes.remarks;
}
