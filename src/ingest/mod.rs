//! From sources to clean rows: reads files in parallel, separates rejected rows, and stores rows until merging has
//! decided.

pub(crate) mod collector;
pub(crate) mod journal_ids;
pub(crate) mod parallel_reader;
pub(crate) mod rejects;
pub(crate) mod repeat_detector;
pub(crate) mod row_store;
pub(crate) mod sources;
pub(crate) mod vocabulary;
