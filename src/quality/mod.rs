//! Counts rows and checks that none is lost: *rows in = rows kept + rows merged + rows rejected*, for every file.

mod corrected_rows;
mod tally;

pub use corrected_rows::{CorrectedRows, raw_hash};
pub use tally::{FileTally, Join, MergeReason, Totals};
