//! A drop as a table, one row for each path.

use polars::prelude::DataFrame;

use crate::error::Result;
use crate::row_frame::RowFrame;
use crate::steps::drop::{DropTarget, drop_rows};
use crate::storage::Storage;
use crate::task::Task;

/// Drops, or says what would be dropped: what happens to which path, how many rows, and why.
pub fn lake_drop(
    storage: &dyn Storage,
    target: &DropTarget,
    dry_run: bool,
    task: &Task,
) -> Result<DataFrame> {
    RowFrame::of(&drop_rows(storage, target, dry_run, task)?)
        .column("action", |path| path.action.name())
        .column("path", |path| path.path.as_str())
        .count("rows", |path| path.rows)
        .column("reason", |path| path.reason.as_str())
        .finish()
}
