//! Frames that must be seen twice: held in memory up to a bound, then on the disk of the lake.

use std::fs::File;

use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{DataFrame, ParquetCompression, ParquetWriter};

use super::frames::read_frames;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::storage::Transaction;

/// So many bytes of frames stay in memory.
const IN_MEMORY: usize = 48 << 20;

/// So many rows are written as one group.
const GROUP: usize = 1 << 13;

/// A sequence of frames of one table.
pub(super) struct Spool {
    table: &'static Table,
    frames: Vec<DataFrame>,
    bytes: usize,
    scratch: Option<(File, BatchedWriter<File>)>,
}

impl Spool {
    pub(super) fn new(table: &'static Table) -> Self {
        Self {
            table,
            frames: Vec::new(),
            bytes: 0,
            scratch: None,
        }
    }

    /// Adds a frame at the end.
    pub(super) fn push(&mut self, frame: DataFrame, transaction: &mut dyn Transaction) -> Result<()> {
        self.bytes += frame.estimated_size();
        self.frames.push(frame);
        if self.bytes < IN_MEMORY {
            return Ok(());
        }
        if self.scratch.is_none() {
            let file = transaction.scratch("spool.parquet")?;
            let writer = ParquetWriter::new(file.try_clone().map_err(scratch_error)?)
                .with_compression(ParquetCompression::Uncompressed)
                .batched(&self.table.schema())?;
            self.scratch = Some((file, writer));
        }
        self.bytes = 0;
        let Some((_, writer)) = &mut self.scratch else {
            return Ok(());
        };
        // A frame of XML has two hundred rows. As a row group each, reading them back costs the square of their number.
        let mut frames = self.frames.drain(..).peekable();
        while let Some(mut group) = frames.next() {
            while let Some(frame) = frames.next_if(|_| group.height() < GROUP) {
                group.vstack_mut_owned(frame)?;
            }
            group.rechunk_mut();
            writer
                .write_batch(&group)
                .map_err(|error| scratch_error(std::io::Error::other(error.to_string())))?;
        }
        Ok(())
    }

    /// Calls `each` with every frame, in order.
    pub(super) fn drain(self, mut each: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        if let Some((file, writer)) = self.scratch {
            writer
                .finish()
                .map_err(|error| scratch_error(std::io::Error::other(error.to_string())))?;
            read_frames(
                || file.try_clone().map_err(scratch_error),
                "spool.parquet",
                None,
                &mut each,
            )?;
        }
        self.frames.into_iter().try_for_each(each)
    }
}

fn scratch_error(error: std::io::Error) -> Error {
    Error::storage("spool.parquet", "write the scratch file", error)
}
