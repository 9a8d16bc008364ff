//! The newest state of every publication: a later partition's version of an id replaces the earlier one.
//!
//! Every row and every notice of deletion is a [`KeyRecord`] of its partition, and a [`Sighting`] in the lake; of each
//! publication the sighting of the newest partition alone counts. A sighting belongs to the state before, to the state
//! now, or to both: so what changed between the two states comes out of the sightings of the publications that changed,
//! and those of the others are not needed. They are sorted, on a scratch file where there are many.

use std::fs::File;
use std::io;

use polars::prelude::StringChunked;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::error::{Error, Result};
use crate::schema::PublicationKind;
use crate::sorting::{Bound, SortField, SortRecord, Sorter, take};

/// A publication: the first 96 bits of a hash of its kind and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationKey([u8; 12]);

impl PublicationKey {
    /// The key of an id.
    pub fn of(kind: PublicationKind, id: &str) -> Self {
        let hash = xxh3_128_with_seed(id.as_bytes(), kind as u64).to_be_bytes();
        let mut key = [0; 12];
        key.copy_from_slice(&hash[..12]);
        Self(key)
    }
}

/// A row or a notice of deletion in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyRecord {
    pub key: PublicationKey,
    /// The row; [`NOTICE`] for a notice. Rows count before notices, which have done their work in the partition already.
    pub place: u32,
}

/// The place of a notice of deletion.
pub const NOTICE: u32 = u32::MAX;

impl KeyRecord {
    /// The bytes of one in a file.
    pub const BYTES: usize = 16;

    /// As bytes, in whose order they sort.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..12].copy_from_slice(&self.key.0);
        bytes[12..].copy_from_slice(&self.place.to_be_bytes());
        bytes
    }

    /// What [`KeyRecord::to_bytes`] made.
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        Some(Self {
            key: PublicationKey(take(&mut bytes)?),
            place: u32::from_be_bytes(take(&mut bytes)?),
        })
    }
}

impl SortRecord for KeyRecord {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Self::from_bytes(&take::<{ Self::BYTES }>(bytes)?)
    }
}

/// Collects the keys of one partition.
pub struct PartitionKeys {
    kind: PublicationKind,
    records: Sorter<KeyRecord>,
    rows: u64,
}

impl PartitionKeys {
    /// Of a kind; `scratch` is an empty file.
    pub fn new(kind: PublicationKind, scratch: File, bound: Bound) -> Self {
        Self {
            kind,
            records: Sorter::new(scratch, bound),
            rows: 0,
        }
    }

    /// Adds the next rows.
    pub fn see(&mut self, ids: &StringChunked) -> Result<()> {
        for id in ids.iter() {
            let place = u32::try_from(self.rows).unwrap_or(NOTICE);
            if place == NOTICE {
                return Err(Error::internal(
                    "a partition of more than 4,294,967,294 rows: deliver it as several dates",
                ));
            }
            self.rows += 1;
            if let Some(id) = id {
                self.add(id, place)?;
            }
        }
        Ok(())
    }

    /// Adds notices of deletion.
    pub fn delete(&mut self, ids: &StringChunked) -> Result<()> {
        ids.iter().flatten().try_for_each(|id| self.add(id, NOTICE))
    }

    fn add(&mut self, id: &str, place: u32) -> Result<()> {
        let key = PublicationKey::of(self.kind, id);
        self.records.push(KeyRecord { key, place }).map_err(failed)
    }

    /// Hands over every record in order.
    pub fn finish(self, mut each: impl FnMut(KeyRecord) -> Result<()>) -> Result<()> {
        for record in self.records.finish().map_err(failed)? {
            each(record.map_err(failed)?)?;
        }
        Ok(())
    }
}

/// The states of the lake that a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SeenIn {
    Before,
    Now,
    Both,
}

/// A record in the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sighting {
    key: PublicationKey,
    /// The number of the partition; the newest is 0.
    partition: u32,
    place: u32,
    seen: SeenIn,
}

impl SortRecord for Sighting {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.key.0);
        self.partition.write(bytes);
        self.place.write(bytes);
        bytes.push(self.seen as u8);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            key: PublicationKey(take(bytes)?),
            partition: SortField::read(bytes)?,
            place: SortField::read(bytes)?,
            seen: match take(bytes)? {
                [0] => SeenIn::Before,
                [1] => SeenIn::Now,
                _ => SeenIn::Both,
            },
        })
    }
}

/// What a row is in a state of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowStatus {
    /// The newest state of its publication.
    Live,
    /// The next partition that names its publication delivers it again.
    Superseded,
    /// The next partition that names its publication deletes it.
    Deleted,
}

/// Collects the sightings of all partitions, in any order.
#[derive(Debug)]
pub struct Sightings(Sorter<Sighting>);

impl Sightings {
    /// `scratch` is an empty file.
    pub fn new(scratch: File, bound: Bound) -> Self {
        Self(Sorter::new(scratch, bound))
    }

    /// Adds a record of a partition. Partitions are numbered from the newest to the oldest.
    pub fn add(&mut self, partition: u32, record: KeyRecord, seen: SeenIn) -> Result<()> {
        let KeyRecord { key, place } = record;
        let sighting = Sighting {
            key,
            partition,
            place,
            seen,
        };
        self.0.push(sighting).map_err(failed)
    }

    /// Calls `each` with the partition and number of every row, what it was before and what it is now; `None` for a state
    /// that it does not belong to.
    pub fn finish(
        self,
        mut each: impl FnMut(u32, u32, Option<RowStatus>, Option<RowStatus>) -> Result<()>,
    ) -> Result<()> {
        let mut key = None;
        // The sighting before in each state, which is a newer one.
        let (mut before, mut now) = (None, None);
        for sighting in self.0.finish().map_err(failed)? {
            let sighting = sighting.map_err(failed)?;
            if key.replace(sighting.key) != Some(sighting.key) {
                (before, now) = (None, None);
            }
            let was = (sighting.seen != SeenIn::Now).then(|| status(before.replace(sighting)));
            let is = (sighting.seen != SeenIn::Before).then(|| status(now.replace(sighting)));
            if sighting.place != NOTICE {
                each(sighting.partition, sighting.place, was, is)?;
            }
        }
        Ok(())
    }
}

/// The status of a row whose publication was seen there, in a newer place.
fn status(newer: Option<Sighting>) -> RowStatus {
    match newer {
        None => RowStatus::Live,
        Some(newer) if newer.place == NOTICE => RowStatus::Deleted,
        Some(_) => RowStatus::Superseded,
    }
}

/// Rows of older partitions that are not the state of their publication any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outdated {
    /// Rows whose publication the next partition that names it delivers again.
    pub superseded: u64,
    /// Rows whose publication the next partition that names it deletes.
    pub deleted: u64,
}

impl Outdated {
    /// Counts a row of a status that it has now (1) or had before (-1).
    pub fn count(&mut self, status: Option<RowStatus>, one: i64) {
        let count = match status {
            Some(RowStatus::Superseded) => &mut self.superseded,
            Some(RowStatus::Deleted) => &mut self.deleted,
            Some(RowStatus::Live) | None => return,
        };
        *count = count.saturating_add_signed(one);
    }
}

fn failed(error: io::Error) -> Error {
    Error::storage("the scratch file of publications", "use", error)
}

/// The rows of a partition, or of a chunk of it, that are the newest state of their publication: a bit a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveRows(Vec<u64>);

impl LiveRows {
    /// Notes whether a row is the newest state of its publication.
    pub fn set(&mut self, row: u64, is_live: bool) {
        let place = (row / 64) as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        let bit = 1 << (row % 64);
        if is_live {
            self.0[place] |= bit;
        } else {
            self.0[place] &= !bit;
        }
    }

    /// Whether a row is the newest state of its publication.
    pub fn contains(&self, row: u64) -> bool {
        self.0
            .get((row / 64) as usize)
            .is_some_and(|word| word & (1 << (row % 64)) != 0)
    }

    /// [`LiveRows::contains`] for each of `rows` rows from `first` on.
    pub fn mask(&self, first: u64, rows: usize) -> Vec<bool> {
        (first..).take(rows).map(|row| self.contains(row)).collect()
    }

    /// The rows from `first`, a multiple of 64, up to `first + rows`.
    pub fn part(&self, first: u64, rows: u64) -> Self {
        let start = ((first / 64) as usize).min(self.0.len());
        let end = (first + rows).div_ceil(64) as usize;
        Self(self.0[start..end.min(self.0.len())].to_vec())
    }

    /// The bits, 64 a word; rows behind the last word are not live.
    pub fn words(&self) -> &[u64] {
        &self.0
    }

    /// From [`LiveRows::words`].
    pub fn of_words(words: Vec<u64>) -> Self {
        Self(words)
    }
}
