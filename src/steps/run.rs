//! Runs all steps of one partition.

use super::bronze::{BronzeSource, bronze_reserved, find_files};
use super::gold::{GoldSettings, gold_reserved};
use super::silver::{SilverSettings, silver_reserved};
use crate::error::{Error, Result};
use crate::lake::dt::Dt;
use crate::lake::report::{StepReport, StepStart};
use crate::lake::vocabulary::require_vocabulary;
use crate::schema::SourceTable;
use crate::storage::source::SourceFile;
use crate::storage::{Sharing, Storage};
use crate::task::Task;

/// Runs bronze, silver and gold. Without a vocabulary among the sources, gold takes the newest one of the lake, which must
/// have one. On a disk, a second run of the same `dt` fails meanwhile; in a bucket, the commits detect conflicts.
pub fn run(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    dt: Dt,
    silver: &SilverSettings,
    gold: &GoldSettings,
    task: &Task,
) -> Result<StepReport> {
    let started = StepStart::now(task);
    let files = find_all(sources, task)?;
    check_vocabulary(storage, sources, dt)?;
    let reservation = storage.reserve(&format!("dt={dt}"), Sharing::Alone)?;
    let [bronze, silver] = deliver(storage, sources, &files, dt, silver, task)?;
    let gold = gold_reserved(storage, dt, gold, task)?;
    let mut report = StepReport::together("run", dt, storage, &[silver.clone(), gold.clone()], started);
    report.unchanged &= bronze.unchanged;
    report.gold = gold.gold.clone();
    report.held = gold.held.clone();
    report.steps = vec![bronze, silver, gold];
    report.save(storage, dt, "run")?;
    report.record(storage)?;
    drop(reservation);
    Ok(report)
}

/// The files of all sources, found before the first is copied.
pub(super) fn find_all(sources: &[BronzeSource], task: &Task) -> Result<Vec<Vec<SourceFile>>> {
    if sources.is_empty() {
        let expected = format!("at least one of {}", SourceTable::names(""));
        return Err(Error::argument("run", "no source", expected));
    }
    sources.iter().map(|source| find_files(source, task)).collect()
}

/// Fails if neither the sources nor the lake have a vocabulary for gold of `dt`.
pub(super) fn check_vocabulary(storage: &dyn Storage, sources: &[BronzeSource], dt: Dt) -> Result<()> {
    if sources.iter().any(|source| source.table == SourceTable::Drugs) {
        return Ok(());
    }
    require_vocabulary(storage, dt)
}

/// Bronze and silver of some sources, for a caller that has the reservation.
pub(super) fn deliver(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    files: &[Vec<SourceFile>],
    dt: Dt,
    silver: &SilverSettings,
    task: &Task,
) -> Result<[StepReport; 2]> {
    let tables: Vec<SourceTable> = sources.iter().map(|source| source.table).collect();
    let bronze = bronze_reserved(storage, sources, files, dt, task)?;
    let silver = silver_reserved(storage, Some(&tables), dt, silver, task)?;
    Ok([bronze, silver])
}
