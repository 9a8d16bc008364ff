//! The steps: read, transform, check, write, report.
//!
//! [`bronze`] copies sources byte for byte, [`silver`] cleans them, [`gold`] finds mentions and writes the graph and the
//! answers; [`run`] does all three. Each step is one transaction, returns a [`StepReport`](crate::lake::StepReport), and does
//! nothing when there is nothing to do. Tables stay inside: paths and settings go in, a report comes out.

pub mod bronze;
mod copy_files;
pub mod gold;
pub mod run;
pub mod silver;
