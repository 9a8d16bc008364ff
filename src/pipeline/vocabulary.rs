//! Vocabularies: from files for a matcher alone, or from the lake.

use std::collections::HashSet;

use polars::prelude::DataFrame;

use super::aside::{Aside, Kept};
use super::collect::note;
use super::dt::Dt;
use super::frames::read_frames;
use super::lanes::OnBadFile;
use super::layout;
use super::{open_source, tallies};
use crate::error::{Error, Result};
use crate::formats::{self, Fields, Input, Reading};
use crate::matcher::Entry;
use crate::quality::{FileTally, MergeReason};
use crate::schema::SourceTable;
use crate::silver::vocabulary::{Combined, Record, Shape, clean_batch, combine, shapes};
use crate::storage::Storage;
use crate::storage::source::expand_all;
use crate::task::Task;

/// A vocabulary for a matcher, and what became of the rows of its files.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    pub entries: Vec<Entry>,
    pub sources: Vec<FileTally>,
}

/// For who wants the drugs alone: what is none is counted.
struct Nowhere;

impl Kept for Nowhere {
    fn keep(&mut self, _: DataFrame) -> Result<()> {
        Ok(())
    }
}

/// Reads vocabularies from files and combines them into one, as the silver step does.
pub fn load_vocabulary(uris: &[String], reading: impl Into<Reading>, task: &Task) -> Result<Vocabulary> {
    let reading = reading.into();
    let expected = "a vocabulary of drugs: CSV, JSON or NDJSON with atccode and drug, or a WHO ATC, DrugBank or EMA file";
    if uris.is_empty() {
        return Err(Error::argument("vocabulary", "no source", expected));
    }
    let files = expand_all(uris, expected, task)?;
    let mut sources = tallies(&files, SourceTable::Drugs)?;
    let open = |number: usize| open_source(&files[number], reading, task);
    let mut aside = Aside::new(Nowhere, None);
    let combined = combine_files(&mut sources, open, OnBadFile::Fail, &mut aside, task)?;
    sources.iter().try_for_each(FileTally::check)?;
    let entries = combined.drugs.into_iter().map(|drug| Entry {
        atccode: drug.atccode,
        drug: drug.name,
        synonyms: drug.synonyms,
    });
    Ok(Vocabulary {
        entries: entries.collect(),
        sources,
    })
}

/// The entries of [`load_vocabulary`] alone.
pub fn read_vocabulary(uris: &[String], reading: impl Into<Reading>, task: &Task) -> Result<Vec<Entry>> {
    Ok(load_vocabulary(uris, reading, task)?.entries)
}

/// Reads vocabularies and combines them, with what is no drug kept aside; `open` opens the file of a number when its turn comes.
pub(super) fn combine_files<K: Kept>(
    tallies: &mut [FileTally],
    open: impl Fn(usize) -> Result<Input>,
    on_bad_file: OnBadFile,
    aside: &mut Aside<K>,
    task: &Task,
) -> Result<Combined> {
    let shapes = shapes();
    let mut records = Vec::new();
    for (number, tally) in tallies.iter_mut().enumerate() {
        match read_records(|| open(number), &shapes, number, tally, aside, task) {
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
fn read_records<K: Kept>(
    open: impl FnOnce() -> Result<Input>,
    shapes: &[Fields],
    number: usize,
    tally: &mut FileTally,
    aside: &mut Aside<K>,
    task: &Task,
) -> Result<Vec<Record>> {
    let mut reader = formats::open_shaped(open()?, shapes)?;
    let mut records = Vec::new();
    let mut said = HashSet::new();
    let mut read_as = Vec::new();
    while let Some(batch) = reader.next_batch(task)? {
        let shape = Shape::ALL[batch.shape];
        if shape != Shape::Plain && !read_as.contains(&shape) {
            read_as.push(shape);
        }
        let (more, rejected) = clean_batch(batch, shape, number)?;
        tally.rows_in += (more.len() + rejected.len()) as u64;
        for record in more {
            // One row over and over takes no memory: a small file may unpack to millions of them.
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
    let read_as = read_as
        .into_iter()
        .map(|shape| format!("read as {}", shape.name()));
    tally.notes.splice(0..0, read_as);
    Ok(records)
}

/// The entries of a silver drugs partition.
pub(super) fn read_entries(storage: &dyn Storage, dt: Dt) -> Result<Vec<Entry>> {
    let path = format!("{}/{}", layout::silver(SourceTable::Drugs, dt), layout::PART);
    let mut entries = Vec::new();
    read_frames(
        || storage.open_file(&path),
        &path,
        None,
        |frame| {
            entries.extend(entries_of(&frame)?);
            Ok(())
        },
    )?;
    Ok(entries)
}

fn entries_of(frame: &DataFrame) -> Result<Vec<Entry>> {
    let codes = frame.column("atccode")?.str()?;
    let names = frame.column("drug")?.str()?;
    let synonyms = frame.column("synonyms")?.list()?;
    let mut entries = Vec::with_capacity(frame.height());
    for (row, (code, name)) in codes.iter().zip(names.iter()).enumerate() {
        let mut entry = Entry::new(code.unwrap_or_default(), name.unwrap_or_default(), []);
        if let Some(synonyms) = synonyms.get_as_series(row) {
            entry
                .synonyms
                .extend(synonyms.str()?.iter().flatten().map(str::to_owned));
        }
        entries.push(entry);
    }
    Ok(entries)
}
