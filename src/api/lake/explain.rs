//! Why a drug is mentioned in a publication of a lake, or why it is not: with the vocabulary and the settings of gold.
//!
//! The settings come from the record of the newest run of gold. Its own table of mentions is the proof: if the matcher that
//! is built from them does not find the mentions that gold wrote for this publication, that is an error and no explanation.

use std::collections::BTreeSet;
use std::sync::Arc;

use polars::prelude::DataFrame;
use serde::Serialize;

use super::scan::{ScanRequest, TableScan};
use crate::choice::{Choice as _, close_names, one_of};
use crate::error::{Error, Result, shown};
use crate::gold::field_texts::FieldTexts;
use crate::gold::mentions::SearchSettings;
use crate::lake::documents::{PublishedGold, SilverManifest};
use crate::lake::dt::Dt;
use crate::lake::holds::HeldDates;
use crate::lake::partitions::delivered_dates;
use crate::lake::table_files::PartitionFilter;
use crate::lake::vocabulary::entries_of;
use crate::lake::{layout, manifest};
use crate::matcher::{CodePoints, Matcher, MatcherSettings, VocabularyEntry};
use crate::schema::{
    CURRENT_DRUGS, CURRENT_PUBLICATIONS, DELETED, MENTIONS, PUBLICATIONS, PublicationKind, SearchedField,
    Table,
};
use crate::steps::gold::search_of_record;
use crate::storage::Storage;
use crate::task::Task;

/// Attempts, because a run may commit while the tables are read.
const TRIES: usize = 5;

/// Names that an error suggests.
const MOST_MEANT: usize = 3;

/// What is to be explained.
#[derive(Debug, Clone, Copy)]
pub struct MentionQuestion<'q> {
    pub publication_id: &'q str,
    /// The kind of the publication, where publications of several kinds have the id.
    pub kind: Option<PublicationKind>,
    /// A name or a code of the vocabulary.
    pub drug: &'q str,
}

/// Why a drug is mentioned in a publication, or why it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MentionExplanation {
    pub publication_id: String,
    pub kind: &'static str,
    /// The date that delivered the current state.
    pub dt: String,
    pub drug: String,
    /// The texts of the publication in the order in which they are searched.
    pub fields: Vec<FieldExplanation>,
    /// A later state of the publication that gold leaves out, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Why gold searched no text of the publication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded: Option<String>,
}

/// What is true of one text of a publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldExplanation {
    pub field: &'static str,
    /// Whether gold searches it.
    pub searched: bool,
    pub explanation: String,
}

impl MentionExplanation {
    /// The explanation for people, a line for each text.
    pub fn to_text(&self) -> String {
        let fields = self.fields.iter().map(|field| {
            let place = if field.searched {
                field.field.to_owned()
            } else if self.excluded.is_some() {
                format!("{}, which gold did not search", field.field)
            } else {
                format!("{}, which gold did not search (fields)", field.field)
            };
            format!("{place}: {}", field.explanation)
        });
        let notes = self.excluded.iter().chain(&self.held).cloned();
        fields.chain(notes).collect::<Vec<_>>().join("\n")
    }
}

/// Explains why the drug is mentioned in the publication, or why it is not.
pub fn explain_mention(
    storage: &Arc<dyn Storage>,
    question: &MentionQuestion<'_>,
    task: &Task,
) -> Result<MentionExplanation> {
    let mut tries = 0;
    loop {
        match (Explainer {
            storage,
            question,
            task,
        })
        .explain()
        {
            Err(Error::Conflict { .. }) if tries < TRIES => tries += 1,
            explained => return explained,
        }
    }
}

struct Explainer<'a> {
    storage: &'a Arc<dyn Storage>,
    question: &'a MentionQuestion<'a>,
    task: &'a Task,
}

/// A publication in the state that gold shows.
struct Current {
    kind: PublicationKind,
    dt: Dt,
    status: Option<String>,
}

impl Explainer<'_> {
    fn explain(&self) -> Result<MentionExplanation> {
        let current = self.current()?;
        let (settings, search) = self.settings()?;
        let entries = self.entries()?;
        let matcher = Matcher::build(&entries, &settings, self.task)?;
        let is_excluded = search.excludes(current.status.as_deref());
        let is_searched = |field| !is_excluded && search.fields.contains(field);
        let texts = self.texts(&current)?;
        let mut fields = Vec::new();
        for (field, text) in &texts {
            fields.push(self.field(&matcher, (*field, is_searched(*field)), text, &entries)?);
        }
        let searched = texts.iter().filter(|(field, _)| is_searched(*field));
        self.check(&matcher, &current, searched)?;
        let excluded = current.status.as_deref().filter(|_| is_excluded).map(|status| {
            format!(
                "The publication is {status}, and gold does not search such publications (exclude_status)"
            )
        });
        Ok(MentionExplanation {
            publication_id: self.question.publication_id.to_owned(),
            kind: current.kind.name(),
            dt: current.dt.to_string(),
            drug: self.question.drug.to_owned(),
            fields,
            held: self.held_state(&current)?,
            excluded,
        })
    }

    /// The rows of the publication in a table, in one frame.
    fn rows(&self, table: &Table, columns: &[&str], partitions: PartitionFilter) -> Result<DataFrame> {
        let request = ScanRequest {
            columns: Some(columns.iter().map(|name| (*name).to_owned()).collect()),
            partitions,
            publication_ids: Some(BTreeSet::from([self.question.publication_id.to_owned()])),
            ..ScanRequest::default()
        };
        TableScan::open(Arc::clone(self.storage), table.name, request)?.read_all(self.task)
    }

    /// The kinds and dates of the publication in a table.
    fn sightings(&self, table: &Table) -> Result<Vec<(Dt, PublicationKind)>> {
        let filter = PartitionFilter {
            kinds: self.question.kind.map(|kind| BTreeSet::from([kind])),
            dates: None,
        };
        let rows = self.rows(table, &["kind", "dt"], filter)?;
        let pairs = rows
            .column("kind")?
            .str()?
            .iter()
            .zip(rows.column("dt")?.str()?.iter());
        let pairs = pairs.filter_map(|(kind, dt)| Some((Dt::parse(dt?).ok()?, kind?.parse().ok()?)));
        Ok(pairs.collect())
    }

    /// The publication as it is in gold.
    fn current(&self) -> Result<Current> {
        let found = self.sightings(&CURRENT_PUBLICATIONS)?;
        let (dt, kind) = match found.as_slice() {
            [] => return Err(self.why_missing()?),
            [one] => *one,
            several => {
                let kinds: Vec<&str> = several.iter().map(|(_, kind)| kind.name()).collect();
                let found = format!(
                    "`{}` is the id of several publications",
                    shown(self.question.publication_id)
                );
                return Err(Error::argument(
                    "kind",
                    found,
                    format!("one of {}", kinds.join(", ")),
                ));
            }
        };
        let rows = self.rows(&CURRENT_PUBLICATIONS, &["status"], partition(kind, dt))?;
        let status = rows.column("status")?.str()?.get(0).map(str::to_owned);
        Ok(Current { kind, dt, status })
    }

    /// The error for a publication that gold does not have.
    fn why_missing(&self) -> Result<Error> {
        let id = shown(self.question.publication_id);
        let of_kind = self
            .question
            .kind
            .map(|kind| format!("{} ", kind.name()))
            .unwrap_or_default();
        let uri = format!(
            "{of_kind}`{id}` in the current publications of {}",
            self.storage.root()
        );
        let held = HeldDates::read(self.storage.as_ref())?;
        let newest = self
            .sightings(&PUBLICATIONS)?
            .into_iter()
            .max_by_key(|(dt, _)| *dt);
        let deleted = self.sightings(&DELETED)?.into_iter().map(|(dt, _)| dt);
        let deleted = deleted.filter(|dt| !held.has(*dt)).max();
        let expected = match (newest, deleted) {
            (None, _) => {
                "the id of a publication that the lake has, as in the table `publications`".to_owned()
            }
            (Some((dt, _)), _) if held.has(dt) => format!(
                "a date that is not held, and dt={dt}, which delivered it, is held: {}; release the date and run the gold step",
                held.reason(dt).unwrap_or_default()
            ),
            (Some((dt, _)), Some(notice)) if dt <= notice => {
                format!("a publication that was not deleted, as a notice of dt={notice} did")
            }
            (Some((dt, kind)), _) if self.snapshot_after(dt, kind)?.is_some() => format!(
                "a publication that the newest snapshot has, and dt={dt} delivered it, before the snapshot of dt={}, which \
                 lacks it",
                self.snapshot_after(dt, kind)?
                    .map(|dt| dt.to_string())
                    .unwrap_or_default()
            ),
            (Some((dt, _)), _) => format!("a gold run since dt={dt} delivered it; run the gold step"),
        };
        Ok(Error::SourceNotFound { uri, expected })
    }

    /// A later snapshot that is not held.
    fn snapshot_after(&self, dt: Dt, kind: PublicationKind) -> Result<Option<Dt>> {
        let held = HeldDates::read(self.storage.as_ref())?;
        for later in delivered_dates(self.storage.as_ref(), kind.source_table())?
            .into_iter()
            .rev()
        {
            if later <= dt || held.has(later) {
                continue;
            }
            let path = layout::silver_manifest(kind.source_table(), later);
            let found = manifest::read::<SilverManifest>(self.storage.as_ref(), path)?.0;
            if found.is_some_and(|found| found.snapshot) {
                return Ok(Some(later));
            }
        }
        Ok(None)
    }

    /// The texts that silver has of the publication, in the order in which they are searched.
    fn texts(&self, current: &Current) -> Result<Vec<(SearchedField, String)>> {
        let columns: Vec<&str> = SearchedField::CHOICES.iter().map(|field| field.name()).collect();
        let rows = self.rows(&PUBLICATIONS, &columns, partition(current.kind, current.dt))?;
        let mut texts = Vec::new();
        for field in SearchedField::CHOICES {
            let of_field = FieldTexts::of(&rows, *field)?;
            texts.extend(of_field.get(0).map(|found| (*field, found.text.into_owned())));
        }
        Ok(texts)
    }

    /// The settings of the matcher that gold used, and what it searched.
    fn settings(&self) -> Result<(MatcherSettings, SearchSettings)> {
        let uri = format!("{}/{}", self.storage.root(), layout::GOLD_MANIFEST);
        let remedy = "run the gold step, or explain the text itself with `Matcher.explain`";
        let path = layout::GOLD_MANIFEST.to_owned();
        let Some(gold) = manifest::read::<PublishedGold>(self.storage.as_ref(), path)?.0 else {
            let expected = "the manifest of the gold layer; run the gold step first".to_owned();
            return Err(Error::SourceNotFound { uri, expected });
        };
        let matcher = gold.settings.get("matcher").and_then(MatcherSettings::of_record);
        matcher.zip(search_of_record(&gold.settings)).ok_or_else(|| {
            let found = "settings that the matcher cannot be rebuilt from: another version of drugs_rs wrote them, or they \
                         have more than 1,000 stop words";
            Error::format(uri, "the settings", found, remedy)
        })
    }

    /// The vocabulary that gold used.
    fn entries(&self) -> Result<Vec<VocabularyEntry>> {
        let scan = ScanRequest::default();
        let mut scan = TableScan::open(Arc::clone(self.storage), CURRENT_DRUGS.name, scan)?;
        entries_of(&scan.read_all(self.task)?)
    }

    fn field(
        &self,
        matcher: &Matcher,
        (field, searched): (SearchedField, bool),
        text: &str,
        entries: &[VocabularyEntry],
    ) -> Result<FieldExplanation> {
        let drug = self.question.drug;
        let explanation = matcher
            .explain_under(text, drug, self.task)
            .map_err(|error| match error {
                Error::Argument { .. } => unknown_drug(entries, drug, &self.storage.root()),
                other => other,
            })?;
        Ok(FieldExplanation {
            field: field.name(),
            searched,
            explanation,
        })
    }

    /// Fails if the matcher does not find what gold found.
    fn check<'t>(
        &self,
        matcher: &Matcher,
        current: &Current,
        texts: impl Iterator<Item = &'t (SearchedField, String)>,
    ) -> Result<()> {
        let mut found = BTreeSet::new();
        for (field, text) in texts {
            let mut points = CodePoints::new(text);
            for mention in matcher.find_under(text, self.task)? {
                let (start, end) = (points.at(mention.start) as i64, points.at(mention.end) as i64);
                let drug = (mention.atccode().to_owned(), mention.drug().to_owned());
                found.insert((
                    field.name().to_owned(),
                    start,
                    end,
                    drug,
                    mention.rule.name().to_owned(),
                ));
            }
        }
        let columns = ["field", "start", "end", "atccode", "drug", "rule"];
        let rows = self.rows(&MENTIONS, &columns, partition(current.kind, current.dt))?;
        let text = |name: &str, row| -> Result<String> {
            Ok(rows.column(name)?.str()?.get(row).unwrap_or_default().to_owned())
        };
        let number =
            |name: &str, row| -> Result<i64> { Ok(rows.column(name)?.i64()?.get(row).unwrap_or_default()) };
        let mut written = BTreeSet::new();
        for row in 0..rows.height() {
            let drug = (text("atccode", row)?, text("drug", row)?);
            let (start, end) = (number("start", row)?, number("end", row)?);
            written.insert((text("field", row)?, start, end, drug, text("rule", row)?));
        }
        if found == written {
            return Ok(());
        }
        Err(Error::format(
            format!("{}/{}", self.storage.root(), MENTIONS.folder),
            format!("the publication {}", shown(self.question.publication_id)),
            format!(
                "{} mentions, and the recorded settings find {} in the texts of silver, not the same",
                written.len(),
                found.len()
            ),
            "run the gold step again: silver has other texts since, or another run recorded its settings last",
        ))
    }

    /// A sentence about the newest state of the publication, if that is of a held date.
    fn held_state(&self, current: &Current) -> Result<Option<String>> {
        let held = HeldDates::read(self.storage.as_ref())?;
        let dates: BTreeSet<Dt> = held
            .among(|dt| dt > current.dt)
            .iter()
            .filter_map(|date| Dt::parse(&date.dt).ok())
            .collect();
        if dates.is_empty() {
            return Ok(None);
        }
        let filter = PartitionFilter {
            kinds: Some(BTreeSet::from([current.kind])),
            dates: Some(dates),
        };
        let rows = self.rows(&PUBLICATIONS, &["dt"], filter)?;
        let newest = rows
            .column("dt")?
            .str()?
            .iter()
            .flatten()
            .filter_map(|dt| Dt::parse(dt).ok())
            .max();
        Ok(newest.map(|dt| {
            let reason = held.reason(dt).unwrap_or_default();
            format!("A newer state of the publication is left out, because dt={dt} is held: {reason}")
        }))
    }
}

/// The error for a drug that the vocabulary of a lake lacks, with the names that are close.
pub(super) fn unknown_drug(entries: &[VocabularyEntry], drug: &str, lake: &str) -> Error {
    let names = entries.iter().flat_map(|entry| {
        let names = [entry.drug.as_str(), entry.atccode.as_str()].into_iter();
        names.chain(entry.synonyms.iter().map(String::as_str))
    });
    let close: Vec<String> = close_names(drug, names, MOST_MEANT)
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let meant = match close.as_slice() {
        [] => String::new(),
        close => format!("; did you mean {}?", one_of(close)),
    };
    Error::SourceNotFound {
        uri: format!("`{}` in the vocabulary of {lake}", shown(drug)),
        expected: format!("a name or a code of the table `drugs`{meant}"),
    }
}

fn partition(kind: PublicationKind, dt: Dt) -> PartitionFilter {
    PartitionFilter {
        kinds: Some(BTreeSet::from([kind])),
        dates: Some(BTreeSet::from([dt])),
    }
}
