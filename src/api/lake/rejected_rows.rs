//! The rejected rows of a date as a table that a person corrects and [`replay`](crate::steps::replay::replay) takes back: which
//! row it is, why it was rejected, its text, and its values, as far as its format can still tell them apart. And the
//! corrections of a date as such a table.

use std::collections::{HashMap, HashSet};
use std::io::Cursor;

use polars::prelude::DataFrame;

use crate::error::{Error, Result};
use crate::formats::{self, Input, RawBatch, ReadOptions};
use crate::lake::bronze_files::find_inputs;
use crate::lake::corrections::find_corrections;
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::rejected_rows::{RejectedRow, read_rejected, with_escape};
use crate::lake::{layout, manifest};
use crate::row_frame::RowFrame;
use crate::schema::{Reason, SourceTable};
use crate::silver::corrections::{CorrectedRow, value_columns};
use crate::silver::{publications, shapes, vocabulary};
use crate::steps::replay::REPLAY_VALUES;
use crate::storage::source::expand_all;
use crate::storage::{Storage, write_file};
use crate::task::Task;

/// A text of this many bytes may be the beginning of a longer row, whose values it does not have.
const LONGEST_RAW: usize = 1 << 16;

/// A rejected or corrected row with its values.
struct FoundRow {
    table: SourceTable,
    state: &'static str,
    row: RejectedRow,
    /// A value for each of [`REPLAY_VALUES`].
    values: Vec<String>,
}

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct RejectedRequest<'r> {
    /// The rejected rows with this reason.
    pub reason: Option<&'r str>,
    /// The corrections instead: those that hold, and stale ones.
    pub corrected: bool,
}

/// The rejected or corrected rows of a date.
pub fn rejected_rows(
    storage: &dyn Storage,
    dt: Dt,
    request: RejectedRequest<'_>,
    task: &Task,
) -> Result<DataFrame> {
    let reason = request.reason.map(parse_reason).transpose()?;
    if request.corrected && reason.is_some() {
        return Err(Error::argument(
            "corrected",
            "a reason too",
            "corrected rows, which have no reason, without it",
        ));
    }
    let mut rows = Vec::new();
    let mut delivered = false;
    for table in SourceTable::ALL {
        let path = layout::silver_manifest(table, dt);
        let (found, _) = manifest::read::<SilverManifest>(storage, path)?;
        let Some(silver) = found else { continue };
        delivered = true;
        if request.corrected {
            let found = find_corrections(storage, table, dt, task)?.into_iter();
            rows.extend(found.map(|(id, row)| corrected(table, &silver, id, row)));
            continue;
        }
        let mut headers = SourceHeaders {
            storage,
            table,
            dt,
            task,
            known: HashMap::new(),
        };
        read_rejected(storage, (table, dt), &silver, task, |row| {
            if reason.is_none_or(|reason| row.reason == reason.name()) {
                let values = headers.values(&row)?;
                rows.push(FoundRow {
                    table,
                    state: "open",
                    row,
                    values,
                });
            }
            Ok(())
        })?;
    }
    if !delivered {
        return Err(Error::SourceNotFound {
            uri: format!("dt={dt} in {}", storage.root()),
            expected: "a date that silver has cleaned; `drugs-rs lake status` lists them".to_owned(),
        });
    }
    if request.corrected {
        rows.sort_by(|one, other| {
            let key = |found: &FoundRow| (found.table as usize, found.row.file.clone(), found.row.source_row);
            key(one).cmp(&key(other))
        });
    }
    // Rows with the same id are the same row of two files of an archive.
    let mut ids = HashSet::new();
    rows.retain(|found| ids.insert(found.row.id.clone()));
    frame(&rows, dt)
}

fn frame(rows: &[FoundRow], dt: Dt) -> Result<DataFrame> {
    let dt = dt.to_string();
    let mut frame = RowFrame::of(rows)
        .column("dt", |_| dt.as_str())
        .column("table", |found| found.table.name())
        .column("source_uri", |found| found.row.source_uri.as_str())
        .count("source_row", |found| found.row.source_row)
        .column("row_id", |found| found.row.id.as_str())
        .column("state", |found| found.state)
        .column("reason", |found| found.row.reason.as_str())
        .column("message", |found| found.row.message.as_str())
        .column("raw", |found| found.row.raw.as_str());
    for (number, name) in REPLAY_VALUES.into_iter().enumerate() {
        if rows.is_empty()
            || rows
                .iter()
                .any(|found| value_columns(found.table).contains(&name))
        {
            frame = frame.column(name, |found| found.values[number].as_str());
        }
    }
    frame.finish()
}

/// A correction as a row.
fn corrected(table: SourceTable, silver: &SilverManifest, id: String, row: CorrectedRow) -> FoundRow {
    let is_stale = silver.stale_corrections.contains(&id);
    let value = |name: &str| row.values.get(name).cloned().unwrap_or_default();
    FoundRow {
        table,
        state: if is_stale { "stale" } else { "resolved" },
        values: REPLAY_VALUES.into_iter().map(value).collect(),
        row: RejectedRow {
            id,
            file: row.file,
            reason: String::new(),
            message: String::new(),
            raw: String::new(),
            source_uri: row.source_uri,
            source_row: row.source_row,
        },
    }
}

/// Writes rejected rows as CSV, to a path or an object; what is there is replaced only if `overwrite` says so.
pub fn write_rejected(rows: &DataFrame, path: &str, overwrite: bool, task: &Task) -> Result<()> {
    // It may hold somebody's corrections.
    if !overwrite
        && let Ok(found) = expand_all(&[path.to_owned()], "a file", task)
        && found.iter().any(|file| file.uri == path)
    {
        let found = format!("`{path}`, which exists");
        return Err(Error::argument("out", found, "a new file, or overwrite"));
    }
    let names: Vec<String> = rows
        .columns()
        .iter()
        .map(|column| column.name().to_string())
        .collect();
    // With a byte order mark, without which some spreadsheets take the text for another encoding.
    let mut text = format!("\u{feff}{}", csv_line(&names));
    for row in 0..rows.height() {
        let cells = rows.columns().iter().map(|column| match column.str() {
            Ok(texts) => Ok(with_escape(texts.get(row).unwrap_or_default())),
            Err(_) => Ok(column.i64()?.get(row).unwrap_or_default().to_string()),
        });
        // A NUL byte would make the line unreadable.
        text.push_str(&csv_line(&cells.collect::<Result<Vec<String>>>()?).replace('\0', "\u{fffd}"));
    }
    write_file(path, text.as_bytes(), task)
}

/// One line of CSV with its end; every cell is quoted, whatever separator its reader guesses.
fn csv_line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| match cell.as_str() {
        plain
            if !plain.is_empty()
                && plain
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-./:".contains(&byte)) =>
        {
            plain.to_owned()
        }
        "" => String::new(),
        text => format!("\"{}\"", text.replace('"', "\"\"")),
    });
    let quoted: Vec<String> = quoted.collect();
    format!("{}\n", quoted.join(","))
}

fn parse_reason(name: &str) -> Result<Reason> {
    Reason::from_name(name).ok_or_else(|| {
        let names = Reason::ALL.map(Reason::name).join(", ");
        Error::argument("reason", format!("`{name}`"), format!("one of {names}"))
    })
}

/// The header lines of the copies of a table's sources, as far as rows need them.
struct SourceHeaders<'s> {
    storage: &'s dyn Storage,
    table: SourceTable,
    dt: Dt,
    task: &'s Task,
    known: HashMap<String, String>,
}

impl SourceHeaders<'_> {
    /// The values of a row: empty where its text cannot be read as a row of its source.
    fn values(&mut self, row: &RejectedRow) -> Result<Vec<String>> {
        let raw = row.raw.as_str();
        let mut values = vec![String::new(); REPLAY_VALUES.len()];
        // Where a NUL byte is why the row was rejected, a row that nobody has corrected must not pass without it.
        if raw.len() >= LONGEST_RAW || row.reason == Reason::NulByte.name() {
            return Ok(values);
        }
        let found = if raw.trim_start().starts_with('{') {
            match self.parse(raw.to_owned(), 1) {
                Ok(Some(found)) => Ok(Some(found)),
                // A missing title may be a missing key, and a source of JSON needs each key once.
                _ => {
                    let keys = value_columns(self.table)
                        .iter()
                        .map(|name| format!("\"{name}\": \"\""));
                    let keys: Vec<String> = keys.collect();
                    self.parse(format!("[{raw}, {{{}}}]", keys.join(", ")), 2)
                }
            }
        } else if raw.trim_start().starts_with('<') {
            self.parse(format!("<PubmedArticleSet>{raw}</PubmedArticleSet>"), 1)
        } else {
            let header = self.header(&row.file)?;
            let text = format!("{header}\n{raw}\n");
            self.parse(text, 1)
        };
        let Ok(Some(found)) = found else {
            return Ok(values);
        };
        for (name, value) in found {
            if let Some(place) = REPLAY_VALUES.iter().position(|known| *known == name) {
                values[place] = value;
            }
        }
        Ok(values)
    }

    /// Reads the first row of a text with this many; `None` if it has another number of rows.
    fn parse(&self, text: String, rows: usize) -> Result<Option<Vec<(&'static str, String)>>> {
        let bytes = Box::new(Cursor::new(text.into_bytes()));
        let input = Input::new("a rejected row", bytes, ReadOptions::default())?;
        let is_row = |batch: &RawBatch| batch.frame.height() == rows && batch.rejected.is_empty();
        match self.table.publication_kind() {
            Some(kind) => {
                let mut reader = formats::open_shaped(input, shapes::shapes(kind))?;
                let batch = reader.next_batch(self.task)?.filter(is_row);
                batch
                    .map(|batch| publications::first_values(&batch, kind))
                    .transpose()
            }
            None => {
                let mut reader = formats::open_shaped(input, vocabulary::shapes())?;
                let batch = reader.next_batch(self.task)?.filter(is_row);
                // The other shapes name drugs in columns that a corrected row does not have.
                let batch = batch.filter(|batch| batch.shape == 0);
                batch.map(|batch| first_drug(&batch)).transpose()
            }
        }
    }

    /// The first line of a copy in bronze that is no archive; empty if it cannot be read.
    fn header(&mut self, file: &str) -> Result<&str> {
        if !self.known.contains_key(file) {
            let inputs = find_inputs(self.storage, self.table, self.dt)?.files;
            let input = inputs.iter().find(|input| input.path == file);
            let opened = input.map(|input| input.open(self.storage, ReadOptions::default(), self.task));
            let mut header = String::new();
            if let Some(Ok(mut opened)) = opened
                && opened.archive_kind().is_none()
                && opened.first_letter().is_ok()
            {
                let head = String::from_utf8_lossy(opened.head());
                header = head.trim_start().lines().next().unwrap_or_default().to_owned();
            }
            self.known.insert(file.to_owned(), header);
        }
        Ok(self.known.get(file).map_or("", String::as_str))
    }
}

/// The values of the first row of a batch of drugs.
fn first_drug(batch: &RawBatch) -> Result<Vec<(&'static str, String)>> {
    let value = |name: &&'static str| {
        let text = batch.frame.column(name)?.str()?.get(0);
        Ok((*name, text.unwrap_or_default().to_owned()))
    };
    value_columns(SourceTable::Drugs).iter().map(value).collect()
}
