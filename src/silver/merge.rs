//! Which rows of a partition are one record: half rows that complete each other, and rows of one id.
//!
//! The rows themselves stay where they are; this works on a [`RowKey`] a row and gives a [`Fate`] a row.

use std::collections::HashMap;
use std::ops::Range;

use polars::prelude::{BooleanChunked, DataFrame, IntoColumn, NamedFrom, NewChunkedArray, Series};

use super::texts::TextLists;
use crate::error::Result;
use crate::quality::MergeReason;
use crate::schema::{Flag, Flags};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is kept as it is.
    Keep,
    /// It is kept and gets the journal of the half row of this number.
    Complete(usize),
    /// It is part of another row.
    Merged(MergeReason),
    /// Its file turned out to be bad, and nothing of it is taken.
    Dropped,
}

/// Collects the keys of a partition, batch by batch, in the order of the rows.
#[derive(Debug, Default)]
pub struct Merger {
    rows: Vec<RowKey>,
    halves: Vec<(usize, HalfRow)>,
    /// Ids that are deleted, each with the number of rows before the notice.
    deletions: Vec<(usize, u128)>,
    /// Runs of rows of bad files.
    dropped: Vec<Range<usize>>,
}

impl Merger {
    /// Takes the keys of the next batch, and the notices of deletion in it: how many of its rows stand before each, and
    /// the hash of the id.
    pub fn extend(
        &mut self,
        keys: Vec<RowKey>,
        halves: Vec<(usize, HalfRow)>,
        deletions: impl IntoIterator<Item = (usize, u128)>,
    ) {
        let base = self.rows.len();
        self.deletions
            .extend(deletions.into_iter().map(|(behind, id)| (base + behind, id)));
        self.halves
            .extend(halves.into_iter().map(|(row, half)| (base + row, half)));
        self.rows.extend(keys);
    }

    /// Takes back all rows from one on, and the notices among them: their file turned out to be bad.
    pub fn drop_from(&mut self, first: usize) {
        self.dropped.push(first..self.rows.len());
        self.halves.retain(|(row, _)| *row < first);
        while self.deletions.pop_if(|(behind, _)| *behind >= first).is_some() {}
    }

    /// Decides the fate of every row.
    pub fn finish(mut self) -> Plan {
        let mut fates = vec![Fate::Keep; self.rows.len()];
        for run in &self.dropped {
            fates[run.clone()].fill(Fate::Dropped);
        }
        let journals = self.join_halves(&mut fates);
        self.join_ids(&mut fates);
        let flags = self.rows.iter().map(|row| row.flags).collect();
        Plan {
            fates,
            flags,
            journals,
        }
    }

    /// Pairs each row without an id with the first row without a journal that is not taken yet.
    fn join_halves(&mut self, fates: &mut [Fate]) -> Vec<(String, String)> {
        let mut journals = Vec::new();
        if self.halves.iter().all(|(_, half)| half.journal.is_none()) {
            return journals;
        }
        let mut without_journal: HashMap<u128, std::collections::VecDeque<usize>> = HashMap::new();
        for (row, half) in self.halves.iter().filter(|(_, half)| half.journal.is_none()) {
            without_journal.entry(half.place).or_default().push_back(*row);
        }
        for (row, half) in std::mem::take(&mut self.halves) {
            let Some((journal, key)) = half.journal else {
                continue;
            };
            let Some(other) = without_journal
                .get_mut(&half.place)
                .and_then(std::collections::VecDeque::pop_front)
            else {
                continue;
            };
            fates[row] = Fate::Merged(MergeReason::HalfRow);
            fates[other] = Fate::Complete(journals.len());
            self.rows[other].journal = self.rows[row].journal;
            self.rows[other].flags.remove(Flag::MissingJournal);
            self.rows[other].flags.insert(Flag::MergedHalves);
            journals.push((journal, key));
        }
        journals
    }

    /// Of the rows of one id the last one of the highest version stays; an equal one is no news. A notice of deletion takes away
    /// what came before it.
    fn join_ids(&self, fates: &mut [Fate]) {
        let mut last: HashMap<u128, usize> = HashMap::with_capacity(self.rows.len());
        let mut deletions = self.deletions.iter().peekable();
        for (number, row) in self.rows.iter().enumerate() {
            while let Some((_, id)) = deletions.next_if(|(behind, _)| *behind <= number) {
                delete(&mut last, *id, fates);
            }
            if matches!(fates[number], Fate::Merged(_) | Fate::Dropped) {
                continue;
            }
            let Some(&before) = last.get(&row.id) else {
                last.insert(row.id, number);
                continue;
            };
            let earlier = &self.rows[before];
            if (earlier.content, earlier.journal) == (row.content, row.journal) {
                fates[number] = Fate::Merged(MergeReason::Identical);
            } else if row.version < earlier.version {
                fates[number] = Fate::Merged(MergeReason::Superseded);
            } else {
                fates[before] = Fate::Merged(MergeReason::Superseded);
                last.insert(row.id, number);
            }
        }
        for (_, id) in deletions {
            delete(&mut last, *id, fates);
        }
    }
}

fn delete(last: &mut HashMap<u128, usize>, id: u128, fates: &mut [Fate]) {
    if let Some(row) = last.remove(&id) {
        fates[row] = Fate::Merged(MergeReason::Deleted);
    }
}

/// The fates of all rows of a partition.
#[derive(Debug)]
pub struct Plan {
    fates: Vec<Fate>,
    flags: Vec<Flags>,
    journals: Vec<(String, String)>,
}

impl Plan {
    /// The fate of a row and the flags that it ends with.
    pub fn row(&self, number: usize) -> (Fate, Flags) {
        (self.fates[number], self.flags[number])
    }

    /// The rows of a frame that stay, completed; `base` is the number of the frame's first row.
    pub fn apply(&self, frame: DataFrame, base: usize) -> Result<DataFrame> {
        let fates = &self.fates[base..base + frame.height()];
        if fates.iter().all(|fate| *fate == Fate::Keep) {
            return Ok(frame);
        }
        let kept: Vec<bool> = fates
            .iter()
            .map(|fate| !matches!(fate, Fate::Merged(_) | Fate::Dropped))
            .collect();
        let completed = if fates.iter().any(|fate| matches!(fate, Fate::Complete(_))) {
            self.complete(frame, base)?
        } else {
            frame
        };
        Ok(completed.filter(&BooleanChunked::from_slice("kept".into(), &kept))?)
    }

    fn complete(&self, mut frame: DataFrame, base: usize) -> Result<DataFrame> {
        let fates = &self.fates[base..base + frame.height()];
        for (name, key) in [("journal", false), ("journal_key", true)] {
            let column = frame.column(name)?.str()?;
            let values: Vec<Option<String>> = column
                .iter()
                .zip(fates)
                .map(|(value, fate)| match fate {
                    Fate::Complete(half) => {
                        let (journal, journal_key) = &self.journals[*half];
                        Some(if key { journal_key.clone() } else { journal.clone() })
                    }
                    _ => value.map(str::to_owned),
                })
                .collect();
            frame.with_column(Series::new(name.into(), values).into_column())?;
        }
        let mut flags = TextLists::new("flags", frame.height());
        self.flags[base..base + frame.height()]
            .iter()
            .for_each(|row| flags.push_flags(*row));
        frame.with_column(flags.finish())?;
        Ok(frame)
    }
}
