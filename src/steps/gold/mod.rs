//! Gold: turns silver partitions into mentions, the graph and the answers.
//!
//! Gold reads the newest state of every publication over all partitions up to a date, and never goes back in time: a
//! backfill of an earlier day, in a lake that already has later ones, rebuilds the graph of the latest day. A held date
//! counts as not delivered. The mentions of a partition are recomputed only if its rows, its place in time, the
//! vocabulary or the matcher changed.

mod delivered;
mod links;
mod publish;
mod state;

use std::collections::BTreeMap;
use std::time::Instant;

use delivered::{Delivered, silver_manifest};
use links::add_links;
use polars::prelude::{BooleanChunked, NewChunkedArray};
use publish::write_graph;
use serde::{Deserialize, Serialize};
use state::{StateInput, all_names};

use crate::error::{Error, Result};
use crate::gold::journals::DisplayNames;
use crate::gold::mentions::{Substances, columns, find_mentions};
use crate::gold::newest::LiveRows;
use crate::gold::places::MentionPlaces;
use crate::graph::{AnswerSettings, LargeGraph};
use crate::lake::documents::{HeldDate, SilverManifest};
use crate::lake::dt::Dt;
use crate::lake::manifest::{Version, first_changed};
use crate::lake::report::{GoldNumbers, StepReport, all_stand};
use crate::lake::vocabulary::read_entries;
use crate::lake::{layout, manifest};
use crate::matcher::{Matcher, MatcherSettings, VocabularyEntry};
use crate::schema::{MENTIONS, PublicationKind, SourceTable};
use crate::sorting::Bound;
use crate::storage::{Sharing, Storage, Transaction, sha256_hex};
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::{TableWriter, read_frames};
use crate::task::Task;

/// Increment this with every change that alters the outputs for the same silver tables.
const VERSION: u32 = 5;

/// Attempts, because another run may commit while this one computes; each attempt starts from the newest state.
const TRIES: usize = 5;

/// How drugs are found.
#[derive(Debug, Clone, Default)]
pub struct GoldSettings {
    pub matcher: MatcherSettings,
    /// Whether abstracts are searched besides titles.
    pub abstracts: bool,
    pub answers: AnswerSettings,
    /// Bytes of growing data to hold in memory before it goes to a scratch file. It changes no byte of the outputs.
    pub memory: Bound,
}

impl GoldSettings {
    /// The settings that the mentions depend on.
    fn mentions_fingerprint(&self) -> String {
        format!(
            "gold {VERSION} abstracts={} {}",
            self.abstracts,
            self.matcher.fingerprint()
        )
    }

    fn fingerprint(&self) -> String {
        format!(
            "{} unit={} max_exclusive={}",
            self.mentions_fingerprint(),
            self.answers.unit.name(),
            self.answers.max_exclusive
        )
    }
}

/// The gold layer's `gold/_manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct GoldManifest {
    /// Digest of all silver manifests, the settings and the version.
    fingerprint: String,
    /// For each file of mentions, its inputs and its output.
    mentions: BTreeMap<String, MentionsFile>,
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct MentionsFile {
    fingerprint: String,
    output: OutputFile,
    /// The places of its rows, so that a kept file need not be read again.
    #[serde(default)]
    places: MentionPlaces,
}

/// Finds the mentions and writes the graph and the answers, for all partitions up to `dt`.
pub fn gold(storage: &dyn Storage, dt: Dt, settings: &GoldSettings, task: &Task) -> Result<StepReport> {
    let _reservation = storage.reserve(&format!("dt={dt}"), Sharing::Shared)?;
    gold_reserved(storage, dt, settings, task)
}

/// Makes gold for a caller that already has the reservation.
pub(crate) fn gold_reserved(
    storage: &dyn Storage,
    dt: Dt,
    settings: &GoldSettings,
    task: &Task,
) -> Result<StepReport> {
    task.enter("gold");
    let started = Instant::now();
    let mut tries = 0;
    loop {
        let attempt = Attempt::new(storage, dt, settings, task).and_then(|attempt| attempt.make(started));
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
    fingerprint: String,
}

impl GoldPartition {
    fn path(&self) -> String {
        format!(
            "{}/dt={}/{}",
            layout::silver_publications(self.kind),
            self.dt,
            layout::PART
        )
    }

    fn deleted(&self) -> String {
        layout::deleted(self.kind, self.dt)
    }

    fn journals(&self) -> String {
        layout::journals(self.kind, self.dt)
    }

    /// Whether silver wrote this file with the partition; some files exist only if they have rows.
    fn has(&self, path: &str) -> bool {
        self.manifest.outputs.iter().any(|output| output.path == path)
    }

    fn mentions(&self) -> String {
        layout::mentions(self.kind, self.dt)
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
        let drugs_manifest =
            silver_manifest(storage, &layout::silver(SourceTable::Drugs, drugs), &mut versions)?;
        let mut partitions = Vec::new();
        for kind in PublicationKind::ALL {
            for dt in delivered.publications(kind) {
                let folder = format!("{}/dt={dt}", layout::silver_publications(kind));
                let manifest = silver_manifest(storage, &folder, &mut versions)?;
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

    fn make(mut self, started: Instant) -> Result<StepReport> {
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
        let mut transaction = self.storage.begin(&self.units())?;
        let outdated = reading.find_newest(&mut self.partitions, transaction.as_mut())?;
        let journals = reading.display_names(&self.partitions)?;
        let drugs = entries.iter().map(|entry| (&*entry.atccode, &*entry.drug));
        let (answers, memory) = (self.settings.answers, self.settings.memory);
        let mut graph = LargeGraph::new(drugs, all_names(&journals), answers, memory, |name| {
            transaction.scratch(name)
        })?;
        let made_from = format!(
            "{} {}",
            self.settings.mentions_fingerprint(),
            self.drugs_fingerprint
        );
        reading.add_publications(&mut self.partitions, &journals, &made_from, &mut graph)?;
        let mentions = self.write_mentions(&entries, &journals, &mut graph, transaction.as_mut())?;
        let places = mentions
            .values()
            .map(|file| file.places.count(answers.unit))
            .sum();
        let counted = (self.as_of, places, outdated);
        let (mut outputs, numbers) = write_graph(graph, answers, counted, transaction.as_mut(), self.task)?;
        outputs.extend(mentions.values().map(|file| file.output.clone()));
        let manifest = GoldManifest {
            fingerprint,
            mentions,
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
        let vocabulary = format!(
            "{}/{}",
            layout::silver(SourceTable::Drugs, self.drugs),
            layout::PART
        );
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

    /// All paths of the gold layer that this attempt replaces: its own files, and mentions of partitions that are gone.
    fn units(&self) -> Vec<String> {
        let mut units: Vec<String> = [
            layout::DRUG_GRAPH,
            layout::TOP_JOURNALS,
            layout::EXCLUSIVE_DRUGS,
            layout::GOLD_MANIFEST,
        ]
        .map(str::to_owned)
        .to_vec();
        units.extend(self.partitions.iter().map(GoldPartition::mentions));
        let old = self.old.iter().flat_map(|old| old.mentions.keys().cloned());
        units.extend(old);
        units.sort();
        units.dedup();
        units
    }

    /// Finds or keeps the mentions of every partition; returns the files and adds the mentions to the graph.
    fn write_mentions(
        &self,
        entries: &[VocabularyEntry],
        journals: &DisplayNames,
        graph: &mut LargeGraph,
        transaction: &mut dyn Transaction,
    ) -> Result<BTreeMap<String, MentionsFile>> {
        let mut matcher: Option<Matcher> = None;
        let drugs = graph.drugs().iter();
        let substances: Substances = drugs
            .map(|drug| (drug.atccode.clone(), drug.substance.clone()))
            .collect();
        let mut files = BTreeMap::new();
        for partition in &self.partitions {
            let path = partition.mentions();
            let kept = self.old.as_ref().and_then(|old| old.mentions.get(&path));
            let kept = match kept.filter(|kept| kept.fingerprint == partition.fingerprint) {
                // A damaged file is rebuilt.
                Some(kept) if kept.output.is_intact(self.storage, self.task)? => Some(kept),
                _ => None,
            };
            let (output, places) = match kept {
                Some(kept) => {
                    transaction.keep(&path)?;
                    let wanted = ["atccode", "publication_id", "journal", "date"].map(str::to_owned);
                    read_frames(
                        || self.storage.open_file(&path),
                        &path,
                        Some(&wanted),
                        |frame| {
                            self.task.check()?;
                            add_links(&frame, partition.kind, graph)
                        },
                    )?;
                    (kept.output.clone(), kept.places)
                }
                None => {
                    let found = match matcher.take() {
                        Some(built) => built,
                        None => Matcher::build(entries, &self.settings.matcher, self.task)?,
                    };
                    let matcher = matcher.insert(found);
                    let names = (&substances, journals);
                    self.find(partition, matcher, names, graph, transaction)?
                }
            };
            files.insert(
                path,
                MentionsFile {
                    fingerprint: partition.fingerprint.clone(),
                    output,
                    places,
                },
            );
        }
        Ok(files)
    }

    fn find(
        &self,
        partition: &GoldPartition,
        matcher: &Matcher,
        names: (&Substances, &DisplayNames),
        graph: &mut LargeGraph,
        transaction: &mut dyn Transaction,
    ) -> Result<(OutputFile, MentionPlaces)> {
        let mut places = MentionPlaces::default();
        let mut writer = TableWriter::create(transaction, partition.mentions(), &MENTIONS)?;
        let wanted = columns(self.settings.abstracts);
        let path = partition.path();
        let mut row = 0;
        read_frames(
            || self.storage.open_file(&path),
            &path,
            Some(&wanted),
            |frame| {
                self.task.check()?;
                let live = partition.live.mask(row, frame.height());
                row += frame.height() as u64;
                let frame = if live.iter().all(|live| *live) {
                    frame
                } else {
                    frame.filter(&BooleanChunked::from_slice("live".into(), &live))?
                };
                let mentions = find_mentions(&frame, partition.kind, matcher, names, self.task)?;
                places.add(&mentions)?;
                add_links(&mentions, partition.kind, graph)?;
                writer.write(&mentions)
            },
        )?;
        Ok((writer.finish()?, places))
    }

    fn report(&self, manifest: GoldManifest, unchanged: bool, started: Instant) -> StepReport {
        let mut report = StepReport::new(
            "gold",
            self.dt,
            self.storage,
            Vec::new(),
            manifest.outputs,
            unchanged,
            started,
        );
        report.gold = Some(manifest.numbers);
        report.held = Some(self.held.clone());
        report
    }
}
