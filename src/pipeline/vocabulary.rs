//! Vocabularies: from files for a matcher alone, or from the lake.

use polars::prelude::DataFrame;

use super::dt::Dt;
use super::frames::read_frames;
use super::layout;
use crate::error::{Error, Result};
use crate::formats::{self, Encoding, Input};
use crate::matcher::Entry;
use crate::schema::SourceTable;
use crate::silver::drugs;
use crate::storage::Storage;
use crate::storage::source::expand;
use crate::task::Task;

/// Reads vocabularies from files, cleaned as the silver step does.
pub fn read_vocabulary(uris: &[String], encoding: Encoding, task: &Task) -> Result<Vec<Entry>> {
    let expected = "a CSV, JSON or NDJSON file of drugs (atccode, drug[, synonyms])";
    if uris.is_empty() {
        return Err(Error::argument("vocabulary", "no source", expected));
    }
    let fields = drugs::fields();
    let mut rows = Vec::new();
    for uri in uris {
        for file in expand(uri, expected)? {
            let mut reader = formats::open(Input::new(&file.uri, file.open()?, encoding)?, &fields)?;
            while let Some(batch) = reader.next_batch(task)? {
                rows.extend(drugs::clean_batch(batch, 0)?.0);
            }
        }
    }
    let (drugs, _) = drugs::merge(rows);
    Ok(drugs
        .into_iter()
        .map(|drug| Entry {
            atccode: drug.atccode,
            drug: drug.name,
            synonyms: drug.synonyms,
        })
        .collect())
}

/// The newest drugs partition up to `dt`.
pub(super) fn newest_drugs(storage: &dyn Storage, dt: Dt) -> Result<Dt> {
    let partitions = storage.list(&layout::silver_table(SourceTable::Drugs))?;
    partitions
        .iter()
        .filter_map(|name| Dt::of_folder(name))
        .filter(|found| *found <= dt)
        .max()
        .ok_or_else(|| Error::SourceNotFound {
            uri: format!("{}/{}", storage.root(), layout::silver(SourceTable::Drugs, dt)),
            expected:
                "a drugs partition of that dt or an earlier one; run bronze and silver of the drugs first"
                    .to_owned(),
        })
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
