//! The steps: read, transform, check, write, report. The sole user of storage.
//!
//! [`bronze`] copies sources byte for byte, [`silver`] cleans them, [`gold`] finds mentions and writes the graph and the
//! answers; [`run`] does all three. Each step is one transaction, tells what it did in a [`StepReport`], and does nothing
//! when there is nothing to do. Tables stay inside: paths and settings go in, a report comes out.

mod aside;
pub mod bronze;
pub mod columns;
pub mod dt;
pub mod export;
mod frames;
pub mod gold;
mod lanes;
pub mod layout;
mod manifest;
pub mod matching;
pub mod report;
pub mod run;
pub mod silver;
mod spool;
pub mod vocabulary;

pub use dt::Dt;
pub use report::StepReport;

use crate::error::Result;
use crate::storage::{LocalStorage, Storage};

/// Opens the lake at `out`, which a step may create.
pub fn open_lake(out: &str) -> Result<Box<dyn Storage>> {
    Ok(Box::new(LocalStorage::create(
        crate::storage::source::local_path(out)?,
    )?))
}

/// Opens the lake at `lake`, which must exist.
pub fn existing_lake(lake: &str) -> Result<Box<dyn Storage>> {
    Ok(Box::new(LocalStorage::existing(
        crate::storage::source::local_path(lake)?,
    )?))
}
