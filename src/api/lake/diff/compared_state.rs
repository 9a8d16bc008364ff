//! One of the two states that are compared: what it was made from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use polars::prelude::DataFrame;
use serde::Deserialize;

use crate::api::lake::scan::{ScanRequest, TableScan};
use crate::error::{Error, Result};
use crate::gold::mentions::SearchSettings;
use crate::lake::documents::{SilverManifest, first_format};
use crate::lake::dt::Dt;
use crate::lake::report::ReportSettings;
use crate::lake::state_storage::{StateStorage, WantedState};
use crate::lake::states::StateRecord;
use crate::lake::table_files::{LakeFile, PartitionFilter, table_files};
use crate::lake::vocabulary::entries_of;
use crate::lake::{existing_lake_for, layout, manifest};
use crate::matcher::{MatcherSettings, VocabularyEntry};
use crate::schema::{
    CURRENT_DRUGS, CURRENT_PUBLICATIONS, DrugUnit, MENTIONS, PublicationKind, SearchedField, SourceTable,
    TABLE_FORMAT, Table,
};
use crate::steps::gold::{MentionsOrigin, search_of_record};
use crate::storage::Storage;
use crate::tables::table_reader::TableReader;
use crate::task::Task;

/// What is needed of the manifest of gold.
#[derive(Deserialize)]
struct StateGold {
    #[serde(default = "first_format")]
    format: u32,
    #[serde(default)]
    mentions_made_with: String,
    #[serde(default)]
    settings: ReportSettings,
}

/// A state, open for reading.
pub(super) struct ComparedState {
    pub record: StateRecord,
    pub storage: Arc<dyn Storage>,
    /// The tables hold the partitions up to this date.
    as_of: Dt,
    pub held: BTreeSet<Dt>,
    /// `None` if an earlier version of drugs_rs did not record it.
    pub origin: Option<MentionsOrigin>,
    settings: ReportSettings,
    search: SearchSettings,
    /// By path.
    pub mentions: BTreeMap<String, LakeFile>,
    pub publications: BTreeMap<String, LakeFile>,
    pub entries: Vec<VocabularyEntry>,
    /// The date that delivered the vocabulary.
    pub vocabulary_dt: Option<Dt>,
}

impl ComparedState {
    pub(super) fn open(lake: &str, record: StateRecord, task: &Task) -> Result<Self> {
        let wanted = WantedState::Number(record.state);
        let storage = StateStorage::open(existing_lake_for(lake, task)?, wanted)?;
        let storage: Arc<dyn Storage> = Arc::new(storage);
        let path = layout::GOLD_MANIFEST.to_owned();
        let gold = manifest::read::<StateGold>(storage.as_ref(), path)?.0;
        let gold = gold.ok_or_else(|| Error::internal("a state without the manifest of gold"))?;
        if gold.format != TABLE_FORMAT {
            return Err(other_format(lake, &record, gold.format));
        }
        let files = |table| -> Result<BTreeMap<String, LakeFile>> {
            let files = table_files(storage.as_ref(), table, &PartitionFilter::default())?.into_iter();
            Ok(files.map(|file| (file.file.path.clone(), file)).collect())
        };
        let (mentions, publications) = (files(&MENTIONS)?, files(&CURRENT_PUBLICATIONS)?);
        let vocabulary = ScanRequest::default();
        let entries =
            TableScan::open(Arc::clone(&storage), CURRENT_DRUGS.name, vocabulary)?.read_all(task)?;
        let held = record
            .held
            .iter()
            .filter_map(|held| Dt::parse(&held.dt).ok())
            .collect();
        let mut state = Self {
            as_of: Dt::parse(&record.as_of)?,
            record,
            held,
            origin: MentionsOrigin::parse(&gold.mentions_made_with),
            search: search_of_record(&gold.settings).unwrap_or_default(),
            settings: gold.settings,
            mentions,
            publications,
            entries: entries_of(&entries)?,
            vocabulary_dt: None,
            storage,
        };
        state.vocabulary_dt = state.dates_of(SourceTable::Drugs).into_iter().max();
        Ok(state)
    }

    /// The partitions of a table that the state is made from.
    pub(super) fn dates_of(&self, table: SourceTable) -> Vec<Dt> {
        let snapshot = self.snapshot(table);
        let is_taken = |dt: &Dt| *dt <= self.as_of && !self.held.contains(dt) && Some(*dt) >= snapshot;
        let dates = self.delivered_dates(table).into_iter();
        dates.filter(is_taken).collect()
    }

    /// The date of the newest snapshot of a table, before which nothing counts.
    pub(super) fn snapshot(&self, table: SourceTable) -> Option<Dt> {
        let dt = self.record.snapshots.get(table.name())?;
        Dt::parse(dt).ok()
    }

    /// The partitions of a table that the lake has in this state, held or not, the newest first.
    pub(super) fn delivered_dates(&self, table: SourceTable) -> Vec<Dt> {
        let dates = self.record.silver.keys().filter_map(|path| {
            let dt = layout::date_of_file(path.rsplit('/').next()?)?;
            (*path == layout::silver_manifest(table, dt)).then_some(dt)
        });
        let mut dates: Vec<Dt> = dates.collect();
        dates.sort_unstable();
        dates.reverse();
        dates
    }

    /// Whether a partition is a snapshot.
    pub(super) fn is_snapshot(&self, table: SourceTable, dt: Dt) -> Result<bool> {
        let path = layout::silver_manifest(table, dt);
        let found = manifest::read::<SilverManifest>(self.storage.as_ref(), path)?.0;
        Ok(found.is_some_and(|found| found.snapshot))
    }

    /// The digest of the manifest of a partition, held or not.
    pub(super) fn partition(&self, kind: PublicationKind, dt: Dt) -> Option<&str> {
        let path = layout::silver_manifest(kind.source_table(), dt);
        self.record.silver.get(&path).map(String::as_str)
    }

    /// The settings of the matcher; `None` if they cannot be rebuilt.
    pub(super) fn matcher_settings(&self) -> Option<MatcherSettings> {
        MatcherSettings::of_record(self.settings.get("matcher")?)
    }

    /// Whether a field of publications was searched.
    pub(super) fn searches(&self, field: SearchedField) -> bool {
        self.search.fields.contains(field)
    }

    /// Whether publications of a status are not searched.
    pub(super) fn excludes(&self, status: Option<&str>) -> bool {
        self.search.excludes(status)
    }

    /// Whether publications of some status are not searched.
    pub(super) fn excludes_any(&self) -> bool {
        !self.search.exclude_status.is_empty()
    }

    /// What counts as one drug in the numbers of the state.
    pub(super) fn unit(&self) -> DrugUnit {
        let unit = self.settings.get("unit").and_then(serde_json::Value::as_str);
        unit.and_then(|name| name.parse().ok()).unwrap_or_default()
    }

    /// Calls `each` with the rows of every row group of a file that may have wanted ones.
    pub(super) fn read_groups(
        &self,
        file: &LakeFile,
        columns: &[&str],
        task: &Task,
        mut each: impl FnMut(DataFrame) -> Result<()>,
    ) -> Result<()> {
        let mut reader = self.open_file(file)?;
        let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        while let Some(frame) = reader.peek(Some(&columns))? {
            task.check()?;
            reader.skip();
            each(frame)?;
        }
        Ok(())
    }

    pub(super) fn open_file(&self, file: &LakeFile) -> Result<TableReader> {
        let opened = self.storage.open_file(&file.file.path);
        // After the file is open, for it stays what it is now.
        file.check_is_current(self.storage.as_ref())?;
        TableReader::open(opened?, &self.storage.uri(&file.file.path)?)
    }

    /// The files of a silver table in one partition.
    pub(super) fn silver_files(
        &self,
        table: &'static Table,
        kind: PublicationKind,
        dt: Dt,
    ) -> Result<Vec<LakeFile>> {
        let filter = PartitionFilter {
            kinds: Some(BTreeSet::from([kind])),
            dates: Some(BTreeSet::from([dt])),
        };
        table_files(self.storage.as_ref(), table, &filter)
    }
}

/// The error for a state whose tables are of another format; it has what its record says all the same.
fn other_format(lake: &str, record: &StateRecord, format: u32) -> Error {
    let StateRecord {
        state,
        as_of,
        publications,
        mentions,
        pairs,
        version,
        ..
    } = record;
    Error::format(
        lake,
        format!("state {state}"),
        format!(
            "its tables are of format {format}, which drugs_rs {version} wrote, and this version compares format \
             {TABLE_FORMAT}; what its record says: up to {as_of}, {publications} publications, {mentions} mentions, {pairs} \
             pairs"
        ),
        "compare states of one format, or run silver and gold of the newest dt to make a new one",
    )
}
