//! All steps of one partition, one after the other, and reading the result.

use std::time::Instant;

use super::bronze::{BronzeSource, bronze_reserved, find_files};
use super::dt::Dt;
use super::gold::{GoldSettings, gold_reserved};
use super::inputs::damage;
use super::layout;
use super::manifest::{self, first_changed};
use super::report::StepReport;
use super::silver::{SilverSettings, silver_reserved};
use super::verify::Published;
use crate::error::{Error, Result};
use crate::graph::{DrugGraph, read_json};
use crate::schema::SourceTable;
use crate::storage::source::SourceFile;
use crate::storage::{Sharing, Storage, sha256_hex};
use crate::task::Task;

/// Runs bronze, silver and gold. While it runs, no other run of the same `dt` starts in this lake.
pub fn run(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    dt: Dt,
    silver: SilverSettings,
    gold: &GoldSettings,
    task: &Task,
) -> Result<StepReport> {
    let started = Instant::now();
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
    drop(reservation);
    Ok(report)
}

/// A gold layer may be exchanged between the reading of two of its files; so often they are read anew.
const TRIES: usize = 5;

/// The graph of a lake, held against the digest in the manifest of its gold layer.
pub fn read_graph(storage: &dyn Storage) -> Result<DrugGraph> {
    let uri = format!("{}/{}", storage.root(), layout::DRUG_GRAPH);
    let mut tries = 0;
    loop {
        let (published, version) = manifest::read::<Published>(storage, layout::GOLD_MANIFEST.to_owned())?;
        let bytes = storage
            .read(layout::DRUG_GRAPH)?
            .ok_or_else(|| Error::SourceNotFound {
                uri: uri.clone(),
                expected: "the graph of a lake; run the gold step first".to_owned(),
            })?;
        let graph = read_json(&bytes, &uri)?;
        let outputs = published.map(|published| published.outputs).unwrap_or_default();
        let written = outputs.iter().find(|output| output.path == layout::DRUG_GRAPH);
        let found = sha256_hex(&bytes);
        let Some(written) = written.filter(|written| written.sha256 != found) else {
            return Ok(graph);
        };
        tries += 1;
        if tries == TRIES || first_changed(storage, &[version])?.is_none() {
            return Err(Error::storage(uri, "read", damage(&found, &written.sha256)));
        }
    }
}
