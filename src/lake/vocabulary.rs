//! The vocabulary of a lake.

use polars::prelude::DataFrame;

use super::dt::Dt;
use super::holds::HeldDates;
use super::layout;
use super::partitions::delivered_dates;
use super::table_files::current_date;
use crate::error::{Error, Result};
use crate::matcher::VocabularyEntry;
use crate::schema::{DRUGS, SourceTable};
use crate::storage::Storage;
use crate::tables::table_writer::read_frames;

/// Fails if a gold run of `dt` would find no vocabulary in the lake.
pub(crate) fn require_vocabulary(storage: &dyn Storage, dt: Dt) -> Result<()> {
    // Gold never goes back in time.
    let reached = current_date(storage)?.and_then(|date| Dt::parse(&date).ok());
    let as_of = reached.map_or(dt, |reached| reached.max(dt));
    let held = HeldDates::read(storage)?;
    let dates = delivered_dates(storage, SourceTable::Drugs)?;
    let (early, late): (Vec<Dt>, Vec<Dt>) = dates.iter().partition(|date| **date <= as_of);
    if early.iter().any(|date| !held.has(*date)) {
        return Ok(());
    }
    let found = match (early.last(), late.first()) {
        (Some(held), _) => format!("; that of {held} is held, so release it or deliver another one"),
        (None, Some(late)) => format!("; its first one is of {late}"),
        (None, None) => String::new(),
    };
    Err(Error::SourceNotFound {
        uri: format!("{}/{}", storage.root(), DRUGS.folder),
        expected: format!(
            "a vocabulary of {dt} or before, because this run has none of its own: pass drugs (--drugs) once, and later \
             runs take it from the lake{found}"
        ),
    })
}

/// The entries of a silver drugs partition.
pub(crate) fn read_entries(storage: &dyn Storage, dt: Dt) -> Result<Vec<VocabularyEntry>> {
    let path = layout::silver_part(SourceTable::Drugs, dt);
    let mut entries = Vec::new();
    read_frames(storage, &path, None, |frame| {
        entries.extend(entries_of(&frame)?);
        Ok(())
    })?;
    Ok(entries)
}

/// The entries of a frame of a table of drugs.
pub(crate) fn entries_of(frame: &DataFrame) -> Result<Vec<VocabularyEntry>> {
    let codes = frame.column("atccode")?.str()?;
    let names = frame.column("drug")?.str()?;
    let synonyms = frame.column("synonyms")?.list()?;
    let mut entries = Vec::with_capacity(frame.height());
    for (row, (code, name)) in codes.iter().zip(names.iter()).enumerate() {
        let mut entry = VocabularyEntry::new(code.unwrap_or_default(), name.unwrap_or_default(), []);
        if let Some(synonyms) = synonyms.get_as_series(row) {
            entry
                .synonyms
                .extend(synonyms.str()?.iter().flatten().map(str::to_owned));
        }
        entries.push(entry);
    }
    Ok(entries)
}
