//! Turns the bytes of a source into batches of raw rows, with one file for each format.
//!
//! [`open()`] looks at the content, never at the file's name: compression by its magic number, encoding by its byte order
//! mark, format by its first bytes. The result is lazy: a [`RowReader`] returns [`RawBatch`]es of bounded size and
//! never holds more of a file than one batch. Rows that the format cannot parse are in the batch's `rejected`, with
//! their reason, message and raw text; the others are read.

mod archive_reader;
mod batch;
mod buffer;
mod bytes;
mod columns;
mod csv;
mod fields;
mod json;
mod lines;
mod lists;
mod open;
#[cfg(feature = "tables")]
mod parquet;
mod pubmed;
mod shaped;
mod sniff;
mod trials;

pub use batch::{Deletion, RawBatch, RawTexts, ReaderNotes, RowReader};
pub use bytes::compression::MostRatio;
pub use bytes::input::{Encoding, Input, PARQUET, ReadOptions};
pub use columns::Frame;
#[cfg(feature = "tables")]
pub(crate) use columns::TextColumn;
pub use fields::{Field, Fields};
pub use lines::TextLines;
pub use lists::{ITEM, PART, VALUE, split};
pub use sniff::{PARQUET_TYPE, packed_media_type, text_media_type};

use archive_reader::ArchiveReader;
use open::open_plain;

use crate::error::Result;

/// Opens the reader for the content of `input`.
pub fn open<'f>(input: Input, fields: &'f Fields) -> Result<Box<dyn RowReader + 'f>> {
    open_shaped(input, std::slice::from_ref(fields))
}

/// Opens the reader for a table whose sources come in several shapes: each batch has the number of its shape. Tagged
/// formats and PubMed's XML always have the first shape.
pub fn open_shaped<'f>(mut input: Input, shapes: &'f [Fields]) -> Result<Box<dyn RowReader + 'f>> {
    let uri = input.uri().to_owned();
    input.look()?;
    if let Some(kind) = input.archive_kind() {
        let (archive, reading, task) = input.into_archive(kind);
        return ArchiveReader::open(uri, archive, reading, shapes, task);
    }
    open_plain(input, shapes)
}
