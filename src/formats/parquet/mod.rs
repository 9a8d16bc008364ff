//! Parquet: columns by the names that CSV and JSON know, values as the text that those would hold.
//!
//! The file is read from its end and in pieces of a row group, so memory grows neither with the file nor with its row
//! groups. Types come from Parquet itself and not from the Arrow schema that some writers store beside it: dictionaries
//! (categories) are then plain texts, and instants are read in UTC. A column of a type that no field can be fails the file:
//! unlike in JSON, all its rows have that type.

mod pages;
mod texts;

use std::collections::VecDeque;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use polars::error::PolarsResult;
use polars::io::parquet::metadata::FileMetadataRef;
use polars::prelude::{
    ChunkFullNull, DataFrame, IntoColumn, NamedFrom, ParallelStrategy, ParquetReader as PolarsReader,
    SerReader, Series, StringChunked,
};

use super::batch::{BatchBuilder, ExtraColumns, RawBatch, RawTexts, ReaderNotes, RowReader, raw_excerpt};
use super::buffer::{BATCH_BYTES, LONGEST_RECORD, Taken};
use super::bytes::compression::MostRatio;
use super::bytes::input::BOMB_REMEDY;
use super::fields::Fields;
use crate::error::{Error, Result};
use crate::schema::{Reason, Rejected};
use crate::task::Task;
use pages::PageSizes;
use texts::{add_lengths, as_texts, is_accepted};

/// About 16 MiB of a row group are decoded at a time. Smaller pieces cost more: each decodes its pages again.
const PIECE_BYTES: usize = 16 << 20;

/// The most rows of a piece: a column that repeats one text takes few bytes in the file and many in memory.
const PIECE_ROWS: usize = 1 << 16;

pub(crate) struct ParquetReader<'f> {
    uri: String,
    file: File,
    fields: &'f Fields,
    /// The number of the shape that these are.
    shape: usize,
    /// The metadata without its row groups, which come in one by one.
    metadata: FileMetadataRef,
    groups: VecDeque<OpenGroup>,
    /// For each field of the table its column.
    columns: Vec<Option<String>>,
    extra: ExtraColumns,
    page_sizes: PageSizes,
    /// Decoded rows that are not given yet, and how many of them make a batch.
    ready: DataFrame,
    batch_rows: usize,
    rows_given: u64,
}

/// A row group that is not read to its end.
struct OpenGroup {
    metadata: FileMetadataRef,
    rows: usize,
    /// How many rows are decoded already.
    taken: usize,
    /// Bytes that a row of the wanted columns takes, on average.
    row_bytes: usize,
    /// The same as it lies in the file, for the progress.
    packed_bytes: usize,
}

impl<'f> ParquetReader<'f> {
    /// Reads the metadata.
    pub(crate) fn new(uri: String, file: File, shapes: &'f [Fields], most_ratio: MostRatio) -> Result<Self> {
        let mut reader = PolarsReader::new(again(&uri, &file)?);
        let whole = guarded(&uri, || reader.get_metadata().cloned())?;
        let mut bare = (*whole).clone();
        bare.key_value_metadata = None;
        bare.row_groups = Vec::new();
        let metadata = Arc::new(bare);
        reader.set_metadata(Arc::clone(&metadata));
        let schema = guarded(&uri, || reader.schema()).map_err(|error| unknown(&uri, &metadata, error))?;
        let names: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
        let folded: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        // Of equal fits the first shape, as the plain one goes before the others.
        let mut best = (0, shapes.first().map_or((false, 0), |fields| fields.fit(&folded)));
        for (number, fields) in shapes.iter().enumerate().skip(1) {
            let fit = fields.fit(&folded);
            if fit > best.1 {
                best = (number, fit);
            }
        }
        let Some(fields) = shapes.get(best.0) else {
            return Err(Error::internal("a source without a shape"));
        };
        let places = fields.places(&folded);
        let present: Vec<bool> = places.iter().map(Option::is_some).collect();
        fields.check(&uri, &present, &names, &hint(shapes))?;
        for (field, place) in fields.iter().zip(&places) {
            let Some((name, column)) = place.and_then(|place| schema.get_at_index(place)) else {
                continue;
            };
            if !is_accepted(column.dtype(), field.many) {
                return Err(Error::format(
                    &uri,
                    format!("column `{name}`"),
                    format!("values of the type {:?}", column.dtype()),
                    "expected text, whole numbers or dates; write the column as text",
                ));
            }
        }
        let mut extra = ExtraColumns::default();
        for (column, name) in names.iter().enumerate() {
            if !places.contains(&Some(column)) {
                extra.add(name);
            }
        }
        let columns: Vec<Option<String>> = places
            .into_iter()
            .map(|place| place.map(|place| names[place].clone()))
            .collect();
        let groups = whole
            .row_groups
            .iter()
            .map(|group| {
                let mut alone = (*metadata).clone();
                alone.num_rows = group.num_rows();
                alone.row_groups = vec![group.clone()];
                let (mut bytes, mut packed) = (0_usize, 0_usize);
                for name in columns.iter().flatten() {
                    for chunk in group.columns_under_root_iter(name).into_iter().flatten() {
                        // A broken file may say anything here; these are estimates alone.
                        bytes = bytes.saturating_add(usize::try_from(chunk.uncompressed_size()).unwrap_or(0));
                        packed = packed.saturating_add(usize::try_from(chunk.compressed_size()).unwrap_or(0));
                    }
                }
                OpenGroup {
                    rows: group.num_rows(),
                    metadata: Arc::new(alone),
                    taken: 0,
                    row_bytes: bytes / group.num_rows().max(1) + 1,
                    packed_bytes: packed / group.num_rows().max(1),
                }
            })
            .collect();
        let reader = Self {
            uri,
            file,
            fields,
            shape: best.0,
            metadata,
            groups,
            columns,
            extra,
            page_sizes: PageSizes::new(most_ratio),
            ready: DataFrame::empty(),
            batch_rows: 1,
            rows_given: 0,
        };
        Ok(reader)
    }

    /// Decodes the next piece; `false` at the end of the file.
    fn decode(&mut self) -> Result<bool> {
        while self.groups.front().is_some_and(|group| group.taken >= group.rows) {
            self.groups.pop_front();
        }
        let Some(group) = self.groups.front_mut() else {
            return Ok(false);
        };
        let piece = (PIECE_BYTES / group.row_bytes).clamp(1, PIECE_ROWS);
        let rows = piece.min(group.rows - group.taken);
        let wanted: Vec<String> = self.columns.iter().flatten().cloned().collect();
        if group.taken == 0 {
            for name in &wanted {
                check_pages(&self.uri, &self.file, group, name, &mut self.page_sizes)?;
            }
        }
        let file = again(&self.uri, &self.file)?;
        let decoded = guarded(&self.uri, || {
            let mut reader = PolarsReader::new(file)
                .with_slice(Some((group.taken, rows)))
                .with_columns(Some(wanted))
                .read_parallel(ParallelStrategy::None);
            reader.set_metadata(Arc::clone(&group.metadata));
            reader.finish()
        })?;
        // Of a broken file polars gives columns of different lengths, whatever the height says.
        if decoded.height() != rows || decoded.columns().iter().any(|column| column.len() != rows) {
            return Err(broken(&self.uri, "fewer rows than its metadata says"));
        }
        group.taken += rows;
        self.batch_rows = (BATCH_BYTES / group.row_bytes).clamp(1, 1 << 14);
        self.ready = decoded;
        Ok(true)
    }

    /// How many of the next rows make a batch, by the size of their texts; 0 if the first is too long for a row. The size of a
    /// column in the file is no measure, because a file may hold a text once for many rows.
    fn fitting_rows(&self) -> Result<usize> {
        let rows = self.ready.head(Some(self.batch_rows));
        let mut bytes = vec![0; rows.height()];
        for name in self.columns.iter().flatten() {
            add_lengths(rows.column(name)?.as_materialized_series(), &mut bytes);
        }
        let mut sum = 0_usize;
        let fitting = bytes.iter().take_while(|bytes| {
            sum = sum.saturating_add(**bytes);
            sum <= BATCH_BYTES
        });
        let first_fits = bytes.first().is_some_and(|bytes| *bytes <= LONGEST_RECORD);
        Ok(fitting.count().max(usize::from(first_fits)))
    }

    /// Rejects the next row, which is too long to be one.
    fn reject_row(&mut self) -> Result<RawBatch> {
        let row = self.ready.head(Some(1));
        let beginning = self.columns.iter().flatten().find_map(|name| {
            let texts = as_texts(row.column(name).ok()?.as_materialized_series()).ok()??;
            texts.get(0).map(|text| raw_excerpt(text.as_bytes()))
        });
        self.ready = self.ready.slice(1, self.ready.height() - 1);
        self.rows_given += 1;
        let mut batch = BatchBuilder::new(self.fields, 0).finish(Taken::default())?;
        batch.shape = self.shape;
        batch.rejected.push(Rejected {
            reason: Reason::RowTooLong,
            message: format!(
                "row {}: its texts take more than the {LONGEST_RECORD} bytes that are read as one row",
                self.rows_given
            ),
            raw: beginning.unwrap_or_default(),
            source_row: self.rows_given,
        });
        Ok(batch)
    }

    /// The texts of a field's column of some decoded rows.
    fn texts(&self, rows: &DataFrame, field: usize, name: &'static str) -> Result<StringChunked> {
        let Some(column) = &self.columns[field] else {
            return Ok(StringChunked::full_null(name.into(), rows.height()));
        };
        let series = rows.column(column)?.as_materialized_series();
        let mut texts = as_texts(series)
            .map_err(|place| {
                Error::format(
                    &self.uri,
                    format!("row {}", self.rows_given + place as u64 + 1),
                    format!("bytes in the column `{column}` that are not UTF-8"),
                    "write the column as text in UTF-8",
                )
            })?
            .ok_or_else(|| broken(&self.uri, &format!("the column `{column}` changes its type")))?;
        texts.rename(name.into());
        Ok(texts)
    }
}

impl RowReader for ParquetReader<'_> {
    fn format(&self) -> &'static str {
        "parquet"
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        task.check()?;
        if self.ready.height() == 0 && !self.decode()? {
            return Ok(None);
        }
        let height = match self.fitting_rows()? {
            0 => return self.reject_row().map(Some),
            fitting => fitting,
        };
        let rows = self.ready.head(Some(height));
        self.ready = self.ready.slice(height as i64, self.ready.height() - height);
        let numbers: Vec<u64> = (1..=height as u64).map(|row| self.rows_given + row).collect();
        let mut columns = vec![Series::new("source_row".into(), numbers).into_column()];
        for (field, its) in self.fields.iter().enumerate() {
            columns.push(self.texts(&rows, field, its.name)?.into_column());
        }
        self.rows_given += height as u64;
        if let Some(group) = self.groups.front() {
            task.count_bytes(group.packed_bytes * height);
        }
        let frame = DataFrame::new(height, columns)?;
        Ok(Some(RawBatch {
            shape: self.shape,
            raw: RawTexts::of_cells(frame.clone()),
            frame,
            rejected: Vec::new(),
            deletions: Vec::new(),
            member: None,
        }))
    }

    fn notes(&self) -> ReaderNotes {
        let mut notes = ReaderNotes::default();
        self.extra.note(&mut notes);
        notes
    }
}

impl std::fmt::Debug for ParquetReader<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ParquetReader")
            .field("uri", &self.uri)
            .field("schema", &self.metadata.schema_descr.name())
            .finish_non_exhaustive()
    }
}

fn hint(shapes: &[Fields]) -> String {
    match shapes {
        [_] => "columns of the Parquet file".to_owned(),
        _ => {
            let known: Vec<String> = shapes.iter().map(Fields::described).collect();
            format!("columns of the Parquet file; known shapes: {}", known.join(", "))
        }
    }
}

/// The same open file once more; polars takes readers for good.
fn again(uri: &str, file: &File) -> Result<File> {
    file.try_clone()
        .map_err(|error| Error::storage(uri, "read the source", error))
}

fn broken(uri: &str, found: &str) -> Error {
    // What the library says of a type that is younger than it is.
    if found.contains("LogicalType") {
        let found = format!("a column of a type that is not known here ({found})");
        return Error::format(uri, "Parquet file", found, "leave columns of new types out");
    }
    Error::format(
        uri,
        "Parquet file",
        format!("it is cut off or broken ({found})"),
        "deliver the file again",
    )
}

/// The error for columns that cannot be told, in a file whose metadata is whole.
fn unknown(uri: &str, metadata: &FileMetadataRef, error: Error) -> Error {
    let mut names: Vec<&str> = metadata
        .schema()
        .fields()
        .iter()
        .map(polars_parquet::read::ParquetType::name)
        .collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Error::format(
            uri,
            "columns of the Parquet file",
            format!("two columns named `{}`", pair[0]),
            "give each column a name of its own, or leave one of them out",
        ),
        None => error,
    }
}

/// Decodes. What a broken file makes polars stumble over is a fault of the file, a panic too.
fn guarded<T>(uri: &str, decode: impl FnOnce() -> PolarsResult<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(decoded)) => Ok(decoded),
        Ok(Err(error)) => Err(broken(uri, &error.to_string())),
        Err(_) => Err(broken(uri, "it cannot be decoded")),
    }
}

/// Looks at the headers of a column's pages before they are decoded.
fn check_pages(uri: &str, file: &File, group: &OpenGroup, name: &str, sizes: &mut PageSizes) -> Result<()> {
    for its in &group.metadata.row_groups {
        for chunk in its.columns_under_root_iter(name).into_iter().flatten() {
            let place = guarded(uri, || Ok(chunk.byte_range()))?;
            // A column that is no list has a value a row.
            let values = if chunk.descriptor().descriptor.max_rep_level == 0 {
                group.rows as u64
            } else {
                u64::try_from(chunk.num_values()).unwrap_or(0)
            };
            pages::check(file, place, values, sizes).map_err(|error| match error.kind() {
                std::io::ErrorKind::FileTooLarge => Error::format(
                    uri,
                    format!("pages of the column `{name}`"),
                    error.to_string(),
                    BOMB_REMEDY,
                ),
                _ => broken(uri, &error.to_string()),
            })?;
        }
    }
    Ok(())
}
