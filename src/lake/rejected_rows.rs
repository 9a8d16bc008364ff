//! The rejected rows of silver, each with the copy in bronze that has it and the id that corrections know it by; and how their
//! cells are written to a file for spreadsheets.

use polars::prelude::StringChunked;

use super::documents::{SilverManifest, SourceCopy};
use super::dt::Dt;
use super::layout;
use crate::error::{Error, Result};
use crate::schema::SourceTable;
use crate::silver::corrections::row_id;
use crate::storage::Storage;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::read_frames;
use crate::task::Task;

/// A row of `silver/rejected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectedRow {
    pub id: String,
    /// The copy in bronze, relative to the lake.
    pub file: String,
    pub reason: String,
    pub message: String,
    pub raw: String,
    pub source_uri: String,
    pub source_row: u64,
}

/// Passes on the rejected rows of a partition.
pub(crate) fn read_rejected(
    storage: &dyn Storage,
    (table, dt): (SourceTable, Dt),
    silver: &SilverManifest,
    task: &Task,
    mut take: impl FnMut(RejectedRow) -> Result<()>,
) -> Result<()> {
    let path = layout::rejected(table, dt);
    let is_there = |output: &OutputFile| output.path == path && output.rows > 0;
    if !silver.outputs.iter().any(is_there) {
        return Ok(());
    }
    // The rows are in the order of the files, of which two may have the same name.
    let files = silver.copies.iter().zip(&silver.sources);
    let mut files = files.flat_map(|(copy, tally)| (0..tally.rows_rejected).map(move |_| copy));
    read_frames(storage, &path, None, |frame| {
        task.check()?;
        let text = |name: &str| Ok::<_, Error>(frame.column(name)?.str()?.clone());
        let (reasons, messages) = (text("reason")?, text("message")?);
        let (raws, uris) = (text("raw")?, text("source_uri")?);
        let places = frame.column("source_row")?.i64()?;
        for number in 0..frame.height() {
            let Some(copy) = files.next() else {
                return Err(Error::format(
                    format!("{}/{path}", storage.root()),
                    "the rejected rows",
                    "no record of the copies in bronze that they are from",
                    format!("run silver of dt={dt} again"),
                ));
            };
            let of = |column: &StringChunked| column.get(number).unwrap_or_default().to_owned();
            let (source_uri, raw) = (of(&uris), of(&raws));
            let source_row = places.get(number).unwrap_or_default().cast_unsigned();
            take(RejectedRow {
                id: row_id(&copy.path, member(copy, &source_uri), source_row, &raw),
                file: copy.path.clone(),
                reason: of(&reasons),
                message: of(&messages),
                raw,
                source_uri,
                source_row,
            })?;
        }
        Ok(())
    })
}

/// The file in an archive that a row is from.
fn member<'u>(copy: &SourceCopy, source_uri: &'u str) -> &'u str {
    let rest = source_uri.strip_prefix(copy.uri.as_str());
    rest.and_then(|rest| rest.strip_prefix('/')).unwrap_or_default()
}

/// Whether a spreadsheet would compute a cell, or drop the apostrophe before such a one.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'')
        .starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A cell that a spreadsheet takes for a text: with an apostrophe before what it would compute.
pub(crate) fn with_escape(cell: &str) -> String {
    if is_formula(cell) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// The cell without that apostrophe.
pub(crate) fn without_escape(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_computes_gets_an_apostrophe_and_loses_it() {
        for cell in ["=1+1", "+49", "-omics", "@a", "'=1", "''-x", "\tx"] {
            let escaped = with_escape(cell);
            assert_eq!(escaped, format!("'{cell}"));
            assert_eq!(without_escape(&escaped), cell);
        }
        for cell in ["", "a=b", "'Tis", "'"] {
            assert_eq!(with_escape(cell), cell);
            assert_eq!(without_escape(cell), cell);
        }
    }
}
