//! Gold: turns silver partitions into mentions, the graph and the answers.
//!
//! Gold reads the newest state of every publication over all partitions up to a date, and never goes back in time: a
//! backfill of an earlier day, in a lake that already has later ones, rebuilds the graph of the latest day. A held date
//! counts as not delivered. The mentions of a partition are recomputed only if its rows, its place in time, the
//! vocabulary or the matcher changed.

mod delivered;
mod files;
mod links;
mod publish;
mod settings;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use delivered::{Delivered, silver_manifest};
use publish::{publish, write_atc_classes, write_vocabulary};
use serde::{Deserialize, Serialize};
pub use settings::GoldSettings;
use state::{StateInput, all_names};

use crate::error::{Error, Result};
use crate::gold::newest::LiveRows;
use crate::gold::places::MentionPlaces;
use crate::graph::LargeGraph;
use crate::lake::documents::{HeldDate, SilverManifest, first_format};
use crate::lake::dt::Dt;
use crate::lake::manifest::{Version, first_changed};
use crate::lake::report::{GoldNumbers, StepReport, StepStart, all_stand};
use crate::lake::vocabulary::read_entries;
use crate::lake::{layout, manifest};
use crate::schema::{
    ATC_CLASSES, CURRENT_DRUGS, CURRENT_PUBLICATIONS, GraphOutput, JOURNAL_DRUGS, JOURNALS, MENTIONS,
    PublicationKind, SourceTable, TABLE_FORMAT,
};
use crate::storage::{Sharing, Storage, sha256_hex};
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
    /// For each silver partition, by the folder of its publications, its files in gold.
    #[serde(default)]
    partitions: BTreeMap<String, PartitionFiles>,
    outputs: Vec<OutputFile>,
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

/// The files of a partition in gold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PartitionFiles {
    /// The digest of what the current publications are made from, and with the vocabulary and the matcher of what the
    /// mentions are made from.
    publications_fingerprint: String,
    mentions_fingerprint: String,
    publications: OutputFile,
    mentions: OutputFile,
    /// The places of the mentions, so that a kept file need not be read again.
    places: MentionPlaces,
}

/// Finds the mentions and writes the graph and the answers, for all partitions up to `dt`.
pub fn gold(storage: &dyn Storage, dt: Dt, settings: &GoldSettings, task: &Task) -> Result<StepReport> {
    let _reservation = storage.reserve(&format!("dt={dt}"), Sharing::Shared)?;
    let report = gold_reserved(storage, dt, settings, task)?;
    report.record(storage)?;
    Ok(report)
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
    loop {
        let attempt =
            Attempt::new(storage, dt, settings, task).and_then(|attempt| attempt.make(started.clone()));
        match attempt {
            Err(Error::Conflict { .. }) if tries + 1 < TRIES => tries += 1,
            Ok(report) => {
                report.save(storage, dt, "gold")?;
                return Ok(report);
            }
            other => return other,
        }
    }
}

/// A silver partition of publications.
struct GoldPartition {
    kind: PublicationKind,
    dt: Dt,
    manifest: SilverManifest,
    /// The rows that are the newest state of their publication.
    live: LiveRows,
    /// The digest of its rows, of those that are live, and of the display names of their journals.
    fingerprint: String,
}

impl GoldPartition {
    fn path(&self) -> String {
        layout::silver_part(self.kind.source_table(), self.dt)
    }

    fn deleted(&self) -> String {
        layout::deleted(self.kind, self.dt)
    }

    fn journals(&self) -> String {
        layout::journal_ids(self.kind, self.dt)
    }

    /// Whether silver wrote this file with the partition; some files exist only if they have rows.
    fn has(&self, path: &str) -> bool {
        self.manifest.outputs.iter().any(|output| output.path == path)
    }

    fn mentions(&self) -> String {
        layout::partition_file(&MENTIONS, self.kind, self.dt)
    }

    fn publications(&self) -> String {
        layout::partition_file(&CURRENT_PUBLICATIONS, self.kind, self.dt)
    }
}

/// One attempt at the gold layer, from the state of silver when it began.
struct Attempt<'a> {
    storage: &'a dyn Storage,
    dt: Dt,
    as_of: Dt,
    settings: &'a GoldSettings,
    task: &'a Task,
    /// The date that gold reaches with this attempt, if it differs from the graph's.
    reached: Option<String>,
    held: Vec<HeldDate>,
    /// The manifests of gold and of every silver partition, and the holds of all dates, as this attempt read them.
    versions: Vec<Version>,
    old: Option<GoldManifest>,
    drugs: Dt,
    drugs_fingerprint: String,
    drugs_outputs: Vec<OutputFile>,
    partitions: Vec<GoldPartition>,
}

impl<'a> Attempt<'a> {
    fn new(storage: &'a dyn Storage, dt: Dt, settings: &'a GoldSettings, task: &'a Task) -> Result<Self> {
        let (old, version) = manifest::read::<GoldManifest>(storage, layout::GOLD_MANIFEST.to_owned())?;
        let delivered = Delivered::find(storage, dt, old.as_ref().and_then(GoldManifest::reached))?;
        let as_of = delivered.as_of();
        let mut versions = vec![version];
        versions.extend(delivered.holds());
        let drugs = delivered.newest_drugs(storage)?;
        let drugs_manifest = silver_manifest(storage, (SourceTable::Drugs, drugs), &mut versions)?;
        let mut partitions = Vec::new();
        for kind in PublicationKind::ALL {
            for dt in delivered.publications(kind) {
                let manifest = silver_manifest(storage, (kind.source_table(), dt), &mut versions)?;
                partitions.push(GoldPartition {
                    kind,
                    dt,
                    manifest,
                    live: LiveRows::default(),
                    fingerprint: String::new(),
                });
            }
        }
        let drugs_fingerprint = drugs_manifest.fingerprint;
        Ok(Self {
            storage,
            dt,
            as_of,
            reached: Some(delivered.reached())
                .filter(|reached| *reached != as_of)
                .map(|reached| reached.to_string()),
            held: delivered.held_back(),
            settings,
            task,
            versions,
            old,
            drugs,
            drugs_fingerprint,
            drugs_outputs: drugs_manifest.outputs,
            partitions,
        })
    }

    fn make(mut self, started: StepStart) -> Result<StepReport> {
        let fingerprint = self.fingerprint();
        let same = self
            .old
            .as_ref()
            .filter(|old| old.fingerprint == fingerprint && old.reached == self.reached);
        if let Some(old) = same
            && all_stand(&old.outputs, self.storage)?
        {
            return Ok(self.report(old.clone(), true, started));
        }
        self.check_inputs()?;
        let entries = read_entries(self.storage, self.drugs)?;
        let reading = StateInput {
            storage: self.storage,
            task: self.task,
            memory: self.settings.memory,
        };
        let mut transaction = self.storage.begin(&[
            layout::table_file(&JOURNALS),
            layout::table_file(&JOURNAL_DRUGS),
            layout::table_file(&CURRENT_DRUGS),
            layout::table_file(&ATC_CLASSES),
            layout::DRUG_GRAPH.to_owned(),
            layout::TOP_JOURNALS.to_owned(),
            layout::EXCLUSIVE_DRUGS.to_owned(),
            layout::GOLD_MANIFEST.to_owned(),
        ])?;
        let outdated = reading.find_newest(&mut self.partitions, transaction.as_mut())?;
        let journals = reading.display_names(&self.partitions)?;
        let drugs = entries.iter().map(|entry| (&*entry.atccode, &*entry.drug));
        let (answers, memory) = (self.settings.answers, self.settings.memory);
        let mut graph = LargeGraph::new(drugs, all_names(&journals), answers, memory, |name| {
            transaction.scratch(name)
        })?;
        if self.settings.graph == GraphOutput::None {
            graph = graph.without_file();
        }
        reading.add_publications(&mut self.partitions, &journals, &mut graph)?;
        let partitions = self.write_partitions(&entries, &journals, &mut graph, transaction.as_mut())?;
        let places = partitions
            .values()
            .map(|files| files.places.count(answers.unit))
            .sum();
        let counted = (self.as_of, places, outdated);
        let (mut outputs, numbers) = publish(graph, self.settings, counted, transaction.as_mut(), self.task)?;
        outputs.push(write_vocabulary(&entries, transaction.as_mut())?);
        outputs.push(write_atc_classes(&entries, transaction.as_mut())?);
        for files in partitions.values() {
            outputs.extend([files.publications.clone(), files.mentions.clone()]);
        }
        let made: BTreeSet<&str> = outputs.iter().map(|output| output.path.as_str()).collect();
        let old = self.old.iter().flat_map(|old| &old.outputs);
        // A manifest from somebody else may name any file of the lake.
        let is_gone = |path: &str| layout::is_in_gold(path) && !made.contains(path);
        for gone in old.filter(|old| is_gone(&old.path)) {
            transaction.replace(&gone.path)?;
        }
        let manifest = GoldManifest {
            format: TABLE_FORMAT,
            fingerprint,
            partitions,
            outputs,
            numbers,
            reached: self.reached.clone(),
        };
        manifest::write(transaction.as_mut(), layout::GOLD_MANIFEST, &manifest)?;
        self.task.check()?;
        transaction.commit(&self.versions)?;
        Ok(self.report(manifest, false, started))
    }

    /// Checks the digests of all inputs before any is used, because tables are read in pieces.
    fn check_inputs(&self) -> Result<()> {
        let vocabulary = layout::silver_part(SourceTable::Drugs, self.drugs);
        let drugs = self
            .drugs_outputs
            .iter()
            .filter(|output| output.path == vocabulary);
        let publications = self.partitions.iter().flat_map(|partition| {
            let read = [partition.path(), partition.deleted(), partition.journals()];
            let outputs = partition.manifest.outputs.iter();
            outputs.filter(move |output| read.contains(&output.path))
        });
        for output in drugs.chain(publications) {
            if let Err(error) = output.check(self.storage, self.task) {
                return Err(first_changed(self.storage, &self.versions)?.unwrap_or(error));
            }
        }
        Ok(())
    }

    fn fingerprint(&self) -> String {
        let mut text = format!(
            "{} {} {}",
            self.settings.fingerprint(),
            self.as_of,
            self.drugs_fingerprint
        );
        for partition in &self.partitions {
            text.push_str(&format!(
                "\n{} {} {}",
                partition.kind.name(),
                partition.dt,
                partition.manifest.fingerprint
            ));
        }
        sha256_hex(text.as_bytes())
    }

    fn report(&self, manifest: GoldManifest, unchanged: bool, started: StepStart) -> StepReport {
        let mut report = StepReport::new(
            "gold",
            self.dt,
            self.storage,
            Vec::new(),
            manifest.outputs,
            unchanged,
            started,
        );
        report.settings = self.settings.in_report();
        report.gold = Some(manifest.numbers);
        report.held = Some(self.held.clone());
        report
    }
}
