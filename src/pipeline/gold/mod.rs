//! Gold: silver partitions to mentions, the graph and the answers.
//!
//! Gold looks at the newest state of every publication over all partitions up to a date, and never goes back in time: a
//! backfill of an earlier day into a lake that already holds later ones makes the graph of the latest day anew. The
//! mentions of a partition are computed again only when its rows, its place in time, the vocabulary or the matcher
//! changed.

mod links;
mod publish;

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::NaiveDate;
use links::add_links;
use polars::prelude::{BooleanChunked, DataType, NewChunkedArray};
use publish::{numbers, write_graph};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};
use crate::gold::journals::{DisplayNames, Spellings};
use crate::gold::mentions::{columns, find_mentions};
use crate::gold::newest::Newest;
use crate::graph::{DrugGraph, GraphBuilder, Link};
use crate::matcher::{Entry, Matcher, Settings};
use crate::pipeline::dt::Dt;
use crate::pipeline::frames::{TableWriter, read_frames};
use crate::pipeline::layout;
use crate::pipeline::manifest::{self, Version};
use crate::pipeline::report::{GoldNumbers, Output, StepReport, all_stand};
use crate::pipeline::silver::SilverManifest;
use crate::pipeline::vocabulary::{newest_drugs, read_entries};
use crate::schema::{MENTIONS, PublicationKind, SourceTable};
use crate::storage::{Sharing, Storage, Transaction, sha256_hex};
use crate::task::Task;

/// Whatever changes the outputs for the same silver tables raises this number.
const VERSION: u32 = 1;

/// Another run may commit while this one computes; so often it looks at the new state and tries again.
const TRIES: usize = 5;

/// How drugs are looked for.
#[derive(Debug, Clone, Default)]
pub struct GoldSettings {
    pub matcher: Settings,
    /// Whether abstracts are searched besides titles.
    pub abstracts: bool,
}

impl GoldSettings {
    fn fingerprint(&self) -> String {
        format!(
            "gold {VERSION} abstracts={} {}",
            self.abstracts,
            self.matcher.fingerprint()
        )
    }
}

/// What the gold layer holds: `gold/_manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct GoldManifest {
    /// Digest of all silver manifests, the settings and the version.
    fingerprint: String,
    /// For each file of mentions what it was made from, and what it is.
    mentions: BTreeMap<String, MentionsFile>,
    outputs: Vec<Output>,
    numbers: GoldNumbers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct MentionsFile {
    fingerprint: String,
    output: Output,
}

/// Finds the mentions and writes the graph and the answers, over all partitions up to `dt`.
pub fn gold(storage: &dyn Storage, dt: Dt, settings: &GoldSettings, task: &Task) -> Result<StepReport> {
    let _reservation = storage.reserve(&format!("dt={dt}"), Sharing::Shared)?;
    gold_reserved(storage, dt, settings, task)
}

/// The same for a caller who holds the reservation.
pub(super) fn gold_reserved(
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
struct Partition {
    kind: PublicationKind,
    dt: Dt,
    manifest: SilverManifest,
    /// For each row whether it is the newest state of its publication.
    live: Vec<bool>,
    fingerprint: String,
}

impl Partition {
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

    fn mentions(&self) -> String {
        layout::mentions(self.kind, self.dt)
    }
}

/// One attempt at the gold layer, on the state of silver as it stood when it began.
struct Attempt<'a> {
    storage: &'a dyn Storage,
    dt: Dt,
    as_of: Dt,
    settings: &'a GoldSettings,
    task: &'a Task,
    /// The manifests of gold and of every silver partition, as this attempt read them.
    versions: Vec<Version>,
    old: Option<GoldManifest>,
    drugs: Dt,
    drugs_fingerprint: String,
    partitions: Vec<Partition>,
}

impl<'a> Attempt<'a> {
    fn new(storage: &'a dyn Storage, dt: Dt, settings: &'a GoldSettings, task: &'a Task) -> Result<Self> {
        let (old, version) = manifest::read::<GoldManifest>(storage, layout::GOLD_MANIFEST.to_owned())?;
        let mut versions = vec![version];
        let reached = old.as_ref().and_then(|old| Dt::parse(&old.numbers.as_of).ok());
        let as_of = newest_partition(storage, reached)?.map_or(dt, |newest| newest.max(dt));
        let drugs = newest_drugs(storage, as_of)?;
        let drugs_manifest =
            silver_manifest(storage, &layout::silver(SourceTable::Drugs, drugs), &mut versions)?;
        let mut partitions = Vec::new();
        for kind in PublicationKind::ALL {
            for name in storage.list(&layout::silver_publications(kind))? {
                let Some(found) = Dt::of_folder(&name).filter(|found| *found <= as_of) else {
                    continue;
                };
                let folder = format!("{}/{name}", layout::silver_publications(kind));
                let manifest = silver_manifest(storage, &folder, &mut versions)?;
                partitions.push(Partition {
                    kind,
                    dt: found,
                    manifest,
                    live: Vec::new(),
                    fingerprint: String::new(),
                });
            }
        }
        let drugs_fingerprint = drugs_manifest.fingerprint;
        Ok(Self {
            storage,
            dt,
            as_of,
            settings,
            task,
            versions,
            old,
            drugs,
            drugs_fingerprint,
            partitions,
        })
    }

    fn make(mut self, started: Instant) -> Result<StepReport> {
        let fingerprint = self.fingerprint();
        let same = self.old.as_ref().filter(|old| old.fingerprint == fingerprint);
        if let Some(old) = same
            && all_stand(&old.outputs, self.storage)?
        {
            return Ok(self.report(old.clone(), true, started));
        }
        let entries = read_entries(self.storage, self.drugs)?;
        let mut builder = GraphBuilder::default();
        entries
            .iter()
            .for_each(|entry| builder.add_drug(&entry.atccode, &entry.drug));
        let journals = self.read_publications(&mut builder)?;
        let mut graph = builder.finish();
        let mut transaction = self.storage.begin(&self.units())?;
        let (mentions, links) = self.write_mentions(&entries, &journals, &graph, transaction.as_mut())?;
        graph.set_links(links);
        let mut outputs = write_graph(&graph, transaction.as_mut())?;
        outputs.extend(mentions.values().map(|file| file.output.clone()));
        let manifest = GoldManifest {
            fingerprint,
            mentions,
            outputs,
            numbers: numbers(&graph, self.as_of),
        };
        let bytes = manifest::to_bytes(&manifest)?;
        manifest::write(transaction.as_mut(), layout::GOLD_MANIFEST, &bytes)?;
        self.task.check()?;
        transaction.commit(&self.versions)?;
        Ok(self.report(manifest, false, started))
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

    /// Reads ids, dates and journals of all partitions, the newest first: which rows count, and under which names.
    fn read_publications(&mut self, builder: &mut GraphBuilder) -> Result<DisplayNames> {
        let mut spellings = Spellings::default();
        let mut newest: BTreeMap<PublicationKind, Newest> = BTreeMap::new();
        self.partitions
            .sort_by(|left, right| right.dt.cmp(&left.dt).then(left.kind.cmp(&right.kind)));
        let wanted = ["publication_id", "journal", "journal_key"].map(str::to_owned);
        for partition in &mut self.partitions {
            let path = partition.path();
            let newest = newest.entry(partition.kind).or_default();
            let deleted = partition.deleted();
            let has_deleted = partition
                .manifest
                .outputs
                .iter()
                .any(|output| output.path == deleted);
            read_frames(
                || self.storage.open_file(&path),
                &path,
                Some(&wanted),
                |frame| {
                    self.task.check()?;
                    let live = newest.live(frame.column("publication_id")?.str()?);
                    let (journals, keys) = (
                        frame.column("journal")?.str()?,
                        frame.column("journal_key")?.str()?,
                    );
                    for ((journal, key), live) in journals.iter().zip(keys.iter()).zip(&live) {
                        if let (Some(journal), Some(key), true) = (journal, key, live) {
                            spellings.add(key, journal);
                        }
                    }
                    partition.live.extend(live);
                    Ok(())
                },
            )?;
            // Within their own partition the notices have done their work already.
            if has_deleted {
                read_frames(
                    || self.storage.open_file(&deleted),
                    &deleted,
                    None,
                    |frame| {
                        newest.delete(frame.column("publication_id")?.str()?);
                        Ok(())
                    },
                )?;
            }
        }
        let journals = spellings.finish();
        let settings = self.settings.fingerprint();
        let wanted = ["publication_id", "date", "journal_key"].map(str::to_owned);
        for partition in &mut self.partitions {
            let path = partition.path();
            let mut names = Xxh3::new();
            let mut row = 0;
            read_frames(
                || self.storage.open_file(&path),
                &path,
                Some(&wanted),
                |frame| {
                    self.task.check()?;
                    let dates = frame.column("date")?.cast(&DataType::Int32)?;
                    let ids = frame.column("publication_id")?.str()?;
                    let keys = frame.column("journal_key")?.str()?;
                    for ((id, key), date) in ids.iter().zip(keys.iter()).zip(dates.i32()?.iter()) {
                        let live = partition.live.get(row).copied().unwrap_or_default();
                        let journal = key.and_then(|key| journals.get(key));
                        names.update(&[u8::from(live)]);
                        if live {
                            names.update(journal.unwrap_or("\u{0}").as_bytes());
                            let date =
                                date.and_then(|days| NaiveDate::from_num_days_from_ce_opt(days + 719_163));
                            builder.add_publication(partition.kind, id.unwrap_or_default(), date, journal);
                        }
                        row += 1;
                    }
                    Ok(())
                },
            )?;
            let made_from = format!(
                "{settings} {} {} {:032x}",
                self.drugs_fingerprint,
                partition.manifest.fingerprint,
                names.digest128()
            );
            partition.fingerprint = sha256_hex(made_from.as_bytes());
        }
        Ok(journals)
    }

    /// Everything of the gold layer that this attempt replaces: its own files, and mentions of partitions that are gone.
    fn units(&self) -> Vec<String> {
        let mut units: Vec<String> = [
            layout::DRUG_GRAPH,
            layout::TOP_JOURNALS,
            layout::EXCLUSIVE_DRUGS,
            layout::GOLD_MANIFEST,
        ]
        .map(str::to_owned)
        .to_vec();
        units.extend(self.partitions.iter().map(Partition::mentions));
        let old = self.old.iter().flat_map(|old| old.mentions.keys().cloned());
        units.extend(old);
        units.sort();
        units.dedup();
        units
    }

    /// Finds or keeps the mentions of every partition; gives the files and the links of the graph.
    fn write_mentions(
        &self,
        entries: &[Entry],
        journals: &DisplayNames,
        graph: &DrugGraph,
        transaction: &mut dyn Transaction,
    ) -> Result<(BTreeMap<String, MentionsFile>, Vec<Link>)> {
        let mut matcher: Option<Matcher> = None;
        let mut files = BTreeMap::new();
        let mut links = Vec::new();
        for partition in &self.partitions {
            let path = partition.mentions();
            let kept = self.old.as_ref().and_then(|old| old.mentions.get(&path));
            let kept = match kept.filter(|kept| kept.fingerprint == partition.fingerprint) {
                Some(kept) if kept.output.stands(self.storage)? => Some(kept),
                _ => None,
            };
            let output = match kept {
                Some(kept) => {
                    transaction.keep(&path)?;
                    let wanted = ["atccode", "publication_id"].map(str::to_owned);
                    read_frames(
                        || self.storage.open_file(&path),
                        &path,
                        Some(&wanted),
                        |frame| add_links(&frame, partition.kind, graph, &mut links),
                    )?;
                    kept.output.clone()
                }
                None => {
                    let found = match matcher.take() {
                        Some(built) => built,
                        None => Matcher::build(entries, &self.settings.matcher, self.task)?,
                    };
                    let matcher = matcher.insert(found);
                    self.find(partition, matcher, journals, graph, transaction, &mut links)?
                }
            };
            files.insert(
                path,
                MentionsFile {
                    fingerprint: partition.fingerprint.clone(),
                    output,
                },
            );
        }
        Ok((files, links))
    }

    fn find(
        &self,
        partition: &Partition,
        matcher: &Matcher,
        journals: &DisplayNames,
        graph: &DrugGraph,
        transaction: &mut dyn Transaction,
        links: &mut Vec<Link>,
    ) -> Result<Output> {
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
                let live = partition
                    .live
                    .get(row..row + frame.height())
                    .ok_or_else(|| Error::Conflict {
                        path: path.clone(),
                        found: "another run replaced it while it was read".to_owned(),
                    })?;
                row += frame.height();
                let frame = if live.iter().all(|live| *live) {
                    frame
                } else {
                    frame.filter(&BooleanChunked::from_slice("live".into(), live))?
                };
                let mentions = find_mentions(&frame, partition.kind, matcher, journals, self.task)?;
                add_links(&mentions, partition.kind, graph, links)?;
                writer.write(&mentions)
            },
        )?;
        writer.finish()
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
        report
    }
}

/// The newest silver partition up to a date that gold has reached: it never goes back behind that one.
fn newest_partition(storage: &dyn Storage, reached: Option<Dt>) -> Result<Option<Dt>> {
    let Some(reached) = reached else { return Ok(None) };
    let mut newest = None;
    for table in SourceTable::ALL {
        let names = storage.list(&layout::silver_table(table))?;
        let dts = names
            .iter()
            .filter_map(|name| Dt::of_folder(name))
            .filter(|dt| *dt <= reached);
        newest = newest.max(dts.max());
    }
    Ok(newest)
}

fn silver_manifest(
    storage: &dyn Storage,
    folder: &str,
    versions: &mut Vec<Version>,
) -> Result<SilverManifest> {
    let (manifest, version) = manifest::read(storage, format!("{folder}/{}", layout::MANIFEST))?;
    let manifest = manifest.ok_or_else(|| Error::SourceNotFound {
        uri: format!("{}/{}", storage.root(), version.0),
        expected: "the manifest of a silver partition; run the silver step of that dt again".to_owned(),
    })?;
    versions.push(version);
    Ok(manifest)
}
