//! Frames to compressed pages of Parquet, each page by whichever thread is free.
//!
//! polars' own writer encodes and compresses what does not repeat on the one thread that writes, and hashes every value to find
//! out what does. The schema knows that ([`repeats`](crate::schema::TableColumn::repeats)), so columns of few values get their dictionary here, where
//! a value that is the one before costs a comparison, and the others are written as they are.

use std::io::{Cursor, Write};

use polars::error::PolarsError;
use polars::io::parquet::write::BatchedWriter;
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{
    CompatLevel, DataFrame, ParallelStrategy, ParquetCompression, ParquetReader, ParquetWriter, PlHashMap,
    PolarsResult, Schema, SchemaExt, SerReader, StatisticsOptions, StringChunked,
};
use polars_arrow::array::{Array, DictionaryArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::bitmap::MutableBitmap;
use polars_arrow::compute::aggregate::estimated_bytes_size;
use polars_parquet::read::{PageReader, read_metadata};
use polars_parquet::write::{
    CompressedPage, Encoding, ParquetType, Version, WriteOptions, array_to_columns, compress, to_parquet_type,
};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::schema::Table;

/// A dictionary that is larger repeats too little to be worth its lookups.
const LARGEST_DICTIONARY: usize = 1 << 20;

/// So much of a column becomes one page of data.
const PAGE_BYTES: usize = 1 << 20;

/// The pages of each column of a row group.
#[derive(Debug)]
pub(super) struct RowGroup {
    pub rows: u64,
    pub columns: Vec<Vec<CompressedPage>>,
}

/// How many rows begin in each page of data of each column, which the pages themselves do not say.
pub(super) type PageRows = Vec<Vec<usize>>;

impl RowGroup {
    pub(super) fn page_rows(&self) -> PageRows {
        let rows = |page: &CompressedPage| match page {
            CompressedPage::Data(page) => page.num_rows,
            CompressedPage::Dict(_) => None,
        };
        self.columns
            .iter()
            .map(|pages| pages.iter().filter_map(rows).collect())
            .collect()
    }

    /// The bytes of its pages of data; those of dictionaries are few.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |page: &CompressedPage| match page {
            CompressedPage::Data(page) => page.compressed_size(),
            CompressedPage::Dict(_) => 0,
        };
        self.columns.iter().flatten().map(bytes).sum()
    }

    /// Takes the pages out of a file of one row group, as they are.
    pub(super) fn from_file(bytes: Vec<u8>, page_rows: &PageRows) -> Result<Self> {
        let metadata = read_metadata(&mut Cursor::new(&bytes))?;
        let group = metadata.row_groups.first().ok_or_else(|| Error::Internal {
            message: "a file of pages without a row group".to_owned(),
        })?;
        // Its pages are parts of this, not copies.
        let file = Cursor::new(bytes.into());
        let mut columns = Vec::with_capacity(page_rows.len());
        for (column, page_rows) in group.parquet_columns().iter().zip(page_rows) {
            let mut reader = file.clone();
            reader.set_position(column.byte_range().start);
            let mut page_rows = page_rows.iter();
            let mut pages = Vec::new();
            for page in PageReader::new(reader, column, Vec::new(), usize::MAX) {
                let mut page = page.map_err(PolarsError::from)?;
                if let CompressedPage::Data(data) = &mut page {
                    data.num_rows = page_rows.next().copied();
                }
                pages.push(page);
            }
            columns.push(pages);
        }
        Ok(Self {
            rows: group.num_rows() as u64,
            columns,
        })
    }
}

/// Reads a file of one row group.
pub(super) fn decode(file: Vec<u8>) -> Result<DataFrame> {
    Ok(ParquetReader::new(Cursor::new(file))
        .read_parallel(ParallelStrategy::None)
        .finish()?)
}

/// Makes the row groups of one table.
pub(super) struct Encoder {
    schema: Schema,
    compression: ParquetCompression,
    columns: Vec<(ParquetType, bool)>,
    options: WriteOptions,
}

impl Encoder {
    pub(super) fn new(table: &Table) -> Result<Self> {
        let schema = table.schema();
        let columns = schema
            .iter_fields()
            .zip(table.columns)
            .map(|(field, column)| {
                let parquet_type = to_parquet_type(&field.to_arrow(CompatLevel::newest()))?;
                Ok((parquet_type, column.repeats))
            })
            .collect::<Result<_>>()?;
        let compression = ParquetCompression::Zstd(Some(ZstdLevel::try_new(1)?));
        Ok(Self {
            schema,
            columns,
            compression,
            options: WriteOptions {
                statistics: StatisticsOptions::default(),
                version: Version::V1,
                compression: compression.into(),
                data_page_size: Some(usize::MAX),
            },
        })
    }

    /// A file of these row groups.
    pub(super) fn file<W: Write>(&self, to: W) -> PolarsResult<BatchedWriter<W>> {
        ParquetWriter::new(to)
            .with_compression(self.compression)
            .with_statistics(self.options.statistics)
            .batched(&self.schema)
    }

    /// Writes a file of one row group.
    pub(super) fn write_file<W: Write>(&self, group: &RowGroup, to: W) -> Result<()> {
        let mut writer = self.file(to)?;
        writer.write_row_group(group.rows, &group.columns)?;
        writer.finish()?;
        Ok(())
    }

    /// A frame as one row group.
    pub(super) fn encode(&self, frame: &DataFrame) -> Result<RowGroup> {
        let columns = (0..self.columns.len())
            .into_par_iter()
            .with_max_len(1)
            .map(|place| self.encode_column(frame, place))
            .collect::<Result<_>>()?;
        Ok(RowGroup {
            rows: frame.height() as u64,
            columns,
        })
    }

    fn encode_column(&self, frame: &DataFrame, place: usize) -> Result<Vec<CompressedPage>> {
        let (parquet_type, repeats) = &self.columns[place];
        let column = &frame.columns()[place];
        let dictionary = match (repeats, column.str()) {
            (true, Ok(texts)) => dictionary(texts)?,
            _ => None,
        };
        if let Some(dictionary) = dictionary {
            return self.pages(Box::new(dictionary), parquet_type, Encoding::RleDictionary);
        }
        let series = column.as_materialized_series().rechunk();
        let mut array = series.to_arrow(0, CompatLevel::newest());
        if array.null_count() == 0 {
            // Otherwise the same values are other bytes when a mask came with them.
            array = array.with_validity(None);
        }
        // A column of long texts is most of the work of a group, so its pages are shared out as well.
        let rows = array.len().max(1);
        let page = (PAGE_BYTES / (estimated_bytes_size(&*array) / rows + 1)).max(1);
        let pages: Vec<Vec<CompressedPage>> = (0..rows.div_ceil(page))
            .into_par_iter()
            .with_max_len(1)
            .map(|number| {
                let start = number * page;
                let part = array.sliced(start, page.min(array.len() - start));
                self.pages(part, parquet_type, Encoding::Plain)
            })
            .collect::<Result<_>>()?;
        Ok(pages.into_iter().flatten().collect())
    }

    fn pages(
        &self,
        array: Box<dyn Array>,
        parquet_type: &ParquetType,
        encoding: Encoding,
    ) -> Result<Vec<CompressedPage>> {
        let mut compressed = Vec::new();
        for pages in array_to_columns(array, parquet_type.clone(), self.options, &[encoding])? {
            for page in pages {
                let mut page =
                    compress(page?, Vec::new(), self.options.compression).map_err(PolarsError::from)?;
                if let CompressedPage::Data(data) = &mut page {
                    // It has room for what could not have been compressed, and may be held for long.
                    data.slice_mut().to_mut().shrink_to_fit();
                }
                compressed.push(page);
            }
        }
        Ok(compressed)
    }
}

/// Texts as the places of their values in a dictionary; nothing where they hardly repeat.
fn dictionary(texts: &StringChunked) -> Result<Option<DictionaryArray<u32>>> {
    let mut places: PlHashMap<&str, u32> = PlHashMap::default();
    let mut values: Vec<&str> = Vec::new();
    let mut bytes = 0;
    let mut keys: Vec<u32> = Vec::with_capacity(texts.len());
    let mut valid = MutableBitmap::with_capacity(texts.len());
    let mut last: Option<(&str, u32)> = None;
    for text in texts.iter() {
        valid.push(text.is_some());
        let Some(text) = text else {
            keys.push(0);
            continue;
        };
        if let Some((_, place)) = last.filter(|(before, _)| *before == text) {
            keys.push(place);
            continue;
        }
        let place = *places.entry(text).or_insert_with(|| {
            values.push(text);
            bytes += text.len() + size_of::<u32>();
            values.len() as u32 - 1
        });
        if bytes > LARGEST_DICTIONARY {
            return Ok(None);
        }
        last = Some((text, place));
        keys.push(place);
    }
    if values.is_empty() {
        // Keys of missing values point somewhere too.
        values.push("");
    }
    let valid = (valid.unset_bits() > 0).then(|| valid.into());
    let keys = PrimitiveArray::from_vec(keys).with_validity(valid);
    let values = Utf8ViewArray::from_slice_values(&values).boxed();
    Ok(Some(DictionaryArray::try_from_keys(keys, values, false)?))
}
