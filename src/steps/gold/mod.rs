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

use delivered::{Delivered, silver_manifest};
use links::add_links;
use polars::prelude::{BooleanChunked, NewChunkedArray};
use publish::{publish, write_atc_classes, write_vocabulary};
use serde::{Deserialize, Serialize};
use state::{StateInput, all_names};

use crate::choice::Choice as _;
use crate::error::{Error, Result};
use crate::gold::journals::DisplayNames;
use crate::gold::mentions::{Substances, columns, find_mentions};
use crate::gold::newest::LiveRows;
use crate::gold::places::MentionPlaces;
use crate::gold::publications::current_publications;
use crate::graph::{AnswerSettings, LargeGraph};
use crate::lake::documents::{HeldDate, SilverManifest, first_format};
use crate::lake::dt::Dt;
use crate::lake::manifest::{Version, first_changed};
use crate::lake::report::{GoldNumbers, ReportSettings, StepReport, StepStart, all_stand};
use crate::lake::vocabulary::read_entries;
use crate::lake::{layout, manifest};
use crate::matcher::{Matcher, MatcherSettings, VocabularyEntry};
use crate::schema::TABLE_FORMAT;
use crate::schema::{
    ATC_CLASSES, CURRENT_DRUGS, CURRENT_PUBLICATIONS, GraphOutput, JOURNAL_DRUGS, JOURNALS, MENTIONS,
    PublicationKind, SourceTable,
};
use crate::sorting::Bound;
use crate::storage::{Sharing, Storage, Transaction, sha256_hex};
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::{TableWriter, read_frames};
use crate::task::Task;

/// Increment this with every change that alters the outputs for the same silver tables.
const VERSION: u32 = 6;

/// Attempts, because another run may commit while this one computes; each attempt starts from the newest state.
const TRIES: usize = 5;

/// The report shows a longer setting, or a list of words, by its digest.
const LONGEST_SETTING: usize = 80;

/// How drugs are found.
#[derive(Debug, Clone, Default)]
pub struct GoldSettings {
    pub matcher: MatcherSettings,
    /// Whether abstracts are searched besides titles.
    pub abstracts: bool,
    pub answers: AnswerSettings,
    pub graph: GraphOutput,
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

    fn in_report(&self) -> ReportSettings {
        let short = |text: String| match text.as_str() {
            "true" | "false" => (text == "true").into(),
            _ if text.len() <= LONGEST_SETTING && !text.contains(['[', '{']) => text.to_lowercase().into(),
            _ => format!("sha256:{}", sha256_hex(text.as_bytes())).into(),
        };
        let matcher = self.matcher.as_texts().into_iter();
        let mut settings: ReportSettings = matcher
            .map(|(name, text)| (name.to_owned(), short(text)))
            .collect();
        settings.extend(
            [
                ("abstracts", self.abstracts.into()),
                ("unit", self.answers.unit.name().into()),
                ("max_exclusive", self.answers.max_exclusive.into()),
                ("graph", self.graph.choice_name().into()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        settings
    }

    fn fingerprint(&self) -> String {
        format!(
            "{} unit={} max_exclusive={} graph={}",
            self.mentions_fingerprint(),
            self.answers.unit.name(),
            self.answers.max_exclusive,
            self.graph.choice_name()
        )
    }
}

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

/// The file of a partition's current publications.
enum PublicationsFile {
    Kept(OutputFile),
    New(TableWriter),
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
        let old = self.old.iter().flat_map(|old| &old.outputs);
        for gone in old.filter(|old| outputs.iter().all(|output| output.path != old.path)) {
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

    /// Makes or keeps the files of every partition; adds the mentions to the graph.
    fn write_partitions(
        &self,
        entries: &[VocabularyEntry],
        journals: &DisplayNames,
        graph: &mut LargeGraph,
        transaction: &mut dyn Transaction,
    ) -> Result<BTreeMap<String, PartitionFiles>> {
        let mut matcher: Option<Matcher> = None;
        let drugs = graph.drugs().iter();
        let substances: Substances = drugs
            .map(|drug| (drug.atccode.clone(), drug.substance.clone()))
            .collect();
        let vocabulary = format!(
            "{} {}",
            self.settings.mentions_fingerprint(),
            self.drugs_fingerprint
        );
        let nothing = BTreeMap::new();
        let old = self.old.as_ref().map_or(&nothing, |old| &old.partitions);
        let mut all = BTreeMap::new();
        for partition in &self.partitions {
            let folder = layout::silver(partition.kind.source_table(), partition.dt);
            let mentions_fingerprint =
                sha256_hex(format!("{vocabulary} {}", partition.fingerprint).as_bytes());
            let kept = old.get(&folder);
            // A damaged file is made again.
            let publications = match kept {
                Some(kept)
                    if kept.publications_fingerprint == partition.fingerprint
                        && kept.publications.stands(self.storage)? =>
                {
                    Some(kept.publications.clone())
                }
                _ => None,
            };
            let mentions = match kept {
                Some(kept)
                    if kept.mentions_fingerprint == mentions_fingerprint
                        && publications.is_some()
                        && kept.mentions.is_intact(self.storage, self.task)? =>
                {
                    Some((kept.mentions.clone(), kept.places))
                }
                _ => None,
            };
            let (publications, mentions, places) = match (publications, mentions) {
                (Some(publications), Some((mentions, places))) => {
                    self.add_kept(partition, graph)?;
                    (publications, mentions, places)
                }
                (publications, _) => {
                    let found = match matcher.take() {
                        Some(built) => built,
                        None => Matcher::build(entries, &self.settings.matcher, self.task)?,
                    };
                    let matcher = matcher.insert(found);
                    let names = (&substances, journals);
                    self.make_files(partition, publications, matcher, names, graph, transaction)?
                }
            };
            let files = PartitionFiles {
                publications_fingerprint: partition.fingerprint.clone(),
                mentions_fingerprint,
                publications,
                mentions,
                places,
            };
            all.insert(folder, files);
        }
        Ok(all)
    }

    /// Adds the mentions of a partition, whose file is kept, to the graph.
    fn add_kept(&self, partition: &GoldPartition, graph: &mut LargeGraph) -> Result<()> {
        let path = partition.mentions();
        let wanted = ["atccode", "publication_id", "journal", "date"].map(str::to_owned);
        read_frames(
            || self.storage.open_file(&path),
            &path,
            Some(&wanted),
            |frame| {
                self.task.check()?;
                add_links(&frame, partition.kind, graph)
            },
        )
    }

    /// Makes the mentions of a partition, and its current publications unless they are there.
    fn make_files(
        &self,
        partition: &GoldPartition,
        publications: Option<OutputFile>,
        matcher: &Matcher,
        names: (&Substances, &DisplayNames),
        graph: &mut LargeGraph,
        transaction: &mut dyn Transaction,
    ) -> Result<(OutputFile, OutputFile, MentionPlaces)> {
        let mut places = MentionPlaces::default();
        let mut create = |path: String, table| {
            transaction.replace(&path)?;
            TableWriter::create(transaction, path, table)
        };
        let mut mentions_file = create(partition.mentions(), &MENTIONS)?;
        let mut publications = match publications {
            Some(kept) => PublicationsFile::Kept(kept),
            None => PublicationsFile::New(create(partition.publications(), &CURRENT_PUBLICATIONS)?),
        };
        let mut wanted = columns(self.settings.abstracts);
        if matches!(publications, PublicationsFile::New(_)) {
            let of_table = CURRENT_PUBLICATIONS.columns.iter();
            wanted.extend(of_table.map(|column| column.name.to_owned()));
            wanted.sort_unstable();
            wanted.dedup();
        }
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
                let mentions = find_mentions(&frame, matcher, names, self.task)?;
                places.add(&mentions)?;
                add_links(&mentions, partition.kind, graph)?;
                if let PublicationsFile::New(file) = &mut publications {
                    file.write(&current_publications(&frame, names.1)?)?;
                }
                mentions_file.write(&mentions)
            },
        )?;
        let publications = match publications {
            PublicationsFile::Kept(kept) => kept,
            PublicationsFile::New(file) => file.finish()?,
        };
        Ok((publications, mentions_file.finish()?, places))
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
