//! The row groups of a table's file as they are: to be copied into another file without being decoded.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use polars_parquet::write::ThriftFileMetadata;
use polars_parquet_format::RowGroup as RowGroupMetadata;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

use crate::error::{Error, Result};

/// The bytes behind the footer: its length and the magic.
const TAIL: u64 = 8;

/// A file that a [`TableFile`](super::table_file::TableFile) wrote, with its footer.
pub(crate) struct StoredGroups {
    file: File,
    /// The file in messages.
    shown: String,
    groups: Vec<RowGroupMetadata>,
    /// Where the row groups end and their indexes begin, and where the footer begins.
    indexes: Range<u64>,
    index_bytes: Vec<u8>,
}

/// A row group of a stored file.
pub(crate) struct StoredGroup {
    pub metadata: RowGroupMetadata,
    /// Its pages.
    pub bytes: Range<u64>,
    /// Where each column begins, from the first byte of the row group.
    pub starts: Vec<u64>,
}

impl StoredGroups {
    /// Reads the footer.
    pub(crate) fn open(file: File, shown: &str) -> Result<Self> {
        let failed = |error| Error::storage(shown, "read", error);
        let length = file.metadata().map_err(failed)?.len();
        let mut tail = [0; 4];
        let behind = length.checked_sub(TAIL).ok_or_else(|| broken(shown))?;
        file.read_exact_at(&mut tail, behind).map_err(failed)?;
        let footer = u64::from(u32::from_le_bytes(tail));
        let start = behind.checked_sub(footer).ok_or_else(|| broken(shown))?;
        let mut bytes = vec![0; usize::try_from(footer).map_err(|_| broken(shown))?];
        file.read_exact_at(&mut bytes, start).map_err(failed)?;
        let mut input = TCompactInputProtocol::new(bytes.as_slice(), usize::MAX);
        let metadata = ThriftFileMetadata::read_from_in_protocol(&mut input).map_err(|_| broken(shown))?;
        let first_index = metadata
            .row_groups
            .first()
            .and_then(|group| group.columns.first()?.column_index_offset);
        let indexes = match first_index {
            Some(offset) => u64::try_from(offset).map_err(|_| broken(shown))?,
            None => start,
        };
        let length = start.checked_sub(indexes).ok_or_else(|| broken(shown))?;
        let mut index_bytes = vec![0; usize::try_from(length).map_err(|_| broken(shown))?];
        file.read_exact_at(&mut index_bytes, indexes).map_err(failed)?;
        Ok(Self {
            file,
            shown: shown.to_owned(),
            groups: metadata.row_groups,
            indexes: indexes..start,
            index_bytes,
        })
    }

    /// The row group with this number.
    pub(crate) fn group(&self, number: usize) -> Result<StoredGroup> {
        let broken = || broken(&self.shown);
        let metadata = self.groups.get(number).ok_or_else(broken)?.clone();
        let starts: Vec<u64> = column_starts(&metadata).ok_or_else(broken)?;
        let start = *starts.first().ok_or_else(broken)?;
        let end = match self.groups.get(number + 1) {
            Some(next) => *column_starts(next)
                .ok_or_else(broken)?
                .first()
                .ok_or_else(broken)?,
            None => self.indexes.start,
        };
        if end < start || starts.iter().any(|column| !(start..=end).contains(column)) {
            return Err(broken());
        }
        Ok(StoredGroup {
            metadata,
            bytes: start..end,
            starts: starts.iter().map(|column| column - start).collect(),
        })
    }

    /// The indexes of the pages of all row groups, and where they begin.
    pub(crate) fn indexes(&self) -> (&[u8], u64) {
        (&self.index_bytes, self.indexes.start)
    }

    /// Reads bytes of the file.
    pub(crate) fn read_at(&self, bytes: &mut [u8], at: u64) -> Result<()> {
        self.file
            .read_exact_at(bytes, at)
            .map_err(|error| Error::storage(&self.shown, "read", error))
    }
}

/// Where each column begins in the file.
fn column_starts(group: &RowGroupMetadata) -> Option<Vec<u64>> {
    let start = |column: &polars_parquet_format::ColumnChunk| {
        let metadata = column.meta_data.as_ref()?;
        let first = metadata
            .dictionary_page_offset
            .unwrap_or(metadata.data_page_offset);
        u64::try_from(first).ok()
    };
    group.columns.iter().map(start).collect()
}

fn broken(shown: &str) -> Error {
    let fault = io::Error::new(
        io::ErrorKind::InvalidData,
        "its footer is not one that was written here",
    );
    Error::storage(shown, "read", fault)
}
