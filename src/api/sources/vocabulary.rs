//! Vocabularies from files, for a matcher alone.

use polars::prelude::DataFrame;

use crate::error::{Error, Result};
use crate::formats::{self, ReadOptions};
use crate::ingest::parallel_reader::OnBadFile;
use crate::ingest::rejects::{RejectSink, Rejects};
use crate::ingest::sources::{open_source, tallies};
use crate::ingest::vocabulary::combine_files;
use crate::matcher::VocabularyEntry;
use crate::quality::FileTally;
use crate::schema::SourceTable;
use crate::silver::vocabulary::shapes;
use crate::storage::source::expand_all;
use crate::task::Task;

/// A vocabulary for a matcher, and what became of the rows of its files.
#[derive(Debug, Clone, Default)]
pub struct LoadedVocabulary {
    pub entries: Vec<VocabularyEntry>,
    pub sources: Vec<FileTally>,
}

/// Drops rejected rows, for callers that only need the drugs. The tallies still count these rows.
struct Nowhere;

impl RejectSink for Nowhere {
    fn keep(&mut self, _: DataFrame) -> Result<()> {
        Ok(())
    }
}

/// Reads vocabularies from files and combines them into one, as the silver step does.
pub fn load_vocabulary(
    uris: &[String],
    reading: impl Into<ReadOptions>,
    task: &Task,
) -> Result<LoadedVocabulary> {
    let reading = reading.into();
    let expected = "a vocabulary of drugs: CSV, JSON or NDJSON with atccode and drug, or a WHO ATC, DrugBank or EMA file";
    if uris.is_empty() {
        return Err(Error::argument("vocabulary", "no source", expected));
    }
    let files = expand_all(uris, expected, task)?;
    let mut sources = tallies(&files, SourceTable::Drugs)?;
    let open = |number: usize| formats::open_shaped(open_source(&files[number], reading, task)?, shapes());
    let mut aside = Rejects::new(Nowhere, None);
    let combined = combine_files(&mut sources, open, OnBadFile::Fail, &mut aside, task)?;
    sources.iter().try_for_each(FileTally::check)?;
    let entries = combined.drugs.into_iter().map(|drug| VocabularyEntry {
        atccode: drug.atccode,
        drug: drug.name,
        synonyms: drug.synonyms,
    });
    Ok(LoadedVocabulary {
        entries: entries.collect(),
        sources,
    })
}

/// The entries of [`load_vocabulary`] alone.
pub fn read_vocabulary(
    uris: &[String],
    reading: impl Into<ReadOptions>,
    task: &Task,
) -> Result<Vec<VocabularyEntry>> {
    Ok(load_vocabulary(uris, reading, task)?.entries)
}
