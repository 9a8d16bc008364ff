//! Frames to compressed pages of Parquet, each page by whichever thread is free.
//!
//! polars' own writer encodes and compresses what does not repeat on the one thread that writes, and hashes every value to find
//! out what does. The schema knows that ([`repeats`](crate::schema::TableColumn::repeats)), so columns of few values get their dictionary here, where
//! a value that is the one before costs a comparison, and the others are written as they are.

use std::io::{self, Cursor, Write};
use std::sync::Arc;

use polars::error::PolarsError;
use polars::prelude::{
    Column, CompatLevel, DataFrame, ParallelStrategy, ParquetReader, PlHashMap, PolarsResult, SchemaExt,
    SerReader, StringChunked,
};
use polars_arrow::array::{Array, DictionaryArray, ListArray, PrimitiveArray, StructArray, Utf8ViewArray};
use polars_arrow::bitmap::MutableBitmap;
use polars_arrow::compute::aggregate::estimated_bytes_size;
use polars_parquet::parquet::read::{PageMetaData, PageReader};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, Descriptor, Encoding, FileWriter, ParquetType, StatisticsOptions,
    Version, WriteOptions, ZstdLevel, array_to_columns, schema_to_metadata_key, to_parquet_type,
};
use polars_parquet_format::KeyValue;
use rayon::prelude::*;

use super::list_pages::list_pages;
use super::page_compression::{LEVEL, compress};
use super::row_group::{Outline, RowGroup, RowGroupPlace};
use super::table_file::TableFile;
use crate::error::Result;
use crate::quality::contracts::TableRules;
use crate::schema::{TABLE_FORMAT, Table};

/// A dictionary that is larger repeats too little to be worth its lookups.
const LARGEST_DICTIONARY: usize = 1 << 20;

/// The target size of a data page before compression, 256 KiB.
pub(crate) const PAGE_BYTES: usize = 1 << 18;

/// The statistics of every Parquet file, with their lengths said here: the library would take them from the environment, and the
/// same rows would be other bytes.
pub(crate) fn statistics() -> StatisticsOptions {
    StatisticsOptions {
        binary_statistics_truncate_length: Some(64),
        ..StatisticsOptions::default()
    }
}

/// How pages are written.
pub(super) fn page_options() -> PolarsResult<WriteOptions> {
    Ok(WriteOptions {
        statistics: statistics(),
        version: Version::V1,
        compression: CompressionOptions::Zstd(Some(ZstdLevel::try_new(LEVEL)?)),
        data_page_size: Some(usize::MAX),
    })
}

/// Reads a file of one row group.
pub(crate) fn read_file(file: Vec<u8>) -> Result<DataFrame> {
    Ok(ParquetReader::new(Cursor::new(file))
        .read_parallel(ParallelStrategy::None)
        .finish()?)
}

/// What a file says of its table, in pairs of a key and a value.
fn metadata(table: &Table, arrow_schema: &KeyValue) -> Vec<KeyValue> {
    let columns = table
        .columns
        .iter()
        .map(|column| (column.name.to_owned(), column.description.into()));
    let columns = serde_json::Value::Object(columns.collect()).to_string();
    let pairs = [
        ("drugs_rs.table", table.name.to_owned()),
        ("drugs_rs.description", table.description.to_owned()),
        ("drugs_rs.columns", columns),
        ("drugs_rs.format", TABLE_FORMAT.to_string()),
        ("drugs_rs.version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    let pairs = pairs.into_iter().map(|(key, value)| KeyValue {
        key: key.to_owned(),
        value: Some(value),
    });
    std::iter::once(arrow_schema.clone()).chain(pairs).collect()
}

/// Makes the pages of one table, and reads them back.
pub(crate) struct Encoder {
    table: &'static Table,
    outline: Arc<Outline>,
    types: Vec<ParquetType>,
    /// How many leaves each column has: one, but for structs, of which each field is a column of the file.
    leaves: Vec<usize>,
    /// What readers of pages must know of each leaf.
    descriptors: Vec<Descriptor>,
    options: WriteOptions,
    rules: Option<Arc<TableRules>>,
}

impl Encoder {
    pub(crate) fn new(table: &'static Table) -> Result<Self> {
        // What it tells other readers of its types: those that all of them can work with.
        let schema = table.schema().to_arrow(CompatLevel::oldest());
        let types = schema
            .iter_values()
            .map(to_parquet_type)
            .collect::<PolarsResult<Vec<_>>>()?;
        let options = page_options()?;
        let described = schema_to_metadata_key(&schema);
        let mut without_rows = FileWriter::try_new(io::sink(), schema, options)?;
        without_rows.end(Some(metadata(table, &described)))?;
        let schema = without_rows.parquet_schema().clone();
        let descriptors = schema.columns().iter();
        Ok(Self {
            table,
            leaves: types.iter().map(leaves).collect(),
            types,
            descriptors: descriptors.map(|column| column.descriptor.clone()).collect(),
            options,
            rules: None,
            outline: Arc::new(Outline {
                schema,
                footer: without_rows.into_inner_and_metadata().1,
            }),
        })
    }

    /// Like [`Encoder::new`], and counts the rows that break these rules, flags left out.
    pub(crate) fn counting(table: &'static Table, rules: Option<&TableRules>) -> Result<Self> {
        let rules = rules.cloned().map(Arc::new);
        Ok(Self {
            rules,
            ..Self::new(table)?
        })
    }

    /// What its rules count in rows of the table.
    pub(crate) fn count(&self, rows: &DataFrame) -> Result<Vec<u64>> {
        self.rules
            .as_ref()
            .map_or(Ok(Vec::new()), |rules| rules.count(rows, false))
    }

    pub(crate) fn table(&self) -> &'static Table {
        self.table
    }

    /// A file of its row groups; `shown` in messages.
    pub(crate) fn file<W: Write>(&self, to: W, shown: String) -> Result<TableFile<W>> {
        TableFile::new(to, shown, Arc::clone(&self.outline))
    }

    /// Takes the pages of a row group out of the bytes that were written, as they are: parts of these, not copies.
    pub(crate) fn read(&self, bytes: Vec<u8>, place: &RowGroupPlace) -> Result<RowGroup> {
        let mut file = Cursor::new(bytes.into());
        let mut columns = Vec::with_capacity(place.columns.len());
        let (rows, counts) = (place.rows, place.counts.clone());
        for (descriptor, place) in self.descriptors.iter().zip(&place.columns) {
            file.set_position(place.start);
            // The number of its pages tells where a column ends.
            let compression = self.options.compression.into();
            let meta = PageMetaData::new(place.start, i64::MAX, compression, descriptor.clone());
            let mut page_rows = place.page_rows.iter();
            let mut pages = Vec::with_capacity(page_rows.len() + 1);
            let mut reader = PageReader::new_with_page_meta(file, meta, Vec::new(), usize::MAX);
            while page_rows.len() > 0 {
                let Some(page) = reader.next() else { break };
                let mut page = page.map_err(PolarsError::from)?;
                if let CompressedPage::Data(data) = &mut page {
                    data.num_rows = page_rows.next().copied();
                }
                pages.push(page);
            }
            (file, _) = reader.into_inner();
            columns.push(pages);
        }
        Ok(RowGroup {
            rows,
            columns,
            counts,
        })
    }

    /// The rows of a row group.
    pub(crate) fn decode(&self, group: &RowGroup) -> Result<DataFrame> {
        let mut file = Vec::with_capacity(group.bytes());
        self.write_file(group, &mut file)?;
        read_file(file)
    }

    /// Writes a file of one row group.
    pub(crate) fn write_file<W: Write>(&self, group: &RowGroup, to: W) -> Result<()> {
        let mut file = self.file(to, "rows that wait".to_owned())?;
        file.add(group)?;
        file.finish()
    }

    /// The leaves of a column without rows.
    pub(crate) fn no_pages(&self, place: usize) -> Vec<Vec<CompressedPage>> {
        (0..self.leaves[place]).map(|_| Vec::new()).collect()
    }

    /// The leaves of a whole column of a row group.
    pub(crate) fn column(&self, place: usize, column: &Column) -> Result<Vec<Vec<CompressedPage>>> {
        let dictionary = match (self.table.columns[place].repeats, column.str()) {
            (true, Ok(texts)) => dictionary(texts)?,
            _ => None,
        };
        if let Some(dictionary) = dictionary {
            return self.pages(Box::new(dictionary), place, Encoding::RleDictionary);
        }
        let array = whole(column);
        let rows = array.len().max(1);
        let page = (PAGE_BYTES / (estimated_bytes_size(&*array) / rows + 1)).max(1);
        let parts: Vec<Vec<Vec<CompressedPage>>> = (0..rows.div_ceil(page))
            .into_par_iter()
            .with_max_len(1)
            .map(|number| {
                let start = number * page;
                let part = array.sliced(start, page.min(array.len() - start));
                self.pages(part, place, Encoding::Plain)
            })
            .collect::<Result<_>>()?;
        let mut all = self.no_pages(place);
        for part in parts {
            for (leaf, pages) in all.iter_mut().zip(part) {
                leaf.extend(pages);
            }
        }
        Ok(all)
    }

    /// A part of a column with one leaf as one page.
    pub(crate) fn page(&self, place: usize, column: &Column) -> Result<Vec<CompressedPage>> {
        Ok(self
            .pages(whole(column), place, Encoding::Plain)?
            .into_iter()
            .flatten()
            .collect())
    }

    /// The pages of each leaf.
    fn pages(
        &self,
        array: Box<dyn Array>,
        place: usize,
        encoding: Encoding,
    ) -> Result<Vec<Vec<CompressedPage>>> {
        if let Some(pages) = list_pages(&*array, &self.types[place], self.options)? {
            return pages.into_iter().map(|page| Ok(vec![compress(page)?])).collect();
        }
        let encodings = vec![encoding; self.leaves[place]];
        array_to_columns(array, self.types[place].clone(), self.options, &encodings)?
            .into_iter()
            .map(|pages| pages.map(|page| Ok(compress(page?)?)).collect())
            .collect()
    }
}

/// How many columns of a file a type takes.
fn leaves(parquet_type: &ParquetType) -> usize {
    match parquet_type {
        ParquetType::PrimitiveType(_) => 1,
        ParquetType::GroupType { fields, .. } => fields.iter().map(leaves).sum(),
    }
}

/// A column as one array.
fn whole(column: &Column) -> Box<dyn Array> {
    let series = column.as_materialized_series().rechunk();
    without_masks(series.to_arrow(0, CompatLevel::newest()))
}

/// An array without masks where nothing is null: otherwise the same values are other bytes when a mask came with them.
fn without_masks(array: Box<dyn Array>) -> Box<dyn Array> {
    let any = array.as_any();
    let array = if let Some(lists) = any.downcast_ref::<ListArray<i64>>() {
        let (validity, values) = (lists.validity().cloned(), without_masks(lists.values().clone()));
        ListArray::new(lists.dtype().clone(), lists.offsets().clone(), values, validity).boxed()
    } else if let Some(structs) = any.downcast_ref::<StructArray>() {
        let values = structs.values().iter().cloned().map(without_masks).collect();
        StructArray::new(
            structs.dtype().clone(),
            structs.len(),
            values,
            structs.validity().cloned(),
        )
        .boxed()
    } else {
        array
    };
    if array.null_count() == 0 {
        return array.with_validity(None);
    }
    array
}

/// Encodes texts as keys into a dictionary of their values; `None` if it would exceed [`LARGEST_DICTIONARY`].
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
