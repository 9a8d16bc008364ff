//! Counts rows and checks that none is lost: *rows in = rows kept + rows merged + rows rejected*, for every file.

#[cfg(feature = "tables")]
pub mod contracts;
mod tally;

pub use tally::{FileTally, Join, MergeReason, Totals};
