//! Rows that must be seen twice: held as frames up to a bound, then as the pages that a file will have, then on a disk.
//!
//! What becomes of a row is known only when all rows are read, yet most rows stay as they are. So rows are cut into row groups
//! when they come, and a group in which nothing changes is written as it was held, without being looked at again.

use std::borrow::Cow;
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::frames::ROW_GROUP;
use super::pages::{Encoder, PageRows, RowGroup, decode};
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::sorting::Bound;
use crate::storage::Transaction;

/// So many groups are encoded or decoded at a time at most.
const MOST_AT_ONCE: usize = 4;

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
    table: &'static Table,
    bounds: Bounds,
    encoder: Encoder,
    held: Vec<Held>,
    /// The rows of the next group.
    waiting: DataFrame,
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

struct Scratch {
    file: File,
    end: u64,
}

impl Spool {
    pub(super) fn new(table: &'static Table, bound: Bound) -> Result<Self> {
        Ok(Self {
            table,
            bounds: Bounds::of(bound),
            encoder: Encoder::new(table)?,
            held: Vec::new(),
            waiting: table.empty(),
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
        let mut start = 0;
        while start < frame.height() {
            let rows = (ROW_GROUP - self.waiting.height()).min(frame.height() - start);
            self.waiting.vstack_mut(&frame.slice(start as i64, rows))?;
            start += rows;
            if self.waiting.height() == ROW_GROUP {
                self.end_group();
            }
        }
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

    fn end_group(&mut self) {
        let group = std::mem::replace(&mut self.waiting, self.table.empty());
        self.held.push(Held::Frame(group));
        self.frames += 1;
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
        self.frame_bytes = self.waiting.estimated_size();
        Ok(())
    }

    /// Moves all pages to the scratch file.
    fn put_aside(&mut self, transaction: &mut dyn Transaction) -> Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            None => self.scratch.insert(Scratch {
                file: transaction.scratch("spool")?,
                end: 0,
            }),
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
        if self.waiting.height() > 0 {
            self.end_group();
        }
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
        let mut bytes = vec![0; usize::try_from(place.end - place.start).unwrap_or(usize::MAX)];
        scratch
            .file
            .read_exact_at(&mut bytes, place.start)
            .map_err(scratch_error)?;
        Ok(Cow::Owned(bytes))
    }
}

impl Scratch {
    fn write(&mut self, bytes: &[u8]) -> Result<Range<u64>> {
        self.file.write_all(bytes).map_err(scratch_error)?;
        let start = self.end;
        self.end += bytes.len() as u64;
        Ok(start..self.end)
    }
}

fn at_once() -> usize {
    rayon::current_num_threads().clamp(1, MOST_AT_ONCE)
}

fn scratch_error(error: std::io::Error) -> Error {
    Error::storage("spool", "use the scratch file", error)
}
