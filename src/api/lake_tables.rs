//! What is in a lake, as tables: its tables and their files, the state of each date, and its runs.

use std::collections::BTreeSet;

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};

use crate::error::{Error, Result};
use crate::lake::documents::SilverManifest;
use crate::lake::holds::HeldDates;
use crate::lake::partitions::delivered_dates;
use crate::lake::report::{RunRecord, read_history};
use crate::lake::states::{KeepStates, StateRecord, states, vacuum};
use crate::lake::table_files::{PartitionFilter, current_date, table_files};
use crate::lake::{layout, manifest};
use crate::quality::Totals;
use crate::schema::{PublicationKind, SourceTable, TABLES, Table, find_table};
use crate::steps::gold::compact::{CompactedFile, compact};
use crate::storage::Storage;
use crate::task::Task;

fn column<T, P: ?Sized>(name: &str, values: T) -> Column
where
    Series: NamedFrom<T, P>,
{
    Series::new(name.into(), values).into_column()
}

/// Every table: its layer, its rows and files in the current state, and what a row is.
pub fn lake_tables(storage: &dyn Storage) -> Result<DataFrame> {
    require_lake(storage)?;
    let (mut rows, mut bytes, mut files, mut partitions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for table in TABLES {
        let found = match table_files(storage, table, &PartitionFilter::default()) {
            Ok(found) => found,
            // Gold does not exist yet.
            Err(Error::SourceNotFound { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let places: BTreeSet<_> = found.iter().map(|file| (file.kind, file.dt)).collect();
        rows.push(found.iter().map(|file| file.file.rows).sum::<u64>().cast_signed());
        bytes.push(
            found
                .iter()
                .map(|file| file.file.bytes)
                .sum::<u64>()
                .cast_signed(),
        );
        files.push(found.len() as i64);
        partitions.push(places.len() as i64);
    }
    let text = |name: &str, value: fn(&Table) -> &'static str| {
        column(
            name,
            TABLES.iter().map(|table| value(table)).collect::<Vec<&str>>(),
        )
    };
    let columns = vec![
        text("table", |table| table.name),
        text("layer", Table::layer),
        column("rows", rows),
        column("bytes", bytes),
        column("files", files),
        column("partitions", partitions),
        text("description", |table| table.description),
    ];
    Ok(DataFrame::new(TABLES.len(), columns)?)
}

/// The files with the current rows of a table, by kind and date. Each can be read by any Parquet reader, without any other.
pub fn lake_files(storage: &dyn Storage, table: &str, filter: &PartitionFilter) -> Result<DataFrame> {
    let files = table_files(storage, find_table(table)?, filter)?;
    let uris = files.iter().map(|file| storage.uri(&file.file.path));
    let columns = vec![
        column("uri", uris.collect::<Result<Vec<String>>>()?),
        column(
            "dt",
            files
                .iter()
                .map(|file| file.dt.map(|dt| dt.to_string()))
                .collect::<Vec<_>>(),
        ),
        column(
            "kind",
            files
                .iter()
                .map(|file| file.kind.map(PublicationKind::name))
                .collect::<Vec<_>>(),
        ),
        column(
            "rows",
            files
                .iter()
                .map(|file| file.file.rows.cast_signed())
                .collect::<Vec<_>>(),
        ),
        column(
            "bytes",
            files
                .iter()
                .map(|file| file.file.bytes.cast_signed())
                .collect::<Vec<_>>(),
        ),
        column(
            "sha256",
            files
                .iter()
                .map(|file| file.file.sha256.as_str())
                .collect::<Vec<_>>(),
        ),
    ];
    Ok(DataFrame::new(files.len(), columns)?)
}

/// Every delivered partition: its rows, the share that was rejected, whether its date is held, and the date that gold has
/// reached.
pub fn lake_status(storage: &dyn Storage) -> Result<DataFrame> {
    require_lake(storage)?;
    let as_of = current_date(storage)?;
    let held = HeldDates::read(storage)?;
    let mut all = Vec::new();
    for table in SourceTable::ALL {
        for dt in delivered_dates(storage, table)? {
            let (found, _) = manifest::read::<SilverManifest>(storage, layout::silver_manifest(table, dt))?;
            let totals: Totals = found.iter().flat_map(|found| &found.sources).collect();
            all.push((dt, table, totals));
        }
    }
    all.sort_by_key(|(dt, ..)| *dt);
    let number = |name: &str, value: fn(&Totals) -> u64| {
        column(
            name,
            all.iter()
                .map(|(.., totals)| value(totals).cast_signed())
                .collect::<Vec<i64>>(),
        )
    };
    let share = |totals: &Totals| match totals.rows_in {
        0 => 0.0,
        rows => totals.rows_rejected as f64 / rows as f64,
    };
    let columns = vec![
        column(
            "dt",
            all.iter().map(|(dt, ..)| dt.to_string()).collect::<Vec<_>>(),
        ),
        column(
            "table",
            all.iter().map(|(_, table, _)| table.name()).collect::<Vec<_>>(),
        ),
        number("rows_in", |totals| totals.rows_in),
        number("rows_kept", |totals| totals.rows_kept),
        number("rows_merged", |totals| totals.rows_merged),
        number("rows_rejected", |totals| totals.rows_rejected),
        column(
            "rejected_share",
            all.iter().map(|(.., totals)| share(totals)).collect::<Vec<f64>>(),
        ),
        column(
            "held",
            all.iter().map(|(dt, ..)| held.has(*dt)).collect::<Vec<bool>>(),
        ),
        column(
            "reason",
            all.iter().map(|(dt, ..)| held.reason(*dt)).collect::<Vec<_>>(),
        ),
        column("as_of", vec![as_of.as_deref(); all.len()]),
    ];
    Ok(DataFrame::new(all.len(), columns)?)
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
    let records = states(storage)?;
    let text = |name: &str, value: fn(&StateRecord) -> &str| {
        column(name, records.iter().map(value).collect::<Vec<&str>>())
    };
    let number = |name: &str, value: fn(&StateRecord) -> u64| {
        let numbers = records.iter().map(|record| value(record).cast_signed());
        column(name, numbers.collect::<Vec<i64>>())
    };
    let columns = vec![
        number("state", |record| record.state),
        text("committed_at", |record| &record.committed_at),
        text("run_id", |record| &record.run_id),
        text("version", |record| &record.version),
        text("as_of", |record| &record.as_of),
        number("publications", |record| record.publications),
        number("mentions", |record| record.mentions),
        number("pairs", |record| record.pairs),
    ];
    Ok(DataFrame::new(records.len(), columns)?)
}

/// Gives up earlier states; returns the paths that are removed, or would be.
pub fn lake_vacuum(storage: &dyn Storage, keep: KeepStates, dry_run: bool) -> Result<DataFrame> {
    let expired = vacuum(storage, keep, dry_run)?;
    Ok(DataFrame::new(
        expired.paths.len(),
        vec![column("path", expired.paths)],
    )?)
}

/// Compacts the index of gold; the files that were written, one row each.
pub fn lake_compact(storage: &dyn Storage, older_than_days: u32, task: &Task) -> Result<DataFrame> {
    let files = compact(storage, older_than_days, task)?;
    let number = |name: &str, value: fn(&CompactedFile) -> u64| {
        let numbers = files.iter().map(|file| value(file).cast_signed());
        column(name, numbers.collect::<Vec<i64>>())
    };
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let columns = vec![
        column("path", paths),
        number("partitions", |file| file.partitions),
        number("bytes", |file| file.bytes),
    ];
    Ok(DataFrame::new(files.len(), columns)?)
}

/// The runs that changed a lake, one row each, the first one first.
pub fn lake_history(storage: &dyn Storage) -> Result<DataFrame> {
    let records = read_history(storage)?;
    let text = |name: &str, value: fn(&RunRecord) -> &str| {
        column(name, records.iter().map(value).collect::<Vec<&str>>())
    };
    let number = |name: &str, value: fn(&RunRecord) -> Option<u64>| {
        let numbers = records.iter().map(|record| value(record).map(u64::cast_signed));
        column(name, numbers.collect::<Vec<Option<i64>>>())
    };
    let settings = records
        .iter()
        .map(|record| serde_json::to_string(&record.settings));
    let settings = settings.collect::<std::result::Result<Vec<String>, _>>();
    let settings = settings.map_err(|error| Error::internal(format!("settings as JSON: {error}")))?;
    let columns = vec![
        text("run_id", |record| &record.run_id),
        text("started_at", |record| &record.started_at),
        column(
            "seconds",
            records.iter().map(|record| record.seconds).collect::<Vec<f64>>(),
        ),
        text("version", |record| &record.version),
        text("step", |record| &record.step),
        text("dt", |record| &record.dt),
        column("settings", settings),
        number("rows_in", |record| Some(record.rows_in)),
        number("rows_kept", |record| Some(record.rows_kept)),
        number("rows_merged", |record| Some(record.rows_merged)),
        number("rows_rejected", |record| Some(record.rows_rejected)),
        number("publications", |record| record.publications),
        number("mentions", |record| record.mentions),
        number("pairs", |record| record.pairs),
    ];
    Ok(DataFrame::new(records.len(), columns)?)
}
