//! Evidence for a pair of a drug and a publication: what says so, from the text back to the bytes of the sources, and when the
//! pair came and went.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use polars::prelude::DataFrame;
use serde::Serialize;

use super::diff::{MentionCause, MentionChange, StateSummary, publication_diff};
use super::explain::{FieldExplanation, MentionQuestion, explain_mention, unknown_drug};
use super::scan::{ScanRequest, TableScan};
use crate::choice::Choice as _;
use crate::error::{Error, Result, shown};
use crate::lake::documents::{PublishedGold, SilverManifest, SourceCopy};
use crate::lake::dt::Dt;
use crate::lake::states::{StateRecord, states};
use crate::lake::table_files::{PartitionFilter, table_files};
use crate::lake::vocabulary::entries_of;
use crate::lake::{LakeAddress, WantedState, existing_lake_for, find_state, layout, manifest};
use crate::matcher::{Matcher, MatcherSettings, VocabularyEntry};
use crate::schema::{
    CURRENT_DRUGS, CURRENT_PUBLICATIONS, DRUGS, MENTIONS, PUBLICATIONS, PublicationKind, SourceTable, Table,
};
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

/// A partition of a table, and the digests of its files.
type PartitionFiles = (PublicationKind, Dt, String);

/// Whether a state has the publication, by kind, and the pair in it.
type PairSighting = BTreeMap<PublicationKind, bool>;

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

    /// In each state whether it has the publication, and the pair. What several states share is read once.
    fn sightings(&self) -> Result<BTreeMap<u64, PairSighting>> {
        let mut has_publication: BTreeMap<PartitionFiles, bool> = BTreeMap::new();
        let mut codes_in: BTreeMap<PartitionFiles, BTreeSet<String>> = BTreeMap::new();
        let mut found = BTreeMap::new();
        let mut is_known = false;
        for record in self.all {
            self.task.check()?;
            let state = match self.open(record.state) {
                // It was given up meanwhile, or somebody removed a file of it.
                Err(Error::SourceNotFound { .. }) if record.state != self.asked.state => continue,
                opened => opened?,
            };
            let codes = codes_of(&state.entries, self.question.drug);
            is_known |= !codes.is_empty();
            let mut seen = PairSighting::new();
            let mentions = self.partitions(&state, &MENTIONS)?;
            for files in self.partitions(&state, &CURRENT_PUBLICATIONS)? {
                let (kind, dt, _) = files;
                let has = match has_publication.get(&files) {
                    Some(has) => *has,
                    None => {
                        let columns = ["publication_id"];
                        let rows = self.rows(&state.storage, &CURRENT_PUBLICATIONS, &columns, kind, dt)?;
                        has_publication.insert(files.clone(), rows.height() > 0);
                        rows.height() > 0
                    }
                };
                if !has {
                    continue;
                }
                seen.insert(kind, false);
                for files in mentions
                    .iter()
                    .filter(|(of_kind, of, _)| (*of_kind, *of) == (kind, dt))
                {
                    if !codes_in.contains_key(files) {
                        let rows = self.rows(&state.storage, &MENTIONS, &["atccode"], kind, dt)?;
                        codes_in.insert(
                            files.clone(),
                            texts(&rows, "atccode")?.into_iter().flatten().collect(),
                        );
                    }
                    let has_pair = codes_in.get(files).is_some_and(|of| !of.is_disjoint(&codes));
                    seen.insert(kind, has_pair);
                }
            }
            found.insert(record.state, seen);
        }
        if !is_known {
            let state = self.open(self.asked.state)?;
            return Err(unknown_drug(&state.entries, self.question.drug, self.lake));
        }
        Ok(found)
    }

    /// The partitions of a table in a state, with the digests of their files.
    fn partitions(&self, state: &OpenState, table: &'static Table) -> Result<BTreeSet<PartitionFiles>> {
        let mut digests: BTreeMap<(PublicationKind, Dt), String> = BTreeMap::new();
        for file in table_files(state.storage.as_ref(), table, &self.filter(None))? {
            if let (Some(kind), Some(dt)) = (file.kind, file.dt) {
                digests.entry((kind, dt)).or_default().push_str(&file.file.sha256);
            }
        }
        Ok(digests
            .into_iter()
            .map(|((kind, dt), digests)| (kind, dt, digests))
            .collect())
    }

    /// The kind of the publication; fails if no state has it, or if it has several.
    fn kind(&self, sightings: &BTreeMap<u64, PairSighting>) -> Result<PublicationKind> {
        let kinds: BTreeSet<PublicationKind> =
            sightings.values().flat_map(|seen| seen.keys().copied()).collect();
        let wanted = self.question.kind;
        match kinds
            .iter()
            .filter(|kind| wanted.is_none_or(|wanted| wanted == **kind))
            .collect::<Vec<_>>()[..]
        {
            [kind] => Ok(*kind),
            [] => {
                // The error of an explanation says whether it is held, or newer than gold.
                let address = LakeAddress {
                    root: self.lake.to_owned(),
                    state: None,
                };
                let explained = explain_mention(&address.open(self.task)?.into(), self.question, self.task);
                Err(explained.err().unwrap_or_else(|| Error::Conflict {
                    path: self.lake.to_owned(),
                    found: "another run delivered the publication meanwhile".to_owned(),
                }))
            }
            _ => {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                let id = shown(self.question.publication_id);
                let found = format!("`{id}` is the id of several publications");
                Err(Error::argument(
                    "kind",
                    found,
                    format!("one of {}", names.join(", ")),
                ))
            }
        }
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

    /// What a state has of the pair.
    fn describe(
        &self,
        state: &OpenState,
        kind: PublicationKind,
        codes: &BTreeSet<String>,
    ) -> Result<PairEvidence> {
        let mut current = None;
        let files = table_files(
            state.storage.as_ref(),
            &CURRENT_PUBLICATIONS,
            &PartitionFilter {
                kinds: Some(BTreeSet::from([kind])),
                dates: None,
            },
        )?;
        let dates: BTreeSet<Dt> = files.iter().filter_map(|file| file.dt).collect();
        for dt in dates.into_iter().rev() {
            let rows = self.rows(
                &state.storage,
                &CURRENT_PUBLICATIONS,
                &["title", "journal", "date"],
                kind,
                dt,
            )?;
            if rows.height() > 0 {
                current = Some((dt, rows));
                break;
            }
        }
        let id = self.question.publication_id;
        let (dt, row) =
            current.ok_or_else(|| Error::internal(format!("a state that lost `{}`", shown(id))))?;
        let silver = self.rows(
            &state.storage,
            &PUBLICATIONS,
            &["title", "abstract", "source_uri", "source_row"],
            kind,
            dt,
        )?;
        let question = MentionQuestion {
            kind: Some(kind),
            ..*self.question
        };
        // A matcher that cannot be rebuilt explains nothing; the rest is known all the same.
        let explained = match explain_mention(&state.storage, &question, self.task) {
            Ok(explained) => explained.fields,
            Err(Error::Format { .. } | Error::SourceNotFound { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let explanation =
            |field: &str| -> Option<&FieldExplanation> { explained.iter().find(|one| one.field == field) };
        let field_text = |field: &str| -> Result<Option<EvidenceText>> {
            let text = texts(&silver, field)?.into_iter().next().flatten();
            Ok(text.map(|text| EvidenceText {
                field: field.to_owned(),
                searched: explanation(field).map_or(field == "title", |one| one.searched),
                text,
                explanation: explanation(field).map(|one| one.explanation.clone()),
            }))
        };
        let fields = [field_text("title")?, field_text("abstract")?]
            .into_iter()
            .flatten()
            .collect();
        let gold =
            manifest::read::<PublishedGold>(state.storage.as_ref(), layout::GOLD_MANIFEST.to_owned())?.0;
        let mut settings = gold.map(|gold| gold.settings).unwrap_or_default();
        let matcher = settings
            .remove("matcher")
            .and_then(|record| MatcherSettings::of_record(&record));
        let fingerprint = match matcher {
            Some(matcher) => Some(Matcher::build(&state.entries, &matcher, self.task)?.fingerprint()),
            None => None,
        };
        let copies = copies(state.storage.as_ref(), kind.source_table(), dt)?;
        Ok(PairEvidence {
            publication_id: id.to_owned(),
            kind: kind.name(),
            drug: self.question.drug.to_owned(),
            is_mentioned: false,
            state: StateSummary::of(&self.asked),
            shown_state: state.record.state,
            title: texts(&row, "title")?
                .into_iter()
                .flatten()
                .next()
                .unwrap_or_default(),
            journal: texts(&row, "journal")?.into_iter().flatten().next(),
            date: row
                .column("date")?
                .get(0)
                .ok()
                .filter(|date| !date.is_null())
                .map(|date| date.to_string()),
            places: self.places(state, kind, dt, codes)?,
            texts: fields,
            source: source_rows(&silver, dt, &copies)?.into_iter().next(),
            vocabulary: self.vocabulary(state, codes)?,
            settings,
            fingerprint,
            history: Vec::new(),
        })
    }

    fn places(
        &self,
        state: &OpenState,
        kind: PublicationKind,
        dt: Dt,
        codes: &BTreeSet<String>,
    ) -> Result<Vec<EvidencePlace>> {
        let columns = [
            "field",
            "start",
            "end",
            "surface",
            "rule",
            "atccode",
            "drug",
            "substance",
        ];
        let rows = self.rows(&state.storage, &MENTIONS, &columns, kind, dt)?;
        let text = |name: &str, row: usize| -> Result<String> {
            Ok(rows.column(name)?.str()?.get(row).unwrap_or_default().to_owned())
        };
        let number = |name: &str, row: usize| -> Result<i64> {
            Ok(rows.column(name)?.i64()?.get(row).unwrap_or_default())
        };
        let mut places = Vec::new();
        for row in 0..rows.height() {
            let atccode = text("atccode", row)?;
            if codes.contains(&atccode) {
                places.push(EvidencePlace {
                    field: text("field", row)?,
                    start: number("start", row)?,
                    end: number("end", row)?,
                    surface: text("surface", row)?,
                    rule: text("rule", row)?,
                    atccode,
                    drug: text("drug", row)?,
                    substance: text("substance", row)?,
                });
            }
        }
        Ok(places)
    }

    /// The rows of the drug in the vocabulary, with their sources.
    fn vocabulary(&self, state: &OpenState, codes: &BTreeSet<String>) -> Result<Vec<EvidenceDrug>> {
        let held: BTreeSet<&str> = state.record.held.iter().map(|held| held.dt.as_str()).collect();
        let dates = state.record.silver.keys().filter_map(|path| {
            let dt = layout::date_of_file(path.rsplit('/').next()?)?;
            (*path == layout::silver_manifest(SourceTable::Drugs, dt)).then_some(dt)
        });
        let newest = dates.filter(|dt| !held.contains(dt.to_string().as_str())).max();
        let mut sources: BTreeMap<(String, String), SourceRow> = BTreeMap::new();
        if let Some(dt) = newest {
            let request = ScanRequest {
                partitions: PartitionFilter {
                    kinds: None,
                    dates: Some(BTreeSet::from([dt])),
                },
                atccodes: Some(codes.clone()),
                ..ScanRequest::default()
            };
            let rows =
                TableScan::open(Arc::clone(&state.storage), DRUGS.name, request)?.read_all(self.task)?;
            let copies = copies(state.storage.as_ref(), SourceTable::Drugs, dt)?;
            let names = texts(&rows, "atccode")?.into_iter().zip(texts(&rows, "drug")?);
            for ((code, drug), source) in names.zip(source_rows(&rows, dt, &copies)?) {
                sources.insert((code.unwrap_or_default(), drug.unwrap_or_default()), source);
            }
        }
        let entries = state
            .entries
            .iter()
            .filter(|entry| codes.contains(entry.atccode.as_str()));
        Ok(entries
            .map(|entry| EvidenceDrug {
                atccode: entry.atccode.clone(),
                drug: entry.drug.clone(),
                synonyms: entry.synonyms.iter().map(|name| (**name).to_owned()).collect(),
                source: sources.remove(&(entry.atccode.clone(), entry.drug.clone())),
            })
            .collect())
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

/// The copies in bronze that a partition was made from.
fn copies(storage: &dyn Storage, table: SourceTable, dt: Dt) -> Result<Vec<SourceCopy>> {
    let found = manifest::read::<SilverManifest>(storage, layout::silver_manifest(table, dt))?.0;
    Ok(found.map(|found| found.copies).unwrap_or_default())
}

/// The sources of rows of silver.
fn source_rows(rows: &DataFrame, dt: Dt, copies: &[SourceCopy]) -> Result<Vec<SourceRow>> {
    let uris = texts(rows, "source_uri")?;
    let mut found = Vec::new();
    for (number, uri) in uris.into_iter().enumerate() {
        let uri = uri.unwrap_or_default();
        // A file in an archive has the name of the archive before its own.
        let copy = copies
            .iter()
            .filter(|copy| uri.starts_with(&copy.uri))
            .max_by_key(|copy| copy.uri.len());
        found.push(SourceRow {
            row: rows.column("source_row")?.i64()?.get(number).unwrap_or_default(),
            dt: dt.to_string(),
            copy: copy.map(|copy| copy.path.clone()),
            sha256: copy.map(|copy| copy.sha256.clone()),
            uri,
        });
    }
    Ok(found)
}

impl PairEvidence {
    /// The evidence for people.
    pub fn to_text(&self) -> String {
        let state = &self.state;
        let verb = if self.is_mentioned {
            "mentions"
        } else {
            "does not mention"
        };
        let mut text = format!(
            "{} {} {verb} {} in state {} (up to {})\n",
            self.kind, self.publication_id, self.drug, state.state, state.as_of
        );
        if self.shown_state != state.state {
            let _ = writeln!(text, "What follows is from state {}.", self.shown_state);
        }
        let _ = writeln!(text, "\nText");
        for field in &self.texts {
            let places: Vec<&EvidencePlace> = self
                .places
                .iter()
                .filter(|place| place.field == field.field)
                .collect();
            if field.field != "title" && places.is_empty() {
                continue;
            }
            let _ = writeln!(text, "  {}: {}", field.field, marked(&field.text, &places));
            for place in places {
                let EvidencePlace {
                    start,
                    end,
                    surface,
                    rule,
                    atccode,
                    drug,
                    ..
                } = place;
                let _ = writeln!(
                    text,
                    "    {start} to {end}: `{surface}` is {drug} ({atccode}) by its {rule}"
                );
            }
            if let Some(explanation) = &field.explanation {
                let _ = writeln!(text, "    {explanation}");
            }
        }
        let _ = writeln!(text, "\nPublication");
        for (name, value) in [("journal", &self.journal), ("date", &self.date)] {
            if let Some(value) = value {
                let _ = writeln!(text, "  {name}: {value}");
            }
        }
        self.source.iter().for_each(|source| source.add_to(&mut text));
        let _ = writeln!(text, "\nVocabulary");
        for drug in &self.vocabulary {
            let synonyms = match drug.synonyms.as_slice() {
                [] => String::new(),
                names => format!("; also {}", names.join(", ")),
            };
            let _ = writeln!(text, "  {} {}{synonyms}", drug.atccode, drug.drug);
            drug.source.iter().for_each(|source| source.add_to(&mut text));
        }
        let _ = writeln!(text, "\nMatcher");
        let fingerprint = self
            .fingerprint
            .as_deref()
            .unwrap_or("cannot be rebuilt by this version");
        let _ = writeln!(text, "  fingerprint: {fingerprint}");
        let settings: Vec<String> = self
            .settings
            .iter()
            .map(|(name, value)| {
                format!(
                    "{name}={}",
                    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                )
            })
            .collect();
        let _ = writeln!(text, "  settings: {}", settings.join(", "));
        let _ = writeln!(text, "\nHistory in the states that are kept");
        if self.history.is_empty() {
            let _ = writeln!(text, "  none of them has the pair");
        }
        for event in &self.history {
            let cause = match (&event.cause, &event.cause_dt) {
                (Some(cause), Some(dt)) => format!(": {}, by dt={dt}", cause.choice_name()),
                (Some(cause), None) => format!(": {}", cause.choice_name()),
                (None, _) => ", the first one that is kept, or before it".to_owned(),
            };
            let PairEvent {
                event,
                state,
                as_of,
                committed_at,
                ..
            } = event;
            let _ = writeln!(
                text,
                "  {event} with state {state} (up to {as_of}, committed at {committed_at}){cause}"
            );
        }
        text
    }
}

impl SourceRow {
    fn add_to(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "  source: {}, row {}, delivered by dt={}",
            self.uri, self.row, self.dt
        );
        match (&self.copy, &self.sha256) {
            (Some(copy), Some(sha256)) => {
                let _ = writeln!(text, "  copy: {copy}, SHA-256 {sha256}");
            }
            _ => {
                let _ = writeln!(text, "  copy: not recorded by the version that cleaned it");
            }
        }
    }
}

/// A text with its places between signs.
fn marked(text: &str, places: &[&EvidencePlace]) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut marked = String::with_capacity(text.len() + 8);
    for (point, letter) in letters.iter().chain(std::iter::once(&'\n')).enumerate() {
        let point = point as i64;
        if places.iter().any(|place| place.end == point) {
            marked.push(']');
        }
        if places.iter().any(|place| place.start == point) {
            marked.push('[');
        }
        marked.push(if letter.is_control() && *letter != '\n' {
            '\u{fffd}'
        } else {
            *letter
        });
    }
    marked.trim_end().to_owned()
}
