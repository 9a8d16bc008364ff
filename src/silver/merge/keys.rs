//! What is sorted while rows are merged: keys by id, half rows by place, lent journals by the row that they go to.

use super::{HalfRow, RowKey};
use crate::schema::Flags;
use crate::sorting::sort_record;

/// A 128-bit hash in two halves, which needs no more room than its bytes.
pub(super) type Hash = [u64; 2];

fn hash(hash: u128) -> Hash {
    [(hash >> 64) as u64, hash as u64]
}

/// A row of an id, or the notice that the id is deleted, in the order of ids and then of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IdKey {
    pub id: Hash,
    /// Twice the number of the row, and one; of a notice twice the number of the row behind it.
    place: u64,
    pub content: u64,
    pub journal: u64,
    pub file: u32,
    pub version: u32,
    pub flags: Flags,
}

impl IdKey {
    pub(super) fn row(file: u32, number: u64, key: &RowKey) -> Self {
        Self {
            id: hash(key.id),
            place: number * 2 + 1,
            content: key.content,
            journal: key.journal,
            file,
            version: key.version,
            flags: key.flags,
        }
    }

    pub(super) fn notice(file: u32, behind: u64, id: u128) -> Self {
        Self {
            id: hash(id),
            place: behind * 2,
            content: 0,
            journal: 0,
            file,
            version: 0,
            flags: Flags::default(),
        }
    }

    /// The number of the row; `None` for a notice.
    pub(super) fn row_number(&self) -> Option<u64> {
        (self.place % 2 == 1).then_some(self.place / 2)
    }
}

sort_record! { IdKey { id, place, content, journal, file, version, flags } }

/// A half row. Of one place those without a journal come first, then by row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Half {
    pub place: Hash,
    lends: bool,
    pub row: u64,
    pub id: Hash,
    pub file: u32,
    /// The hash of the journal that it lends.
    pub journal_hash: u64,
    pub journal: Option<Box<(String, String)>>,
}

impl Half {
    pub(super) fn new(file: u32, row: u64, half: HalfRow, key: &RowKey) -> Self {
        Self {
            place: hash(half.place),
            lends: half.journal.is_some(),
            row,
            id: hash(key.id),
            file,
            journal_hash: key.journal,
            journal: half.journal.map(Box::new),
        }
    }
}

sort_record! { Half { place, lends, row, id, file, journal_hash, journal } }

/// What a pair of half rows means for one of them: it goes away, or it gets the journal of the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lent {
    pub id: Hash,
    pub row: u64,
    /// The journal and the hash of it.
    pub journal: Option<(Box<(String, String)>, u64)>,
}

impl Lent {
    pub(super) fn away(id: Hash, row: u64) -> Self {
        Self {
            id,
            row,
            journal: None,
        }
    }

    pub(super) fn to(id: Hash, row: u64, journal: Box<(String, String)>, hash: u64) -> Self {
        Self {
            id,
            row,
            journal: Some((journal, hash)),
        }
    }
}

sort_record! { Lent { id, row, journal } }
