//! Changes of counts: what changed chunks add to the sums over a lake, and take from them.

use std::io;

use crate::error::{Error, Result};
use crate::gold::chunk_index::{ChunkIndex, LakeSums, SumsReader};
use crate::schema::PublicationKind;
use crate::sorting::{Sorted, Sorter, sort_record};

/// A change of a count; the key is its place among those of [`all_keys`], from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CountDelta {
    pub key: u32,
    pub drug: u32,
    pub kind: PublicationKind,
    pub codes: i64,
    pub pairs: i64,
}

impl CountDelta {
    fn place(&self) -> (u32, u32, PublicationKind) {
        (self.key, self.drug, self.kind)
    }
}

sort_record! { CountDelta { key, drug, kind, codes, pairs } }

/// The counts of before and their changes, as the counts of now.
pub(super) struct MergedCounts<R> {
    before: Option<SumsReader<R>>,
    /// From a place of a key before to its place among all keys.
    places: Vec<u32>,
    next_before: Option<CountDelta>,
    deltas: Sorted<CountDelta>,
}

impl<R: io::Read> MergedCounts<R> {
    /// `places` leads from the place of a key before to its place among all keys; [`MergedCounts::advance`] comes first.
    pub(super) fn new(before: Option<SumsReader<R>>, places: Vec<u32>, deltas: Sorted<CountDelta>) -> Self {
        Self {
            before,
            places,
            next_before: None,
            deltas,
        }
    }

    pub(super) fn advance(&mut self) -> io::Result<()> {
        let next = match &mut self.before {
            Some(before) => before.next_count()?,
            None => None,
        };
        self.next_before = next.map(|pair| CountDelta {
            key: self.places.get(pair.key as usize).copied().unwrap_or(0),
            drug: pair.drug,
            kind: pair.kind,
            codes: pair.codes.cast_signed(),
            pairs: pair.pairs.cast_signed(),
        });
        Ok(())
    }

    /// The next count that is not 0.
    pub(super) fn next_count(&mut self) -> io::Result<Option<CountDelta>> {
        loop {
            let delta = self.deltas.peek().map(CountDelta::place);
            let before = self.next_before.as_ref().map(CountDelta::place);
            let Some(place) = delta.into_iter().chain(before).min() else {
                return Ok(None);
            };
            let mut sum = CountDelta {
                key: place.0,
                drug: place.1,
                kind: place.2,
                codes: 0,
                pairs: 0,
            };
            if let Some(before) = self.next_before.filter(|before| before.place() == place) {
                sum = before;
                self.advance()?;
            }
            while let Some(delta) = self.deltas.next_if(|delta| delta.place() == place)? {
                sum.codes += delta.codes;
                sum.pairs += delta.pairs;
            }
            if sum.codes != 0 {
                return Ok(Some(sum));
            }
        }
    }
}

/// The keys of the journals of two states, in order.
pub(super) fn all_keys<'s>(before: &'s LakeSums, sums: &'s LakeSums) -> Vec<&'s str> {
    let mut keys: Vec<&str> = before.spellings.keys().chain(sums.spellings.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Adds what a chunk adds to the sums, or takes it away.
pub(super) fn add_deltas(
    deltas: &mut Sorter<CountDelta>,
    index: &ChunkIndex,
    keys: &[&str],
    times: i64,
) -> Result<()> {
    let own: Vec<u32> = index
        .spellings
        .keys()
        .map(|key| keys.binary_search(&key).map_or(0, |place| place as u32 + 1))
        .collect();
    for pair in &index.pairs {
        let key = match pair.key {
            0 => 0,
            place => own.get(place as usize - 1).copied().unwrap_or(0),
        };
        let delta = CountDelta {
            key,
            drug: pair.drug,
            kind: pair.kind,
            codes: pair.codes.cast_signed() * times,
            pairs: pair.pairs.cast_signed() * times,
        };
        deltas
            .push(delta)
            .map_err(|error| Error::storage("the scratch file of counts", "use", error))?;
    }
    Ok(())
}
