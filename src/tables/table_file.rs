//! The file of a table, row group by row group: a Parquet file of which little is held while it is written.
//!
//! polars' writer holds what it knows of every page, about a kilobyte each, until it writes the footer, so its memory grows with
//! the file. Here it writes each row group as a file of its own, and only the pages go into the table's. What that file
//! says at its end is held as the bytes that say it, a tenth of that, with the places where the pages really stand.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use polars::error::{PolarsError, PolarsResult};
use polars_parquet::parquet::error::{ParquetError, ParquetResult};
use polars_parquet::parquet::write::{FileWriter, Version, WriteOptions};
use polars_parquet::write::{CompressedPage, DynIter, DynStreamingIterator, fallible_streaming_iterator};
use polars_parquet_format::thrift::protocol::{
    TCompactInputProtocol, TCompactOutputProtocol, TFieldIdentifier, TListIdentifier, TOutputProtocol,
    TStructIdentifier, TType,
};
use polars_parquet_format::{OffsetIndex, RowGroup as RowGroupMetadata, thrift};

use super::row_group::{ColumnPlace, Outline, RowGroup, RowGroupPlace};
use super::stored_groups::{StoredGroup, StoredGroups};
use crate::error::{Error, Result};

/// Bytes that are copied at once.
const COPIED: usize = 1 << 18;

/// What a file begins and ends with.
const MAGIC: &[u8] = b"PAR1";

/// A Parquet file that is being written.
pub(crate) struct TableFile<W> {
    to: W,
    /// The file in messages.
    shown: String,
    outline: Arc<Outline>,
    position: u64,
    rows: i64,
    groups: Vec<RowGroupFooter>,
}

/// What the end of the file says of a row group, as Thrift writes it.
struct RowGroupFooter {
    group: Box<[u8]>,
    column_indexes: Box<[u8]>,
    offset_indexes: Box<[u8]>,
}

impl<W: Write> TableFile<W> {
    /// Writes into `to`; `shown` is the file in messages.
    pub(crate) fn new(mut to: W, shown: String, outline: Arc<Outline>) -> Result<Self> {
        to.write_all(MAGIC)
            .map_err(|error| Error::storage(&shown, "write", error))?;
        Ok(Self {
            to,
            shown,
            outline,
            position: MAGIC.len() as u64,
            rows: 0,
            groups: Vec::new(),
        })
    }

    /// Writes a row group.
    pub(crate) fn add(&mut self, group: &RowGroup) -> Result<RowGroupPlace> {
        let start = self.position;
        let progress = &WriteProgress::new(start);
        let mut starts = Vec::with_capacity(group.columns.len());
        // A column is asked for when the one before is written.
        let columns = group.columns.iter().map(|pages| {
            starts.push(progress.position());
            progress.enter(Stage::Pages);
            let mut pages = pages.iter();
            let pages = std::iter::from_fn(move || {
                let page = pages.next();
                if page.is_none() {
                    progress.enter(Stage::Between);
                }
                page.map(PolarsResult::Ok)
            });
            Ok(DynStreamingIterator::new(fallible_streaming_iterator::convert(
                pages,
            )))
        });
        let part = RowGroupFile {
            to: &mut self.to,
            progress,
            end: Vec::new(),
            failed: None,
        };
        let options = WriteOptions {
            write_statistics: true,
            version: Version::V1,
        };
        let mut writer = FileWriter::new(part, self.outline.schema.clone(), options, None);
        let length = writer.write(group.rows, DynIter::new(columns)).and_then(|()| {
            progress.enter(Stage::End);
            writer.end(None)
        });
        let length = match length {
            Ok(length) => length,
            Err(error) => {
                return Err(match writer.into_inner().failed {
                    Some(error) => Error::storage(&self.shown, "write", error),
                    None => PolarsError::from(error).into(),
                });
            }
        };
        let (part, metadata) = writer.into_inner_and_metadata();
        self.position = progress.position();
        self.rows += metadata.num_rows;
        for described in metadata.row_groups {
            let before = length - part.end.len() as u64;
            let number = self.groups.len();
            self.groups
                .push(describe(described, number, &starts, &part.end, before).map_err(PolarsError::from)?);
        }
        let places = starts
            .iter()
            .zip(&group.columns)
            .map(|(column, pages)| ColumnPlace {
                start: column - start,
                page_rows: pages.iter().filter_map(rows).collect(),
            });
        Ok(RowGroupPlace {
            counts: group.counts.clone(),
            bytes: start..self.position,
            rows: group.rows,
            columns: places.collect(),
        })
    }

    /// Copies a row group of another file of the table, which is then as if it had been written here;
    /// returns its rows.
    pub(crate) fn copy(&mut self, from: &StoredGroups, group: usize) -> Result<u64> {
        let StoredGroup {
            metadata,
            bytes,
            starts,
        } = from.group(group)?;
        let mut piece = vec![0; COPIED];
        let (mut at, start) = (bytes.start, self.position);
        while at < bytes.end {
            let length = usize::try_from(bytes.end - at).map_or(COPIED, |left| left.min(COPIED));
            from.read_at(&mut piece[..length], at)?;
            self.to
                .write_all(&piece[..length])
                .map_err(|error| Error::storage(&self.shown, "write", error))?;
            at += length as u64;
        }
        self.position += bytes.end - bytes.start;
        self.rows += metadata.num_rows;
        let rows = metadata.num_rows.unsigned_abs();
        let starts: Vec<u64> = starts.iter().map(|column| start + column).collect();
        let (indexes, before) = from.indexes();
        let number = self.groups.len();
        let described = describe(metadata, number, &starts, indexes, before).map_err(PolarsError::from)?;
        self.groups.push(described);
        Ok(rows)
    }

    /// How many row groups were written.
    pub(crate) fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Writes what follows the row groups: the indexes of the pages and the footer.
    pub(crate) fn finish(mut self) -> Result<()> {
        let footer = self.footer().map_err(PolarsError::from)?;
        self.write_end(&footer)
            .map_err(|error| Error::storage(&self.shown, "write", error))
    }

    fn write_end(&mut self, footer: &[u8]) -> io::Result<()> {
        for group in &self.groups {
            self.to.write_all(&group.column_indexes)?;
        }
        for group in &self.groups {
            self.to.write_all(&group.offset_indexes)?;
        }
        self.to.write_all(footer)?;
        let length = u32::try_from(footer.len()).map_err(io::Error::other)?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(MAGIC)?;
        self.to.flush()
    }

    /// As `ThriftFileMetadata` writes it, but with one row group at a time in memory.
    fn footer(&self) -> ParquetResult<Vec<u8>> {
        let outline = &self.outline.footer;
        let mut column_index = self.position;
        let column_indexes = self.groups.iter().map(|group| group.column_indexes.len() as u64);
        let mut offset_index = self.position + column_indexes.sum::<u64>();
        let mut footer = Vec::new();
        let mut out = TCompactOutputProtocol::new(&mut footer);
        out.write_struct_begin(&TStructIdentifier::new("FileMetaData"))?;
        out.write_field_begin(&TFieldIdentifier::new("version", TType::I32, 1))?;
        out.write_i32(outline.version)?;
        out.write_field_end()?;
        list(&mut out, "schema", 2, outline.schema.len())?;
        for element in &outline.schema {
            element.write_to_out_protocol(&mut out)?;
        }
        list_end(&mut out)?;
        out.write_field_begin(&TFieldIdentifier::new("num_rows", TType::I64, 3))?;
        out.write_i64(self.rows)?;
        out.write_field_end()?;
        list(&mut out, "row_groups", 4, self.groups.len())?;
        for described in &self.groups {
            let mut group: RowGroupMetadata =
                read(&described.group, RowGroupMetadata::read_from_in_protocol)?;
            for column in &mut group.columns {
                column.column_index_offset = Some(i64::try_from(column_index)?);
                column_index += u64::try_from(column.column_index_length.unwrap_or_default())?;
                column.offset_index_offset = Some(i64::try_from(offset_index)?);
                offset_index += u64::try_from(column.offset_index_length.unwrap_or_default())?;
            }
            group.write_to_out_protocol(&mut out)?;
        }
        list_end(&mut out)?;
        let pairs = outline.key_value_metadata.as_deref().unwrap_or_default();
        list(&mut out, "key_value_metadata", 5, pairs.len())?;
        for pair in pairs {
            pair.write_to_out_protocol(&mut out)?;
        }
        list_end(&mut out)?;
        if let Some(created_by) = &outline.created_by {
            out.write_field_begin(&TFieldIdentifier::new("created_by", TType::String, 6))?;
            out.write_string(created_by)?;
            out.write_field_end()?;
        }
        let orders = outline.column_orders.as_deref().unwrap_or_default();
        list(&mut out, "column_orders", 7, orders.len())?;
        for order in orders {
            order.write_to_out_protocol(&mut out)?;
        }
        list_end(&mut out)?;
        out.write_field_stop()?;
        out.write_struct_end()?;
        Ok(footer)
    }
}

fn list(out: &mut impl TOutputProtocol, name: &str, number: i16, length: usize) -> ParquetResult<()> {
    out.write_field_begin(&TFieldIdentifier::new(name, TType::List, number))?;
    out.write_list_begin(&TListIdentifier::new(TType::Struct, u32::try_from(length)?))?;
    Ok(())
}

fn list_end(out: &mut impl TOutputProtocol) -> ParquetResult<()> {
    out.write_list_end()?;
    out.write_field_end()?;
    Ok(())
}

fn read<'b, T>(
    bytes: &'b [u8],
    from: impl FnOnce(&mut TCompactInputProtocol<&'b [u8]>) -> thrift::Result<T>,
) -> ParquetResult<T> {
    Ok(from(&mut TCompactInputProtocol::new(bytes, usize::MAX))?)
}

/// How many rows begin in a page; `None` for a dictionary.
fn rows(page: &CompressedPage) -> Option<usize> {
    match page {
        CompressedPage::Data(page) => page.num_rows,
        CompressedPage::Dict(_) => None,
    }
}

/// Rebases the offsets of a row group from a file of its own to the table's file, where its columns begin at `starts`. `end`
/// holds the last bytes of the former, and `before` counts the bytes ahead of them.
fn describe(
    mut group: RowGroupMetadata,
    number: usize,
    starts: &[u64],
    end: &[u8],
    before: u64,
) -> ParquetResult<RowGroupFooter> {
    let part = |offset: Option<i64>, length: Option<i32>| {
        let start = offset.and_then(|offset| usize::try_from(offset as u64 - before).ok());
        let length = length.and_then(|length| usize::try_from(length).ok());
        let bytes = start
            .zip(length)
            .and_then(|(start, length)| end.get(start..)?.get(..length));
        bytes.ok_or_else(|| ParquetError::OutOfSpec("a row group without its indexes".to_owned()))
    };
    let mut column_indexes = Vec::new();
    let mut offset_indexes = Vec::new();
    for (column, start) in group.columns.iter_mut().zip(starts) {
        column_indexes.extend_from_slice(part(column.column_index_offset, column.column_index_length)?);
        let index = part(column.offset_index_offset, column.offset_index_length)?;
        let mut index: OffsetIndex = read(index, OffsetIndex::read_from_in_protocol)?;
        let Some(metadata) = &mut column.meta_data else {
            continue;
        };
        let first = metadata
            .dictionary_page_offset
            .unwrap_or(metadata.data_page_offset);
        let shift = i64::try_from(*start)? - first;
        metadata.data_page_offset += shift;
        if let Some(offset) = &mut metadata.dictionary_page_offset {
            *offset += shift;
        }
        for page in &mut index.page_locations {
            page.offset += shift;
        }
        let bytes = offset_indexes.len();
        index.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut offset_indexes))?;
        column.offset_index_length = Some(i32::try_from(offset_indexes.len() - bytes)?);
        // There is no other copy of what the footer says.
        column.file_offset = 0;
    }
    group.file_offset = starts.first().map(|start| i64::try_from(*start)).transpose()?;
    group.ordinal = i16::try_from(number).ok();
    let mut bytes = Vec::new();
    group.write_to_out_protocol(&mut TCompactOutputProtocol::new(&mut bytes))?;
    Ok(RowGroupFooter {
        group: bytes.into(),
        column_indexes: column_indexes.into(),
        offset_indexes: offset_indexes.into(),
    })
}

/// What is being written of the file of one row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Stage {
    /// The file's magic, or what follows the pages of a column: dropped, as both are written elsewhere too.
    Between,
    Pages,
    /// What follows the row group.
    End,
}

/// How far the writing of a row group is.
struct WriteProgress {
    stage: AtomicU8,
    position: AtomicU64,
}

impl WriteProgress {
    fn new(position: u64) -> Self {
        Self {
            stage: AtomicU8::new(Stage::Between as u8),
            position: AtomicU64::new(position),
        }
    }

    fn enter(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::Relaxed);
    }

    fn is(&self, stage: Stage) -> bool {
        self.stage.load(Ordering::Relaxed) == stage as u8
    }

    /// The end of what was written of the table's file.
    fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }
}

/// A file of one row group, of which the pages go into the table's file and the end is held.
struct RowGroupFile<'p, W> {
    to: &'p mut W,
    progress: &'p WriteProgress,
    end: Vec<u8>,
    /// The error of the write itself, because the library's error only repeats it as text.
    failed: Option<io::Error>,
}

impl<W: Write> Write for RowGroupFile<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.progress.is(Stage::Pages) {
            if let Err(error) = self.to.write_all(bytes) {
                let told = io::Error::from(error.kind());
                self.failed = Some(error);
                return Err(told);
            }
            self.progress
                .position
                .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        } else if self.progress.is(Stage::End) {
            self.end.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
