//! Frames that must be seen twice: held in memory up to a bound, then on the disk of the lake.

use std::fs::File;
use std::io::{Cursor, Write};
use std::os::unix::fs::FileExt;

use polars::prelude::{
    DataFrame, ParallelStrategy, ParquetCompression, ParquetReader, ParquetWriter, SerReader,
    StatisticsOptions,
};

use crate::error::{Error, Result};
use crate::storage::Transaction;

/// So many bytes of frames stay in memory.
const IN_MEMORY: usize = 48 << 20;

/// So many rows are written as one group.
const GROUP: usize = 1 << 13;

/// A sequence of frames of one table.
#[derive(Default)]
pub(super) struct Spool {
    frames: Vec<DataFrame>,
    bytes: usize,
    scratch: Option<Scratch>,
}

/// Groups one after the other, each a little Parquet file of its own: read back one by one, they take the memory of one. A
/// reader of one large file maps all of it and keeps what it knows of every group.
struct Scratch {
    file: File,
    /// Where each group ends.
    ends: Vec<u64>,
}

impl Spool {
    /// Adds a frame at the end.
    pub(super) fn push(&mut self, frame: DataFrame, transaction: &mut dyn Transaction) -> Result<()> {
        self.bytes += frame.estimated_size();
        self.frames.push(frame);
        if self.bytes < IN_MEMORY {
            return Ok(());
        }
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            None => self.scratch.insert(Scratch {
                file: transaction.scratch("spool")?,
                ends: Vec::new(),
            }),
        };
        self.bytes = 0;
        // A frame of XML has two hundred rows.
        let mut frames = self.frames.drain(..).peekable();
        while let Some(mut group) = frames.next() {
            while let Some(frame) = frames.next_if(|_| group.height() < GROUP) {
                group.vstack_mut_owned(frame)?;
            }
            group.rechunk_mut();
            scratch.write(&mut group)?;
        }
        Ok(())
    }

    /// Calls `each` with every frame, in order.
    pub(super) fn drain(self, mut each: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        if let Some(scratch) = self.scratch {
            let mut start = 0;
            for end in &scratch.ends {
                each(scratch.read(start, *end)?)?;
                start = *end;
            }
        }
        self.frames.into_iter().try_for_each(each)
    }
}

impl Scratch {
    fn write(&mut self, group: &mut DataFrame) -> Result<()> {
        let mut bytes = Vec::with_capacity(group.estimated_size());
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Uncompressed)
            .with_statistics(StatisticsOptions::empty())
            .finish(group)?;
        self.file.write_all(&bytes).map_err(scratch_error)?;
        let start = self.ends.last().copied().unwrap_or(0);
        self.ends.push(start + bytes.len() as u64);
        Ok(())
    }

    fn read(&self, start: u64, end: u64) -> Result<DataFrame> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(scratch_error)?;
        Ok(ParquetReader::new(Cursor::new(bytes))
            .read_parallel(ParallelStrategy::Columns)
            .finish()?)
    }
}

fn scratch_error(error: std::io::Error) -> Error {
    Error::storage("spool", "use the scratch file", error)
}
