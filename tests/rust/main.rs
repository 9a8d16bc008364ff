//! The Rust tests, in one binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at the disk behind the back of storage"
)]

mod dates;
mod floors;
mod formats;
mod graph;
mod matcher;
mod merge;
mod pipeline;
mod schema;
mod storage;
mod text;
