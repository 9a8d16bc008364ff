//! What is in a lake, as tables: its tables and their files, the state of each date, and its runs.

use std::collections::BTreeSet;

use polars::prelude::DataFrame;

use crate::error::{Error, Result};
use crate::lake::documents::SilverManifest;
use crate::lake::holds::HeldDates;
use crate::lake::partitions::delivered_dates;
use crate::lake::report::{RunRecord, read_history};
use crate::lake::states::{KeepStates, states, vacuum};
use crate::lake::table_files::{LakeFile, PartitionFilter, current_date, table_files};
use crate::lake::{layout, manifest};
use crate::quality::Totals;
use crate::row_frame::RowFrame;
use crate::schema::{PublicationKind, SourceTable, TABLES, find_table};
use crate::steps::gold::compact::compact;
use crate::storage::Storage;
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// Every table: its layer, its rows and files in the current state, and what a row is.
pub fn lake_tables(storage: &dyn Storage) -> Result<DataFrame> {
    require_lake(storage)?;
    let mut tables = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let files = match table_files(storage, table, &PartitionFilter::default()) {
            Ok(found) => found,
            // Gold does not exist yet.
            Err(Error::SourceNotFound { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        tables.push((*table, files));
    }
    let sum =
        |files: &[LakeFile], of: fn(&OutputFile) -> u64| files.iter().map(|file| of(&file.file)).sum::<u64>();
    RowFrame::of(&tables)
        .column("table", |(table, _)| table.name)
        .column("layer", |(table, _)| table.layer())
        .count("rows", |(_, files)| sum(files, |file| file.rows))
        .count("bytes", |(_, files)| sum(files, |file| file.bytes))
        .count("files", |(_, files)| files.len() as u64)
        .count("partitions", |(_, files)| {
            let places: BTreeSet<_> = files.iter().map(|file| (file.kind, file.dt)).collect();
            places.len() as u64
        })
        .column("description", |(table, _)| table.description)
        .finish()
}

/// The files with the current rows of a table, by kind and date. Each can be read by any Parquet reader, without any other.
pub fn lake_files(storage: &dyn Storage, table: &str, filter: &PartitionFilter) -> Result<DataFrame> {
    let files = table_files(storage, find_table(table)?, filter)?;
    let uris = files.iter().map(|file| storage.uri(&file.file.path));
    let files: Vec<(String, &LakeFile)> = uris
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .zip(&files)
        .collect();
    RowFrame::of(&files)
        .column("uri", |(uri, _)| uri.as_str())
        .column("dt", |(_, file)| file.dt.map(|dt| dt.to_string()))
        .column("kind", |(_, file)| file.kind.map(PublicationKind::name))
        .count("rows", |(_, file)| file.file.rows)
        .count("bytes", |(_, file)| file.file.bytes)
        .column("sha256", |(_, file)| file.file.sha256.as_str())
        .finish()
}

/// Every delivered partition: its rows, the share that was rejected, whether it is a snapshot and whether its date is held, and
/// the date that gold has reached.
pub fn lake_status(storage: &dyn Storage) -> Result<DataFrame> {
    require_lake(storage)?;
    let as_of = current_date(storage)?;
    let held = HeldDates::read(storage)?;
    let mut all = Vec::new();
    for table in SourceTable::ALL {
        for dt in delivered_dates(storage, table)? {
            let (found, _) = manifest::read::<SilverManifest>(storage, layout::silver_manifest(table, dt))?;
            let totals: Totals = found.iter().flat_map(|found| &found.sources).collect();
            let is_snapshot = found.is_some_and(|found| found.snapshot);
            all.push((dt, table, totals, is_snapshot));
        }
    }
    all.sort_by_key(|(dt, ..)| *dt);
    let share = |totals: &Totals| match totals.rows_in {
        0 => 0.0,
        rows => totals.rows_rejected as f64 / rows as f64,
    };
    RowFrame::of(&all)
        .column("dt", |(dt, ..)| dt.to_string())
        .column("table", |(_, table, ..)| table.name())
        .count("rows_in", |(.., totals, _)| totals.rows_in)
        .count("rows_kept", |(.., totals, _)| totals.rows_kept)
        .count("rows_merged", |(.., totals, _)| totals.rows_merged)
        .count("rows_rejected", |(.., totals, _)| totals.rows_rejected)
        .column("rejected_share", |(.., totals, _)| share(totals))
        .column("snapshot", |(.., is_snapshot)| *is_snapshot)
        .column("held", |(dt, ..)| held.has(*dt))
        .column("reason", |(dt, ..)| held.reason(*dt))
        .column("as_of", |_| as_of.as_deref())
        .finish()
}

/// Fails for a folder that has files and none of the layers of a lake: most likely another folder was meant.
fn require_lake(storage: &dyn Storage) -> Result<()> {
    let has_layer = |layer: &str| storage.list(layer).map(|names| !names.is_empty());
    let is_lake = has_layer(layout::BRONZE)? || has_layer(layout::SILVER)? || has_layer(layout::GOLD)?;
    if is_lake || storage.list("")?.iter().all(|name| name.starts_with('.')) {
        return Ok(());
    }
    Err(Error::SourceNotFound {
        uri: storage.root(),
        expected: "the root of a lake, with `bronze`, `silver` or `gold` in it".to_owned(),
    })
}

/// The states of gold that can be read, one row each, the first one first.
pub fn lake_states(storage: &dyn Storage) -> Result<DataFrame> {
    RowFrame::of(&states(storage)?)
        .count("state", |record| record.state)
        .column("committed_at", |record| record.committed_at.as_str())
        .column("run_id", |record| record.run_id.as_str())
        .column("version", |record| record.version.as_str())
        .column("as_of", |record| record.as_of.as_str())
        .count("publications", |record| record.publications)
        .count("mentions", |record| record.mentions)
        .count("pairs", |record| record.pairs)
        .finish()
}

/// Gives up earlier states; returns the paths that are removed, or would be.
pub fn lake_vacuum(storage: &dyn Storage, keep: KeepStates, dry_run: bool) -> Result<DataFrame> {
    RowFrame::of(&vacuum(storage, keep, dry_run)?.paths)
        .column("path", String::as_str)
        .finish()
}

/// Compacts the index of gold; the files that were written, one row each.
pub fn lake_compact(storage: &dyn Storage, older_than_days: u32, task: &Task) -> Result<DataFrame> {
    RowFrame::of(&compact(storage, older_than_days, task)?)
        .column("path", |file| file.path.as_str())
        .count("partitions", |file| file.partitions)
        .count("bytes", |file| file.bytes)
        .finish()
}

/// The runs that changed a lake, one row each, the first one first.
pub fn lake_history(storage: &dyn Storage) -> Result<DataFrame> {
    let records = read_history(storage)?;
    let settings = |record: &RunRecord| {
        serde_json::to_string(&record.settings)
            .map_err(|error| Error::internal(format!("settings as JSON: {error}")))
    };
    let settings = records.iter().map(settings).collect::<Result<Vec<String>>>()?;
    let runs: Vec<(&RunRecord, String)> = records.iter().zip(settings).collect();
    let number = |number: Option<u64>| number.map(u64::cast_signed);
    RowFrame::of(&runs)
        .column("run_id", |(run, _)| run.run_id.as_str())
        .column("started_at", |(run, _)| run.started_at.as_str())
        .column("seconds", |(run, _)| run.seconds)
        .column("version", |(run, _)| run.version.as_str())
        .column("step", |(run, _)| run.step.as_str())
        .column("dt", |(run, _)| run.dt.as_str())
        .column("settings", |(_, settings)| settings.as_str())
        .count("rows_in", |(run, _)| run.rows_in)
        .count("rows_kept", |(run, _)| run.rows_kept)
        .count("rows_merged", |(run, _)| run.rows_merged)
        .count("rows_rejected", |(run, _)| run.rows_rejected)
        .column("publications", |(run, _)| number(run.publications))
        .column("mentions", |(run, _)| number(run.mentions))
        .column("pairs", |(run, _)| number(run.pairs))
        .finish()
}
