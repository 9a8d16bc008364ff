//! The steps: read, transform, check, write, report.
//!
//! [`bronze`] copies sources byte for byte, [`silver`] cleans them, [`gold`] finds mentions and writes the graph and
//! the answers; [`run`] does all three, [`backfill`] for several dates; [`mod@drop`] takes dates or a publication
//! away; [`replay`] takes corrected rows back. A step commits its tables in one transaction (bronze in one for each
//! source), returns a [`StepReport`](crate::lake::StepReport), and changes nothing if everything is up to date. Tables
//! stay inside: paths and settings go in, a report comes out.

pub mod backfill;
pub mod bronze;
mod copy_files;
pub mod drop;
pub mod gold;
pub mod replay;
mod replay_report;
pub mod run;
pub mod run_plan;
pub mod silver;
