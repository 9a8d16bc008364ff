//! Rows that must be seen twice: held in the draft of their table's file, or as frames up to a bound.
//!
//! What becomes of a row is known only when all rows are read, yet most rows stay as they are. So rows are cut into row groups
//! when they come, and a group in which nothing changes is written as it was held, without being looked at again; where no
//! row changes, the draft is the file. Where rows do change, pages would be made in vain; so groups are held as frames as
//! soon as a change is foreseen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use polars::prelude::DataFrame;

use super::parallel_reader::Maker;
use super::repeat_detector::Recent;
use crate::error::Result;
use crate::silver::merge::Fates;
use crate::silver::publications::CleanBatch;
use crate::sorting::Bound;
use crate::storage::Transaction;
use crate::tables::open_row_group::OpenGroup;
use crate::tables::output_file::Output;
use crate::tables::pages::Encoder;
use crate::tables::pending_table::{Draft, Finished};
use crate::tables::row_group::RowGroup;
use crate::tables::row_group::RowGroupPlace;
use crate::tables::row_groups::{Form, Group, Groups};

/// Who gets what was held, in its order.
pub(crate) trait Taker: Send {
    /// What becomes of the next so many rows; asked once for all rows, in order, and before they are taken.
    fn fates(&mut self, rows: u64) -> Result<Fates>;

    /// Takes a row group in which nothing changes.
    fn take_group(&mut self, group: &RowGroup) -> Result<()>;

    /// The same as a frame: it stays a row group of its own, as it does where it is pages already.
    fn take_whole(&mut self, frame: &DataFrame) -> Result<()>;

    /// Takes the rows that stay of a row group.
    fn take_rows(&mut self, frame: &DataFrame) -> Result<()>;
}

/// In which form row groups are best made as far as is known, for whoever makes them. It is a matter of time and memory
/// alone: no row depends on it.
#[derive(Debug)]
pub(crate) struct Forms {
    changing: AtomicBool,
    frame_bytes: AtomicUsize,
    most: usize,
}

/// Frames may have so many times the memory that each sorter has.
const FRAMES: usize = 72;

impl Forms {
    pub(crate) fn new(Bound(bytes): Bound) -> Self {
        Self {
            changing: AtomicBool::new(false),
            frame_bytes: AtomicUsize::new(0),
            most: bytes.saturating_mul(FRAMES),
        }
    }

    /// Some rows are known to change.
    fn foresee_changes(&self) {
        self.changing.store(true, Ordering::Relaxed);
    }

    /// A group was made a frame.
    fn count(&self, frame: &DataFrame) {
        self.frame_bytes
            .fetch_add(frame.estimated_size(), Ordering::Relaxed);
    }

    /// Whether there were more frames than there is room for. It stays so.
    fn too_many(&self) -> bool {
        self.frame_bytes.load(Ordering::Relaxed) > self.most
    }

    /// The form of the next group.
    fn next(&self) -> Form {
        if self.changing.load(Ordering::Relaxed) && !self.too_many() {
            Form::Frame
        } else {
            Form::Pages
        }
    }
}

/// Makes the row groups of a lane, the last of which ends with the lane.
pub(crate) struct Grouping<'f> {
    groups: Groups,
    forms: &'f Forms,
    recent: Recent,
}

impl<'f> Grouping<'f> {
    pub(crate) fn new(encoder: &Arc<Encoder>, forms: &'f Forms) -> Self {
        Self {
            groups: Groups::new(Arc::clone(encoder)),
            forms,
            recent: Recent::default(),
        }
    }
}

impl Grouping<'_> {
    fn count(&self, group: &Group) {
        if let Group::Frame(frame) = group {
            self.forms.count(frame);
        }
    }
}

impl Maker for Grouping<'_> {
    type Made = Group;

    fn note(&mut self, batch: &CleanBatch) {
        // An id that comes again soon, or a row that lends its journal to the other half: merging will see to them.
        batch.keys.iter().for_each(|key| self.recent.add(key.id));
        if self.recent.again() || batch.halves.iter().any(|(_, half)| half.journal.is_some()) {
            self.forms.foresee_changes();
        }
    }

    fn push(&mut self, rows: DataFrame) -> Result<Vec<Group>> {
        let full = self.groups.push(&rows, || self.forms.next())?;
        // Now, on this lane's time and while the texts are near.
        self.groups.make_pages()?;
        full.iter().for_each(|group| self.count(group));
        Ok(full)
    }

    fn end(&mut self) -> Result<Option<Group>> {
        let last = self.groups.end()?;
        last.iter().for_each(|group| self.count(group));
        Ok(last)
    }

    fn bytes(made: &Group) -> usize {
        made.bytes()
    }
}

/// The rows of one table.
pub(crate) struct Spool<'f> {
    forms: &'f Forms,
    encoder: Arc<Encoder>,
    draft: Draft,
    /// In their order.
    held: Vec<Held>,
    /// Whether the draft holds all of it, in its order.
    is_file: bool,
}

/// A row group.
enum Held {
    Frame(DataFrame),
    /// A part of the draft.
    Drafted(RowGroupPlace),
}

impl Held {
    fn rows(&self) -> u64 {
        match self {
            Self::Frame(frame) => frame.height() as u64,
            Self::Drafted(place) => place.rows,
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

impl<'f> Spool<'f> {
    /// Of the file at `path`.
    pub(crate) fn new(
        transaction: &mut dyn Transaction,
        path: String,
        encoder: Arc<Encoder>,
        forms: &'f Forms,
    ) -> Result<Self> {
        Ok(Self {
            forms,
            draft: Draft::create(transaction, path, Arc::clone(&encoder))?,
            encoder,
            held: Vec::new(),
            is_file: true,
        })
    }

    /// Adds a row group at the end.
    pub(crate) fn push(&mut self, group: Group, transaction: &mut dyn Transaction) -> Result<()> {
        match group {
            Group::Pages(group) => {
                let place = if self.is_file {
                    self.draft.add_for_good(&group, transaction)?
                } else {
                    self.draft.add(&group)?
                };
                self.held.push(Held::Drafted(place));
            }
            Group::Frame(frame) => {
                self.is_file = false;
                self.held.push(Held::Frame(frame));
                if self.forms.too_many() {
                    self.put_frames_away()?;
                }
            }
        }
        Ok(())
    }

    /// A delivery of this size is not held as frames: what little of it fits would only take memory to the end.
    fn put_frames_away(&mut self) -> Result<()> {
        // Those that lanes have made or begun still come, and go the same way.
        for held in &mut self.held {
            let Held::Frame(frame) = held else { continue };
            let group = OpenGroup::of(frame, &self.encoder)?;
            *held = Held::Drafted(self.draft.add(&group)?);
        }
        Ok(())
    }

    /// All groups are there.
    pub(crate) fn finish(self) -> Result<Spooled> {
        Ok(Spooled {
            draft: self.draft.finish()?,
            held: self.held,
            is_file: self.is_file,
        })
    }
}

/// All rows of one table.
pub(crate) struct Spooled {
    draft: Finished,
    held: Vec<Held>,
    is_file: bool,
}

impl Spooled {
    /// Whether the draft holds all of them, in their order.
    pub(crate) fn is_file(&self) -> bool {
        self.is_file
    }

    /// Makes the draft the table's file.
    pub(crate) fn publish(self, transaction: &mut dyn Transaction) -> Result<Output> {
        self.draft.publish(transaction)
    }

    /// Gives every row group away, in order; the next one is made ready meanwhile.
    pub(crate) fn drain(self, taker: &mut dyn Taker) -> Result<()> {
        let Self { draft, held, .. } = self;
        let mut ready: Option<Loaded> = None;
        for held in held {
            let fates = taker.fates(held.rows())?;
            if fates.all_go() {
                continue;
            }
            let (given, loaded) = rayon::join(
                || ready.take().map_or(Ok(()), |group| group.give(taker)),
                || load(&draft, held, &fates),
            );
            given?;
            ready = Some(loaded?);
        }
        ready.map_or(Ok(()), |group| group.give(taker))
    }
}

fn load(draft: &Finished, held: Held, fates: &Fates) -> Result<Loaded> {
    Ok(match held {
        Held::Frame(frame) if fates.all_stay() => Loaded::Whole(frame),
        Held::Frame(frame) => Loaded::Rows(fates.apply(frame)?),
        Held::Drafted(place) if fates.all_stay() => Loaded::Group(draft.read(&place)?),
        Held::Drafted(place) => Loaded::Rows(fates.apply(draft.decode(&place)?)?),
    })
}
