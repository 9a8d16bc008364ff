//! What a run would do, and why: the sources against the copies in bronze, then the plan of gold. Changes nothing.

use std::io::Read;

use serde::Serialize;

use super::bronze::{BronzeSource, find_files};
use super::gold::{GoldPlan, GoldSettings, explain_plan};
use super::silver::{SilverSettings, would_clean};
use crate::error::{Error, Result};
use crate::lake::documents::{BronzeFile, BronzeManifest};
use crate::lake::dt::Dt;
use crate::lake::{layout, manifest};
use crate::storage::source::SourceFile;
use crate::storage::{Digest256, Storage};
use crate::task::Task;

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunPlan {
    pub dt: String,
    /// For bronze and silver.
    pub sources: Vec<PlannedSource>,
    /// For gold, as the lake is now: partitions of sources with a change are added. `None` where gold has nothing to begin
    /// with yet.
    pub gold: Option<GoldPlan>,
}

/// A source in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedSource {
    pub name: String,
    pub files: u64,
    pub bytes: u64,
    /// Whether it would be copied and cleaned.
    pub changed: bool,
    pub reason: String,
}

/// Reads all sources, and compares them with the copies that bronze has.
pub fn plan_run(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    dt: Dt,
    (silver, gold): (&SilverSettings, &GoldSettings),
    task: &Task,
) -> Result<RunPlan> {
    let mut planned = Vec::new();
    for source in sources {
        let mut plan = plan_source(storage, source, dt, task)?;
        if !plan.changed && would_clean(storage, source.table, dt, silver, task)? {
            plan.changed = true;
            plan.reason =
                "silver has not cleaned it, or with other settings, or its files are missing".to_owned();
        }
        planned.push(plan);
    }
    let gold = match explain_plan(storage, dt, gold, task) {
        Ok(plan) => Some(plan),
        Err(Error::SourceNotFound { .. }) => None,
        Err(error) => return Err(error),
    };
    Ok(RunPlan {
        dt: dt.to_string(),
        sources: planned,
        gold,
    })
}

fn plan_source(storage: &dyn Storage, source: &BronzeSource, dt: Dt, task: &Task) -> Result<PlannedSource> {
    let path = format!("{}/{}", layout::bronze(&source.name, dt), layout::MANIFEST);
    let (before, _) = manifest::read_own::<BronzeManifest>(storage, path)?;
    let (mut files, mut bytes, mut others) = (0, 0, 0);
    let copies: &[BronzeFile] = before.as_ref().map_or(&[], |before| &before.files);
    for file in find_files(source, task)? {
        let (length, sha256) = digest(&file, task)?;
        files += 1;
        bytes += length;
        let is_copied = |copy: &&BronzeFile| copy.uri == file.uri && copy.sha256 == sha256;
        others += u64::from(copies.iter().find(is_copied).is_none());
    }
    let gone = (copies.len() as u64).saturating_sub(files - others);
    let is_snapshot = |claim: bool| if claim { "a snapshot" } else { "no snapshot" };
    let was_snapshot = before.as_ref().is_some_and(|before| before.snapshot.is_some());
    let reason = match (&before, others, gone) {
        (Some(_), 0, 0) if was_snapshot != source.snapshot.is_some() => format!(
            "bronze has copies of the same bytes as {}, and this is {}",
            is_snapshot(was_snapshot),
            is_snapshot(!was_snapshot)
        ),
        (None, ..) => format!("bronze has no copies of dt={dt}"),
        (Some(_), 0, 0) => "bronze has copies of the same bytes".to_owned(),
        (Some(_), 0, gone) => format!("{gone} files of the copies are not delivered any more"),
        (Some(_), others, _) => format!("{others} of {files} files are new or have other bytes"),
    };
    Ok(PlannedSource {
        name: source.name.clone(),
        files,
        bytes,
        changed: before.is_none() || others + gone > 0 || was_snapshot != source.snapshot.is_some(),
        reason,
    })
}

/// The length and digest of a source file.
fn digest(file: &SourceFile, task: &Task) -> Result<(u64, String)> {
    let (mut input, digest) = (file.open()?, Digest256::default());
    let mut buffer = vec![0; 1 << 18];
    loop {
        task.check()?;
        match input.read(&mut buffer) {
            Ok(0) => return Ok(digest.finish()),
            Ok(read) => digest.add(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::storage(&file.uri, "read the source", error)),
        }
    }
}
