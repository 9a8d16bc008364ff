//! From raw rows to clean tables. Pure: batches in, batches out, without access to files or folders.
//!
//! *Flag, don't drop.* A row is rejected only when it cannot be a publication or a drug. [`publications::Cleaner`] works on
//! one batch at a time and in parallel; [`merge`] then decides, from a few bytes a row, which rows are one record.

pub mod corrections;
mod details;
pub mod drugs;
mod journal_ids;
mod journals;
pub mod merge;
pub mod publications;
pub mod shapes;
mod struct_lists;
mod texts;
pub mod vocabulary;

pub(crate) use texts::{constant, rejected_frame};
