//! Corrected rows: what people made of rows that silver rejected. Bronze keeps those of a table and date in one CSV file, in
//! the order of the rejected rows, whatever was replayed first: equal corrections are equal bytes.
//!
//! The file is a source like any other: silver reads `id`, `title` and so on from it. Its columns `source_uri`,
//! `source_row` and `raw_hash` name the rejected row that each row replaces.

use std::collections::BTreeMap;
use std::io::Cursor;

use super::documents::{BronzeFile, BronzeManifest};
use super::dt::Dt;
use super::manifest::Version;
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::formats::{self, Field, Fields, Input, ReadOptions, text_media_type};
use crate::quality::CorrectedRows;
use crate::schema::{SourceShape, SourceTable};
use crate::storage::{Storage, Transaction, sha256_hex};
use crate::task::Task;

/// The name of the file.
const FILE: &str = "corrections.csv";

/// The columns that name the rejected row.
const KEY: [&str; 3] = ["source_uri", "source_row", "raw_hash"];

/// A place in a source: its URI and its row.
pub(crate) type SourcePlace = (String, u64);

/// One corrected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CorrectedRow {
    /// The hash of the text of the rejected row.
    pub raw_hash: String,
    /// A value for each of [`value_columns`].
    pub values: Vec<String>,
}

/// The corrected rows of a table and date, by the place of the rejected row.
pub(crate) type CorrectionSet = BTreeMap<SourcePlace, CorrectedRow>;

/// The columns of a table that can be corrected.
pub(crate) fn value_columns(table: SourceTable) -> &'static [&'static str] {
    match table.publication_kind().map(|kind| kind.description().shape) {
        None => &["atccode", "drug", "synonyms"],
        Some(SourceShape::Articles) => &["id", "title", "date", "journal", "abstract"],
        Some(SourceShape::Trials) => &["id", "title", "date", "journal", "abstract", "interventions"],
    }
}

/// The path of the file.
pub(crate) fn corrections_path(table: SourceTable, dt: Dt) -> String {
    format!("{}/{FILE}", layout::bronze(&layout::corrections(table), dt))
}

/// The corrected rows that bronze has, and the version of their manifest.
pub(crate) fn read_corrections(
    storage: &dyn Storage,
    table: SourceTable,
    dt: Dt,
    task: &Task,
) -> Result<(CorrectionSet, Version)> {
    let folder = layout::bronze(&layout::corrections(table), dt);
    let (found, version) =
        manifest::read::<BronzeManifest>(storage, format!("{folder}/{}", layout::MANIFEST))?;
    let mut corrections = CorrectionSet::new();
    if found.as_ref().is_some_and(|found| !found.corrections) {
        return Err(Error::format(
            format!("{}/{folder}", storage.root()),
            "the source",
            "a delivery that an earlier version of drugs_rs took under a name for corrected rows",
            "deliver it under another name and remove this folder",
        ));
    }
    if found.is_some() {
        let path = corrections_path(table, dt);
        let input = Input::new(&path, storage.open_stream(&path)?, ReadOptions::default())?;
        corrections = parse_corrections(input, table, task)?;
    }
    Ok((corrections, version))
}

/// The corrected rows of an opened file.
fn parse_corrections(input: Input, table: SourceTable, task: &Task) -> Result<CorrectionSet> {
    let columns = value_columns(table);
    let place = [
        Field::required("source_uri", &["source_uri"]),
        Field::required("rejected_row", &["source_row"]),
        Field::required("raw_hash", &["raw_hash"]),
    ];
    let values = columns.iter().map(|name| value_field(name));
    let fields = Fields::new(place.into_iter().chain(values));
    let uri = input.uri().to_owned();
    let mut reader = formats::open(input, &fields)?;
    let mut corrections = CorrectionSet::new();
    while let Some(batch) = reader.next_batch(task)? {
        for row in 0..batch.frame.height() {
            let text = |name: &str| -> Result<String> {
                Ok(batch
                    .frame
                    .column(name)?
                    .str()?
                    .get(row)
                    .unwrap_or_default()
                    .to_owned())
            };
            let source_row = text("rejected_row")?;
            let Ok(source_row) = source_row.parse::<u64>() else {
                let found = format!("the source_row `{source_row}`");
                return Err(Error::format(
                    uri,
                    "the corrected rows",
                    found,
                    "replay the corrected rows again",
                ));
            };
            let corrected = CorrectedRow {
                raw_hash: text("raw_hash")?,
                values: columns.iter().map(|name| text(name)).collect::<Result<_>>()?,
            };
            corrections.insert((text("source_uri")?, source_row), corrected);
        }
    }
    Ok(corrections)
}

/// The name of a value column as the only name of its field.
fn field_names(name: &'static str) -> &'static [&'static str] {
    match name {
        "id" => &["id"],
        "title" => &["title"],
        "date" => &["date"],
        "journal" => &["journal"],
        "abstract" => &["abstract"],
        "interventions" => &["interventions"],
        "atccode" => &["atccode"],
        "drug" => &["drug"],
        "synonyms" => &["synonyms"],
        _ => &[],
    }
}

/// The field of a value column.
pub(crate) fn value_field(name: &'static str) -> Field {
    Field::optional(name, field_names(name))
}

/// The file of a set: the header, and a line for each row.
pub(crate) fn corrections_csv(table: SourceTable, corrections: &CorrectionSet) -> String {
    let header = KEY.iter().chain(value_columns(table)).copied();
    let mut text = csv_line(header);
    for ((source_uri, source_row), corrected) in corrections {
        let source_row = source_row.to_string();
        let key = [source_uri.as_str(), &source_row, &corrected.raw_hash];
        let values = corrected.values.iter().map(String::as_str);
        text.push_str(&csv_line(key.into_iter().chain(values)));
    }
    text
}

/// Opens the file of a set that is not in the lake yet, as silver will open it.
pub(crate) fn open_corrections(table: SourceTable, dt: Dt, corrections: &CorrectionSet) -> Result<Input> {
    let bytes = Cursor::new(corrections_csv(table, corrections).into_bytes());
    Input::new(
        corrections_path(table, dt),
        Box::new(bytes),
        ReadOptions::default(),
    )
}

/// Writes a set and its manifest; the folder must be one of the transaction's units.
pub(crate) fn write_corrections(
    transaction: &mut dyn Transaction,
    table: SourceTable,
    dt: Dt,
    corrections: &CorrectionSet,
) -> Result<()> {
    let text = corrections_csv(table, corrections);
    let path = corrections_path(table, dt);
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
            media_type: text_media_type(text.as_bytes()).to_owned(),
        }],
        snapshot: None,
        corrections: true,
    };
    let folder = layout::bronze(&layout::corrections(table), dt);
    manifest::write(transaction, &format!("{folder}/{}", layout::MANIFEST), &manifest)?;
    Ok(())
}

/// The rejected rows that a set replaces.
pub(crate) fn corrected_rows(corrections: CorrectionSet) -> CorrectedRows {
    let mut rows = CorrectedRows::default();
    for ((source_uri, source_row), corrected) in corrections {
        rows.add(source_uri, source_row, corrected.raw_hash);
    }
    rows
}

/// One line of CSV with its end.
pub(crate) fn csv_line<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let mut line = String::new();
    for (number, cell) in cells.into_iter().enumerate() {
        if number > 0 {
            line.push(',');
        }
        let is_plain = !cell.contains([',', '"', '\n', '\r', ';', '\t', '|', '~'])
            && !cell.starts_with([' ', '\u{a0}'])
            && !cell.ends_with([' ', '\u{a0}']);
        if is_plain {
            line.push_str(cell);
        } else {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() -> Result<()> {
        let dt = Dt::parse("2024-03-01")?;
        let table = SourceTable::Pubmed;
        let row = |title: &str| CorrectedRow {
            raw_hash: "00".to_owned(),
            values: ["1", title, "2020", "J, of \"tests\"", ""]
                .map(str::to_owned)
                .to_vec(),
        };
        let corrections = CorrectionSet::from([
            (
                ("b;c.csv".to_owned(), 7),
                row(" A, title; with ~ all | of \"it\" "),
            ),
            (("a.csv".to_owned(), 12), row("Ünïcode\tand tabs")),
            (("a.csv".to_owned(), 2), row("")),
        ]);
        let read = parse_corrections(open_corrections(table, dt, &corrections)?, table, &Task::new())?;
        assert_eq!(read, corrections);
        assert_eq!(corrections_csv(table, &corrections).lines().count(), 4);
        Ok(())
    }
}
