//! The newest state of every publication: a later partition's version of an id replaces the earlier one.
//!
//! Every row and every notice of deletion is a [`Sighting`] of a publication; of each publication the sighting of the newest
//! partition alone counts. They are sorted, on a scratch file where there are many: memory does not grow with them.

use std::fs::File;

use polars::prelude::StringChunked;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::error::{Error, Result};
use crate::schema::PublicationKind;
use crate::sorting::{Bound, SortRecord, Sorter, bytes::take};

/// A row or a notice of one publication: its kind and id as a hash of 128 bits, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sighting {
    publication: [u64; 2],
    /// The number of the partition; the newest is 0.
    partition: u32,
    /// Within a partition the rows count before its notices, which have done their work there already.
    is_notice: bool,
    row: u64,
}

impl SortRecord for Sighting {
    fn write(&self, bytes: &mut Vec<u8>) {
        for number in [self.publication[0], self.publication[1], self.row] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.partition.to_le_bytes());
        bytes.push(u8::from(self.is_notice));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut next = || take(bytes).map(u64::from_le_bytes);
        let (publication, row) = ([next()?, next()?], next()?);
        Some(Self {
            publication,
            row,
            partition: u32::from_le_bytes(take(bytes)?),
            is_notice: take(bytes)? == [1],
        })
    }
}

/// Collects the sightings of all partitions, in any order.
#[derive(Debug)]
pub struct Newest(Sorter<Sighting>);

impl Newest {
    /// `scratch` is an empty file.
    pub fn new(scratch: File, bound: Bound) -> Self {
        Self(Sorter::new(scratch, bound))
    }

    /// Takes note of the rows of a partition, from `first` on. Partitions are numbered from the newest to the oldest.
    pub fn see(
        &mut self,
        kind: PublicationKind,
        partition: u32,
        first: u64,
        ids: &StringChunked,
    ) -> Result<()> {
        for (row, id) in (first..).zip(ids.iter()) {
            if let Some(id) = id {
                self.add(kind, partition, id, false, row)?;
            }
        }
        Ok(())
    }

    /// Takes note that publications are no more, as far as older partitions are asked.
    pub fn delete(&mut self, kind: PublicationKind, partition: u32, ids: &StringChunked) -> Result<()> {
        ids.iter()
            .flatten()
            .try_for_each(|id| self.add(kind, partition, id, true, 0))
    }

    fn add(
        &mut self,
        kind: PublicationKind,
        partition: u32,
        id: &str,
        is_notice: bool,
        row: u64,
    ) -> Result<()> {
        let hash = xxh3_128_with_seed(id.as_bytes(), kind as u64);
        let sighting = Sighting {
            publication: [(hash >> 64) as u64, hash as u64],
            partition,
            is_notice,
            row,
        };
        self.0.push(sighting).map_err(failed)
    }

    /// Calls `live` with the partition and the row of the newest state of every publication that is not deleted; counts the
    /// other rows.
    pub fn finish(self, mut live: impl FnMut(u32, u64)) -> Result<Outdated> {
        let mut outdated = Outdated::default();
        // The sighting before, which is a newer one if it is of the same publication.
        let mut newer: Option<Sighting> = None;
        for sighting in self.0.finish().map_err(failed)? {
            let sighting = sighting.map_err(failed)?;
            if !sighting.is_notice {
                match newer.filter(|newer| newer.publication == sighting.publication) {
                    None => live(sighting.partition, sighting.row),
                    Some(newer) if newer.is_notice => outdated.deleted += 1,
                    Some(_) => outdated.superseded += 1,
                }
            }
            newer = Some(sighting);
        }
        Ok(outdated)
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

fn failed(error: std::io::Error) -> Error {
    Error::storage("the scratch file of publications", "use", error)
}

/// The rows of a partition that are the newest state of their publication: a bit a row.
#[derive(Debug, Clone, Default)]
pub struct LiveRows(Vec<u64>);

impl LiveRows {
    /// Notes that a row is the newest state of its publication.
    pub fn insert(&mut self, row: u64) {
        let place = (row / 64) as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, 0);
        }
        self.0[place] |= 1 << (row % 64);
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
}
