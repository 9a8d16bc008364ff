//! What is sorted for a comparison, so that everything about one publication comes together.

use chrono::NaiveDate;

use crate::schema::PublicationKind;
use crate::sorting::sort_record;

/// A mention of a publication of which some mention changed, in one of the states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeenMention {
    pub kind: PublicationKind,
    pub publication_id: String,
    pub field: String,
    pub start: i64,
    pub end: i64,
    pub atccode: String,
    pub drug: String,
    pub in_later: bool,
    /// Whether the other state has it too, in the same file.
    pub is_kept: bool,
    /// Whether the other state has the same file of publications, so the publication is in it as it is in this one.
    pub same_publication: bool,
    pub dt: String,
    pub substance: String,
    pub surface: String,
    pub rule: String,
    pub journal: Option<String>,
    pub date: Option<NaiveDate>,
}

sort_record!(SeenMention {
    kind,
    publication_id,
    field,
    start,
    end,
    atccode,
    drug,
    in_later,
    is_kept,
    same_publication,
    dt,
    substance,
    surface,
    rule,
    journal,
    date
});

impl SeenMention {
    /// The publication.
    pub(super) fn publication(&self) -> (PublicationKind, &str) {
        (self.kind, &self.publication_id)
    }

    /// Whether it is one mention, in one state or in both.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let place = |mention: &Self| (mention.start, mention.end);
        place(self) == place(other)
            && self.field == other.field
            && self.atccode == other.atccode
            && self.drug == other.drug
    }
}

/// What a state has of a publication. The numbers order them and say what they are on disk.
pub(super) mod trace {
    /// A row of the current publications.
    pub(crate) const ROW: u8 = 0;
    /// A text that is searched.
    pub(crate) const TEXT: u8 = 1;
    /// A notice that it is deleted.
    pub(crate) const NOTICE: u8 = 2;
    /// A row of a delivery that counts with the holds of the earlier state, and such a notice.
    pub(crate) const DELIVERED: u8 = 3;
    pub(crate) const DELIVERED_NOTICE: u8 = 4;
    /// The status of a publication, if it has one.
    pub(crate) const STATUS: u8 = 5;
}

/// Something that a state has of a publication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PublicationTrace {
    pub kind: PublicationKind,
    pub publication_id: String,
    pub in_later: bool,
    /// See [`trace`].
    pub what: u8,
    /// The date that delivered it.
    pub dt: String,
    pub field: String,
    pub text: String,
}

sort_record!(PublicationTrace {
    kind,
    publication_id,
    in_later,
    what,
    dt,
    field,
    text
});

impl PublicationTrace {
    /// The publication.
    pub(super) fn publication(&self) -> (PublicationKind, &str) {
        (self.kind, &self.publication_id)
    }
}
