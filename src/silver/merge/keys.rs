//! What is sorted while rows are merged: keys by id, half rows by place, lent journals by the row that they go to.

use super::{HalfRow, RowKey};
use crate::schema::Flags;
use crate::sorting::{
    SortRecord,
    bytes::{push_text, take, take_text},
};

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

impl SortRecord for IdKey {
    fn write(&self, bytes: &mut Vec<u8>) {
        for number in [self.id[0], self.id[1], self.place, self.content, self.journal] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.file.to_le_bytes());
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(&self.flags.bits().to_le_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut next = || take(bytes).map(u64::from_le_bytes);
        let (id, place, content, journal) = ([next()?, next()?], next()?, next()?, next()?);
        Some(Self {
            id,
            place,
            content,
            journal,
            file: u32::from_le_bytes(take(bytes)?),
            version: u32::from_le_bytes(take(bytes)?),
            flags: Flags::from_bits(u16::from_le_bytes(take(bytes)?)),
        })
    }
}

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

impl SortRecord for Half {
    fn heap(&self) -> usize {
        heap(self.journal.as_deref())
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        for number in [
            self.place[0],
            self.place[1],
            self.row,
            self.id[0],
            self.id[1],
            self.journal_hash,
        ] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.file.to_le_bytes());
        push_journal(bytes, self.journal.as_deref());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut next = || take(bytes).map(u64::from_le_bytes);
        let (place, row, id, journal_hash) = ([next()?, next()?], next()?, [next()?, next()?], next()?);
        let file = u32::from_le_bytes(take(bytes)?);
        let journal = take_journal(bytes)?;
        Some(Self {
            place,
            lends: journal.is_some(),
            row,
            id,
            file,
            journal_hash,
            journal,
        })
    }
}

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

impl SortRecord for Lent {
    fn heap(&self) -> usize {
        heap(self.journal.as_ref().map(|(journal, _)| &**journal))
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        let hash = self.journal.as_ref().map_or(0, |(_, hash)| *hash);
        for number in [self.id[0], self.id[1], self.row, hash] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        push_journal(bytes, self.journal.as_ref().map(|(journal, _)| &**journal));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut next = || take(bytes).map(u64::from_le_bytes);
        let (id, row, hash) = ([next()?, next()?], next()?, next()?);
        let journal = take_journal(bytes)?.map(|journal| (journal, hash));
        Some(Self { id, row, journal })
    }
}

fn heap(journal: Option<&(String, String)>) -> usize {
    journal.map_or(0, |(name, key)| {
        size_of::<(String, String)>() + name.len() + key.len()
    })
}

fn push_journal(bytes: &mut Vec<u8>, journal: Option<&(String, String)>) {
    bytes.push(u8::from(journal.is_some()));
    if let Some((name, key)) = journal {
        push_text(bytes, name);
        push_text(bytes, key);
    }
}

fn take_journal(bytes: &mut &[u8]) -> Option<Option<Box<(String, String)>>> {
    let [there] = take(bytes)?;
    if there == 0 {
        return Some(None);
    }
    let (name, key) = (take_text(bytes)?, take_text(bytes)?);
    Some(Some(Box::new((name.into(), key.into()))))
}
