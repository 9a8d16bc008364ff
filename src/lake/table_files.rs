//! Which files hold the current rows of the tables of a lake.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::documents::{ReachedDate, SilverManifest};
use super::dt::Dt;
use super::manifest::{Version, first_changed};
use super::partitions::delivered_dates;
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::schema::{DRUGS, PUBLICATIONS, PublicationKind, REJECTED, SourceTable, Table};
use crate::storage::Storage;
use crate::tables::output_file::OutputFile;

/// A file of a table, and the values of the columns that its path has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeFile {
    pub file: OutputFile,
    pub kind: Option<PublicationKind>,
    pub dt: Option<Dt>,
    /// The manifest that names it: its path and its bytes.
    manifest: Arc<Version>,
}

impl LakeFile {
    /// Fails if the manifest that names the file was replaced: the file may be one of another state.
    pub(crate) fn check_is_current(&self, storage: &dyn Storage) -> Result<()> {
        match first_changed(storage, std::slice::from_ref(&*self.manifest))? {
            Some(conflict) => Err(conflict),
            None => Ok(()),
        }
    }
}

/// The rows that are wanted of a table, by the columns in the names of its folders; `None` is all.
#[derive(Debug, Clone, Default)]
pub struct PartitionFilter {
    pub kinds: Option<BTreeSet<PublicationKind>>,
    pub dates: Option<BTreeSet<Dt>>,
}

impl PartitionFilter {
    fn takes(&self, kind: Option<PublicationKind>, dt: Option<Dt>) -> bool {
        let kind = self
            .kinds
            .as_ref()
            .is_none_or(|kinds| kind.is_some_and(|kind| kinds.contains(&kind)));
        let dt = self
            .dates
            .as_ref()
            .is_none_or(|dates| dt.is_some_and(|dt| dates.contains(&dt)));
        kind && dt
    }

    /// Fails where the table has no column that is asked for.
    fn check(&self, table: &Table) -> Result<()> {
        let asked = [("kind", self.kinds.is_some()), ("dt", self.dates.is_some())];
        for (name, is_asked) in asked {
            if is_asked && !table.partitions.iter().any(|column| column.name == name) {
                let found = format!(
                    "a filter of the table `{}`, which has no partitions by it",
                    table.name
                );
                return Err(Error::argument(
                    name,
                    found,
                    "a table with that column in the names of its folders",
                ));
            }
        }
        Ok(())
    }
}

/// What is needed of `gold/_manifest.json`.
#[derive(Deserialize)]
struct CurrentGold {
    outputs: Vec<OutputFile>,
}

/// The files with the current rows of a table, by kind and date.
pub fn table_files(
    storage: &dyn Storage,
    table: &'static Table,
    filter: &PartitionFilter,
) -> Result<Vec<LakeFile>> {
    filter.check(table)?;
    let mut files = match table.layer() {
        "gold" => gold_files(storage, table)?,
        _ => silver_files(storage, table, filter)?,
    };
    files.retain(|file| filter.takes(file.kind, file.dt));
    files.sort_by_key(|file| (file.kind, file.dt));
    Ok(files)
}

fn current_gold(storage: &dyn Storage) -> Result<(CurrentGold, Version)> {
    let (gold, version) = manifest::read::<CurrentGold>(storage, layout::GOLD_MANIFEST.to_owned())?;
    let missing = || Error::SourceNotFound {
        uri: format!("{}/{}", storage.root(), layout::GOLD_MANIFEST),
        expected: "the manifest of the gold layer; run the gold step first".to_owned(),
    };
    Ok((gold.ok_or_else(missing)?, version))
}

/// The date that the current tables have reached; `None` without gold.
pub fn current_date(storage: &dyn Storage) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Gold {
        numbers: ReachedDate,
    }
    let (gold, _) = manifest::read::<Gold>(storage, layout::GOLD_MANIFEST.to_owned())?;
    Ok(gold.map(|gold| gold.numbers.as_of))
}

fn gold_files(storage: &dyn Storage, table: &Table) -> Result<Vec<LakeFile>> {
    let (gold, version) = current_gold(storage)?;
    let manifest = Arc::new(version);
    let folder = format!("{}/", table.folder);
    let files = gold
        .outputs
        .into_iter()
        .filter(|file| file.path.starts_with(&folder));
    let files: Vec<LakeFile> = files
        .map(|file| LakeFile {
            kind: layout::kind_of(&file.path),
            dt: layout::date_of(&file.path),
            file,
            manifest: Arc::clone(&manifest),
        })
        .collect();
    if files.is_empty() && table.partitions.is_empty() {
        return Err(Error::SourceNotFound {
            uri: format!("{}/{}", storage.root(), table.folder),
            expected: "a gold layer of this version; run the gold step again".to_owned(),
        });
    }
    Ok(files)
}

/// The files of a silver table in all partitions that were delivered.
fn silver_files(storage: &dyn Storage, table: &Table, filter: &PartitionFilter) -> Result<Vec<LakeFile>> {
    let mut files = Vec::new();
    for source in SourceTable::ALL {
        for dt in delivered_dates(storage, source)? {
            let kind = source.publication_kind();
            if !filter.takes(kind, Some(dt)) {
                continue;
            }
            let path = match (kind, table) {
                (_, table) if *table == REJECTED => layout::rejected(source, dt),
                (kind, table) if kind.is_none() != (*table == DRUGS) => continue,
                (None, _) => layout::silver_part(source, dt),
                (Some(_), table) if *table == PUBLICATIONS => layout::silver_part(source, dt),
                (Some(kind), table) => layout::partition_file(table, kind, dt),
            };
            files.extend(files_of_partition(storage, source, dt, &path)?);
        }
    }
    Ok(files)
}

fn files_of_partition(
    storage: &dyn Storage,
    source: SourceTable,
    dt: Dt,
    path: &str,
) -> Result<Vec<LakeFile>> {
    let (found, version) = manifest::read::<SilverManifest>(storage, layout::silver_manifest(source, dt))?;
    let manifest = Arc::new(version);
    let outputs = found.map(|found| found.outputs).unwrap_or_default().into_iter();
    let files = outputs.filter(|file| file.path == path).map(|file| LakeFile {
        file,
        kind: source.publication_kind(),
        dt: Some(dt),
        manifest: Arc::clone(&manifest),
    });
    Ok(files.collect())
}
