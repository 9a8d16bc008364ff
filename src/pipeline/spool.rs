//! Rows that must be seen twice: held as frames up to a bound, then as the pages that a file will have, then on a disk.
//!
//! What becomes of a row is known only when all rows are read, yet most rows stay as they are. So rows are cut into row groups
//! when they come, and a group in which nothing changes is written as it was held, without being looked at again.

use std::borrow::Cow;
use std::ops::Range;

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::groups::{Groups, at_once};
use super::pages::{Encoder, PageRows, RowGroup, decode};
use super::scratch::Scratch;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::sorting::Bound;
use crate::storage::Transaction;

/// Who gets what was held, in its order.
pub(super) trait Taker {
    /// Whether any of the next so many rows changes.
    fn changes(&self, rows: u64) -> bool;

    /// Takes a row group in which nothing changes.
    fn take_group(&mut self, group: &RowGroup) -> Result<()>;

    /// Takes a row group in which something may change.
    fn take_frame(&mut self, frame: DataFrame) -> Result<()>;
}

/// The rows of one table.
pub(super) struct Spool {
    bounds: Bounds,
    encoder: Encoder,
    groups: Groups,
    held: Vec<Held>,
    /// Whether there are more frames than are held as such.
    many: bool,
    frames: usize,
    frame_bytes: usize,
    page_bytes: usize,
    scratch: Option<Scratch>,
}

/// How many bytes stay in memory: usually 72 MB of frames, which are the larger form and the quicker one, and 16 MB of pages.
struct Bounds {
    frames: usize,
    pages: usize,
}

impl Bounds {
    fn of(Bound(bytes): Bound) -> Self {
        Self {
            frames: bytes / 4 * 9,
            pages: bytes / 2,
        }
    }
}

/// A row group.
enum Held {
    Frame(DataFrame),
    Pages(Pages),
}

/// A row group as a Parquet file of its own.
struct Pages {
    file: Bytes,
    rows: u64,
    page_rows: PageRows,
}

enum Bytes {
    InMemory(Vec<u8>),
    /// A part of the scratch file.
    OnDisk(Range<u64>),
}

impl Spool {
    pub(super) fn new(table: &'static Table, bound: Bound) -> Result<Self> {
        Ok(Self {
            bounds: Bounds::of(bound),
            encoder: Encoder::new(table)?,
            groups: Groups::new(table),
            held: Vec::new(),
            many: false,
            frames: 0,
            frame_bytes: 0,
            page_bytes: 0,
            scratch: None,
        })
    }

    /// Adds the rows of a frame at the end.
    pub(super) fn push(&mut self, frame: &DataFrame, transaction: &mut dyn Transaction) -> Result<()> {
        self.frame_bytes += frame.estimated_size();
        let full = self.groups.push(frame)?;
        self.frames += full.len();
        self.held.extend(full.into_iter().map(Held::Frame));
        // There will be many; from now on no more wait than are encoded together.
        self.many |= self.frame_bytes >= self.bounds.frames;
        if self.many && self.frames >= at_once() {
            self.encode()?;
        }
        if self.page_bytes >= self.bounds.pages {
            self.put_aside(transaction)?;
        }
        Ok(())
    }

    /// Makes pages of all frames.
    fn encode(&mut self) -> Result<()> {
        let frames: Vec<DataFrame> = self
            .held
            .drain(self.held.len() - self.frames..)
            .filter_map(|held| match held {
                Held::Frame(frame) => Some(frame),
                Held::Pages(_) => None,
            })
            .collect();
        self.frames = 0;
        for some in frames.chunks(at_once()) {
            for group in self.encoder.encode(some)? {
                let file = self.encoder.file_of(&group)?;
                self.page_bytes += file.len();
                self.held.push(Held::Pages(Pages {
                    file: Bytes::InMemory(file),
                    rows: group.rows,
                    page_rows: group.page_rows(),
                }));
            }
        }
        self.frame_bytes = self.groups.rest_bytes();
        Ok(())
    }

    /// Moves all pages to the scratch file.
    fn put_aside(&mut self, transaction: &mut dyn Transaction) -> Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            None => self.scratch.insert(Scratch::new(transaction.scratch("spool")?)),
        };
        for held in &mut self.held {
            if let Held::Pages(pages) = held
                && let Bytes::InMemory(bytes) = &pages.file
            {
                pages.file = Bytes::OnDisk(scratch.write(bytes)?);
            }
        }
        self.page_bytes = 0;
        Ok(())
    }

    /// Gives every row group away, in order.
    pub(super) fn drain(mut self, taker: &mut dyn Taker) -> Result<()> {
        self.held.extend(self.groups.end().map(Held::Frame));
        let mut held = std::mem::take(&mut self.held).into_iter().peekable();
        while let Some(group) = held.next() {
            match group {
                Held::Frame(frame) => taker.take_frame(frame)?,
                Held::Pages(pages) if !taker.changes(pages.rows) => {
                    let bytes = self.bytes(&pages)?;
                    taker.take_group(&RowGroup::from_file(&bytes, &pages.page_rows)?)?;
                }
                // Where one group changes, the next ones most often do too.
                Held::Pages(pages) => {
                    let mut some = vec![pages];
                    while some.len() < at_once()
                        && let Some(Held::Pages(next)) = held.next_if(|next| matches!(next, Held::Pages(_)))
                    {
                        some.push(next);
                    }
                    let frames: Vec<DataFrame> = some
                        .into_par_iter()
                        .map(|pages| decode(self.bytes(&pages)?.into_owned()))
                        .collect::<Result<_>>()?;
                    frames.into_iter().try_for_each(|frame| taker.take_frame(frame))?;
                }
            }
        }
        Ok(())
    }

    fn bytes<'b>(&self, pages: &'b Pages) -> Result<Cow<'b, [u8]>> {
        let place = match &pages.file {
            Bytes::InMemory(bytes) => return Ok(Cow::Borrowed(bytes)),
            Bytes::OnDisk(place) => place,
        };
        let scratch = self.scratch.as_ref().ok_or_else(|| Error::Internal {
            message: "rows on a disk without a scratch file".to_owned(),
        })?;
        Ok(Cow::Owned(scratch.read(place)?))
    }
}
