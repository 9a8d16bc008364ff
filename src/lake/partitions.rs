//! The silver partitions that were delivered.

use super::dt::Dt;
use super::layout;
use crate::error::Result;
use crate::schema::SourceTable;
use crate::storage::Storage;

/// The dates of a table's partitions, in order. A partition has a manifest and a folder: who removes the folder by hand
/// removes the partition.
pub(crate) fn delivered_dates(storage: &dyn Storage, table: SourceTable) -> Result<Vec<Dt>> {
    let folders = storage.list(&layout::silver_table(table))?;
    let manifests = storage.list(&layout::silver_manifests(table))?;
    let dates = manifests.iter().filter_map(|name| layout::date_of_file(name));
    let mut dates: Vec<Dt> = dates.filter(|dt| folders.contains(&format!("dt={dt}"))).collect();
    dates.sort_unstable();
    Ok(dates)
}
