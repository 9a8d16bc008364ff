//! The rows that are sorted, in the order in which they are written.

use chrono::NaiveDate;

use crate::schema::{PublicationKind, PublicationStatus};
use crate::sorting::sort_record;

/// A publication, by kind and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PublicationRow {
    pub kind: PublicationKind,
    pub id: Box<str>,
    pub date: Option<NaiveDate>,
    /// The number of its journal.
    pub journal: Option<u32>,
    pub status: Option<PublicationStatus>,
}

sort_record! { PublicationRow { kind, id, date, journal, status } }

/// A mention, by drug, kind and id of the publication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DrugRow {
    pub drug: u32,
    pub kind: PublicationKind,
    pub id: Box<str>,
}

sort_record! { DrugRow { drug, kind, id } }

/// A mention, by journal, drug and date, the unknown date first. Those that are equal look the same where they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct JournalRow {
    pub journal: u32,
    pub drug: u32,
    pub date: Option<NaiveDate>,
    pub kind: PublicationKind,
}

sort_record! { JournalRow { journal, drug, date, kind } }
