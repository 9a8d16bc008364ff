//! Gold: turns silver partitions into mentions, the graph and the answers.
//!
//! Gold reads the newest state of every publication over all partitions up to a date, and never goes back in time: a
//! backfill of an earlier day, in a lake that already has later ones, rebuilds the graph of the latest day. A held date
//! counts as not delivered.
//!
//! Its cost is that of the change. A partition's files are in chunks of rows; of each the [index](crate::gold::chunk_index)
//! says what it adds to the answers. A run finds out which chunks the change touches (`plan`, `liveness`, `names`), makes
//! those again (`chunks`), and takes from the sums of all what they added before (`answers`). What it writes is, to the byte,
//! what a run in an empty gold layer would write.

mod answers;
mod attempt;
mod chunks;
pub mod compact;
mod count_deltas;
mod delivered;
mod explain;
mod graph_file;
mod index;
mod journal_tables;
mod liveness;
mod names;
mod plan;
mod settings;
mod vocabulary;

use std::cell::Cell;
use std::collections::BTreeMap;

use attempt::Attempt;
pub use plan::{GoldPlan, PartitionChange, PlannedPartition};
use serde::{Deserialize, Serialize};
pub use settings::GoldSettings;
pub(crate) use settings::{MentionsOrigin, search_of_record};

use crate::error::{Error, Result};
use crate::gold::places::MentionPlaces;
use crate::lake::documents::first_format;
use crate::lake::dt::Dt;
use crate::lake::report::{GoldNumbers, ReportSettings, StepReport, StepStart};
use crate::lake::{layout, manifest};
use crate::storage::{Sharing, Storage};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// Attempts, because another run may commit while this one computes; each attempt starts from the newest state.
const TRIES: usize = 5;

/// The gold layer's `gold/_manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct GoldManifest {
    /// The format of the tables.
    #[serde(default = "first_format")]
    format: u32,
    /// Digest of all silver manifests, the settings and the version.
    fingerprint: String,
    /// How its files are made; files that another version or other settings made are not used again.
    #[serde(default)]
    made_with: String,
    /// The vocabulary and the settings of all mentions.
    #[serde(default)]
    mentions_made_with: String,
    #[serde(default)]
    vocabulary: VocabularyState,
    /// The state of each silver partition, by the folder of its publications.
    #[serde(default)]
    states: BTreeMap<String, PartitionState>,
    outputs: Vec<OutputFile>,
    /// As a report has them.
    #[serde(default)]
    settings: ReportSettings,
    numbers: GoldNumbers,
    /// The date that gold has reached, if held dates keep the graph at an earlier one. After their release the graph
    /// continues from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reached: Option<String>,
}

impl GoldManifest {
    fn reached(&self) -> Option<Dt> {
        let reached = self.reached.as_deref().unwrap_or(&self.numbers.as_of);
        Dt::parse(reached).ok()
    }
}

/// The vocabulary of a gold layer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct VocabularyState {
    /// The fingerprint of the silver partition.
    silver: String,
    /// The digest of its entries: the same vocabulary, delivered again, is no reason to search again.
    entries: String,
}

/// A silver partition in gold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PartitionState {
    /// The fingerprint of the silver partition.
    silver: String,
    /// The index of its publications.
    keys: KeysFile,
    /// Its rows that are not the state of their publication any more.
    superseded: u64,
    deleted: u64,
    chunks: Vec<ChunkState>,
}

/// The keys of a partition: a file, or a part of one that has those of several partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeysFile {
    file: OutputFile,
    /// The first byte and the number of bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<(u64, u64)>,
}

/// Some rows of a silver partition, in gold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ChunkState {
    /// How many rows of silver.
    rows: u64,
    publications: OutputFile,
    mentions: OutputFile,
    index: OutputFile,
    places: MentionPlaces,
    /// How many of its publications were not searched because of their status.
    #[serde(default)]
    excluded: u64,
}

impl PartitionState {
    /// All its files.
    fn files(&self) -> impl Iterator<Item = &OutputFile> {
        let chunks = self.chunks.iter();
        std::iter::once(&self.keys.file)
            .chain(chunks.flat_map(|chunk| [&chunk.publications, &chunk.mentions, &chunk.index]))
    }
}

/// Finds the mentions and writes the graph and the answers, for all partitions up to `dt`.
pub fn gold(storage: &dyn Storage, dt: Dt, settings: &GoldSettings, task: &Task) -> Result<StepReport> {
    let _reservation = storage.reserve(&format!("dt={dt}"), Sharing::Shared)?;
    let report = gold_reserved(storage, dt, settings, task)?;
    report.record(storage)?;
    Ok(report)
}

/// The settings and the newest date of the gold layer of a lake; `None` if there is none, or if its settings are not known.
pub(crate) fn settings_of_lake(storage: &dyn Storage) -> Result<Option<(GoldSettings, Option<Dt>)>> {
    let (old, _) = manifest::read::<GoldManifest>(storage, layout::GOLD_MANIFEST.to_owned())?;
    let old = old.and_then(|old| Some((GoldSettings::of_record(&old.settings)?, old.reached())));
    Ok(old)
}

/// What [`gold`] would do now, and why.
pub fn explain_plan(storage: &dyn Storage, dt: Dt, settings: &GoldSettings, task: &Task) -> Result<GoldPlan> {
    let index_fault = Cell::new(false);
    Attempt::new(storage, dt, settings, task, &index_fault)?.explain()
}

/// Makes gold for a caller that already has the reservation.
pub(crate) fn gold_reserved(
    storage: &dyn Storage,
    dt: Dt,
    settings: &GoldSettings,
    task: &Task,
) -> Result<StepReport> {
    task.enter("gold");
    let started = StepStart::now(task);
    let mut tries = 0;
    // A damaged index is no reason to fail: everything is made again without it.
    let index_fault = Cell::new(false);
    loop {
        let had_fault = index_fault.get();
        let attempt = Attempt::new(storage, dt, settings, task, &index_fault)
            .and_then(|attempt| attempt.make(started.clone()));
        match attempt {
            Err(Error::Conflict { .. }) if tries + 1 < TRIES => tries += 1,
            Err(_) if index_fault.get() && !had_fault => {}
            Ok(report) => {
                report.save(storage, dt, "gold")?;
                return Ok(report);
            }
            other => return other,
        }
    }
}
