//! The newest state of every publication: a later partition's version of an id replaces the earlier one.

use std::collections::HashSet;

use polars::prelude::StringChunked;
use xxhash_rust::xxh3::xxh3_128;

/// Ids of one kind seen so far, from the newest partition to the oldest. 16 bytes an id.
#[derive(Debug, Default)]
pub struct Newest {
    seen: HashSet<u128>,
}

impl Newest {
    /// Takes note that a publication is no more, for all batches to come, which are older.
    pub fn delete(&mut self, ids: &StringChunked) {
        self.seen
            .extend(ids.iter().flatten().map(|id| xxh3_128(id.as_bytes())));
    }

    /// For each row of the next older batch whether it is the newest state of its publication.
    pub fn live(&mut self, ids: &StringChunked) -> Vec<bool> {
        ids.iter()
            .map(|id| id.is_some_and(|id| self.seen.insert(xxh3_128(id.as_bytes()))))
            .collect()
    }
}
