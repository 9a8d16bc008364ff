//! The rows that are sorted, in the order in which they are written.

use chrono::{Datelike, NaiveDate};

use crate::schema::PublicationKind;
use crate::sorting::{
    SortRecord,
    bytes::{push_text, take, take_text},
};

/// A publication, by kind and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PublicationRow {
    pub kind: PublicationKind,
    pub id: Box<str>,
    pub date: Option<NaiveDate>,
    /// The number of its journal.
    pub journal: Option<u32>,
}

impl SortRecord for PublicationRow {
    fn heap(&self) -> usize {
        heap(&self.id)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.kind as u8);
        push_date(bytes, self.date);
        bytes.push(u8::from(self.journal.is_some()));
        bytes.extend_from_slice(&self.journal.unwrap_or_default().to_le_bytes());
        push_text(bytes, &self.id);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (kind, date) = (take_kind(bytes)?, take_date(bytes)?);
        let has_journal = take(bytes)? == [1];
        let journal = u32::from_le_bytes(take(bytes)?);
        Some(Self {
            kind,
            id: take_text(bytes)?,
            date,
            journal: has_journal.then_some(journal),
        })
    }
}

/// A mention, by drug, kind and id of the publication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DrugRow {
    pub drug: u32,
    pub kind: PublicationKind,
    pub id: Box<str>,
}

impl SortRecord for DrugRow {
    fn heap(&self) -> usize {
        heap(&self.id)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.drug.to_le_bytes());
        bytes.push(self.kind as u8);
        push_text(bytes, &self.id);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            drug: u32::from_le_bytes(take(bytes)?),
            kind: take_kind(bytes)?,
            id: take_text(bytes)?,
        })
    }
}

/// A mention, by journal, drug and date, the unknown date first. Those that are equal look the same where they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JournalRow {
    pub journal: u32,
    pub drug: u32,
    pub date: Option<NaiveDate>,
    pub kind: PublicationKind,
}

impl SortRecord for JournalRow {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.journal.to_le_bytes());
        bytes.extend_from_slice(&self.drug.to_le_bytes());
        push_date(bytes, self.date);
        bytes.push(self.kind as u8);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            journal: u32::from_le_bytes(take(bytes)?),
            drug: u32::from_le_bytes(take(bytes)?),
            date: take_date(bytes)?,
            kind: take_kind(bytes)?,
        })
    }
}

/// A text of its own takes its bytes and what the allocator needs to know of it.
fn heap(text: &str) -> usize {
    text.len().next_multiple_of(16) + 16
}

fn take_kind(bytes: &mut &[u8]) -> Option<PublicationKind> {
    PublicationKind::of_number(take::<1>(bytes)?[0])
}

fn push_date(bytes: &mut Vec<u8>, date: Option<NaiveDate>) {
    let days = date.map_or(i32::MIN, |date| date.num_days_from_ce());
    bytes.extend_from_slice(&days.to_le_bytes());
}

fn take_date(bytes: &mut &[u8]) -> Option<Option<NaiveDate>> {
    match i32::from_le_bytes(take(bytes)?) {
        i32::MIN => Some(None),
        days => NaiveDate::from_num_days_from_ce_opt(days).map(Some),
    }
}
