//! The vocabulary of a lake.

use polars::prelude::DataFrame;

use super::dt::Dt;
use super::layout;
use crate::error::Result;
use crate::matcher::VocabularyEntry;
use crate::schema::SourceTable;
use crate::storage::Storage;
use crate::tables::table_writer::read_frames;

/// The entries of a silver drugs partition.
pub(crate) fn read_entries(storage: &dyn Storage, dt: Dt) -> Result<Vec<VocabularyEntry>> {
    let path = layout::silver_part(SourceTable::Drugs, dt);
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
