//! A table as bytes, for pickles.
//!
//! ```text
//! "drugs_rs table  "  version u32  checksum u32  rows u64 | a Parquet file, if there are columns
//! ```
//!
//! The checksum (CRC-32) covers everything after it, and numbers are little-endian. It notices damage; a pickle
//! from an untrusted source must not be opened at all, as Python's documentation says.

use std::io::Cursor;

use flate2::Crc;
use polars::prelude::{
    DataFrame, DataType, ParallelStrategy, ParquetCompression, ParquetReader, ParquetWriter, SerReader,
};

use crate::bindings::process::call;
use crate::error::{Error, Result};

const MAGIC: &[u8; 16] = b"drugs_rs table  ";
const VERSION: u32 = 1;
const HEADER: usize = 24;

/// No table has more rows.
const MOST_ROWS: usize = u32::MAX as usize;

fn checksum(stream: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(stream);
    crc.sum()
}

pub(super) fn to_bytes(frame: &DataFrame) -> Result<Vec<u8>> {
    let mut bytes = vec![0; HEADER];
    bytes.extend_from_slice(&(frame.height() as u64).to_le_bytes());
    if frame.width() > 0 {
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Uncompressed)
            .with_statistics(polars::prelude::StatisticsOptions::empty())
            .set_parallel(false)
            .finish(&mut frame.clone())?;
    }
    let checksum = checksum(&bytes[HEADER..]);
    bytes[..16].copy_from_slice(MAGIC);
    bytes[16..20].copy_from_slice(&VERSION.to_le_bytes());
    bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<DataFrame> {
    let wrong = |place: &str, found: String| {
        Error::format("these bytes", place, found, "make the table again and pickle it")
    };
    let Some((header, stream)) = bytes
        .split_at_checked(HEADER)
        .filter(|_| bytes.starts_with(MAGIC))
    else {
        return Err(wrong("byte 0", "not a pickled table".to_owned()));
    };
    if header[16..20] != VERSION.to_le_bytes() {
        let found = format!(
            "a pickled table of format {}, and this version of drugs_rs reads format {VERSION}",
            header[16]
        );
        return Err(wrong("byte 16", found));
    }
    if header[20..] != checksum(stream).to_le_bytes() {
        let found = format!(
            "a pickled table that is cut off or damaged ({} bytes)",
            bytes.len()
        );
        return Err(wrong("byte 20", found));
    }
    // The reader panics at some faults.
    call::without_panic(|| Ok(read(stream)))
        .ok()
        .flatten()
        .ok_or_else(|| {
            wrong(
                "byte 24",
                "a pickled table whose parts do not fit together".to_owned(),
            )
        })
}

fn read(body: &[u8]) -> Option<DataFrame> {
    let (rows, file) = body.split_first_chunk::<8>()?;
    let rows = usize::try_from(u64::from_le_bytes(*rows))
        .ok()
        .filter(|rows| *rows < MOST_ROWS)?;
    let table = if file.is_empty() {
        DataFrame::empty_with_height(rows)
    } else {
        let reader = ParquetReader::new(Cursor::new(file)).read_parallel(ParallelStrategy::None);
        reader.finish().ok()?
    };
    let is_table = table.height() == rows && table.columns().iter().all(|column| is_ours(column.dtype()));
    is_table.then_some(table)
}

/// The types of tables: what `preview::type_name` names.
fn is_ours(data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean
        | DataType::Int64
        | DataType::UInt64
        | DataType::Float64
        | DataType::String
        | DataType::Date => true,
        DataType::List(items) => is_ours(items),
        DataType::Struct(fields) => fields.iter().all(|field| is_ours(&field.dtype)),
        _ => false,
    }
}
