//! Frames that wait until it is known whether they count: in memory up to a bound, then on a scratch file.

use std::fs::File;
use std::os::unix::fs::FileExt;

use polars::prelude::DataFrame;

use super::pages::{Encoder, decode};
use crate::error::{Error, Result};
use crate::schema::Table;

/// Frames are joined until they have so many rows: a batch may reject one row.
const GROUP: usize = 1 << 13;

/// A sequence of frames of one table.
pub(super) struct Waiting {
    frames: Vec<DataFrame>,
    bytes: usize,
    /// So many bytes of frames stay in memory.
    bound: usize,
    /// Nothing where all frames stay in memory.
    scratch: Option<Scratch>,
}

/// Groups one after the other, each a little Parquet file of its own.
struct Scratch {
    file: File,
    encoder: Encoder,
    /// Where each group ends; whatever stands behind the last is not there any more.
    ends: Vec<u64>,
}

impl Waiting {
    /// `scratch` is an empty file of which nothing is written as long as the frames fit into the bound.
    pub(super) fn new(table: &'static Table, scratch: File, bound: usize) -> Result<Self> {
        Ok(Self {
            frames: Vec::new(),
            bytes: 0,
            bound,
            scratch: Some(Scratch {
                file: scratch,
                encoder: Encoder::new(table)?,
                ends: Vec::new(),
            }),
        })
    }

    /// Without a scratch file, for who holds all rows anyway.
    pub(super) fn in_memory() -> Self {
        Self {
            frames: Vec::new(),
            bytes: 0,
            bound: usize::MAX,
            scratch: None,
        }
    }

    /// Adds a frame at the end.
    pub(super) fn push(&mut self, frame: DataFrame) -> Result<()> {
        self.bytes += frame.estimated_size();
        self.frames.push(frame);
        let Some(scratch) = self.scratch.as_mut().filter(|_| self.bytes >= self.bound) else {
            return Ok(());
        };
        self.bytes = 0;
        let mut frames = self.frames.drain(..).peekable();
        while let Some(mut group) = frames.next() {
            while let Some(frame) = frames.next_if(|_| group.height() < GROUP) {
                group.vstack_mut_owned(frame)?;
            }
            scratch.write(group)?;
        }
        Ok(())
    }

    /// Forgets all frames.
    pub(super) fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
        if let Some(scratch) = &mut self.scratch {
            scratch.ends.clear();
        }
    }

    /// Calls `each` with every frame, in order; none is left.
    pub(super) fn drain(&mut self, mut each: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        if let Some(scratch) = &self.scratch {
            let mut start = 0;
            for end in &scratch.ends {
                each(scratch.read(start, *end)?)?;
                start = *end;
            }
        }
        std::mem::take(&mut self.frames).into_iter().try_for_each(each)?;
        self.clear();
        Ok(())
    }
}

impl Scratch {
    fn write(&mut self, group: DataFrame) -> Result<()> {
        for group in self.encoder.encode(&[group])? {
            let bytes = self.encoder.file_of(&group)?;
            let start = self.ends.last().copied().unwrap_or(0);
            self.file.write_all_at(&bytes, start).map_err(scratch_error)?;
            self.ends.push(start + bytes.len() as u64);
        }
        Ok(())
    }

    fn read(&self, start: u64, end: u64) -> Result<DataFrame> {
        let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(usize::MAX)];
        self.file
            .read_exact_at(&mut bytes, start)
            .map_err(scratch_error)?;
        decode(bytes)
    }
}

fn scratch_error(error: std::io::Error) -> Error {
    Error::storage("rows that wait", "use the scratch file", error)
}
