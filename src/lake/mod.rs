//! A lake: its paths, its manifests and reports, its held dates, and how to open it.

pub(crate) mod bronze_files;
pub(crate) mod corrections;
pub mod documents;
pub mod dt;
pub mod holds;
pub mod layout;
pub(crate) mod manifest;
pub mod open;
pub(crate) mod partitions;
pub(crate) mod rejected_rows;
pub mod report;
pub(crate) mod state_storage;
pub mod states;
pub mod table_files;
pub mod verify;
pub(crate) mod vocabulary;

pub use documents::HeldDate;
pub use dt::{Dt, DtRange};
pub use open::{LakeAddress, existing_lake, existing_lake_for, open_lake, open_lake_for};
pub use report::StepReport;
pub use state_storage::{WantedState, find_state};
