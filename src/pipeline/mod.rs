//! The steps: read, transform, check, write, report. The sole user of storage.
//!
//! [`bronze`] copies sources byte for byte, [`silver`] cleans them, [`gold`] finds mentions and writes the graph and the
//! answers; [`run`] does all three, and [`held`] keeps a date out of gold. Each step is one transaction, tells what it did in a [`StepReport`], and does nothing
//! when there is nothing to do. Tables stay inside: paths and settings go in, a report comes out.

pub mod answers;
mod aside;
pub mod bronze;
mod collect;
pub mod columns;
mod compress;
mod copying;
mod draft;
pub mod dt;
pub mod export;
mod frames;
pub mod generate;
pub mod gold;
mod groups;
pub mod held;
mod inputs;
mod journals;
mod lanes;
pub mod layout;
pub mod listed;
mod manifest;
pub mod matching;
mod open_group;
mod pages;
pub mod reading;
mod recent;
pub mod report;
pub mod run;
mod scratch;
pub mod silver;
mod spool;
mod table_file;
pub mod verify;
pub mod vocabulary;
mod waiting;

pub use dt::Dt;
pub use report::StepReport;

use crate::error::{Error, Result};
use crate::formats::{Input, Reading};
use crate::quality::FileTally;
use crate::schema::SourceTable;
use crate::storage::source::{SourceFile, expand_all};
use crate::storage::uri::{Place, has_credentials, without_credentials};
#[cfg(feature = "cloud")]
use crate::storage::{BucketLake, Places};
use crate::storage::{LocalStorage, Storage};
use crate::task::Task;

/// Opens the lake at `out`, which a step may create.
pub fn open_lake(out: &str) -> Result<Box<dyn Storage>> {
    open_lake_for(out, &Task::new())
}

/// Opens the lake at `lake`, which must exist.
pub fn existing_lake(lake: &str) -> Result<Box<dyn Storage>> {
    existing_lake_for(lake, &Task::new())
}

/// The same as [`open_lake`] for a task: a lake that has to wait for a server waits no longer than the task may.
pub fn open_lake_for(out: &str, task: &Task) -> Result<Box<dyn Storage>> {
    match place("out", out, task)? {
        Place::Local(path) => Ok(Box::new(LocalStorage::create(path)?)),
        #[cfg(feature = "cloud")]
        Place::Bucket(uri) => Ok(Box::new(BucketLake::create(&uri, PLACES, task)?)),
        #[cfg(not(feature = "cloud"))]
        Place::Bucket(_) => Ok(Box::new(LocalStorage::create(crate::storage::uri::local_path(
            out,
        )?)?)),
    }
}

/// The same as [`existing_lake`] for a task.
pub fn existing_lake_for(lake: &str, task: &Task) -> Result<Box<dyn Storage>> {
    match place("lake", lake, task)? {
        Place::Local(path) => Ok(Box::new(LocalStorage::existing(path)?)),
        #[cfg(feature = "cloud")]
        Place::Bucket(uri) => Ok(Box::new(BucketLake::existing(&uri, PLACES, task)?)),
        #[cfg(not(feature = "cloud"))]
        Place::Bucket(_) => Ok(Box::new(LocalStorage::existing(
            crate::storage::uri::local_path(lake)?,
        )?)),
    }
}

#[cfg(feature = "cloud")]
const PLACES: Places = Places {
    published: layout::PUBLISHED,
    plain: &[layout::REPORTS],
};

fn place(argument: &str, uri: &str, task: &Task) -> Result<Place> {
    task.check()?;
    // It would be the folder that the program happens to run in.
    if uri.trim().is_empty() {
        let expected = "the folder of a lake, or a prefix such as gs://bucket/lake";
        return Err(Error::argument(argument, "a blank path", expected));
    }
    Place::parse(uri)
}

/// The files that sources name now, each once: what bronze would copy.
pub fn list_sources(sources: &[String], task: &Task) -> Result<Vec<String>> {
    task.enter("sources");
    let files = expand_all(
        sources,
        "a file, a folder with files, a glob or a URI of them",
        task,
    )?;
    Ok(files.into_iter().map(|file| file.uri).collect())
}

/// A message without the credentials that stand in words which it may repeat, whole or their beginning.
pub fn hide_credentials<'w>(message: &str, words: impl Iterator<Item = &'w str>) -> String {
    let mut told = message.to_owned();
    for word in words {
        // Also behind the name of a flag.
        let value = word.split_once('=').map_or(word, |(_, value)| value);
        for word in [word, value] {
            if has_credentials(word) {
                told = without_word(&told, word);
            }
        }
    }
    told
}

/// A message where what it repeats of a word with credentials is replaced by the word without them.
fn without_word(message: &str, word: &str) -> String {
    // More than this is left of a word that a message cuts off.
    let end = word.char_indices().nth(100).map_or(word.len(), |(end, _)| end);
    let mut parts = message.split(&word[..end]);
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letters = part.chars().zip(word[end..].chars());
        let repeated = letters.take_while(|(left, right)| left == right);
        let repeated: usize = repeated.map(|(letter, _)| letter.len_utf8()).sum();
        told += &without_credentials(word);
        told += &part[repeated..];
    }
    told
}

/// What a source of a table may be, for messages.
fn expected(table: SourceTable) -> &'static str {
    match table {
        SourceTable::Drugs => "a CSV, JSON, NDJSON or Parquet file of drugs",
        SourceTable::Pubmed => {
            "a PubMed XML, MEDLINE, RIS, Ovid, CSV, JSON, NDJSON or Parquet file of PubMed articles"
        }
        SourceTable::ClinicalTrials => "a CSV, JSON, NDJSON or Parquet file of clinical trials",
    }
}

/// An empty tally for each of some files.
fn tallies(files: &[SourceFile], table: SourceTable) -> Result<Vec<FileTally>> {
    let tallies = files.iter().map(|file| {
        Ok(FileTally {
            uri: file.uri.clone(),
            table: table.name().to_owned(),
            bytes: file.size()?,
            ..FileTally::default()
        })
    });
    tallies.collect()
}

/// Opens a source that is read where it stands. A pipe would be empty when it is opened twice, so it is opened once.
fn open_source(file: &SourceFile, reading: Reading, task: &Task) -> Result<Input> {
    let input = match file.open_file()? {
        Some(seekable) => Input::of_file(&file.uri, seekable, reading),
        None => Input::new(&file.uri, file.open()?, reading),
    };
    Ok(input?.under(task))
}

/// The same for whom a file without a byte is just nothing.
fn open_source_or_empty(file: &SourceFile, reading: Reading, task: &Task) -> Result<Option<Input>> {
    let input = match file.open_file()? {
        Some(seekable) => Input::of_file_or_empty(&file.uri, seekable, reading),
        None => Input::open_or_empty(&file.uri, file.open()?, reading),
    };
    Ok(input?.map(|input| input.under(task)))
}
