//! Batches of raw rows, which every reader returns, and their builder.

use std::borrow::Cow;
#[cfg(feature = "tables")]
use std::collections::BTreeMap;
#[cfg(feature = "tables")]
use std::ops::Range;
use std::sync::Arc;

use super::buffer::{Buffer, Taken};
use super::columns::{Frame, TextColumn, frame};
use super::fields::Fields;
use crate::error::{Error, Result, shown};
use crate::schema::Rejected;
use crate::task::Task;

/// Some rows of a file, unchanged.
#[derive(Debug)]
pub struct RawBatch {
    /// The number of the rows' shape; in an archive each file has its own.
    pub shape: usize,
    /// The column `source_row` and one text column for each field of [`Fields`]; a missing value is null.
    pub frame: Frame,
    /// The raw text of each row of the frame.
    pub raw: RawTexts,
    /// Rows that could not be read.
    pub rejected: Vec<Rejected>,
    /// Notices that publications were deleted, in the order of the file.
    pub deletions: Vec<Deletion>,
    /// The file in the archive that the rows come from; `None` if the source is no archive.
    pub member: Option<String>,
}

#[cfg(feature = "tables")]
impl RawBatch {
    /// The rows that hold a NUL byte, each with its column: PostgreSQL rejects such a text, and other tools end it
    /// there.
    pub fn nul_bytes(&self) -> Result<BTreeMap<usize, String>> {
        let mut found = BTreeMap::new();
        if !self.raw.may_hold_nul() {
            return Ok(found);
        }
        for column in self.frame.columns().iter().skip(1) {
            for (row, text) in column.str()?.iter().enumerate() {
                if text.is_some_and(|text| memchr::memchr(0, text.as_bytes()).is_some()) {
                    found.entry(row).or_insert_with(|| column.name().to_string());
                }
            }
        }
        Ok(found)
    }

    /// Some of the rows, without rejected ones and notices.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        Self {
            shape: self.shape,
            frame: self.frame.slice(rows.start as i64, rows.len()),
            raw: self.raw.rows(rows),
            rejected: Vec::new(),
            deletions: Vec::new(),
            member: self.member.clone(),
        }
    }

    /// One row without a text, with a value for each field.
    pub(crate) fn of_values<'v>(
        fields: &Fields,
        source_row: u64,
        value: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<Self> {
        let mut builder = BatchBuilder::new(fields, 1);
        builder.push(source_row, (0, 0), fields.iter().map(|field| value(field.name)));
        builder.finish(Taken::default())
    }
}

/// The notice that a publication was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// The number of rows of the frame before the notice.
    pub behind: usize,
    pub publication_id: String,
    /// The place of the notice in the file: the number of the record before it.
    pub source_row: u64,
}

/// The raw texts of the rows of a batch, without copying them.
#[derive(Debug, Default)]
pub struct RawTexts {
    text: Arc<Taken>,
    spans: Vec<(usize, usize)>,
    /// For a format without texts: the cells, which are written as JSON on demand.
    #[cfg(feature = "tables")]
    cells: Option<Frame>,
}

impl RawTexts {
    #[cfg(feature = "tables")]
    pub(crate) fn of_cells(frame: Frame) -> Self {
        Self {
            cells: Some(frame),
            ..Self::default()
        }
    }

    #[cfg(feature = "tables")]
    fn rows(&self, rows: Range<usize>) -> Self {
        Self {
            text: Arc::clone(&self.text),
            spans: self.spans.get(rows.clone()).unwrap_or_default().to_vec(),
            cells: self
                .cells
                .as_ref()
                .map(|cells| cells.slice(rows.start as i64, rows.len())),
        }
    }

    /// Whether a value of these rows may hold a NUL byte, plain or escaped in JSON. Two fast searches over the batch,
    /// so that hardly any batch needs a check of each value.
    #[cfg(feature = "tables")]
    fn may_hold_nul(&self) -> bool {
        let text = self.text.as_bytes();
        self.cells.is_some()
            || memchr::memchr(0, text).is_some()
            || memchr::memmem::find(text, b"\\u0000").is_some()
    }

    /// The number of bytes of all texts.
    pub fn bytes(&self) -> usize {
        #[cfg(feature = "tables")]
        if let Some(cells) = &self.cells {
            return cells.estimated_size();
        }
        self.text.len()
    }

    /// The raw text of a row.
    pub fn get(&self, row: usize) -> Cow<'_, str> {
        #[cfg(feature = "tables")]
        if let Some(cells) = &self.cells {
            return Cow::Owned(row_as_json(cells, row));
        }
        self.spans
            .get(row)
            .map_or("", |&(start, end)| &self.text[start..end])
            .into()
    }
}

/// The texts of a row as a JSON object, without missing ones.
#[cfg(feature = "tables")]
fn row_as_json(cells: &Frame, row: usize) -> String {
    let texts = cells.columns().iter().filter_map(|column| {
        let text = column.str().ok()?.get(row)?;
        Some((column.name().to_string(), text.into()))
    });
    serde_json::Value::Object(texts.collect()).to_string()
}

/// What a reader noticed about its file besides the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReaderNotes {
    /// Empty lines; they are no rows.
    pub blank_lines: u64,
    /// Columns or keys that belong to no field.
    pub extra_columns: Vec<String>,
    /// Other remarks, each a sentence.
    pub remarks: Vec<String>,
}

/// Reads the rows of one file, batch by batch.
pub trait RowReader: Send {
    /// The name of the format, for reports.
    fn format(&self) -> &'static str;

    /// The next batch; `None` at the end of the file.
    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>>;

    /// The notes so far.
    fn notes(&self) -> ReaderNotes;
}

/// At most this many bytes of a rejected row's text are stored; more would help nobody.
const LONGEST_RAW: usize = 1 << 16;

/// Bytes of a short row, to estimate the rows of a batch; more rows enlarge the columns.
const SHORTEST_ROW: usize = 64;

impl Buffer {
    /// A builder for a batch of about this many rows.
    pub(crate) fn batch_builder(&self, fields: &Fields, rows: usize) -> BatchBuilder {
        BatchBuilder::new(fields, rows.min(self.bytes.len() / SHORTEST_ROW + 1))
    }
}

/// Builds a batch row by row.
pub(crate) struct BatchBuilder {
    source_rows: Vec<u64>,
    columns: Vec<TextColumn>,
    pub spans: Vec<(usize, usize)>,
    pub rejected: Vec<Rejected>,
}

impl BatchBuilder {
    /// A builder with room for this many rows.
    pub(crate) fn new(fields: &Fields, rows: usize) -> Self {
        let columns = fields
            .iter()
            .map(|field| TextColumn::new(field.name, rows))
            .collect();
        Self {
            source_rows: Vec::with_capacity(rows),
            columns,
            spans: Vec::with_capacity(rows),
            rejected: Vec::new(),
        }
    }

    /// Adds a row: its number in the source, the span of its raw text, and one value for each field.
    pub(crate) fn push<'v>(
        &mut self,
        source_row: u64,
        span: (usize, usize),
        values: impl Iterator<Item = Option<&'v str>>,
    ) {
        self.source_rows.push(source_row);
        self.spans.push(span);
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
    }

    /// The finished batch; the spans are ranges of `text`.
    pub(crate) fn finish(self, text: Taken) -> Result<RawBatch, Error> {
        let frame = frame(self.source_rows, self.columns)?;
        Ok(RawBatch {
            shape: 0,
            frame,
            raw: RawTexts {
                text: Arc::new(text),
                spans: self.spans,
                #[cfg(feature = "tables")]
                cells: None,
            },
            rejected: self.rejected,
            deletions: Vec::new(),
            member: None,
        })
    }
}

/// Collects the names of columns that belong to no field, in the order of their appearance, up to a limit.
#[derive(Debug, Default)]
pub(crate) struct ExtraColumns(Vec<String>);

/// More names than this in a report would help nobody.
const MOST_NAMES: usize = 200;

impl ExtraColumns {
    pub(crate) fn add(&mut self, name: &str) {
        if self.0.len() < MOST_NAMES {
            let name = shown(name);
            if !self.0.iter().any(|known| *known == name) {
                self.0.push(name.into_owned());
            }
        }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    pub(crate) fn note(&self, notes: &mut ReaderNotes) {
        notes.extra_columns = self.0.clone();
    }
}

/// Sentences about a file: the first ones are kept, the others counted.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    kept: Vec<String>,
    others: usize,
}

/// More sentences than this in a report would help nobody.
const MOST_REMARKS: usize = 20;

impl Remarks {
    pub(crate) fn add(&mut self, remark: String) {
        if self.kept.len() < MOST_REMARKS {
            self.kept.push(remark);
        } else {
            self.others += 1;
        }
    }

    pub(crate) fn all(&self) -> Vec<String> {
        let mut all = self.kept.clone();
        if self.others > 0 {
            all.push(format!("and {} more of the kind", self.others));
        }
        all
    }
}

/// The text of a rejected row as it is stored: whole, or its beginning if it is very long.
pub(crate) fn raw_excerpt(raw: &[u8]) -> String {
    let shortened = &raw[..raw.len().min(LONGEST_RAW)];
    String::from_utf8_lossy(shortened).into_owned()
}
