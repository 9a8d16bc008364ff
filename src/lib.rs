//! Which drug is mentioned where and when: the core of drugs_rs.
//!
//! Every day new PubMed articles and clinical trials arrive as messy files. This crate turns them, with a vocabulary of
//! drugs, into one graph of mentions and a few answers from it, reproducibly and without losing a row:
//!
//! ```text
//! sources ─bronze→ exact copies ─silver→ drugs, publications (+ rejected rows) ─gold→ mentions → drug_graph.json → answers
//! ```
//!
//! Each arrow is a *step* of [`steps`]: read, transform, check, write, report. A step writes into a [`lake`], a folder of
//! three layers, and commits with one atomic operation, so that a killed or repeated step leaves the old state or the new
//! one. The transforms themselves are pure: [`silver`] cleans batches of rows, [`gold`] finds mentions in batches of
//! clean rows, [`graph`] holds and answers.
//!
//! The house has floors, and a module names only modules below its own (`tests/rust/floors.rs` checks it):
//!
//! | floor | modules | know about |
//! |---|---|---|
//! | 9 | `bindings` (feature `python`), [`cli`] | Python, the command line |
//! | 8 | [`api`] | what callers ask for outside of a step |
//! | 7 | [`steps`] | bronze, silver and gold of a lake |
//! | 6 | [`lake`], `ingest` | where files of a lake are, sources on their way to rows |
//! | 5 | [`silver`], [`gold`], [`graph`], `tables` | rows, pure; Parquet files in bounded memory |
//! | 4 | [`formats`], [`matcher`], [`gaps`], [`quality`], [`generate`], [`fetch`] | bytes of one file, one text, one text without a vocabulary, one count, made-up records, downloads |
//! | 3 | [`storage`] | files and folders, no tables |
//! | 2 | [`text`] | strings |
//! | 1 | [`schema`], `scratch`, `waiting`, [`sorting`] | tables, flags, reasons: data; unnamed files; futures; records in order |
//! | 0 | [`error`], [`task`], [`choice`] | what may go wrong, the flag to stop, options with named values |

#![cfg_attr(not(feature = "python"), forbid(unsafe_code))]

#[cfg(feature = "tables")]
pub mod api;
#[cfg(feature = "python")]
mod bindings;
pub mod choice;
#[cfg(feature = "tables")]
pub mod cli;
pub mod error;
#[cfg(feature = "cloud")]
pub mod fetch;
pub mod formats;
pub mod gaps;
pub mod generate;
#[cfg(feature = "tables")]
pub mod gold;
#[cfg(feature = "tables")]
pub mod graph;
#[cfg(feature = "tables")]
mod ingest;
#[cfg(feature = "tables")]
pub mod lake;
pub mod matcher;
pub mod quality;
#[cfg(feature = "tables")]
mod row_frame;
pub mod schema;
#[cfg(feature = "tables")]
mod scratch;
pub mod share;
#[cfg(feature = "tables")]
pub mod silver;
pub mod sorting;
#[cfg(feature = "tables")]
pub mod steps;
pub mod storage;
#[cfg(feature = "tables")]
mod tables;
pub mod task;
pub mod text;
#[cfg(feature = "cloud")]
mod waiting;

pub use error::{Error, Result};

// The tests of whole floors, compiled with the unit tests: the crate is built once for both.
#[cfg(test)]
extern crate self as drugs_rs;
#[cfg(test)]
#[path = "../tests/rust/main.rs"]
mod tests;
