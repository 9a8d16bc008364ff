//! The Rust tests of whole floors. They name the crate as its users do, `drugs_rs`, although they are compiled with it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::print_stdout,
    reason = "what was measured, and why a test was left out, for whoever runs it with --nocapture"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the disk behind the back of storage"
)]

#[cfg(feature = "tables")]
mod aside;
#[cfg(feature = "cloud")]
mod buckets;
mod choice;
mod dates;
mod floors;
#[cfg(feature = "tables")]
mod formats;
mod fuzz_seeds;
mod gaps;
#[cfg(feature = "tables")]
mod graph;
#[cfg(feature = "tables")]
mod held;
#[cfg(feature = "tables")]
mod incremental;
mod matcher;
#[cfg(feature = "tables")]
mod merge;
#[cfg(feature = "tables")]
mod parquet;
#[cfg(feature = "tables")]
mod pipeline;
#[cfg(feature = "tables")]
mod row_groups;
#[cfg(feature = "tables")]
mod schema;
mod sorting;
#[cfg(feature = "tables")]
mod sources;
#[cfg(feature = "tables")]
mod state;
mod storage;
#[cfg(feature = "tables")]
mod study_pages;
mod substances;
#[cfg(feature = "tables")]
mod table_file;
mod task;
mod text;
#[cfg(feature = "tables")]
mod vocabulary;
