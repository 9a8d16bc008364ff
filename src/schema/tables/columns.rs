//! The columns that several tables have.

use crate::schema::table::ColumnType::{Date, Number, Text, TextList};
use crate::schema::table::{TableColumn, optional, required};

pub(super) const ATCCODE: TableColumn = required("atccode", Text).is(
    "ATC code",
    "A04AD",
    "The code of the drug; where the source has none, a UUIDv5 of the name in lower case",
);
pub(super) const DRUG: TableColumn = required("drug", Text).is(
    "drug name",
    "DIPHENHYDRAMINE",
    "The name of the drug in the vocabulary, cleaned",
);
pub(super) const SUBSTANCE: TableColumn = required("substance", Text).is(
    "active substance",
    "insulin",
    "What several codes of one drug have in common: its folded name without qualifiers in brackets, salts and hydrates",
);
pub(super) const PUBLICATION_ID: TableColumn = required("publication_id", Text).is(
    "publication identifier",
    "31839592",
    "The PMID or NCT id, trimmed; where the source has none, a UUIDv5 of kind, title, date and journal",
);
pub(super) const KIND: TableColumn = required("kind", Text).repeating().is(
    "publication type",
    "pubmed",
    "The kind of publication: pubmed, clinical_trial or preprint",
);
pub(super) const DT: TableColumn = required("dt", Text).repeating().is(
    "logical date",
    "2024-01-31",
    "The date of the delivery, which is the partition",
);
pub(super) const TITLE: TableColumn = required("title", Text).is(
    "title",
    "Tranexamic acid versus epinephrine during exploratory tympanotomy",
    "The title, cleaned",
);
pub(super) const DATE: TableColumn = optional("date", Date).is(
    "publication date",
    "2019-01-01",
    "The first day of the period that the source names; null if it is missing, impossible or in no accepted form",
);
pub(super) const DATE_PRECISION: TableColumn = optional("date_precision", Text).repeating().is(
    "precision of the date",
    "month",
    "How exact the date is: day, month, season or year; null with the date",
);
pub(super) const DISPLAY_NAME: TableColumn = optional("journal", Text).repeating().is(
    "journal title",
    "Journal of emergency nursing",
    "The display name of the journal: its most frequent spelling in the lake",
);
pub(super) const JOURNAL_KEY: TableColumn = optional("journal_key", Text).repeating().is(
    "journal key",
    "journal of emergency nursing",
    "The journal's name with case, accents and punctuation folded, by which spellings are one journal",
);
pub(super) const FLAGS: TableColumn = required("flags", TextList).is(
    "data quality flags",
    "[\"missing_journal\"]",
    "What was repaired or is doubtful in the row",
);
pub(super) const SOURCE_URI: TableColumn = required("source_uri", Text).repeating().is(
    "source file",
    "gs://bucket/pubmed.csv",
    "The file that delivered the row, as the caller named it",
);
pub(super) const SOURCE_ROW: TableColumn = required("source_row", Number).is(
    "source row",
    "2",
    "The line of a CSV or NDJSON file (the header is line 1), or the element of a JSON array or record (from 1)",
);
pub(super) const SYNONYMS: TableColumn = required("synonyms", TextList).is(
    "synonyms",
    "[\"benadryl\"]",
    "Other names of the drug, cleaned, without duplicates",
);
