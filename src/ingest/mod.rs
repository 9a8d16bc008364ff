//! Sources to clean rows: files read in parallel, rejected rows set apart, rows stored until merging has decided.

pub(crate) mod collector;
pub(crate) mod journal_ids;
pub(crate) mod parallel_reader;
pub(crate) mod rejects;
pub(crate) mod repeat_detector;
pub(crate) mod row_store;
pub(crate) mod sources;
pub(crate) mod vocabulary;
