//! What Python and the shell offer beside the steps: sources as tables, matching, answers, exports, made-up sources.

pub mod contracts;
pub mod credentials;
pub mod export;
pub mod generate;
mod lake;
pub mod match_column;
pub mod matching;
pub mod postgres_copy;
pub mod preview;
pub mod sources;

pub use lake::{
    answers, diff, evidence, explain, gaps, lake_drop, lake_tables, metrics, quality, rejected_rows, scan,
};
pub use sources::{read, source_lists, vocabulary};

pub use crate::storage::write_file;
