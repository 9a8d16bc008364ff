//! Corrected rows in bronze: those of a table and date are one file, in the order of their ids, whatever was replayed first. So
//! equal corrections are equal bytes. Its manifest has its digest, as that of every copy in bronze.

use std::fmt::Write as _;
use std::io::Read as _;

use serde::{Deserialize, Serialize};

use super::bronze_files::{InputFile, find_inputs};
use super::documents::{BronzeFile, BronzeManifest};
use super::dt::Dt;
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::schema::SourceTable;
use crate::silver::corrections::{CorrectedRow, CorrectionSet};
use crate::storage::{Storage, Transaction, sha256_hex};
use crate::task::Task;

/// The name of the file, which has one JSON object a line.
const FILE: &str = "corrections.ndjson";

const MEDIA_TYPE: &str = "application/x-ndjson";

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct StoredRow {
    row_id: String,
    #[serde(flatten)]
    row: CorrectedRow,
}

/// The folder of the corrected rows of a table and date.
pub(crate) fn corrections_folder(table: SourceTable, dt: Dt) -> String {
    layout::bronze(&layout::corrections(table), dt)
}

/// The manifest in that folder.
pub(crate) fn corrections_manifest(table: SourceTable, dt: Dt) -> String {
    format!("{}/{}", corrections_folder(table, dt), layout::MANIFEST)
}

/// The corrected rows of a file in bronze, whose bytes are checked.
pub(crate) fn read_corrections(
    storage: &dyn Storage,
    file: &InputFile,
    task: &Task,
) -> Result<CorrectionSet> {
    file.check(storage, task)?;
    let uri = || format!("{}/{}", storage.root(), file.path);
    let mut text = String::new();
    storage
        .open_stream(&file.path)?
        .read_to_string(&mut text)
        .map_err(|error| Error::storage(uri(), "read", error))?;
    let mut rows = CorrectionSet::new();
    for (number, line) in text.lines().enumerate() {
        let stored: StoredRow = serde_json::from_str(line).map_err(|error| {
            let place = format!("line {}", number + 1);
            Error::format(
                uri(),
                place,
                error.to_string(),
                "drop the folder and replay the corrected rows again",
            )
        })?;
        rows.insert(stored.row_id, stored.row);
    }
    Ok(rows)
}

/// The corrected rows of a table and date.
pub(crate) fn find_corrections(
    storage: &dyn Storage,
    table: SourceTable,
    dt: Dt,
    task: &Task,
) -> Result<CorrectionSet> {
    let file = find_inputs(storage, table, dt)?.corrections;
    file.map_or_else(
        || Ok(CorrectionSet::new()),
        |file| read_corrections(storage, &file, task),
    )
}

/// The bytes of the file of some corrected rows.
pub(crate) fn corrections_text(rows: &CorrectionSet) -> Result<String> {
    let mut text = String::new();
    for (row_id, row) in rows {
        let stored = StoredRow {
            row_id: row_id.clone(),
            row: row.clone(),
        };
        let line = serde_json::to_string(&stored)
            .map_err(|error| Error::internal(format!("a corrected row as JSON: {error}")))?;
        let _ = writeln!(text, "{line}");
    }
    Ok(text)
}

/// Writes corrected rows and their manifest into the folder, which must be one of the transaction's units; without rows it goes.
pub(crate) fn write_corrections(
    transaction: &mut dyn Transaction,
    table: SourceTable,
    dt: Dt,
    rows: &CorrectionSet,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let text = corrections_text(rows)?;
    let path = format!("{}/{FILE}", corrections_folder(table, dt));
    manifest::write_bytes(transaction, &path, text.as_bytes())?;
    let manifest = BronzeManifest {
        source: layout::corrections(table),
        table,
        dt: dt.to_string(),
        files: vec![BronzeFile {
            // Relative to the lake, so that a lake is the same bytes wherever it is.
            uri: path,
            file: FILE.to_owned(),
            bytes: text.len() as u64,
            sha256: sha256_hex(text.as_bytes()),
            media_type: MEDIA_TYPE.to_owned(),
        }],
        snapshot: None,
        corrections: true,
    };
    manifest::write(transaction, &corrections_manifest(table, dt), &manifest)?;
    Ok(())
}
