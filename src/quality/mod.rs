//! Counting rows, and the law that none is lost: *rows in = rows kept + rows merged + rows rejected*, per file, always.

mod tally;

pub use tally::{FileTally, Join, MergeReason, Totals};
