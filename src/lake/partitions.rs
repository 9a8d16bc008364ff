//! The silver partitions that were delivered.

use std::collections::BTreeSet;

use super::dt::Dt;
use super::layout;
use crate::error::{Error, Result};
use crate::schema::SourceTable;
use crate::storage::Storage;

/// The dates of a table's partitions, in order. A partition has a manifest and a folder: who removes the folder by hand
/// removes the partition.
pub(crate) fn delivered_dates(storage: &dyn Storage, table: SourceTable) -> Result<Vec<Dt>> {
    let folders = storage.list(&layout::silver_table(table))?;
    let manifests = storage.list(&layout::silver_manifests(table))?;
    let manifests: BTreeSet<Dt> = manifests
        .iter()
        .filter_map(|name| layout::date_of_file(name))
        .collect();
    let folders: BTreeSet<Dt> = folders.iter().filter_map(|name| Dt::of_folder(name)).collect();
    for dt in folders.difference(&manifests) {
        let manifest = format!("{}/{}", layout::silver(table, *dt), layout::MANIFEST);
        if storage.size(&manifest)?.is_some() {
            return Err(Error::format(
                format!("{}/{manifest}", storage.root()),
                "the partition",
                "a table of an earlier version of drugs_rs, with the columns kind and dt in the file",
                format!(
                    "run silver of dt={dt}, and of every other dt, to clean the copies in bronze again; then run gold"
                ),
            ));
        }
    }
    Ok(folders.intersection(&manifests).copied().collect())
}
