//! The rejected rows of a date as a table that a person corrects and [`replay`](crate::steps::replay::replay) takes back: which
//! row it is, why it was rejected, its text, and its values, as far as its format can still tell them apart.

use std::collections::HashMap;
use std::io::Cursor;

use polars::prelude::DataFrame;

use crate::error::{Error, Result};
use crate::formats::{self, Input, RawBatch, ReadOptions};
use crate::lake::bronze_files::find_inputs;
use crate::lake::corrections::{csv_line, value_columns};
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::{layout, manifest};
use crate::row_frame::RowFrame;
use crate::schema::{Reason, SourceTable};
use crate::silver::{publications, shapes, vocabulary};
use crate::steps::replay::REPLAY_VALUES;
use crate::storage::{Storage, write_file};
use crate::tables::table_writer::read_frames;
use crate::task::Task;

/// A text of this many bytes may be the beginning of a longer row, whose values it does not have.
const LONGEST_RAW: usize = 1 << 16;

/// A rejected row with its values.
struct FoundRow {
    table: SourceTable,
    source_uri: String,
    source_row: u64,
    reason: String,
    message: String,
    raw: String,
    /// A value for each of [`REPLAY_VALUES`].
    values: Vec<String>,
}

/// The rejected rows of a date, or those with one reason.
pub fn rejected_rows(storage: &dyn Storage, dt: Dt, reason: Option<&str>, task: &Task) -> Result<DataFrame> {
    let reason = reason.map(parse_reason).transpose()?;
    let mut rows = Vec::new();
    let mut delivered = false;
    for table in SourceTable::ALL {
        let path = layout::silver_manifest(table, dt);
        let (found, _) = manifest::read::<SilverManifest>(storage, path)?;
        let path = layout::rejected(table, dt);
        let Some(found) = found else { continue };
        delivered = true;
        if found
            .outputs
            .iter()
            .any(|output| output.path == path && output.rows > 0)
        {
            read_table(storage, (table, dt), reason, &mut rows, task)?;
        }
    }
    if !delivered {
        return Err(Error::SourceNotFound {
            uri: format!("dt={dt} in {}", storage.root()),
            expected: "a date that silver has cleaned; `drugs-rs lake status` lists them".to_owned(),
        });
    }
    let dt = dt.to_string();
    let mut frame = RowFrame::of(&rows)
        .column("dt", |_| dt.as_str())
        .column("table", |row| row.table.name())
        .column("source_uri", |row| row.source_uri.as_str())
        .count("source_row", |row| row.source_row)
        .column("reason", |row| row.reason.as_str())
        .column("message", |row| row.message.as_str())
        .column("raw", |row| row.raw.as_str());
    for (number, name) in REPLAY_VALUES.into_iter().enumerate() {
        if rows.is_empty() || rows.iter().any(|row| value_columns(row.table).contains(&name)) {
            frame = frame.column(name, |row| row.values[number].as_str());
        }
    }
    frame.finish()
}

/// Writes rejected rows as CSV, to a path or an object.
pub fn write_rejected(rows: &DataFrame, path: &str, task: &Task) -> Result<()> {
    let names: Vec<String> = rows
        .columns()
        .iter()
        .map(|column| column.name().to_string())
        .collect();
    let mut text = csv_line(names.iter().map(String::as_str));
    for row in 0..rows.height() {
        let cells = rows.columns().iter().map(|column| match column.str() {
            Ok(texts) => Ok(texts.get(row).unwrap_or_default().to_owned()),
            Err(_) => Ok(column.i64()?.get(row).unwrap_or_default().to_string()),
        });
        let cells = cells.collect::<Result<Vec<String>>>()?;
        // A NUL byte would make the line unreadable.
        text.push_str(&csv_line(cells.iter().map(String::as_str)).replace('\0', "\u{fffd}"));
    }
    write_file(path, text.as_bytes(), task)
}

fn parse_reason(name: &str) -> Result<Reason> {
    Reason::from_name(name).ok_or_else(|| {
        let names = Reason::ALL.map(Reason::name).join(", ");
        Error::argument("reason", format!("`{name}`"), format!("one of {names}"))
    })
}

/// Adds the rejected rows of one table.
fn read_table(
    storage: &dyn Storage,
    (table, dt): (SourceTable, Dt),
    reason: Option<Reason>,
    rows: &mut Vec<FoundRow>,
    task: &Task,
) -> Result<()> {
    let mut headers = SourceHeaders {
        storage,
        table,
        dt,
        task,
        known: HashMap::new(),
    };
    read_frames(storage, &layout::rejected(table, dt), None, |frame| {
        task.check()?;
        let text = |name: &str| Ok::<_, Error>(frame.column(name)?.str()?.clone());
        let (reasons, messages) = (text("reason")?, text("message")?);
        let (raws, uris) = (text("raw")?, text("source_uri")?);
        let places = frame.column("source_row")?.i64()?;
        for number in 0..frame.height() {
            let of =
                |column: &polars::prelude::StringChunked| column.get(number).unwrap_or_default().to_owned();
            if reason.is_some_and(|reason| reasons.get(number) != Some(reason.name())) {
                continue;
            }
            let (source_uri, raw) = (of(&uris), of(&raws));
            let values = headers.values(&source_uri, &raw)?;
            rows.push(FoundRow {
                table,
                source_row: places.get(number).unwrap_or_default().cast_unsigned(),
                reason: of(&reasons),
                message: of(&messages),
                source_uri,
                raw,
                values,
            });
        }
        Ok(())
    })
}

/// The header lines of the sources of a table, as far as rows need them.
struct SourceHeaders<'s> {
    storage: &'s dyn Storage,
    table: SourceTable,
    dt: Dt,
    task: &'s Task,
    known: HashMap<String, String>,
}

impl SourceHeaders<'_> {
    /// The values of a row: empty where its text cannot be read as a row of its source.
    fn values(&mut self, source_uri: &str, raw: &str) -> Result<Vec<String>> {
        let mut values = vec![String::new(); REPLAY_VALUES.len()];
        if raw.len() >= LONGEST_RAW {
            return Ok(values);
        }
        let text = if raw.trim_start().starts_with('{') {
            raw.to_owned()
        } else if raw.trim_start().starts_with('<') {
            format!("<PubmedArticleSet>{raw}</PubmedArticleSet>")
        } else {
            format!("{}\n{raw}\n", self.header(source_uri)?)
        };
        let Ok(Some(found)) = self.parse(text) else {
            return Ok(values);
        };
        for (name, value) in found {
            if let Some(place) = REPLAY_VALUES.iter().position(|known| *known == name) {
                // A value with a NUL byte is why the row was rejected: `raw` shows it.
                if !value.contains('\0') {
                    values[place] = value;
                }
            }
        }
        Ok(values)
    }

    /// Reads a text with one row; `None` if it has another number of rows.
    fn parse(&self, text: String) -> Result<Option<Vec<(&'static str, String)>>> {
        let bytes = Box::new(Cursor::new(text.into_bytes()));
        let input = Input::new("a rejected row", bytes, ReadOptions::default())?;
        let is_row = |batch: &RawBatch| batch.frame.height() == 1 && batch.rejected.is_empty();
        match self.table.publication_kind() {
            Some(kind) => {
                let mut reader = formats::open_shaped(input, shapes::shapes(kind))?;
                let batch = reader.next_batch(self.task)?.filter(is_row);
                batch
                    .map(|batch| publications::first_values(&batch, kind))
                    .transpose()
            }
            None => {
                let shapes = vocabulary::shapes();
                let mut reader = formats::open_shaped(input, &shapes)?;
                let batch = reader.next_batch(self.task)?.filter(is_row);
                // The other shapes name drugs in columns that a corrected row does not have.
                let batch = batch.filter(|batch| batch.shape == 0);
                batch.map(|batch| first_drug(&batch)).transpose()
            }
        }
    }

    /// The first line of a source that is no archive; empty if it cannot be read.
    fn header(&mut self, source_uri: &str) -> Result<&str> {
        if !self.known.contains_key(source_uri) {
            let inputs = find_inputs(self.storage, self.table, self.dt)?.files;
            let input = inputs.iter().find(|input| input.file.uri == source_uri);
            let opened = input.map(|input| input.open(self.storage, ReadOptions::default(), self.task));
            let mut header = String::new();
            if let Some(Ok(mut opened)) = opened
                && opened.archive_kind().is_none()
                && opened.first_letter().is_ok()
            {
                let head = String::from_utf8_lossy(opened.head());
                header = head.trim_start().lines().next().unwrap_or_default().to_owned();
            }
            self.known.insert(source_uri.to_owned(), header);
        }
        Ok(self.known.get(source_uri).map_or("", String::as_str))
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
