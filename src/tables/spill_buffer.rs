//! Frames that wait until it is known whether they count: in memory up to a bound, then on a scratch file.

use std::fs::File;
use std::ops::Range;

use polars::prelude::DataFrame;

use super::open_row_group::OpenRowGroup;
use super::pages::{Encoder, read_file};
use super::spill_file::SpillFile;
use crate::error::{Error, Result};
use crate::row_frame::stack;
use crate::schema::Table;
use crate::scratch;

/// Frames are joined until they have this many rows before they are spilled: a batch may reject a single row.
const GROUP: usize = 1 << 13;

/// A sequence of frames of one table.
pub(crate) struct SpillBuffer {
    frames: Vec<DataFrame>,
    bytes: usize,
    /// Frames in memory are spilled when they reach this many bytes.
    bound: usize,
    table: &'static Table,
    /// Made when it is needed, where no scratch file was given.
    aside: Option<SpilledFrames>,
}

/// Groups one after the other, each a little Parquet file of its own.
struct SpilledFrames {
    scratch: SpillFile,
    encoder: Encoder,
    places: Vec<Range<u64>>,
}

impl SpillBuffer {
    /// `scratch` is an empty file, which stays empty as long as the frames fit into the bound.
    pub(crate) fn new(table: &'static Table, scratch: File, bound: usize) -> Result<Self> {
        Ok(Self {
            frames: Vec::new(),
            bytes: 0,
            bound,
            table,
            aside: Some(SpilledFrames::new(table, scratch)?),
        })
    }

    /// Like [`SpillBuffer::new`], with a scratch file that is made when it is needed: most never need one.
    pub(crate) fn on_demand(table: &'static Table, bound: usize) -> Self {
        Self {
            frames: Vec::new(),
            bytes: 0,
            bound,
            table,
            aside: None,
        }
    }

    /// Adds a frame at the end.
    pub(crate) fn push(&mut self, frame: DataFrame) -> Result<()> {
        self.bytes += frame.estimated_size();
        self.frames.push(frame);
        if self.bytes < self.bound {
            return Ok(());
        }
        let aside = match &mut self.aside {
            Some(aside) => aside,
            none => {
                let scratch = scratch::unnamed()
                    .map_err(|error| Error::storage("rows that wait", "use a scratch file", error))?;
                none.insert(SpilledFrames::new(self.table, scratch)?)
            }
        };
        self.bytes = 0;
        let mut frames = self.frames.drain(..).peekable();
        while let Some(mut group) = frames.next() {
            while let Some(frame) = frames.next_if(|_| group.height() < GROUP) {
                stack(&mut group, &frame)?;
            }
            aside.write(&group)?;
        }
        Ok(())
    }

    /// The frame with this number in order, which stays; `None` behind the last one.
    pub(crate) fn frame(&self, number: usize) -> Result<Option<DataFrame>> {
        let spilled = self.aside.iter().flat_map(|aside| aside.places.iter());
        let before = spilled.clone().count();
        match (self.aside.as_ref(), spilled.clone().nth(number)) {
            (Some(aside), Some(place)) => read_file(aside.scratch.read(place)?).map(Some),
            _ => Ok(number
                .checked_sub(before)
                .and_then(|at| self.frames.get(at))
                .cloned()),
        }
    }

    /// Forgets all frames.
    pub(crate) fn clear(&mut self) {
        self.frames.clear();
        self.bytes = 0;
        if let Some(aside) = &mut self.aside {
            aside.places.clear();
            aside.scratch.clear();
        }
    }

    /// Calls `each` with every frame, in order; none is left.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(DataFrame) -> Result<()>) -> Result<()> {
        if let Some(aside) = &self.aside {
            for place in &aside.places {
                each(read_file(aside.scratch.read(place)?)?)?;
            }
        }
        std::mem::take(&mut self.frames).into_iter().try_for_each(each)?;
        self.clear();
        Ok(())
    }
}

impl SpilledFrames {
    fn new(table: &'static Table, scratch: File) -> Result<Self> {
        Ok(Self {
            scratch: SpillFile::new(scratch),
            encoder: Encoder::new(table)?,
            places: Vec::new(),
        })
    }

    fn write(&mut self, frame: &DataFrame) -> Result<()> {
        let group = OpenRowGroup::of(frame, &self.encoder)?;
        let place = self.scratch.add(|to| self.encoder.write_file(&group, to))?;
        self.places.push(place);
        Ok(())
    }
}
