//! The silver partitions that were delivered.

use std::collections::BTreeSet;

use super::documents::SilverManifest;
use super::dt::Dt;
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::schema::SourceTable;
use crate::storage::Storage;
use crate::tables::output_file::OutputFile;

/// The dates of a table's partitions, in order. A partition has a manifest and a folder: who removes the folder by hand
/// removes the partition.
pub(crate) fn delivered_dates(storage: &dyn Storage, table: SourceTable) -> Result<Vec<Dt>> {
    let (folders, manifests) = dates(storage, table)?;
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

/// The dates of a table's folders, and those of its manifests.
fn dates(storage: &dyn Storage, table: SourceTable) -> Result<(BTreeSet<Dt>, BTreeSet<Dt>)> {
    let folders = storage.list(&layout::silver_table(table))?;
    let manifests = storage.list(&layout::silver_manifests(table))?;
    Ok((
        folders.iter().filter_map(|name| Dt::of_folder(name)).collect(),
        manifests
            .iter()
            .filter_map(|name| layout::date_of_file(name))
            .collect(),
    ))
}

/// The rows of a partition's table, by the files that silver wrote.
pub(crate) fn kept_rows(outputs: &[OutputFile], table: SourceTable, dt: Dt) -> Option<u64> {
    let path = layout::silver_part(table, dt);
    let part = outputs.iter().find(|output| output.path == path)?;
    Some(part.rows)
}

/// The rows of a table's deliveries before a date: of this many, the newest ones. One with a damaged manifest, or of an
/// earlier version, is left out.
pub(crate) fn rows_before(
    storage: &dyn Storage,
    table: SourceTable,
    dt: Dt,
    most: usize,
) -> Result<Vec<u64>> {
    let (folders, manifests) = dates(storage, table)?;
    let mut counts = Vec::new();
    for date in folders
        .iter()
        .rev()
        .filter(|date| **date < dt && manifests.contains(date))
    {
        let path = layout::silver_manifest(table, *date);
        let (manifest, _) = manifest::read_own::<SilverManifest>(storage, path)?;
        counts.extend(manifest.and_then(|manifest| kept_rows(&manifest.outputs, table, *date)));
        if counts.len() == most {
            break;
        }
    }
    Ok(counts)
}
