//! The tables of the lake, as data: names, keys, columns and their meaning. Every other description of a table (Arrow
//! schemas, DDL, contracts, docs) is made from these.

mod changes;
mod columns;
mod gaps;
mod gold;
mod silver;

pub use changes::MENTION_CHANGES;
pub use columns::{INTERVENTION_FIELDS, SUBSTANCE_FIELDS};
pub use gaps::{GAP_EXAMPLE_FIELDS, VOCABULARY_GAPS};
pub use gold::{ATC_CLASSES, CURRENT_DRUGS, CURRENT_PUBLICATIONS, JOURNAL_DRUGS, JOURNALS, MENTIONS};
pub use silver::{DELETED, DRUGS, JOURNAL_IDS, PUBLICATIONS, REJECTED};

use super::table::Table;

pub const TABLE_FORMAT: u32 = 4;

pub const TABLES: &[&Table] = &[
    &CURRENT_DRUGS,
    &CURRENT_PUBLICATIONS,
    &MENTIONS,
    &JOURNALS,
    &JOURNAL_DRUGS,
    &ATC_CLASSES,
    &REJECTED,
    &PUBLICATIONS,
    &DRUGS,
    &DELETED,
    &JOURNAL_IDS,
];
