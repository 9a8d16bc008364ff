//! Counts rows and checks that none is lost: *rows in = rows kept + rows merged + rows rejected*, for every file.

mod tally;

pub use tally::{FileTally, Join, MergeReason, Totals};
