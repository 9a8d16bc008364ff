//! A drop as a table, one row for each path.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use crate::error::Result;
use crate::steps::drop::{DropTarget, DroppedPath, drop_rows};
use crate::storage::Storage;
use crate::task::Task;

/// Drops, or says what would be dropped: what happens to which path, how many rows, and why.
pub fn lake_drop(
    storage: &dyn Storage,
    target: &DropTarget,
    dry_run: bool,
    task: &Task,
) -> Result<DataFrame> {
    let paths = drop_rows(storage, target, dry_run, task)?;
    let text = |name: &str, value: fn(&DroppedPath) -> &str| {
        Series::new(name.into(), paths.iter().map(value).collect::<Vec<&str>>()).into_column()
    };
    let rows: Vec<i64> = paths.iter().map(|path| path.rows.cast_signed()).collect();
    let columns = vec![
        text("action", |path| path.action.name()),
        text("path", |path| &path.path),
        Series::new("rows".into(), rows).into_column(),
        text("reason", |path| &path.reason),
    ];
    Ok(DataFrame::new(paths.len(), columns)?)
}
