//! Frames to Parquet files and back, a bounded number of rows at a time.

use std::fs::File;
use std::io::Write;

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{DataFrame, ParallelStrategy, ParquetReader, SerReader};

use super::groups::Groups;
use super::pages::{Encoder, RowGroup};
use super::report::Output;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::storage::{Digest256, HashingWriter, Transaction};

/// Writes the frames of one table into one file of a transaction.
pub(super) struct TableWriter {
    table: &'static Table,
    path: String,
    shown: String,
    encoder: Encoder,
    writer: BatchedWriter<HashingWriter<Box<dyn Write + Send>>>,
    digest: Digest256,
    groups: Groups,
    rows: u64,
}

impl TableWriter {
    pub(super) fn create(
        transaction: &mut dyn Transaction,
        path: String,
        table: &'static Table,
    ) -> Result<Self> {
        let shown = transaction.shown(&path);
        let (file, digest) = HashingWriter::new(transaction.create(&path)?);
        let encoder = Encoder::new(table)?;
        let writer = encoder.file(file).map_err(|error| write_error(&shown, error))?;
        Ok(Self {
            table,
            path,
            shown,
            encoder,
            writer,
            digest,
            groups: Groups::new(table),
            rows: 0,
        })
    }

    /// Adds the rows of a frame.
    pub(super) fn write(&mut self, frame: &DataFrame) -> Result<()> {
        self.table.check(frame)?;
        for group in self.groups.push(frame)? {
            self.put(&self.encoder.encode(&group)?)?;
        }
        self.rows += frame.height() as u64;
        Ok(())
    }

    /// Lets a new row group begin with the next row.
    pub(super) fn end_group(&mut self) -> Result<()> {
        match self.groups.end() {
            Some(group) => self.put(&self.encoder.encode(&group)?),
            None => Ok(()),
        }
    }

    /// Adds a row group as it is.
    pub(super) fn write_group(&mut self, group: &RowGroup) -> Result<()> {
        self.end_group()?;
        self.rows += group.rows;
        self.put(group)
    }

    fn put(&mut self, group: &RowGroup) -> Result<()> {
        self.writer
            .write_row_group(group.rows, &group.columns)
            .map_err(|error| write_error(&self.shown, error))
    }

    /// Writes the rest and the footer.
    pub(super) fn finish(mut self) -> Result<Output> {
        self.end_group()?;
        self.writer
            .finish()
            .map_err(|error| write_error(&self.shown, error))?;
        let (bytes, sha256) = self.digest.finish();
        Ok(Output {
            path: self.path,
            rows: self.rows,
            bytes,
            sha256,
        })
    }
}

/// A full disk shows in polars' error as an input/output error; anything else is a bug.
fn write_error(path: &str, error: polars::error::PolarsError) -> Error {
    match error {
        polars::error::PolarsError::IO { error, .. } => {
            let source = std::io::Error::new(error.kind(), error.to_string());
            Error::storage(path, "write", source)
        }
        other => other.into(),
    }
}

/// Calls `each` with the frames of a Parquet file, in order, with just the named columns (all when none are named).
pub(super) fn read_frames(
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
    let metadata = reader.get_metadata().map_err(broken)?.clone();
    let mut start = 0;
    for group in &metadata.row_groups {
        let rows = group.num_rows();
        let mut reader = ParquetReader::new(open()?)
            .with_slice(Some((start, rows)))
            .with_columns(columns.map(<[String]>::to_vec))
            .read_parallel(ParallelStrategy::Columns);
        reader.set_metadata(metadata.clone());
        each(reader.finish().map_err(broken)?)?;
        start += rows;
    }
    Ok(())
}
