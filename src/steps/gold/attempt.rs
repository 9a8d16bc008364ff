//! One attempt at the gold layer, from the state of silver when it began.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::delivered::{Delivered, silver_manifest};
use super::plan::{GoldPartition, Remake, why_everything};
use super::settings::GoldSettings;
use super::vocabulary::{write_atc_classes, write_vocabulary};
use super::{GoldManifest, PartitionState, VocabularyState};
use crate::error::Result;
use crate::graph::GraphBuilder;
use crate::lake::documents::HeldDate;
use crate::lake::dt::Dt;
use crate::lake::manifest::{Version, first_changed};
use crate::lake::report::{ChangedSetting, StepReport, StepStart, all_stand};
use crate::lake::states::{
    KeepStates, StateRecord, expired, keep_manifest, keep_replaced, now, state_numbers, write_state,
};
use crate::lake::vocabulary::read_entries;
use crate::lake::{layout, manifest};
use crate::matcher::VocabularyEntry;
use crate::schema::{
    ATC_CLASSES, CURRENT_DRUGS, GraphOutput, JOURNAL_DRUGS, JOURNALS, PublicationKind, SourceTable,
    TABLE_FORMAT,
};
use crate::storage::{Digest256, Storage, Transaction, sha256_hex};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

pub(super) struct Attempt<'a> {
    pub storage: &'a dyn Storage,
    pub dt: Dt,
    pub as_of: Dt,
    pub settings: &'a GoldSettings,
    pub task: &'a Task,
    /// Whether an index turned out to be damaged.
    pub has_index_fault: &'a Cell<bool>,
    /// The date that gold reaches with this attempt, if it differs from the graph's.
    reached: Option<String>,
    held: Vec<HeldDate>,
    /// The manifests of all partitions, also of held ones.
    silver: Vec<String>,
    /// For each table with a snapshot, the date of the newest one that is not held.
    snapshots: BTreeMap<String, String>,
    /// Whether rows were dropped since the last run: then no earlier state is kept.
    has_dropped: bool,
    /// The manifests of gold and of every silver partition, and the holds of all dates, as this attempt read them.
    versions: Vec<Version>,
    pub old: Option<GoldManifest>,
    drugs: Dt,
    drugs_outputs: Vec<OutputFile>,
    vocabulary: VocabularyState,
    /// The entries of the vocabulary, if they were read already.
    entries: Option<Vec<VocabularyEntry>>,
    /// The newest first.
    pub partitions: Vec<GoldPartition>,
    /// Why everything is made again, and why all mentions are.
    pub everything: Option<String>,
    pub mentions: Option<String>,
    /// The files of silver whose digests were checked.
    checked: RefCell<BTreeSet<String>>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(
        storage: &'a dyn Storage,
        dt: Dt,
        settings: &'a GoldSettings,
        task: &'a Task,
        index_fault: &'a Cell<bool>,
    ) -> Result<Self> {
        let (old, version) = manifest::read::<GoldManifest>(storage, layout::GOLD_MANIFEST.to_owned())?;
        let delivered = Delivered::find(storage, dt, old.as_ref().and_then(GoldManifest::reached))?;
        let as_of = delivered.as_of();
        let mut versions = vec![version];
        let dropped = storage.read(layout::DROPPED)?;
        let has_dropped = dropped.is_some();
        versions.push((layout::DROPPED.to_owned(), dropped));
        versions.extend(delivered.holds());
        let drugs = delivered.newest_drugs(storage)?;
        let drugs_manifest = silver_manifest(storage, (SourceTable::Drugs, drugs), &mut versions)?;
        let mut attempt = Self {
            storage,
            dt,
            as_of,
            reached: Some(delivered.reached())
                .filter(|reached| *reached != as_of)
                .map(|reached| reached.to_string()),
            held: delivered.held_back(),
            silver: delivered.manifests(),
            snapshots: BTreeMap::new(),
            has_dropped,
            settings,
            task,
            has_index_fault: index_fault,
            versions: Vec::new(),
            old,
            drugs,
            drugs_outputs: drugs_manifest.outputs,
            vocabulary: VocabularyState {
                silver: drugs_manifest.fingerprint,
                entries: String::new(),
            },
            entries: None,
            partitions: Vec::new(),
            everything: None,
            mentions: None,
            checked: RefCell::default(),
        };
        attempt.digest_vocabulary()?;
        attempt.plan(&delivered, &mut versions)?;
        attempt.versions = versions;
        Ok(attempt)
    }

    /// Finds the digest of the entries of the vocabulary; reads them if gold was not made with this partition.
    fn digest_vocabulary(&mut self) -> Result<()> {
        let old = self.old.as_ref().map(|old| &old.vocabulary);
        if let Some(old) = old.filter(|old| old.silver == self.vocabulary.silver) {
            self.vocabulary.entries.clone_from(&old.entries);
            return Ok(());
        }
        let entries = self.read_vocabulary()?;
        let digest = Digest256::default();
        for entry in &entries {
            let names = entry.synonyms.iter().map(String::as_str);
            for text in [entry.atccode.as_str(), entry.drug.as_str()]
                .into_iter()
                .chain(names)
            {
                digest.add(&(text.len() as u64).to_le_bytes());
                digest.add(text.as_bytes());
            }
            digest.add(&u64::MAX.to_le_bytes());
        }
        self.vocabulary.entries = digest.finish().1;
        self.entries = Some(entries);
        Ok(())
    }

    /// The entries of the vocabulary, whose digest is checked.
    fn read_vocabulary(&self) -> Result<Vec<VocabularyEntry>> {
        let path = layout::silver_part(SourceTable::Drugs, self.drugs);
        for output in self.drugs_outputs.iter().filter(|output| output.path == path) {
            self.check_input(output)?;
        }
        read_entries(self.storage, self.drugs)
    }

    /// Compares the silver partitions with what gold has.
    fn plan(&mut self, delivered: &Delivered, versions: &mut Vec<Version>) -> Result<()> {
        let usable = self.old.as_ref().filter(|_| !self.has_index_fault.get());
        self.everything = why_everything(usable, &self.settings.files_fingerprint());
        if self.everything.is_none() {
            let index = usable.iter().flat_map(|old| &old.outputs);
            for file in index.filter(|file| layout::is_in_index(&file.path)) {
                if !file.stands(self.storage)? {
                    self.everything = Some(format!("{} is missing or damaged", file.path));
                    break;
                }
            }
        }
        let mut before = BTreeMap::new();
        if self.everything.is_none()
            && let Some(old) = usable
        {
            before = old.states.clone();
            if old.mentions_made_with != self.mentions_made_with() {
                self.mentions = Some("the vocabulary, or a setting of the matcher, changed".to_owned());
            }
        }
        let chunk_rows = self.settings.chunk_rows;
        for kind in PublicationKind::ALL {
            let dates: Vec<Dt> = delivered.publications(kind).collect();
            for dt in dates.into_iter().rev() {
                let silver = silver_manifest(self.storage, (kind.source_table(), dt), versions)?;
                let is_snapshot = silver.snapshot;
                let before = before.remove(&layout::silver(kind.source_table(), dt));
                let partition = GoldPartition::new((kind, dt), Some(silver), before, chunk_rows);
                self.partitions.push(partition);
                if is_snapshot {
                    // It replaces all earlier ones, as if they had not been delivered.
                    self.snapshots
                        .insert(kind.source_table().name().to_owned(), dt.to_string());
                    break;
                }
            }
        }
        for (folder, state) in before {
            if let (Some(kind), Some(dt)) = (layout::kind_of(&folder), layout::date_of(&folder)) {
                let partition = GoldPartition::new((kind, dt), None, Some(state), chunk_rows);
                self.partitions.push(partition);
            }
        }
        self.partitions
            .sort_by(|left, right| right.dt.cmp(&left.dt).then(left.kind.cmp(&right.kind)));
        let all_mentions = self.mentions.is_some();
        for chunk in self
            .partitions
            .iter_mut()
            .flat_map(|partition| &mut partition.chunks)
        {
            if all_mentions {
                chunk.remake = chunk.remake.max(Remake::Mentions);
            }
        }
        Ok(())
    }

    /// The vocabulary and the settings that mentions depend on.
    fn mentions_made_with(&self) -> String {
        format!(
            "{} {}",
            self.settings.mentions_fingerprint(),
            self.vocabulary.entries
        )
    }

    /// Whether the sums of what mentions what are used again.
    pub(super) fn keeps_sums(&self) -> bool {
        self.everything.is_none() && self.mentions.is_none()
    }

    /// Whether `drug_graph.json` is written.
    pub(super) fn has_graph(&self) -> bool {
        self.settings.graph == GraphOutput::Json
    }

    /// Whether gold is made from the current state of silver with these settings, and all its files are there.
    pub(super) fn is_up_to_date(&self) -> Result<bool> {
        if self.has_dropped {
            return Ok(false);
        }
        let fingerprint = self.fingerprint();
        let same = self
            .old
            .as_ref()
            .filter(|old| old.fingerprint == fingerprint && old.reached == self.reached);
        match same {
            Some(old) => all_stand(&old.outputs, self.storage),
            None => Ok(false),
        }
    }

    pub(super) fn make(mut self, started: StepStart) -> Result<StepReport> {
        if self.is_up_to_date()?
            && let Some(old) = &self.old
        {
            return Ok(self.report(old.clone(), true, started));
        }
        let has_graph = self.has_graph();
        for partition in &mut self.partitions {
            partition.check_chunks(self.storage, has_graph, self.task)?;
        }
        let entries = match self.entries.take() {
            Some(entries) => entries,
            None => self.read_vocabulary()?,
        };
        let mut builder = GraphBuilder::default();
        for entry in &entries {
            builder.add_drug(&entry.atccode, &entry.drug);
        }
        let drugs = builder.finish().drugs().to_vec();
        let mut transaction = self.storage.begin(&[
            layout::table_file(&JOURNALS),
            layout::table_file(&JOURNAL_DRUGS),
            layout::table_file(&CURRENT_DRUGS),
            layout::table_file(&ATC_CLASSES),
            layout::DRUG_GRAPH.to_owned(),
            layout::TOP_JOURNALS.to_owned(),
            layout::EXCLUSIVE_DRUGS.to_owned(),
            layout::SUMS.to_owned(),
            layout::GOLD_MANIFEST.to_owned(),
        ])?;
        let transaction_now = transaction.as_mut();
        let before = self.sums_before()?;
        let mut sums = before.clone();
        self.find_live(&mut sums.journal_ids, transaction_now)?;
        self.count_spellings(&mut sums.spellings)?;
        let journals = self.display_names(&before, &sums)?;
        let mut made = self.make_chunks((&entries, &drugs), &journals, (&before, &sums), transaction_now)?;
        let (mut outputs, numbers) =
            self.write_answers(&mut made, drugs, &journals, (&before, &sums), transaction_now)?;
        outputs.push(write_vocabulary(&entries, transaction_now)?);
        outputs.push(write_atc_classes(&entries, transaction_now)?);
        // Several partitions may have their keys in one file.
        let mut seen = BTreeSet::new();
        let files = made.states.values().flat_map(PartitionState::files);
        outputs.extend(files.filter(|file| seen.insert(&file.path)).cloned());
        let kept: BTreeSet<&str> = outputs.iter().map(|output| output.path.as_str()).collect();
        let old = self.old.iter().flat_map(|old| &old.outputs);
        // A manifest from somebody else may name any file of the lake.
        let is_gone = |path: &str| layout::is_in_gold(path) && !kept.contains(path);
        for gone in old.filter(|old| is_gone(&old.path)) {
            transaction_now.replace(&gone.path)?;
        }
        let manifest = GoldManifest {
            format: TABLE_FORMAT,
            fingerprint: self.fingerprint(),
            made_with: self.settings.files_fingerprint(),
            mentions_made_with: self.mentions_made_with(),
            vocabulary: self.vocabulary.clone(),
            states: made.states,
            outputs,
            settings: self.settings.in_report(),
            numbers,
            reached: self.reached.clone(),
        };
        let digest = manifest::write(transaction_now, layout::GOLD_MANIFEST, &manifest)?;
        self.write_state(&manifest, digest, transaction_now)?;
        self.task.check()?;
        transaction.commit(&self.versions)?;
        Ok(self.report(manifest, false, started))
    }

    /// Records the new state, keeps what it replaces, and gives up the states that are too old.
    fn write_state(
        &self,
        manifest: &GoldManifest,
        digest: String,
        transaction: &mut dyn Transaction,
    ) -> Result<()> {
        let mut keep = self.settings.keep;
        if self.has_dropped {
            keep = KeepStates::Number(0);
            transaction.replace(layout::DROPPED)?;
            for name in self.storage.list(layout::KEPT)? {
                transaction.replace(&format!("{}/{name}", layout::KEPT))?;
            }
        }
        let expired = expired(self.storage, keep, true)?;
        for path in &expired.paths {
            transaction.replace(path)?;
        }
        let last = state_numbers(self.storage)?.pop();
        let number = last.map_or(1, |last| last + 1);
        if expired.keeps_last
            && let (Some(old), Some(version)) = (&self.old, self.versions.first())
        {
            keep_replaced(transaction, number, &old.outputs, &manifest.outputs)?;
            keep_manifest(transaction, number, version)?;
        }
        let read: BTreeMap<&str, &[u8]> = self
            .versions
            .iter()
            .filter_map(|(path, bytes)| Some((path.as_str(), bytes.as_deref()?)))
            .collect();
        let mut silver = BTreeMap::new();
        for path in &self.silver {
            let sha256 = match read.get(path.as_str()) {
                Some(bytes) => Some(sha256_hex(bytes)),
                None => self.storage.read(path)?.map(|bytes| sha256_hex(&bytes)),
            };
            silver.extend(sha256.map(|sha256| (path.clone(), sha256)));
        }
        let record = StateRecord {
            state: number,
            committed_at: now(),
            run_id: self.task.run_id().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            as_of: manifest.numbers.as_of.clone(),
            publications: manifest.numbers.publications,
            mentions: manifest.numbers.mentions,
            pairs: manifest.numbers.pairs,
            gold: digest,
            silver,
            held: self.held.clone(),
            snapshots: self.snapshots.clone(),
        };
        write_state(transaction, &record)
    }

    /// Checks the digest of a file of silver before its first use, because tables are read in pieces.
    pub(super) fn check_input(&self, output: &OutputFile) -> Result<()> {
        if !self.checked.borrow_mut().insert(output.path.clone()) {
            return Ok(());
        }
        match output.check(self.storage, self.task) {
            Err(error) => Err(first_changed(self.storage, &self.versions)?.unwrap_or(error)),
            Ok(()) => Ok(()),
        }
    }

    fn fingerprint(&self) -> String {
        let mut text = format!(
            "{} {} {}",
            self.settings.fingerprint(),
            self.as_of,
            self.vocabulary.silver
        );
        for partition in &self.partitions {
            if let Some(silver) = &partition.silver {
                let (kind, dt) = (partition.kind.name(), partition.dt);
                text.push_str(&format!("\n{kind} {dt} {}", silver.fingerprint));
            }
        }
        sha256_hex(text.as_bytes())
    }

    fn report(&self, manifest: GoldManifest, unchanged: bool, started: StepStart) -> StepReport {
        let mut outputs = manifest.outputs;
        outputs.retain(|output| !layout::is_in_index(&output.path));
        let mut report = StepReport::new(
            "gold",
            self.dt,
            self.storage,
            Vec::new(),
            outputs,
            unchanged,
            started,
        );
        report.settings = self.settings.in_report();
        if !unchanged {
            let changed = self.changed_settings().into_iter();
            report.changed_settings = changed.map(ChangedSetting::from).collect();
        }
        report.gold = Some(manifest.numbers);
        report.held = Some(self.held.clone());
        report
    }
}
