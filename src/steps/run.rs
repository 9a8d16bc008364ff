//! Runs all steps of one partition.

use super::bronze::{BronzeSource, bronze_reserved, find_files};
use super::gold::{GoldSettings, gold_reserved};
use super::silver::{SilverSettings, silver_reserved};
use crate::error::Result;
use crate::lake::dt::Dt;
use crate::lake::report::{StepReport, StepStart};
use crate::schema::SourceTable;
use crate::storage::source::SourceFile;
use crate::storage::{Sharing, Storage};
use crate::task::Task;

/// Runs bronze, silver and gold. On a disk, a second run of the same `dt` fails meanwhile; in a bucket, the commits
/// detect conflicts.
pub fn run(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    dt: Dt,
    silver: SilverSettings,
    gold: &GoldSettings,
    task: &Task,
) -> Result<StepReport> {
    let started = StepStart::now(task);
    let files: Vec<Vec<SourceFile>> = sources
        .iter()
        .map(|source| find_files(source, task))
        .collect::<Result<_>>()?;
    let reservation = storage.reserve(&format!("dt={dt}"), Sharing::Alone)?;
    let tables: Vec<SourceTable> = sources.iter().map(|source| source.table).collect();
    let bronze = bronze_reserved(storage, sources, &files, dt, task)?;
    let silver = silver_reserved(storage, Some(&tables), dt, silver, task)?;
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
