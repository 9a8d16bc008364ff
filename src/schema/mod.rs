//! Every table's columns, the flags on rows and the reasons for rejecting them: data in one place.
//!
//! The steps of the pipeline meet here. Whoever writes a table builds it from its [`Table`] and checks the frame with
//! [`Table::check`], which reports all differences at once.

mod field;
mod flag;
#[cfg(feature = "tables")]
mod forms;
mod journal;
mod kind;
mod kinds;
mod reason;
mod status;
#[cfg(feature = "tables")]
mod table;
#[cfg(feature = "tables")]
mod tables;

pub use field::{INTERVENTION_ROLES, SearchedField, SearchedFields};
pub use flag::{Flag, Flags};
#[cfg(feature = "tables")]
pub use forms::{SCHEMA_FORMS, SchemaForm, describe_tables, find_table};
pub use journal::JournalIds;
pub use kind::{DatePrecision, DrugUnit, GraphOutput, Rule};
pub use kinds::{KindDescription, PublicationKind, SourceShape, SourceTable};
pub use reason::{Reason, Rejected};
pub use status::PublicationStatus;
#[cfg(feature = "tables")]
pub use table::{ColumnType, StructField, Table, TableColumn};
#[cfg(feature = "tables")]
pub use tables::{
    ATC_CLASSES, CURRENT_DRUGS, CURRENT_PUBLICATIONS, DELETED, DRUGS, GAP_EXAMPLE_FIELDS,
    INTERVENTION_FIELDS, JOURNAL_DRUGS, JOURNAL_IDS, JOURNALS, MENTION_CHANGES, MENTIONS, PUBLICATIONS,
    REJECTED, SUBSTANCE_FIELDS, TABLE_FORMAT, TABLES, VOCABULARY_GAPS,
};
