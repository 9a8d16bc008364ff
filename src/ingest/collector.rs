//! Collects the pieces of several files of publications: counts, rejected rows, and what merging needs.

use super::rejects::{RejectSink, Rejects};
use crate::error::{Error, Result};
use crate::formats::ReaderNotes;
use crate::quality::FileTally;
use crate::silver::merge::{Change, Fate, Merger, Plan};
use crate::silver::publications::{CleanBatch, id_hash};

/// Collects pieces in their order.
pub(crate) struct Collector<K> {
    tallies: Vec<FileTally>,
    aside: Rejects<K>,
    merger: Merger,
}

/// The result of all pieces.
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

    /// Adds some clean rows of a file.
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

    /// Ends a file that was read completely.
    pub(crate) fn end(&mut self, file: usize, format: &str, notes: ReaderNotes) -> Result<()> {
        note(&mut self.tallies[file], format, notes);
        self.aside.settle()
    }

    /// Rejects a file: its earlier pieces no longer count.
    pub(crate) fn bad(&mut self, file: usize, error: &Error) -> Result<()> {
        self.merger.drop_file(file as u32);
        self.aside.reject_file(&mut self.tallies[file], error)
    }

    /// Returns the result after all files.
    pub(crate) fn finish(self) -> Result<Collected<K>> {
        Ok(Collected {
            tallies: self.tallies,
            aside: self.aside,
            plan: self.merger.finish()?,
        })
    }
}

/// Counts the rows of a batch. Merging removes some of the kept rows later.
pub(crate) fn count_batch(tally: &mut FileTally, batch: &CleanBatch) {
    tally.rows_in += (batch.keys.len() + batch.rejected.len()) as u64;
    batch.keys.iter().for_each(|key| tally.keep(key.flags));
    batch.rejected.iter().for_each(|row| tally.reject(row.reason));
}

/// Corrects the counts by what merging decided for a row.
pub(crate) fn recount(tallies: &mut [FileTally], change: &Change) {
    let tally = &mut tallies[change.file as usize];
    tally.let_go(change.counted);
    match change.fate {
        Fate::Complete(_) => tally.keep(change.flags),
        Fate::Merged(reason) => tally.merge(reason),
    }
}

/// Adds the notes of a reader to the report of its file.
pub(crate) fn note(tally: &mut FileTally, format: &str, notes: ReaderNotes) {
    tally.format = format.to_owned();
    tally.blank_lines = notes.blank_lines;
    tally.extra_columns = notes.extra_columns;
    tally.notes = notes.remarks;
}
