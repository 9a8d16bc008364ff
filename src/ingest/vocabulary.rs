//! Combines vocabularies from several files into one.

use std::collections::HashSet;

use super::collector::note;
use super::parallel_reader::OnBadFile;
use super::rejects::{RejectSink, Rejects};
use crate::error::Result;
use crate::formats::RowReader;
use crate::quality::{FileTally, MergeReason};
use crate::silver::vocabulary::{Combined, SHAPES, VocabularyRecord, clean_batch, combine};
use crate::task::Task;

/// Reads and combines vocabularies and rejects rows that are no drugs; `open` opens the file with a number when its
/// turn comes.
pub(crate) fn combine_files<K: RejectSink>(
    tallies: &mut [FileTally],
    open: impl Fn(usize) -> Result<Box<dyn RowReader>>,
    on_bad_file: OnBadFile,
    aside: &mut Rejects<K>,
    task: &Task,
) -> Result<Combined> {
    let mut records = Vec::new();
    for (number, tally) in tallies.iter_mut().enumerate() {
        match read_records(|| open(number), number, tally, aside, task) {
            Ok(more) => {
                records.extend(more);
                aside.settle()?;
            }
            Err(error) if on_bad_file == OnBadFile::Reject && error.is_of_a_file() => {
                aside.reject_file(tally, &error)?;
            }
            Err(error) => return Err(error),
        }
    }
    task.check()?;
    let combined = combine(records);
    combined.count(tallies);
    Ok(combined)
}

/// Reads the records of one file and counts its rows.
fn read_records<K: RejectSink>(
    open: impl FnOnce() -> Result<Box<dyn RowReader>>,
    number: usize,
    tally: &mut FileTally,
    aside: &mut Rejects<K>,
    task: &Task,
) -> Result<Vec<VocabularyRecord>> {
    let mut reader = open()?;
    let mut records = Vec::new();
    let mut said = HashSet::new();
    let mut read_as = Vec::new();
    while let Some(batch) = reader.next_batch(task)? {
        let shape = &SHAPES[batch.shape];
        if let Some(name) = shape.name.filter(|name| !read_as.contains(name)) {
            read_as.push(name);
        }
        let (more, rejected) = clean_batch(batch, shape, number)?;
        tally.rows_in += (more.len() + rejected.len()) as u64;
        for record in more {
            // A repeated row takes no memory: a small file may decompress to millions of copies.
            if record.said().is_none_or(|said_so| said.insert(said_so)) {
                records.push(record);
            } else {
                tally.merge(MergeReason::Identical);
            }
        }
        rejected.iter().for_each(|row| tally.reject(row.reason));
        aside.add(&rejected, &tally.uri)?;
    }
    note(tally, reader.format(), reader.notes());
    let read_as = read_as.into_iter().map(|name| format!("read as {name}"));
    tally.notes.splice(0..0, read_as);
    Ok(records)
}
