//! Frames to Parquet files and back, a bounded number of rows at a time.

use std::fs::File;
use std::io::Write;

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{DataFrame, ParallelStrategy, ParquetReader, SerReader};

use super::pages::Encoder;
use super::report::Output;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::storage::{Digest256, HashingWriter, Transaction};

/// Rows of a row group: enough to compress well, few enough to hold several, abstracts included.
const ROW_GROUP: usize = 1 << 14;

/// So many row groups are encoded at a time at most, each column by whichever thread is free.
const MOST_AT_ONCE: usize = 4;

/// Writes the frames of one table into one file of a transaction. Where one row group ends and the next begins depends on the
/// number of the rows alone, so that the same rows are the same bytes whatever frames they come in.
pub(super) struct TableWriter {
    table: &'static Table,
    path: String,
    shown: String,
    encoder: Encoder,
    writer: BatchedWriter<HashingWriter<Box<dyn Write + Send>>>,
    digest: Digest256,
    /// Full row groups.
    groups: Vec<DataFrame>,
    /// The rows of the next one.
    waiting: DataFrame,
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
        let encoder = Encoder::packed(table)?;
        let writer = encoder.file(file).map_err(|error| write_error(&shown, error))?;
        Ok(Self {
            table,
            path,
            shown,
            encoder,
            writer,
            digest,
            groups: Vec::new(),
            waiting: table.empty(),
            rows: 0,
        })
    }

    /// Adds the rows of a frame.
    pub(super) fn write(&mut self, frame: &DataFrame) -> Result<()> {
        self.table.check(frame)?;
        let mut start = 0;
        while start < frame.height() {
            let rows = (ROW_GROUP - self.waiting.height()).min(frame.height() - start);
            self.waiting.vstack_mut(&frame.slice(start as i64, rows))?;
            start += rows;
            if self.waiting.height() == ROW_GROUP {
                self.close_group();
                if self.groups.len() == rayon::current_num_threads().clamp(1, MOST_AT_ONCE) {
                    self.flush()?;
                }
            }
        }
        self.rows += frame.height() as u64;
        Ok(())
    }

    fn close_group(&mut self) {
        self.groups
            .push(std::mem::replace(&mut self.waiting, self.table.empty()));
    }

    fn flush(&mut self) -> Result<()> {
        let frames = std::mem::take(&mut self.groups);
        for group in self.encoder.encode(&frames)? {
            self.writer
                .write_row_group(group.rows, &group.columns)
                .map_err(|error| write_error(&self.shown, error))?;
        }
        Ok(())
    }

    /// Writes the rest and the footer.
    pub(super) fn finish(mut self) -> Result<Output> {
        if self.waiting.height() > 0 || self.rows == 0 {
            self.close_group();
        }
        self.flush()?;
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
