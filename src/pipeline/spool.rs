//! Frames that must be seen twice: held in memory up to a bound, then on the disk of the lake.

use std::fs::File;
use std::io::{Cursor, Write};
use std::os::unix::fs::FileExt;

use polars::prelude::{DataFrame, ParallelStrategy, ParquetReader, SerReader};
use rayon::prelude::*;

use super::pages::Encoder;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::storage::Transaction;

/// So many bytes of frames stay in memory.
const IN_MEMORY: usize = 48 << 20;

/// So many rows are written as one group.
const GROUP: usize = 1 << 13;

/// So many groups are written or read at a time at most.
const MOST_AT_ONCE: usize = 4;

/// A sequence of frames of one table.
pub(super) struct Spool {
    table: &'static Table,
    frames: Vec<DataFrame>,
    bytes: usize,
    scratch: Option<Scratch>,
}

/// Groups one after the other, each a little Parquet file of its own: read back one by one, they take the memory of one. A
/// reader of one large file maps all of it and keeps what it knows of every group.
struct Scratch {
    file: File,
    encoder: Encoder,
    /// Where each group ends.
    ends: Vec<u64>,
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
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            None => self.scratch.insert(Scratch {
                file: transaction.scratch("spool")?,
                encoder: Encoder::plain(self.table)?,
                ends: Vec::new(),
            }),
        };
        self.bytes = 0;
        // A frame of XML has two hundred rows.
        let mut groups = Vec::new();
        let mut frames = self.frames.drain(..).peekable();
        while let Some(mut group) = frames.next() {
            while let Some(frame) = frames.next_if(|_| group.height() < GROUP) {
                group.vstack_mut_owned(frame)?;
            }
            groups.push(group);
        }
        scratch.write(&groups)
    }

    /// Calls `each` with every frame, in order.
    pub(super) fn drain(self, mut each: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        if let Some(scratch) = self.scratch {
            let threads = rayon::current_num_threads().clamp(1, MOST_AT_ONCE);
            let starts = std::iter::once(0).chain(scratch.ends.iter().copied());
            let places: Vec<(u64, u64)> = starts.zip(scratch.ends.iter().copied()).collect();
            for some in places.chunks(threads) {
                let frames: Vec<DataFrame> = some
                    .par_iter()
                    .map(|(start, end)| scratch.read(*start, *end))
                    .collect::<Result<_>>()?;
                frames.into_iter().try_for_each(&mut each)?;
            }
        }
        self.frames.into_iter().try_for_each(each)
    }
}

impl Scratch {
    fn write(&mut self, groups: &[DataFrame]) -> Result<()> {
        let threads = rayon::current_num_threads().clamp(1, MOST_AT_ONCE);
        for some in groups.chunks(threads) {
            for group in self.encoder.encode(some)? {
                let mut bytes = Vec::new();
                let mut writer = self.encoder.file(&mut bytes)?;
                writer.write_row_group(group.rows, &group.columns)?;
                writer.finish()?;
                drop(writer);
                self.file.write_all(&bytes).map_err(scratch_error)?;
                let start = self.ends.last().copied().unwrap_or(0);
                self.ends.push(start + bytes.len() as u64);
            }
        }
        Ok(())
    }

    fn read(&self, start: u64, end: u64) -> Result<DataFrame> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(scratch_error)?;
        Ok(ParquetReader::new(Cursor::new(bytes))
            .read_parallel(ParallelStrategy::None)
            .finish()?)
    }
}

fn scratch_error(error: std::io::Error) -> Error {
    Error::storage("spool", "use the scratch file", error)
}
