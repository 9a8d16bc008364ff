//! From the bytes of a source to batches of raw rows, one file a format.
//!
//! [`open`] looks at the content, not only at the file's name: compression by its magic number, encoding by its byte
//! order mark, format by its first letter. What comes out is lazy: a [`RowReader`] yields [`RawBatch`]es of bounded size
//! and never holds more of a file than one batch. Rows that the format cannot read come out beside the batch, with
//! their reason, message and raw text; the rest goes on.

mod archive;
mod buffer;
mod columns;
mod csv;
mod csv_header;
mod csv_record;
mod csv_rows;
mod decoding;
mod fields;
mod input;
mod json;
mod json_head;
mod lines;
mod media;
mod members;
mod ndjson;
mod object;
mod packing;
#[cfg(feature = "tables")]
mod parquet;
#[cfg(feature = "tables")]
mod parquet_pages;
#[cfg(feature = "tables")]
mod parquet_texts;
mod pubmed_record;
mod pubmed_xml;
mod shaped;
mod sniff;
mod study;
mod tagged;
mod tagged_reader;
mod tar_archive;
mod whole_file;
mod xml;
mod zip_archive;

pub use columns::Frame;
pub use fields::{Field, Fields};
pub use input::{Encoding, Input, MostRatio, PARQUET, Reading};
pub use lines::TextLines;
pub use media::{PARQUET_TYPE, packed_media_type};
pub use sniff::text_media_type;

use std::borrow::Cow;
#[cfg(feature = "tables")]
use std::collections::BTreeMap;

use shaped::ShapedReader;
use sniff::{TextFormat, text_format};

use crate::error::{Error, Result, shown};
use crate::schema::Rejected;
use crate::task::Task;

/// Some rows of a file, as they stand there.
#[derive(Debug)]
pub struct RawBatch {
    /// The number of the shape that the rows have; in an archive each file has its own.
    pub shape: usize,
    /// The column `source_row` and one text column a field of [`Fields`]; a value that is not there is null.
    pub frame: Frame,
    /// The raw text of each row of the frame.
    pub raw: RawTexts,
    /// Rows that could not be read.
    pub rejected: Vec<Rejected>,
    /// Notices that publications are no more, in the order of the file.
    pub deletions: Vec<Deletion>,
    /// The file in the archive that the rows come from; nothing where the source is no archive.
    pub member: Option<String>,
}

#[cfg(feature = "tables")]
impl RawBatch {
    /// The rows that hold a NUL byte, each with the column: PostgreSQL takes no such text, and other tools end one there.
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
}

/// The notice that a publication is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// How many rows of the frame stand before the notice.
    pub behind: usize,
    pub publication_id: String,
    /// The place of the notice in the file: the record before it.
    pub source_row: u64,
}

/// The raw texts of the rows of a batch, without a copy of them.
#[derive(Debug, Default)]
pub struct RawTexts {
    text: buffer::Taken,
    spans: Vec<(usize, usize)>,
    /// Of a format that holds no texts: the cells, which are written as JSON when somebody asks.
    #[cfg(feature = "tables")]
    cells: Option<Frame>,
}

impl RawTexts {
    #[cfg(feature = "tables")]
    fn of_cells(frame: Frame) -> Self {
        Self {
            cells: Some(frame),
            ..Self::default()
        }
    }

    /// Whether a value of these rows may hold a NUL byte, as it is or as JSON writes it: two quick looks at all of them, so
    /// that hardly any batch needs a look at each.
    #[cfg(feature = "tables")]
    fn may_hold_nul(&self) -> bool {
        let text = self.text.as_bytes();
        self.cells.is_some()
            || memchr::memchr(0, text).is_some()
            || memchr::memmem::find(text, b"\\u0000").is_some()
    }

    /// How many bytes all of them take.
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

/// The texts of a row as a JSON object, without those that are not there.
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
pub struct Notes {
    /// Lines without anything in them; they are no rows.
    pub blank_lines: u64,
    /// Columns or keys that no field takes.
    pub extra_columns: Vec<String>,
    /// Anything else worth a sentence.
    pub remarks: Vec<String>,
}

/// Reads the rows of one file, batch by batch.
pub trait RowReader: Send {
    /// The name of the format, for reports.
    fn format(&self) -> &'static str;

    /// The next batch; nothing at the end of the file.
    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>>;

    /// What was noticed so far.
    fn notes(&self) -> Notes;
}

/// A batch is about this many bytes of a file: large enough to share out its costs, small enough to hold many.
///
/// The fuzz targets give files of 4 KiB, and look for what happens where batches meet and records are too long.
const BATCH_BYTES: usize = if cfg!(fuzzing) { 1 << 6 } else { 1 << 20 };

/// A record longer than this is not one: an unclosed quote or a file without line ends.
const LONGEST_RECORD: usize = BATCH_BYTES << 4;

/// At most this much of an unreadable row's text is kept aside; more would help nobody.
const LONGEST_RAW: usize = 1 << 16;

/// Opens the reader that fits the content of `input`.
pub fn open<'f>(input: Input, fields: &'f Fields) -> Result<Box<dyn RowReader + 'f>> {
    open_shaped(input, std::slice::from_ref(fields))
}

/// The same for a table whose sources come in several shapes: batches tell which one the header has. Tagged
/// formats and PubMed's XML always have the first one.
pub fn open_shaped<'f>(mut input: Input, shapes: &'f [Fields]) -> Result<Box<dyn RowReader + 'f>> {
    let uri = input.uri().to_owned();
    input.look()?;
    if let Some(kind) = input.archive_kind() {
        let (archive, reading, task) = input.into_archive(kind);
        return archive::ArchiveReader::open(uri, archive, reading, shapes, task);
    }
    open_plain(input, shapes)
}

/// The same for what is no archive.
fn open_plain<'f>(mut input: Input, shapes: &'f [Fields]) -> Result<Box<dyn RowReader + 'f>> {
    #[cfg(feature = "tables")]
    if let Some((uri, file)) = input.take_parquet()? {
        return Ok(Box::new(parquet::ParquetReader::new(uri, file, shapes)?));
    }
    let fields = shapes.first().ok_or_else(|| Error::Internal {
        message: "a source without a shape".to_owned(),
    })?;
    input.first_letter()?;
    let format = text_format(input.head());
    let number = match format {
        TextFormat::JsonArray | TextFormat::JsonObjects => json_head::shape(input.head(), shapes),
        _ => 0,
    };
    let its = shapes.get(number).unwrap_or(fields);
    Ok(match format {
        TextFormat::JsonArray => ShapedReader::boxed(number, json::JsonReader::new(input, its)),
        TextFormat::JsonObjects => ShapedReader::boxed(number, ndjson::NdjsonReader::new(input, its)),
        TextFormat::PubmedXml if fields.are_publications() => {
            Box::new(pubmed_xml::PubmedXmlReader::new(input, fields))
        }
        TextFormat::PubmedXml | TextFormat::OtherXml => return Err(refused(&input, fields, "XML or HTML")),
        TextFormat::Tagged(dialect) if fields.are_publications() => {
            Box::new(tagged_reader::TaggedReader::new(input, fields, dialect))
        }
        TextFormat::Tagged(dialect) => return Err(refused(&input, fields, dialect.title())),
        TextFormat::Delimited => Box::new(csv::CsvReader::new(input, shapes)?),
    })
}

/// The error for a text that is of no format for these fields.
fn refused(input: &Input, fields: &Fields, found: &str) -> Error {
    let remedy = if fields.are_publications() {
        "expected PubMed's XML, MEDLINE, RIS, Ovid, CSV with a header line, a JSON array, NDJSON or Parquet"
    } else {
        "expected CSV with a header line, a JSON array, NDJSON or Parquet"
    };
    Error::format(input.uri(), "byte 0", found, remedy)
}

/// A row's text as it is kept aside: whole, or its beginning when it is very long.
fn kept_aside(raw: &[u8]) -> String {
    let shortened = &raw[..raw.len().min(LONGEST_RAW)];
    String::from_utf8_lossy(shortened).into_owned()
}
