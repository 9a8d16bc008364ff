//! Which rows of a partition are one record: half rows that complete each other, and rows of one id.
//!
//! The rows themselves stay where they are; this works on a [`RowKey`] a row and gives a [`Change`] for each row that does
//! not stay as it is. Keys are sorted by id and changes by row, on scratch files where there are many, so memory does
//! not grow with the rows of a partition. Ids are known by a hash of 128 bits: among a billion ids the chance that any
//! two have the same one is below 10⁻²⁰.

mod keys;
mod plan;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::quality::MergeReason;
use crate::schema::{Flag, Flags};
use crate::sorting::{Bound, Sorted, Sorter};
use keys::{Half, Hash, IdKey, Lent};
pub use plan::{Change, Fates, Plan};

/// What merging needs to know of a row.
#[derive(Debug, Clone, Copy)]
pub struct RowKey {
    /// The hash of the id.
    pub id: u128,
    /// The hash of title, abstract and date.
    pub content: u64,
    /// The hash of the journal; 0 without one.
    pub journal: u64,
    pub flags: Flags,
    /// The version that its source gives it; a lower one never replaces a higher one.
    pub version: u32,
}

/// A row that lacks either its id or its journal.
#[derive(Debug, Clone)]
pub struct HalfRow {
    /// The hash of file, title and date, which both halves share.
    pub place: u128,
    /// The journal and its key, of a row that lacks the id.
    pub journal: Option<(String, String)>,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is kept and gets this journal and its key from a half row.
    Complete(Box<(String, String)>),
    /// It is part of another row.
    Merged(MergeReason),
}

/// Collects the keys of a partition, batch by batch, in the order of the rows.
pub struct Merger {
    keys: Sorter<IdKey>,
    halves: Sorter<Half>,
    lent: Sorter<Lent>,
    changes: Sorter<Change>,
    /// Whether there is a half row that could lend its journal.
    lends: bool,
    rows: u64,
    /// The file that is being read, and its first row.
    file: (u32, u64),
    /// Files that turned out to be bad, and their rows.
    dropped: HashSet<u32>,
    dropped_rows: Vec<Range<u64>>,
}

impl Merger {
    /// `scratch` makes empty files that nobody else uses.
    pub fn new(bound: Bound, mut scratch: impl FnMut() -> Result<File>) -> Result<Self> {
        Ok(Self::of(
            Sorter::new(scratch()?, bound),
            Sorter::new(scratch()?, bound),
            Sorter::new(scratch()?, bound),
            Sorter::new(scratch()?, bound),
        ))
    }

    /// A merger whose scratch files are made when they are needed.
    pub fn on_demand(make: fn() -> io::Result<File>, bound: Bound) -> Self {
        Self::of(
            Sorter::on_demand(make, bound),
            Sorter::on_demand(make, bound),
            Sorter::on_demand(make, bound),
            Sorter::on_demand(make, bound),
        )
    }

    fn of(keys: Sorter<IdKey>, halves: Sorter<Half>, lent: Sorter<Lent>, changes: Sorter<Change>) -> Self {
        Self {
            keys,
            halves,
            lent,
            changes,
            lends: false,
            rows: 0,
            file: (0, 0),
            dropped: HashSet::new(),
            dropped_rows: Vec::new(),
        }
    }

    /// Takes the keys of the next batch of a file, and the notices of deletion in it: how many of its rows stand before each,
    /// and the hash of the id.
    pub fn extend(
        &mut self,
        file: u32,
        keys: &[RowKey],
        halves: Vec<(usize, HalfRow)>,
        deletions: impl IntoIterator<Item = (usize, u128)>,
    ) -> Result<()> {
        if self.file.0 != file {
            self.file = (file, self.rows);
        }
        let base = self.rows;
        for (row, half) in halves {
            let Some(key) = keys.get(row) else { continue };
            self.lends |= half.journal.is_some();
            let half = Half::new(file, base + row as u64, half, key);
            self.halves.push(half).map_err(failed)?;
        }
        for (behind, id) in deletions {
            let notice = IdKey::notice(file, base + behind as u64, id);
            self.keys.push(notice).map_err(failed)?;
        }
        for key in keys {
            self.keys.push(IdKey::row(file, self.rows, key)).map_err(failed)?;
            self.rows += 1;
        }
        Ok(())
    }

    /// Takes back all rows and notices of a file that turned out to be bad; it must be the one that came last.
    pub fn drop_file(&mut self, file: u32) {
        if self.file.0 == file {
            self.dropped.insert(file);
            self.dropped_rows.push(self.file.1..self.rows);
        }
    }

    /// Decides the fate of every row.
    pub fn finish(mut self) -> Result<Plan> {
        let dropped = std::mem::take(&mut self.dropped);
        if self.lends {
            join_halves(self.halves.finish().map_err(failed)?, &mut self.lent, &dropped)?;
        }
        let lent = self.lent.finish().map_err(failed)?;
        let keys = self.keys.finish().map_err(failed)?;
        join_ids(keys, lent, &mut self.changes, &dropped)?;
        let changes = self.changes.finish().map_err(failed)?;
        Ok(Plan::new(changes, self.dropped_rows))
    }
}

fn failed(error: io::Error) -> Error {
    Error::storage("the scratch files of merging", "use", error)
}

/// Rows without a journal of one place: rows of one file with the same title on the same date.
#[derive(Default)]
struct HalfRowPlace {
    hash: Option<Hash>,
    /// The rows of each id, in the order of their first ones; several are one record, delivered again.
    rows: Vec<(Hash, Vec<u64>)>,
    /// Where in `rows` an id stands.
    ids: HashMap<Hash, usize>,
    /// How many entries of `rows`, from the first on, have a journal now.
    given: usize,
    /// The hashes of the journals that were given.
    journals: HashSet<u64>,
}

/// Pairs each row without an id with the first record of its place without a journal that is not taken yet.
fn join_halves(halves: Sorted<Half>, lent: &mut Sorter<Lent>, dropped: &HashSet<u32>) -> Result<()> {
    let mut place = HalfRowPlace::default();
    for half in halves {
        let half = half.map_err(failed)?;
        if dropped.contains(&half.file) {
            continue;
        }
        if place.hash != Some(half.place) {
            place = HalfRowPlace {
                hash: Some(half.place),
                ..HalfRowPlace::default()
            };
        }
        let Some(journal) = half.journal else {
            let next = place.rows.len();
            let number = *place.ids.entry(half.id).or_insert(next);
            match place.rows.get_mut(number) {
                Some((_, rows)) => rows.push(half.row),
                None => place.rows.push((half.id, vec![half.row])),
            }
            continue;
        };
        let taker = place.rows.get(place.given);
        // Where none is left it may be the half of a pair again.
        if taker.is_some() || place.journals.contains(&half.journal_hash) {
            lent.push(Lent::away(half.id, half.row)).map_err(failed)?;
        }
        if let Some((id, rows)) = taker {
            for row in rows {
                lent.push(Lent::to(*id, *row, journal.clone(), half.journal_hash))
                    .map_err(failed)?;
            }
            place.given += 1;
            place.journals.insert(half.journal_hash);
        }
    }
    Ok(())
}

/// The row of an id that stays, as far as the rows up to now say.
struct Last {
    key: IdKey,
    /// What it was counted with when it was read.
    counted: Flags,
    /// The journal that it had then.
    own_journal: u64,
    /// The one that it was lent.
    journal: Option<Box<(String, String)>>,
}

impl Last {
    /// Whether two rows of one id say the same; one that was lent its journal said the same as one that was not.
    fn is_as(&self, other: &Self) -> bool {
        let same_journal = self.key.journal == other.key.journal
            || (self.own_journal == other.own_journal && self.journal.is_some() != other.journal.is_some());
        self.key.content == other.key.content && same_journal
    }

    fn merged(&self, reason: MergeReason) -> Change {
        Change::new(&self.key, self.counted, Fate::Merged(reason))
    }
}

/// Of the rows of one id the last one of the highest version stays; an equal one is no news. A notice of deletion takes away
/// what came before it.
fn join_ids(
    keys: Sorted<IdKey>,
    mut lent: Sorted<Lent>,
    changes: &mut Sorter<Change>,
    dropped: &HashSet<u32>,
) -> Result<()> {
    let mut last: Option<Last> = None;
    for key in keys {
        let mut key = key.map_err(failed)?;
        if dropped.contains(&key.file) {
            continue;
        }
        let before = match last.take() {
            Some(before) if before.key.id == key.id => Some(before),
            other => {
                completed(other, changes)?;
                None
            }
        };
        let Some(row) = key.row_number() else {
            if let Some(before) = before {
                changes
                    .push(before.merged(MergeReason::Deleted))
                    .map_err(failed)?;
            }
            continue;
        };
        let counted = key.flags;
        let own_journal = key.journal;
        let mut journal = None;
        if let Some(found) = lent
            .next_if(|lent| (lent.id, lent.row) == (key.id, row))
            .map_err(failed)?
        {
            let Some((given, hash)) = found.journal else {
                changes
                    .push(Change::new(&key, counted, Fate::Merged(MergeReason::HalfRow)))
                    .map_err(failed)?;
                last = before;
                continue;
            };
            key.journal = hash;
            key.flags.remove(Flag::MissingJournal);
            key.flags.insert(Flag::MergedHalves);
            journal = Some(given);
        }
        let this = Last {
            key,
            counted,
            own_journal,
            journal,
        };
        let (stays, goes) = match before {
            None => (this, None),
            Some(before) => {
                if before.is_as(&this) {
                    let (mut stays, goes) = match (&before.journal, &this.journal) {
                        (None, Some(_)) => (this, before),
                        _ => (before, this),
                    };
                    // The same contents under a higher version: nothing lower replaces them any more.
                    stays.key.version = stays.key.version.max(goes.key.version);
                    let change = goes.merged(MergeReason::Identical);
                    (stays, Some(change))
                } else if this.key.version < before.key.version {
                    let change = this.merged(MergeReason::Superseded);
                    (before, Some(change))
                } else {
                    let change = before.merged(MergeReason::Superseded);
                    (this, Some(change))
                }
            }
        };
        last = Some(stays);
        if let Some(change) = goes {
            changes.push(change).map_err(failed)?;
        }
    }
    completed(last, changes)
}

/// A row that stays and got a journal is a change too.
fn completed(last: Option<Last>, changes: &mut Sorter<Change>) -> Result<()> {
    let Some(Last {
        key,
        counted,
        journal,
        ..
    }) = last
    else {
        return Ok(());
    };
    let Some(journal) = journal else { return Ok(()) };
    changes
        .push(Change::new(&key, counted, Fate::Complete(journal)))
        .map_err(failed)
}
