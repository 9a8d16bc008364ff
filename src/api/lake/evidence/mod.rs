//! Evidence for a pair of a drug and a publication: what says so, from the text back to the bytes of the sources, and when the
//! pair came and went.

mod describe;
mod page;
mod sightings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use polars::prelude::DataFrame;
use serde::Serialize;

use super::diff::{MentionCause, MentionChange, StateSummary, publication_diff};
use super::explain::{MentionQuestion, explain_mention};
use super::scan::{ScanRequest, TableScan};
use crate::error::{Error, Result};
use crate::lake::dt::Dt;
use crate::lake::states::{StateRecord, states};
use crate::lake::table_files::PartitionFilter;
use crate::lake::vocabulary::entries_of;
use crate::lake::{LakeAddress, WantedState, existing_lake_for, find_state};
use crate::matcher::VocabularyEntry;
use crate::schema::{CURRENT_DRUGS, PublicationKind, Table};
use crate::storage::Storage;
use crate::task::Task;
use crate::text::form;

/// A row of a source, as far as the lake knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceRow {
    pub uri: String,
    pub row: i64,
    /// The date that delivered it.
    pub dt: String,
    /// The copy in bronze; `None` in a partition of a version of drugs_rs that did not record it.
    pub copy: Option<String>,
    pub sha256: Option<String>,
}

/// A place in a text that names the drug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidencePlace {
    pub field: String,
    pub start: i64,
    pub end: i64,
    pub surface: String,
    pub rule: String,
    /// What the intervention that names the drug is in its arms.
    pub role: Option<String>,
    pub atccode: String,
    pub drug: String,
    pub substance: String,
}

/// A row of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceDrug {
    pub atccode: String,
    pub drug: String,
    pub synonyms: Vec<String>,
    pub source: Option<SourceRow>,
}

/// A text of the publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EvidenceText {
    pub field: String,
    pub searched: bool,
    pub text: String,
    pub explanation: Option<String>,
}

/// A state with which the pair came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairEvent {
    /// `entered` or `left`.
    pub event: &'static str,
    pub state: u64,
    pub as_of: String,
    pub committed_at: String,
    /// Why; `None` in the first state that is kept, in which the pair is already.
    pub cause: Option<MentionCause>,
    pub cause_dt: Option<String>,
}

/// What is known of a pair in one state of a lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairEvidence {
    pub publication_id: String,
    pub kind: &'static str,
    /// As it was asked for.
    pub drug: String,
    pub is_mentioned: bool,
    /// The state that was asked for.
    pub state: StateSummary,
    /// The state that has what follows: that one, or the last one before it that has the pair.
    pub shown_state: u64,
    pub title: String,
    pub journal: Option<String>,
    pub date: Option<String>,
    pub status: Option<String>,
    /// Why gold searches no text of the publication in the state that was asked for.
    pub excluded: Option<String>,
    pub places: Vec<EvidencePlace>,
    pub texts: Vec<EvidenceText>,
    pub source: Option<SourceRow>,
    pub vocabulary: Vec<EvidenceDrug>,
    pub settings: BTreeMap<String, serde_json::Value>,
    /// That of the matcher, of its vocabulary and settings; `None` if the matcher cannot be rebuilt.
    pub fingerprint: Option<String>,
    /// When the pair came and went, in the states that are kept.
    pub history: Vec<PairEvent>,
}

/// Collects the evidence for a pair, in the newest state or an earlier one.
pub fn pair_evidence(
    lake: &LakeAddress,
    question: &MentionQuestion<'_>,
    task: &Task,
) -> Result<PairEvidence> {
    let storage = existing_lake_for(&lake.root, task)?;
    let all = states(storage.as_ref())?;
    let newest = all.last().ok_or_else(|| Error::SourceNotFound {
        uri: format!("{}, its states", lake.root),
        expected: "a lake with a state of gold: run the gold step first".to_owned(),
    })?;
    let asked = match lake.state {
        None => newest.clone(),
        Some(wanted) => find_state(storage.as_ref(), wanted)?,
    };
    EvidenceFinder {
        lake: &lake.root,
        question,
        all: &all,
        asked,
        task,
    }
    .find()
}

struct EvidenceFinder<'e> {
    lake: &'e str,
    question: &'e MentionQuestion<'e>,
    all: &'e [StateRecord],
    asked: StateRecord,
    task: &'e Task,
}

/// An open state.
struct OpenState {
    record: StateRecord,
    storage: Arc<dyn Storage>,
    entries: Vec<VocabularyEntry>,
}

impl EvidenceFinder<'_> {
    fn find(&self) -> Result<PairEvidence> {
        let sightings = self.sightings()?;
        let kind = self.kind(&sightings)?;
        let has_pair = |state: u64| sightings.get(&state).and_then(|seen| seen.get(&kind)) == Some(&true);
        let has_publication = |state: u64| sightings.get(&state).is_some_and(|seen| seen.contains_key(&kind));
        let asked = self.asked.state;
        let earlier = self
            .all
            .iter()
            .rev()
            .map(|record| record.state)
            .filter(|state| *state <= asked);
        let shown_state = if has_pair(asked) {
            asked
        } else {
            let with_pair = earlier.clone().find(|state| has_pair(*state));
            // Without a pair in any state: the newest one with the publication says why not.
            with_pair
                .or_else(|| earlier.clone().find(|state| has_publication(*state)))
                .or_else(|| {
                    self.all
                        .iter()
                        .map(|record| record.state)
                        .find(|state| has_publication(*state))
                })
                .unwrap_or(asked)
        };
        let state = self.open(shown_state)?;
        let codes = codes_of(&state.entries, self.question.drug);
        let mut evidence = self.describe(&state, kind, &codes)?;
        evidence.is_mentioned = has_pair(asked);
        if !evidence.is_mentioned && has_publication(asked) {
            let question = MentionQuestion {
                kind: Some(kind),
                ..*self.question
            };
            evidence.excluded = match explain_mention(&self.open(asked)?.storage, &question, self.task) {
                Ok(explained) => explained.excluded,
                Err(Error::Format { .. } | Error::SourceNotFound { .. }) => None,
                Err(error) => return Err(error),
            };
        }
        // A state that could not be read has no part in the history.
        let readable = |record: &&StateRecord| sightings.contains_key(&record.state);
        evidence.history = self.history(self.all.iter().filter(readable), kind, has_pair)?;
        Ok(evidence)
    }

    fn open(&self, state: u64) -> Result<OpenState> {
        let address = LakeAddress {
            root: self.lake.to_owned(),
            state: Some(WantedState::Number(state)),
        };
        let record = self.all.iter().find(|record| record.state == state);
        let storage: Arc<dyn Storage> = address.open(self.task)?.into();
        let scan = ScanRequest::default();
        let entries = TableScan::open(Arc::clone(&storage), CURRENT_DRUGS.name, scan)?.read_all(self.task)?;
        Ok(OpenState {
            record: record.unwrap_or(&self.asked).clone(),
            storage,
            entries: entries_of(&entries)?,
        })
    }

    fn filter(&self, partition: Option<(PublicationKind, Dt)>) -> PartitionFilter {
        PartitionFilter {
            kinds: partition
                .map(|(kind, _)| kind)
                .or(self.question.kind)
                .map(|kind| BTreeSet::from([kind])),
            dates: partition.map(|(_, dt)| BTreeSet::from([dt])),
        }
    }

    /// The rows of the publication in one partition of a table.
    fn rows(
        &self,
        storage: &Arc<dyn Storage>,
        table: &Table,
        columns: &[&str],
        kind: PublicationKind,
        dt: Dt,
    ) -> Result<DataFrame> {
        let request = ScanRequest {
            columns: Some(columns.iter().map(|name| (*name).to_owned()).collect()),
            partitions: self.filter(Some((kind, dt))),
            publication_ids: Some(BTreeSet::from([self.question.publication_id.to_owned()])),
            ..ScanRequest::default()
        };
        TableScan::open(Arc::clone(storage), table.name, request)?.read_all(self.task)
    }

    /// When the pair came and went, in the states that are kept.
    fn history<'r>(
        &self,
        readable: impl Iterator<Item = &'r StateRecord>,
        kind: PublicationKind,
        has_pair: impl Fn(u64) -> bool,
    ) -> Result<Vec<PairEvent>> {
        let mut events = Vec::new();
        let mut before: Option<&StateRecord> = None;
        for record in readable {
            let (had, has) = (
                before.is_some_and(|before| has_pair(before.state)),
                has_pair(record.state),
            );
            if had != has {
                let cause = match before {
                    Some(before) => self.cause([before.state, record.state], kind, has)?,
                    None => None,
                };
                events.push(PairEvent {
                    event: if has { "entered" } else { "left" },
                    state: record.state,
                    as_of: record.as_of.clone(),
                    committed_at: record.committed_at.clone(),
                    cause: cause.as_ref().map(|(cause, _)| *cause),
                    cause_dt: cause.and_then(|(_, dt)| dt),
                });
            }
            before = Some(record);
        }
        Ok(events)
    }

    /// Why the pair came or went between two states.
    fn cause(
        &self,
        states: [u64; 2],
        kind: PublicationKind,
        has: bool,
    ) -> Result<Option<(MentionCause, Option<String>)>> {
        let found = publication_diff(self.lake, states, (kind, self.question.publication_id), self.task)?;
        let state = self.open(states[usize::from(has)])?;
        let codes = codes_of(&state.entries, self.question.drug);
        let wanted = if has {
            MentionChange::Gained
        } else {
            MentionChange::Lost
        };
        let rows = found.read_all()?;
        let (changes, causes) = (texts(&rows, "change")?, texts(&rows, "cause")?);
        let (atccodes, dates) = (texts(&rows, "atccode")?, texts(&rows, "cause_dt")?);
        for (row, change) in changes.iter().enumerate() {
            let is_of_drug = atccodes[row].as_ref().is_some_and(|code| codes.contains(code));
            if change.as_deref() == Some(wanted.name()) && is_of_drug {
                let cause = causes[row].as_deref().and_then(|cause| cause.parse().ok());
                return Ok(cause.map(|cause| (cause, dates[row].clone())));
            }
        }
        Ok(None)
    }
}

/// The codes of the entries that have a name or code.
fn codes_of(entries: &[VocabularyEntry], drug: &str) -> BTreeSet<String> {
    let folded = form(drug);
    let is_meant = |entry: &&VocabularyEntry| {
        let mut names = std::iter::once(entry.drug.as_str()).chain(entry.synonyms.iter().map(|name| &**name));
        entry.atccode == drug || names.any(|name| form(name) == folded)
    };
    entries
        .iter()
        .filter(is_meant)
        .map(|entry| entry.atccode.clone())
        .collect()
}

fn texts(frame: &DataFrame, name: &str) -> Result<Vec<Option<String>>> {
    if frame.height() == 0 {
        return Ok(Vec::new());
    }
    Ok(frame
        .column(name)?
        .str()?
        .iter()
        .map(|text| text.map(str::to_owned))
        .collect())
}
