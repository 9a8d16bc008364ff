//! Stores rows until merging has decided about them: in the draft of their table's file, or as frames up to a bound.
//!
//! The fate of a row is known only after all rows are read, yet most rows stay unchanged. So rows are split into row
//! groups as they come, and a group without a change is copied as it is; if no row changes at all, the draft becomes
//! the file. If rows do change, encoding their pages early is wasted; so groups are kept as frames as soon as a change
//! is foreseen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use polars::prelude::DataFrame;

use super::parallel_reader::RowSink;
use super::repeat_detector::RepeatDetector;
use crate::error::Result;
use crate::silver::merge::Fates;
use crate::silver::publications::CleanBatch;
use crate::sorting::Bound;
use crate::storage::Transaction;
use crate::tables::open_row_group::OpenRowGroup;
use crate::tables::output_file::OutputFile;
use crate::tables::pages::Encoder;
use crate::tables::pending_table::{FinishedTable, PendingTable};
use crate::tables::row_group::RowGroup;
use crate::tables::row_group::RowGroupPlace;
use crate::tables::row_groups::{GroupForm, RowGroupCutter, WholeGroup};

/// Receives the stored rows in order.
pub(crate) trait StoredRowSink: Send {
    /// The fates of the next rows; called for all rows in order, and before they are taken.
    fn fates(&mut self, rows: u64) -> Result<Fates>;

    /// Takes a row group without changes.
    fn take_group(&mut self, group: &RowGroup) -> Result<()>;

    /// Takes a row group without changes as a frame; like an encoded one, it stays a row group of its own.
    fn take_whole(&mut self, frame: &DataFrame) -> Result<()>;

    /// Takes the remaining rows of a row group.
    fn take_rows(&mut self, frame: &DataFrame) -> Result<()>;
}

/// The best form for new row groups as far as is known. It affects only time and memory, never a row.
#[derive(Debug)]
pub(crate) struct Forms {
    changing: AtomicBool,
    frame_bytes: AtomicUsize,
    most: usize,
}

/// Frames may take this many times the memory of one sorter.
const FRAMES: usize = 72;

impl Forms {
    pub(crate) fn new(Bound(bytes): Bound) -> Self {
        Self {
            changing: AtomicBool::new(false),
            frame_bytes: AtomicUsize::new(0),
            most: bytes.saturating_mul(FRAMES),
        }
    }

    /// Records that some rows will change.
    fn foresee_changes(&self) {
        self.changing.store(true, Ordering::Relaxed);
    }

    /// Counts a group that was kept as a frame.
    fn count(&self, frame: &DataFrame) {
        self.frame_bytes
            .fetch_add(frame.estimated_size(), Ordering::Relaxed);
    }

    /// Whether the frames exceed their memory; this never becomes false again.
    fn too_many(&self) -> bool {
        self.frame_bytes.load(Ordering::Relaxed) > self.most
    }

    /// The form of the next group.
    fn next(&self) -> GroupForm {
        if self.changing.load(Ordering::Relaxed) && !self.too_many() {
            GroupForm::Frame
        } else {
            GroupForm::Pages
        }
    }
}

/// Splits the rows of a lane into row groups; the last group ends with the lane.
pub(crate) struct Grouping<'f> {
    groups: RowGroupCutter,
    forms: &'f Forms,
    recent: RepeatDetector,
}

impl<'f> Grouping<'f> {
    pub(crate) fn new(encoder: &Arc<Encoder>, forms: &'f Forms) -> Self {
        Self {
            groups: RowGroupCutter::new(Arc::clone(encoder)),
            forms,
            recent: RepeatDetector::default(),
        }
    }
}

impl Grouping<'_> {
    fn count(&self, group: &WholeGroup) {
        if let WholeGroup::Frame(frame) = group {
            self.forms.count(frame);
        }
    }
}

impl RowSink for Grouping<'_> {
    type Made = WholeGroup;

    fn note(&mut self, batch: &CleanBatch) {
        // Merging will change a row if its id repeats soon, or if it passes its journal to its other half.
        batch.keys.iter().for_each(|key| self.recent.add(key.id));
        if self.recent.again() || batch.halves.iter().any(|(_, half)| half.journal.is_some()) {
            self.forms.foresee_changes();
        }
    }

    fn push(&mut self, rows: DataFrame) -> Result<Vec<WholeGroup>> {
        let full = self.groups.push(&rows, || self.forms.next())?;
        // Encoded now, in parallel with the other lanes and while the texts are in the cache.
        self.groups.make_pages()?;
        full.iter().for_each(|group| self.count(group));
        Ok(full)
    }

    fn end(&mut self) -> Result<Option<WholeGroup>> {
        let last = self.groups.end()?;
        last.iter().for_each(|group| self.count(group));
        Ok(last)
    }

    fn bytes(made: &WholeGroup) -> usize {
        made.bytes()
    }
}

/// The rows of one table, while they are read.
pub(crate) struct RowStore<'f> {
    forms: &'f Forms,
    encoder: Arc<Encoder>,
    draft: PendingTable,
    /// The groups in order.
    held: Vec<BufferedGroup>,
    /// Whether the draft holds all rows in order.
    is_file: bool,
}

/// A stored row group.
enum BufferedGroup {
    Frame(DataFrame),
    /// A row group in the draft.
    Drafted(RowGroupPlace),
}

impl BufferedGroup {
    fn rows(&self) -> u64 {
        match self {
            Self::Frame(frame) => frame.height() as u64,
            Self::Drafted(place) => place.rows,
        }
    }
}

/// A row group, loaded for the sink.
enum Loaded {
    Group(RowGroup),
    Whole(DataFrame),
    Rows(DataFrame),
}

impl Loaded {
    fn give(&self, taker: &mut dyn StoredRowSink) -> Result<()> {
        match self {
            Self::Group(group) => taker.take_group(group),
            Self::Whole(frame) => taker.take_whole(frame),
            Self::Rows(frame) => taker.take_rows(frame),
        }
    }
}

impl<'f> RowStore<'f> {
    /// A store for the table at `path`.
    pub(crate) fn new(
        transaction: &mut dyn Transaction,
        path: String,
        encoder: Arc<Encoder>,
        forms: &'f Forms,
    ) -> Result<Self> {
        Ok(Self {
            forms,
            draft: PendingTable::create(transaction, path, Arc::clone(&encoder))?,
            encoder,
            held: Vec::new(),
            is_file: true,
        })
    }

    /// Adds a row group at the end.
    pub(crate) fn push(&mut self, group: WholeGroup, transaction: &mut dyn Transaction) -> Result<()> {
        match group {
            WholeGroup::Pages(group) => {
                let place = if self.is_file {
                    self.draft.add_for_good(&group, transaction)?
                } else {
                    self.draft.add(&group)?
                };
                self.held.push(BufferedGroup::Drafted(place));
            }
            WholeGroup::Frame(frame) => {
                self.is_file = false;
                self.held.push(BufferedGroup::Frame(frame));
                if self.forms.too_many() {
                    self.put_frames_away()?;
                }
            }
        }
        Ok(())
    }

    /// Moves the frames to the draft: for a delivery of this size the few frames that fit would only occupy memory.
    fn put_frames_away(&mut self) -> Result<()> {
        // Frames that lanes have already made or begun follow the same way.
        for held in &mut self.held {
            let BufferedGroup::Frame(frame) = held else {
                continue;
            };
            let group = OpenRowGroup::of(frame, &self.encoder)?;
            *held = BufferedGroup::Drafted(self.draft.add(&group)?);
        }
        Ok(())
    }

    /// Ends the store after the last group.
    pub(crate) fn finish(self) -> Result<StoredRows> {
        Ok(StoredRows {
            draft: self.draft.finish()?,
            held: self.held,
            is_file: self.is_file,
        })
    }
}

/// All rows of one table.
pub(crate) struct StoredRows {
    draft: FinishedTable,
    held: Vec<BufferedGroup>,
    is_file: bool,
}

impl StoredRows {
    /// Whether the draft holds all rows in order.
    pub(crate) fn is_file(&self) -> bool {
        self.is_file
    }

    /// Makes the draft the table's file; returns what the rules of the encoder counted too.
    pub(crate) fn publish(self, transaction: &mut dyn Transaction) -> Result<(OutputFile, Vec<u64>)> {
        self.draft.publish(transaction)
    }

    /// Passes every row group to the sink in order, and prepares the next one meanwhile.
    pub(crate) fn drain(self, taker: &mut dyn StoredRowSink) -> Result<()> {
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

fn load(draft: &FinishedTable, held: BufferedGroup, fates: &Fates) -> Result<Loaded> {
    Ok(match held {
        BufferedGroup::Frame(frame) if fates.all_stay() => Loaded::Whole(frame),
        BufferedGroup::Frame(frame) => Loaded::Rows(fates.apply(frame)?),
        BufferedGroup::Drafted(place) if fates.all_stay() => Loaded::Group(draft.read(&place)?),
        BufferedGroup::Drafted(place) => Loaded::Rows(fates.apply(draft.decode(&place)?)?),
    })
}
