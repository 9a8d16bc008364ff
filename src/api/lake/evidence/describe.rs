//! What one state has of a pair.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use polars::prelude::DataFrame;

use super::{
    EvidenceDrug, EvidenceFinder, EvidencePlace, EvidenceText, OpenState, PairEvidence, SourceRow, texts,
};
use crate::api::lake::diff::StateSummary;
use crate::api::lake::explain::{FieldExplanation, MentionQuestion, explain_mention};
use crate::api::lake::scan::{ScanRequest, TableScan};
use crate::choice::Choice as _;
use crate::error::{Error, Result, shown};
use crate::gold::field_texts::FieldTexts;
use crate::lake::documents::{PublishedGold, SilverManifest, SourceCopy};
use crate::lake::dt::Dt;
use crate::lake::table_files::{PartitionFilter, table_files};
use crate::lake::{layout, manifest};
use crate::matcher::{Matcher, MatcherSettings};
use crate::schema::{
    CURRENT_PUBLICATIONS, DRUGS, MENTIONS, PUBLICATIONS, PublicationKind, SearchedField, SourceTable,
};
use crate::steps::gold::search_of_record;
use crate::storage::Storage;

impl EvidenceFinder<'_> {
    /// What a state has of the pair.
    pub(super) fn describe(
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
                &["title", "journal", "date", "status"],
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
            &[
                "title",
                "abstract",
                "interventions",
                "substances",
                "source_uri",
                "source_row",
            ],
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
        let gold =
            manifest::read::<PublishedGold>(state.storage.as_ref(), layout::GOLD_MANIFEST.to_owned())?.0;
        let mut settings = gold.map(|gold| gold.settings).unwrap_or_default();
        let search = search_of_record(&settings).unwrap_or_default();
        let mut fields = Vec::new();
        for field in SearchedField::CHOICES {
            let of_field = FieldTexts::of(&silver, *field)?;
            let Some(found) = of_field.get(0) else { continue };
            let explained = explanation(field.name());
            fields.push(EvidenceText {
                field: field.name().to_owned(),
                searched: explained.map_or(search.fields.contains(*field), |one| one.searched),
                text: found.text.into_owned(),
                explanation: explained.map(|one| one.explanation.clone()),
            });
        }
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
            status: texts(&row, "status")?.into_iter().flatten().next(),
            excluded: None,
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
            "role",
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
                    role: rows.column("role")?.str()?.get(row).map(str::to_owned),
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
