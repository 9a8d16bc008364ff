//! What Python and the shell offer beside the steps: sources as tables, matching, answers, exports, made-up sources.

pub mod answers;
pub mod credentials;
pub mod explain;
pub mod export;
pub mod generate;
mod graph_tables;
pub mod lake_drop;
pub mod lake_tables;
pub mod match_column;
pub mod matching;
pub mod metrics;
pub mod postgres_copy;
pub mod preview;
pub mod read;
pub mod scan;
pub mod source_lists;
pub mod sources;
pub mod vocabulary;

pub use crate::storage::write_file;
