//! Frames to Parquet files and back, a bounded number of rows at a time.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use polars::io::parquet::write::KeyValueMetadata;
use polars::prelude::{
    CompatLevel, DataFrame, ParallelStrategy, ParquetReader, Schema, SchemaExt, SerReader,
};
use polars_parquet::write::schema_to_metadata_key;

use super::output_file::OutputFile;
use super::pages::Encoder;
use super::row_group::{RowGroup, RowGroupPlace};
use super::row_groups::{GroupForm, RowGroupCutter, WholeGroup};
use super::table_file::TableFile;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::storage::{Digest256, HashingWriter, Transaction};

/// Writes the frames of one table into one file of a transaction.
pub(crate) struct TableWriter {
    table: &'static Table,
    path: String,
    file: TableFile<HashingWriter<Box<dyn Write + Send>>>,
    digest: Digest256,
    groups: RowGroupCutter,
    rows: u64,
}

impl TableWriter {
    pub(crate) fn create(
        transaction: &mut dyn Transaction,
        path: String,
        table: &'static Table,
    ) -> Result<Self> {
        let file = transaction.create(&path)?;
        Self::over(
            file,
            transaction.shown(&path),
            path,
            Arc::new(Encoder::new(table)?),
        )
    }

    /// Writes into `file` the table that will be published at `path`; messages call it `shown`.
    pub(crate) fn over(
        file: Box<dyn Write + Send>,
        shown: String,
        path: String,
        encoder: Arc<Encoder>,
    ) -> Result<Self> {
        let (file, digest) = HashingWriter::new(file);
        Ok(Self {
            table: encoder.table(),
            path,
            file: encoder.file(file, shown)?,
            digest,
            groups: RowGroupCutter::new(encoder),
            rows: 0,
        })
    }

    /// Adds the rows of a frame.
    pub(crate) fn write(&mut self, frame: &DataFrame) -> Result<()> {
        self.table.check(frame)?;
        for group in self.groups.push(frame, || GroupForm::Pages)? {
            self.put_whole(&group)?;
        }
        self.rows += frame.height() as u64;
        Ok(())
    }

    /// Lets a new row group begin with the next row.
    pub(crate) fn end_group(&mut self) -> Result<()> {
        match self.groups.end()? {
            Some(group) => self.put_whole(&group),
            None => Ok(()),
        }
    }

    /// Adds a row group as it is; tells where it stands.
    pub(crate) fn write_group(&mut self, group: &RowGroup) -> Result<RowGroupPlace> {
        self.end_group()?;
        self.rows += group.rows;
        self.file.add(group)
    }

    fn put_whole(&mut self, group: &WholeGroup) -> Result<()> {
        match group {
            WholeGroup::Pages(group) => self.file.add(group).map(|_| ()),
            WholeGroup::Frame(_) => Err(Error::Internal {
                message: "a row group of a file that is no pages".to_owned(),
            }),
        }
    }

    /// Writes the rest and the footer.
    pub(crate) fn finish(mut self) -> Result<OutputFile> {
        self.end_group()?;
        self.file.finish()?;
        let (bytes, sha256) = self.digest.finish();
        Ok(OutputFile {
            path: self.path,
            rows: self.rows,
            bytes,
            sha256,
        })
    }
}

/// Has a Parquet file tell its readers of types that all of them can work with. polars' own are views, which pyarrow reads,
/// but neither filters nor gives to pandas.
pub(crate) fn common_types(schema: &Schema) -> KeyValueMetadata {
    KeyValueMetadata::Static(vec![schema_to_metadata_key(
        &schema.to_arrow(CompatLevel::oldest()),
    )])
}

/// Calls `each` with the frames of a Parquet file, in order, with just the named columns (all when none are named).
pub(crate) fn read_frames(
    open: impl Fn() -> Result<File>,
    path: &str,
    columns: Option<&[String]>,
    mut each: impl FnMut(DataFrame) -> Result<()>,
) -> Result<()> {
    let broken = |error: polars::error::PolarsError| {
        Error::format(
            path,
            "Parquet file",
            error.to_string(),
            "run the step that writes it again",
        )
    };
    let mut reader = ParquetReader::new(open()?);
    let whole = reader.get_metadata().map_err(broken)?.clone();
    let mut bare = (*whole).clone();
    bare.row_groups = Vec::new();
    for group in &whole.row_groups {
        // A file of this row group alone. With a slice of the whole file the library looks into every row group before it,
        // which costs the square of the rows.
        let mut alone = bare.clone();
        alone.num_rows = group.num_rows();
        alone.row_groups = vec![group.clone()];
        let mut reader = ParquetReader::new(open()?)
            .with_columns(columns.map(<[String]>::to_vec))
            .read_parallel(ParallelStrategy::Columns);
        reader.set_metadata(Arc::new(alone));
        each(reader.finish().map_err(broken)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{Seek, Write};

    use polars::prelude::{Column, DataFrame, NamedFrom, ParquetWriter, Series};

    use super::*;

    /// Gold looked into every row group before the one that it read: its time grew with the square of the rows.
    #[test]
    fn a_row_group_is_read_without_those_before_it() -> Result<()> {
        let numbers: Vec<u64> = (0..40).collect();
        let column = Column::from(Series::new("number".into(), &numbers));
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_row_group_size(Some(10))
            .finish(&mut DataFrame::new(40, vec![column])?)?;
        let whole = ParquetReader::new(std::io::Cursor::new(bytes.clone()))
            .get_metadata()?
            .clone();
        let starts: Vec<usize> = whole
            .row_groups
            .iter()
            .map(|group| group.parquet_columns()[0].byte_range().start as usize)
            .collect();
        assert_eq!(starts.len(), 4);
        // The file is opened once for the footer and once for each group, when the bytes before the group are destroyed.
        let opened = Cell::new(0_usize);
        let open = || {
            let before = starts.get(opened.get().wrapping_sub(1)).copied().unwrap_or(4);
            opened.set(opened.get() + 1);
            let mut bytes = bytes.clone();
            bytes[4..before].fill(0xff);
            let failed = |error| Error::storage("a temporary file", "write", error);
            let mut file = tempfile::tempfile().map_err(failed)?;
            file.write_all(&bytes).map_err(failed)?;
            file.rewind().map_err(failed)?;
            Ok(file)
        };
        let mut read = Vec::new();
        read_frames(open, "table", None, |frame| {
            read.extend(frame.column("number")?.u64()?.into_no_null_iter());
            Ok(())
        })?;
        assert_eq!(read, numbers);
        Ok(())
    }
}
