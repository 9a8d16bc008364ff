//! The rows of a Parquet file, one row group at a time.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;

use polars::error::PolarsError;
use polars::prelude::{DataFrame, ParallelStrategy, ParquetReader, SerReader};
use polars_parquet::read::{FileMetadata, RowGroupMetadata};

use crate::error::{Error, Result};

/// An open file and the row groups of it that were not read.
pub(crate) struct TableReader {
    file: File,
    path: String,
    /// The footer without row groups.
    bare: FileMetadata,
    groups: VecDeque<RowGroupMetadata>,
}

impl TableReader {
    /// Reads the footer; `path` is the file in messages.
    pub(crate) fn open(file: File, path: &str) -> Result<Self> {
        let mut reader = ParquetReader::new(again(&file, path)?);
        let footer = reader.get_metadata().map_err(|error| broken(path, &error))?;
        let mut bare = (**footer).clone();
        let groups = std::mem::take(&mut bare.row_groups).into();
        Ok(Self {
            file,
            path: path.to_owned(),
            bare,
            groups,
        })
    }

    /// Skips the next row group; `false` if there is none.
    pub(crate) fn skip(&mut self) -> bool {
        self.groups.pop_front().is_some()
    }

    /// The rows of the next row group; `None` at the end.
    pub(crate) fn height(&self) -> Option<u64> {
        self.groups.front().map(|group| group.num_rows() as u64)
    }

    /// The named columns of the next row group (all for `None`), which stays the next one; `None` at the end.
    pub(crate) fn peek(&self, columns: Option<&[String]>) -> Result<Option<DataFrame>> {
        let Some(group) = self.groups.front() else {
            return Ok(None);
        };
        // A file of this row group alone. With a slice of the whole file the library looks into every row group before it,
        // which costs the square of the rows.
        let mut alone = self.bare.clone();
        alone.num_rows = group.num_rows();
        alone.row_groups = vec![group.clone()];
        let mut reader = ParquetReader::new(again(&self.file, &self.path)?)
            .with_columns(columns.map(<[String]>::to_vec))
            .read_parallel(ParallelStrategy::Columns);
        reader.set_metadata(Arc::new(alone));
        let frame = reader.finish().map_err(|error| broken(&self.path, &error))?;
        Ok(Some(frame))
    }
}

fn again(file: &File, path: &str) -> Result<File> {
    file.try_clone()
        .map_err(|error| Error::storage(path, "read", error))
}

fn broken(path: &str, error: &PolarsError) -> Error {
    Error::format(
        path,
        "Parquet file",
        error.to_string(),
        "run the step that writes it again",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use polars::prelude::{Column, DataFrame, NamedFrom, ParquetWriter, Series};

    use super::*;

    /// Gold looked into every row group before the one that it read: its time grew with the square of the rows.
    #[test]
    fn a_row_group_is_read_without_those_before_it() -> Result<()> {
        let numbers: Vec<u64> = (0..40).collect();
        let column = Column::from(Series::new("number".into(), &numbers));
        let failed = |error| Error::storage("a temporary file", "write", error);
        let file = tempfile::tempfile().map_err(failed)?;
        ParquetWriter::new(again(&file, "table")?)
            .with_row_group_size(Some(10))
            .finish(&mut DataFrame::new(40, vec![column])?)?;
        let mut reader = TableReader::open(again(&file, "table")?, "table")?;
        assert_eq!(reader.groups.len(), 4);
        let mut read = Vec::new();
        while let Some(group) = reader.groups.front() {
            let start = group.parquet_columns()[0].byte_range().start as usize;
            // The bytes before the group are destroyed.
            file.write_all_at(&vec![0xff; start - 4], 4).map_err(failed)?;
            if let Some(frame) = reader.peek(None)? {
                read.extend(frame.column("number")?.u64()?.into_no_null_iter());
            }
            reader.skip();
        }
        assert_eq!(read, numbers);
        Ok(())
    }
}
