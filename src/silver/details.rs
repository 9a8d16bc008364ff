//! What records say beside title, date and journal: identifiers, types, status, headings and substances of articles;
//! phase, status, conditions and interventions of trials.

use std::borrow::Cow;

use polars::prelude::{
    Column, DataFrame, IntoColumn, NamedFrom, Series, StringChunked, StringChunkedBuilder,
};
use xxhash_rust::xxh3::Xxh3;

use super::struct_lists::{StructLists, StructValue};
use super::texts::TextLists;
use crate::error::Result;
use crate::formats::{ITEM, PART, VALUE, split};
use crate::schema::{INTERVENTION_FIELDS, INTERVENTION_ROLES, PublicationStatus, SUBSTANCE_FIELDS};
use crate::text::clean;

/// The columns of a raw batch that hold details; each may be missing.
const RAW: [&str; 12] = [
    "doi",
    "pmcid",
    "publication_types",
    "notices",
    "mesh",
    "substances",
    "trial_ids",
    "phase",
    "trial_status",
    "conditions",
    "interventions",
    "intervention_list",
];

/// The kinds of interventions, as ClinicalTrials.gov's API writes them.
const INTERVENTION_TYPES: [&str; 11] = [
    "BEHAVIORAL",
    "BIOLOGICAL",
    "COMBINATION_PRODUCT",
    "DEVICE",
    "DIAGNOSTIC_TEST",
    "DIETARY_SUPPLEMENT",
    "DRUG",
    "GENETIC",
    "OTHER",
    "PROCEDURE",
    "RADIATION",
];

/// The types of arms with a role of their own for what is given in them.
const ROLES: [(&str, &str); 3] = [
    ("EXPERIMENTAL", INTERVENTION_ROLES[0]),
    ("ACTIVE_COMPARATOR", INTERVENTION_ROLES[1]),
    ("PLACEBO_COMPARATOR", INTERVENTION_ROLES[2]),
];
/// The role in any other arm.
const OTHER_ROLE: &str = INTERVENTION_ROLES[3];

/// The raw columns of a batch.
pub(super) struct RawDetails([Option<StringChunked>; RAW.len()]);

impl RawDetails {
    pub(super) fn of(frame: &DataFrame) -> Result<Self> {
        let mut columns = [const { None }; RAW.len()];
        for (place, name) in RAW.into_iter().enumerate() {
            if let Ok(column) = frame.column(name) {
                let texts = column.str()?;
                columns[place] = (texts.null_count() < texts.len()).then(|| texts.clone());
            }
        }
        Ok(Self(columns))
    }

    /// The details of a row.
    pub(super) fn row(&self, row: usize) -> RowDetails<'_> {
        let given = |place: usize| {
            let text = self.0[place].as_ref()?.get(row)?;
            (!text.is_empty()).then_some(text)
        };
        RowDetails(std::array::from_fn(given))
    }
}

/// The raw details of one row, by their place in [`RAW`].
#[derive(Debug, Clone, Copy)]
pub(super) struct RowDetails<'r>([Option<&'r str>; RAW.len()]);

impl<'r> RowDetails<'r> {
    /// Takes the DOI out of a citation, where the source has no column for it.
    pub(super) fn with_citation(mut self, citation: &'r str) -> Self {
        if self.0[0].is_none() {
            self.0[0] = citation.split_once("doi: ").map(|(_, behind)| behind);
        }
        self
    }

    /// Adds them to the hash of a row's content, which tells a new version from a repeated one.
    pub(super) fn hash(&self, hash: &mut Xxh3) {
        for (place, text) in self.0.iter().enumerate() {
            if let Some(text) = text {
                hash.update(&[0xfe, place as u8]);
                hash.update(text.as_bytes());
            }
        }
    }
}

/// Builds the columns.
pub(super) struct DetailColumns {
    doi: StringChunkedBuilder,
    pmcid: StringChunkedBuilder,
    versions: Vec<Option<i64>>,
    publication_types: TextLists,
    status: Vec<Option<&'static str>>,
    mesh: TextLists,
    substances: StructLists,
    trial_ids: TextLists,
    phase: StringChunkedBuilder,
    trial_status: StringChunkedBuilder,
    conditions: TextLists,
    interventions: StructLists,
}

impl DetailColumns {
    pub(super) fn new(rows: usize) -> Self {
        let text = |name: &str| StringChunkedBuilder::new(name.into(), rows);
        let list = |name: &str| TextLists::new(name, rows);
        Self {
            doi: text("doi"),
            pmcid: text("pmcid"),
            versions: Vec::with_capacity(rows),
            publication_types: list("publication_types"),
            status: Vec::with_capacity(rows),
            mesh: list("mesh"),
            substances: StructLists::new("substances", SUBSTANCE_FIELDS),
            trial_ids: list("trial_ids"),
            phase: text("phase"),
            trial_status: text("trial_status"),
            conditions: list("conditions"),
            interventions: StructLists::new("interventions", INTERVENTION_FIELDS),
        }
    }

    pub(super) fn push(&mut self, row: RowDetails<'_>, version: Option<u32>) -> Result<()> {
        let RowDetails(
            [
                doi,
                pmcid,
                types,
                notices,
                mesh,
                substances,
                trial_ids,
                phase,
                trial_status,
                conditions,
                interventions,
                intervention_list,
            ],
        ) = row;
        self.doi.append_option(doi.and_then(given_doi));
        self.pmcid.append_option(pmcid.and_then(given_pmcid));
        self.versions.push(version.map(i64::from));
        let types = types.unwrap_or_default();
        self.publication_types.push_cleaned(items(types));
        let words = items(types).chain(items(notices.unwrap_or_default()));
        let status = words.filter_map(PublicationStatus::of_word).min();
        self.status.push(status.map(PublicationStatus::name));
        self.mesh.push(items(mesh.unwrap_or_default()));
        for substance in items(substances.unwrap_or_default()) {
            self.push_substance(substance)?;
        }
        self.substances.end_row()?;
        self.trial_ids
            .push(items(trial_ids.unwrap_or_default()).filter_map(nct_id));
        self.phase.append_option(phase.and_then(given_phase));
        self.trial_status
            .append_option(trial_status.and_then(constant_case));
        // Exports join them by bars; the API's list begins with its separator.
        let conditions = conditions.unwrap_or_default();
        let separator = if conditions.starts_with(ITEM) { ITEM } else { '|' };
        self.conditions.push_cleaned(split(conditions, separator));
        match (intervention_list, interventions) {
            (Some(list), _) => items(list).try_for_each(|item| self.push_intervention(item))?,
            (None, Some(text)) => self.push_exported(text)?,
            (None, None) => {}
        }
        self.interventions.end_row()
    }

    fn push_substance(&mut self, item: &str) -> Result<()> {
        let mut parts = split(item, PART);
        let first = parts.next().unwrap_or_default();
        let (name, number) = match parts.next() {
            Some(number) => (first, number),
            // MEDLINE: `7Z5X49W53P (Terlipressin)`
            None => match first.strip_suffix(')').and_then(|text| text.split_once(" (")) {
                Some((number, name)) => (name, number),
                None => return Ok(()),
            },
        };
        let name = clean(name);
        if name.text.is_empty() {
            return Ok(());
        }
        // `0` is a substance without a number.
        let number = Some(number).filter(|number| !number.is_empty() && *number != "0");
        let ui = parts.next().filter(|ui| !ui.is_empty());
        let texts = [Some(&*name.text), number, ui];
        self.substances.push(texts.map(StructValue::Text))
    }

    /// Adds an intervention of the API: type, name, other names, types of arms.
    fn push_intervention(&mut self, item: &str) -> Result<()> {
        let mut parts = split(item, PART);
        let mut part = || parts.next().unwrap_or_default();
        let (its_type, name, others, arms) = (part(), clean(part()), part(), part());
        let others: Vec<_> = values(others).map(|other| clean(other).text).collect();
        let others: Vec<&str> = others
            .iter()
            .map(|other| &**other)
            .filter(|other| !other.is_empty())
            .collect();
        let roles = roles(&values(arms).collect::<Vec<_>>());
        self.add_intervention(constant_case(its_type).as_deref(), &name.text, &others, &roles)
    }

    /// Adds the interventions of an export: `DRUG: Docetaxel|OTHER: Rest`.
    fn push_exported(&mut self, text: &str) -> Result<()> {
        for given in text.split('|').map(str::trim).filter(|given| !given.is_empty()) {
            let typed = given.split_once(": ").and_then(|(its_type, name)| {
                let its_type = constant_case(its_type)?;
                let known = INTERVENTION_TYPES.iter().find(|known| **known == its_type)?;
                Some((*known, name))
            });
            let (its_type, name) = typed.map_or((None, given), |(its_type, name)| (Some(its_type), name));
            self.add_intervention(its_type, &clean(name).text, &[], &[])?;
        }
        Ok(())
    }

    fn add_intervention(
        &mut self,
        its_type: Option<&str>,
        name: &str,
        others: &[&str],
        roles: &[&str],
    ) -> Result<()> {
        if name.is_empty() {
            return Ok(());
        }
        self.interventions.push([
            StructValue::Text(its_type),
            StructValue::Text(Some(name)),
            StructValue::List(others),
            StructValue::List(roles),
        ])
    }

    /// The columns, in the order of the table.
    pub(super) fn finish(self) -> Result<Vec<Column>> {
        Ok(vec![
            self.doi.finish().into_column(),
            self.pmcid.finish().into_column(),
            Series::new("version".into(), self.versions).into_column(),
            self.publication_types.finish(),
            Series::new("status".into(), self.status).into_column(),
            self.mesh.finish(),
            self.substances.finish()?,
            self.trial_ids.finish(),
            self.phase.finish().into_column(),
            self.trial_status.finish().into_column(),
            self.conditions.finish(),
            self.interventions.finish()?,
        ])
    }
}

/// The items of a list of a batch.
fn items(list: &str) -> impl Iterator<Item = &str> {
    split(list, ITEM).filter(|item| !item.is_empty())
}

/// The values of a part of an item.
fn values(part: &str) -> impl Iterator<Item = &str> {
    split(part, VALUE).filter(|_| !part.is_empty())
}

/// What an intervention is in arms of these types.
fn roles(arms: &[&str]) -> Vec<&'static str> {
    let known = |arm: &&str| ROLES.iter().any(|(its_type, _)| its_type == arm);
    let mut roles: Vec<&str> = ROLES
        .into_iter()
        .filter(|(its_type, _)| arms.contains(its_type))
        .map(|(_, role)| role)
        .collect();
    if !arms.iter().all(known) {
        roles.push(OTHER_ROLE);
    }
    roles
}

/// A DOI without its resolver: `https://doi.org/10.1/x` is `10.1/x`.
fn given_doi(text: &str) -> Option<&str> {
    let text = text.trim();
    let start = text.find("10.")?;
    let before = &text[..start];
    let is_resolver = before.is_empty() || before.ends_with(['/', ':', ' ']);
    let doi = text[start..]
        .split_whitespace()
        .next()?
        .trim_end_matches(['.', ';', ',']);
    let (registrant, suffix) = doi.split_once('/')?;
    let is_doi = registrant[3..]
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_resolver && is_doi && registrant.len() > 3 && !suffix.is_empty()).then_some(doi)
}

/// The id of PubMed Central, alone or among others: `PMID:31396594 | PMCID:PMC6683974`.
fn given_pmcid(text: &str) -> Option<&str> {
    text.match_indices("PMC").find_map(|(start, name)| {
        let digits = text[start + name.len()..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        (digits > 0).then(|| &text[start..start + name.len() + digits])
    })
}

/// The id of a trial of ClinicalTrials.gov at the end of an accession: `ClinicalTrials.gov/NCT01234567`.
fn nct_id(accession: &str) -> Option<&str> {
    let id = accession.rsplit('/').next()?.trim();
    let digits = id.strip_prefix("NCT")?;
    (digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

/// The phases of a trial as the API names them, joined by `/`: `Phase 2|Phase 3` is `PHASE2/PHASE3`.
fn given_phase(text: &str) -> Option<String> {
    let phases = text
        .split([ITEM, '|', '/'])
        .map(str::trim)
        .filter(|phase| !phase.is_empty());
    let named = phases.filter_map(|phase| {
        let phase = constant_case(phase)?;
        Some(match phase.as_str() {
            "NOT_APPLICABLE" | "N_A" => "NA".to_owned(),
            _ => phase.replace("PHASE_", "PHASE"),
        })
    });
    let named = named.collect::<Vec<_>>().join("/");
    // `N/A`
    let named = if named == "N/A" { "NA".to_owned() } else { named };
    (!named.is_empty()).then_some(named)
}

/// A word of ClinicalTrials.gov as its API writes it: `Active, not recruiting` is `ACTIVE_NOT_RECRUITING`.
fn constant_case(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    for word in text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if !name.is_empty() {
            name.push('_');
        }
        name.extend(word.chars().flat_map(char::to_uppercase));
    }
    (!name.is_empty()).then_some(name)
}

impl TextLists {
    /// Adds a list of texts that are cleaned first; blank ones are left out.
    fn push_cleaned<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        let texts: Vec<Cow<'_, str>> = texts.map(|text| clean(text).text).collect();
        self.push(texts.iter().map(|text| &**text).filter(|text| !text.is_empty()));
    }
}
