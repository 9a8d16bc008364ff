//! Rows that must be seen twice: held as the pages that a file will have, in memory and on a disk, or as frames up to a bound.
//!
//! What becomes of a row is known only when all rows are read, yet most rows stay as they are. So rows are cut into row groups
//! when they come, and a group in which nothing changes is written as it was held, without being looked at again. Where rows
//! do change, pages would be made in vain; so they are held as frames as soon as a change is foreseen.

use std::ops::Range;

use polars::prelude::DataFrame;

use super::groups::Groups;
use super::pages::{Encoder, PageRows, RowGroup, decode};
use super::scratch::Scratch;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::silver::merge::Fates;
use crate::sorting::Bound;
use crate::storage::Transaction;

/// Who gets what was held, in its order.
pub(super) trait Taker: Send {
    /// What becomes of the next so many rows; asked once for all rows, in order, and before they are taken.
    fn fates(&mut self, rows: u64) -> Result<Fates>;

    /// Takes a row group in which nothing changes.
    fn take_group(&mut self, group: &RowGroup) -> Result<()>;

    /// The same as a frame: it stays a row group of its own, as it does where it is pages already.
    fn take_whole(&mut self, frame: &DataFrame) -> Result<()>;

    /// Takes the rows that stay of a row group.
    fn take_rows(&mut self, frame: &DataFrame) -> Result<()>;
}

/// The rows of one table.
pub(super) struct Spool {
    bounds: Bounds,
    encoder: Encoder,
    groups: Groups,
    /// In their order.
    held: Vec<Held>,
    frame_bytes: usize,
    page_bytes: usize,
    scratch: Option<Scratch>,
}

/// How many bytes stay in memory.
struct Bounds {
    /// Of frames, which are the larger form, and the quicker one where groups change.
    frames: usize,
    /// Of pages.
    pages: usize,
}

impl Bounds {
    fn of(Bound(bytes): Bound) -> Self {
        Self {
            frames: bytes.saturating_mul(FRAMES),
            pages: bytes / 2,
        }
    }
}

/// Frames may have so many times the memory that each sorter has.
const FRAMES: usize = 9;

/// A row group.
enum Held {
    Frame(DataFrame),
    Pages(RowGroup),
    /// A part of the scratch file: a Parquet file of its own.
    OnDisk {
        place: Range<u64>,
        rows: u64,
        page_rows: PageRows,
    },
}

impl Held {
    fn rows(&self) -> u64 {
        match self {
            Self::Frame(frame) => frame.height() as u64,
            Self::Pages(group) => group.rows,
            Self::OnDisk { rows, .. } => *rows,
        }
    }
}

/// A row group in the form in which it is taken.
enum Loaded {
    Group(RowGroup),
    Whole(DataFrame),
    Rows(DataFrame),
}

impl Loaded {
    fn give(&self, taker: &mut dyn Taker) -> Result<()> {
        match self {
            Self::Group(group) => taker.take_group(group),
            Self::Whole(frame) => taker.take_whole(frame),
            Self::Rows(frame) => taker.take_rows(frame),
        }
    }
}

impl Spool {
    pub(super) fn new(table: &'static Table, bound: Bound) -> Result<Self> {
        Ok(Self {
            bounds: Bounds::of(bound),
            encoder: Encoder::new(table)?,
            groups: Groups::new(table),
            held: Vec::new(),
            frame_bytes: 0,
            page_bytes: 0,
            scratch: None,
        })
    }

    /// Adds the rows of a frame at the end; `changing` says whether some rows up to here are known to change.
    pub(super) fn push(
        &mut self,
        frame: &DataFrame,
        changing: bool,
        transaction: &mut dyn Transaction,
    ) -> Result<()> {
        for full in self.groups.push(frame)? {
            let held = if changing && self.frame_bytes < self.bounds.frames {
                self.frame_bytes += full.estimated_size();
                Held::Frame(full)
            } else {
                self.encode(&full, transaction)?
            };
            self.held.push(held);
        }
        Ok(())
    }

    /// A frame as pages: in memory, or on the disk if there are enough of them.
    fn encode(&mut self, frame: &DataFrame, transaction: &mut dyn Transaction) -> Result<Held> {
        let group = self.encoder.encode(frame)?;
        if self.page_bytes < self.bounds.pages {
            self.page_bytes += group.bytes();
            return Ok(Held::Pages(group));
        }
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            None => self.scratch.insert(Scratch::new(transaction.scratch("spool")?)),
        };
        Ok(Held::OnDisk {
            place: scratch.add(|to| self.encoder.write_file(&group, to))?,
            rows: group.rows,
            page_rows: group.page_rows(),
        })
    }

    /// Gives every row group away, in order; the next one is made ready meanwhile.
    pub(super) fn drain(mut self, taker: &mut dyn Taker) -> Result<()> {
        self.held.extend(self.groups.end().map(Held::Frame));
        let mut ready: Option<Loaded> = None;
        for held in std::mem::take(&mut self.held) {
            let fates = taker.fates(held.rows())?;
            if fates.all_go() {
                continue;
            }
            let (given, loaded) = rayon::join(
                || ready.take().map_or(Ok(()), |group| group.give(taker)),
                || self.load(held, &fates),
            );
            given?;
            ready = Some(loaded?);
        }
        ready.map_or(Ok(()), |group| group.give(taker))
    }

    fn load(&self, held: Held, fates: &Fates) -> Result<Loaded> {
        let file = match held {
            Held::Frame(frame) if fates.all_stay() => return Ok(Loaded::Whole(frame)),
            Held::Frame(frame) => return Ok(Loaded::Rows(fates.apply(frame)?)),
            Held::Pages(group) if fates.all_stay() => return Ok(Loaded::Group(group)),
            Held::Pages(group) => {
                let mut file = Vec::new();
                self.encoder.write_file(&group, &mut file)?;
                file
            }
            Held::OnDisk { place, page_rows, .. } => {
                let scratch = self.scratch.as_ref().ok_or_else(|| Error::Internal {
                    message: "rows on a disk without a scratch file".to_owned(),
                })?;
                let file = scratch.read(&place)?;
                if fates.all_stay() {
                    return Ok(Loaded::Group(RowGroup::from_file(file, &page_rows)?));
                }
                file
            }
        };
        Ok(Loaded::Rows(fates.apply(decode(file)?)?))
    }
}
