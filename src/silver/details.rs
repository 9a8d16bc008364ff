//! What records say beside title, date and journal: identifiers, types, status, headings and substances of articles;
//! phase, status, conditions and interventions of trials.

use std::borrow::Cow;

use polars::prelude::{Column, DataFrame, DataType, IntoColumn, NamedFrom, Series, StringChunked};
use xxhash_rust::xxh3::Xxh3;

use super::struct_lists::{StructLists, StructValue};
use super::texts::TextLists;
use crate::error::Result;
use crate::formats::{ITEM, PART, TextColumn, VALUE, split};
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

/// The raw columns of a batch that hold any details, each with its place in [`RAW`].
pub(super) struct RawDetails(Vec<(usize, StringChunked)>);

impl RawDetails {
    pub(super) fn of(frame: &DataFrame) -> Result<Self> {
        let mut columns = Vec::new();
        for (place, name) in RAW.into_iter().enumerate() {
            if let Ok(column) = frame.column(name)
                && column.null_count() < column.len()
            {
                columns.push((place, column.str()?.rechunk().into_owned()));
            }
        }
        Ok(Self(columns))
    }

    /// The details of a row.
    pub(super) fn row(&self, row: usize) -> RowDetails<'_> {
        let mut details = [None; RAW.len()];
        for (place, texts) in &self.0 {
            details[*place] = texts.get(row).filter(|text| !text.is_empty());
        }
        RowDetails(details)
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

    fn is_blank(&self) -> bool {
        self.0.iter().all(Option::is_none)
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
    /// Rows without details behind those in `built`.
    blank: usize,
    built: BuiltDetails,
}

impl DetailColumns {
    pub(super) fn new() -> Self {
        Self {
            blank: 0,
            built: BuiltDetails::new(),
        }
    }

    pub(super) fn push(&mut self, row: RowDetails<'_>, version: Option<u32>) -> Result<()> {
        if version.is_none() && row.is_blank() {
            self.blank += 1;
            return Ok(());
        }
        self.built.push_blank(std::mem::take(&mut self.blank));
        self.built.push(row, version)
    }

    /// The columns, in the order of the table.
    pub(super) fn finish(mut self) -> Result<Vec<Column>> {
        self.built.push_blank(self.blank);
        self.built.finish()
    }
}

/// The columns of some rows.
struct BuiltDetails {
    doi: TextColumn,
    pmcid: TextColumn,
    rows: usize,
    /// Of the rows up to the last one that has a version.
    versions: Vec<Option<i64>>,
    publication_types: TextLists,
    status: TextColumn,
    mesh: TextLists,
    substances: StructLists,
    trial_ids: TextLists,
    phase: TextColumn,
    trial_status: TextColumn,
    conditions: TextLists,
    interventions: StructLists,
}

impl BuiltDetails {
    fn new() -> Self {
        Self {
            doi: TextColumn::new("doi", 0),
            pmcid: TextColumn::new("pmcid", 0),
            rows: 0,
            versions: Vec::new(),
            publication_types: TextLists::new("publication_types", 0),
            status: TextColumn::new("status", 0),
            mesh: TextLists::new("mesh", 0),
            substances: StructLists::new("substances", SUBSTANCE_FIELDS),
            trial_ids: TextLists::new("trial_ids", 0),
            phase: TextColumn::new("phase", 0),
            trial_status: TextColumn::new("trial_status", 0),
            conditions: TextLists::new("conditions", 0),
            interventions: StructLists::new("interventions", INTERVENTION_FIELDS),
        }
    }

    /// Adds rows without details.
    fn push_blank(&mut self, rows: usize) {
        self.rows += rows;
        for texts in [
            &mut self.doi,
            &mut self.pmcid,
            &mut self.status,
            &mut self.phase,
            &mut self.trial_status,
        ] {
            texts.push_missing(rows);
        }
        for lists in [
            &mut self.publication_types,
            &mut self.mesh,
            &mut self.trial_ids,
            &mut self.conditions,
        ] {
            lists.push_blank(rows);
        }
        self.substances.push_blank(rows);
        self.interventions.push_blank(rows);
    }

    fn push(&mut self, row: RowDetails<'_>, version: Option<u32>) -> Result<()> {
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
        self.doi.push(doi.and_then(given_doi));
        self.pmcid.push(pmcid.and_then(given_pmcid));
        if version.is_some() {
            self.versions.resize(self.rows, None);
            self.versions.push(version.map(i64::from));
        }
        self.rows += 1;
        let types = types.unwrap_or_default();
        self.publication_types.push_cleaned(items(types))?;
        let words = items(types).chain(items(notices.unwrap_or_default()));
        let status = words.filter_map(PublicationStatus::of_word).min();
        self.status.push(status.map(PublicationStatus::name));
        self.mesh.push(items(mesh.unwrap_or_default()))?;
        for substance in items(substances.unwrap_or_default()) {
            self.push_substance(substance)?;
        }
        self.substances.end_row()?;
        self.trial_ids
            .push(items(trial_ids.unwrap_or_default()).filter_map(nct_id))?;
        self.phase.push(phase.and_then(given_phase).as_deref());
        self.trial_status
            .push(trial_status.and_then(constant_case).as_deref());
        // Exports join them by bars; the API's list begins with its separator.
        let conditions = conditions.unwrap_or_default();
        let separator = if conditions.starts_with(ITEM) { ITEM } else { '|' };
        self.conditions.push_cleaned(split(conditions, separator))?;
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
        let mut room = [OTHER_ROLE; ROLES.len() + 1];
        let roles = roles(arms, &mut room);
        self.add_intervention(constant_case(its_type).as_deref(), &name.text, &others, roles)
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

    fn finish(mut self) -> Result<Vec<Column>> {
        let version = "version".into();
        let version = if self.versions.is_empty() {
            Column::full_null(version, self.rows, &DataType::Int64)
        } else {
            self.versions.resize(self.rows, None);
            Series::new(version, self.versions).into_column()
        };
        Ok(vec![
            self.doi.finish(),
            self.pmcid.finish(),
            version,
            self.publication_types.finish()?,
            self.status.finish(),
            self.mesh.finish()?,
            self.substances.finish()?,
            self.trial_ids.finish()?,
            self.phase.finish(),
            self.trial_status.finish(),
            self.conditions.finish()?,
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

/// What an intervention is in arms of these types, in the order of the roles.
fn roles<'r>(arms: &str, room: &'r mut [&'static str; ROLES.len() + 1]) -> &'r [&'static str] {
    let mut count = 0;
    let mut add = |role| {
        room[count] = role;
        count += 1;
    };
    let mut known = 0;
    for (its_type, role) in ROLES {
        let arms = values(arms).filter(|arm| *arm == its_type).count();
        if arms > 0 {
            add(role);
        }
        known += arms;
    }
    if known < values(arms).count() {
        add(OTHER_ROLE);
    }
    &room[..count]
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
fn given_phase(text: &str) -> Option<Cow<'_, str>> {
    let phases = text
        .split([ITEM, '|', '/'])
        .map(str::trim)
        .filter(|phase| !phase.is_empty());
    let mut named = phases.filter_map(|phase| {
        let phase = constant_case(phase)?;
        Some(match &*phase {
            "NOT_APPLICABLE" | "N_A" => Cow::Borrowed("NA"),
            other if other.contains("PHASE_") => Cow::Owned(other.replace("PHASE_", "PHASE")),
            _ => phase,
        })
    });
    let first = named.next()?;
    let Some(second) = named.next() else {
        return Some(first);
    };
    let all: Vec<Cow<'_, str>> = [first, second].into_iter().chain(named).collect();
    let joined = all.join("/");
    // `N/A`
    Some(if joined == "N/A" {
        Cow::Borrowed("NA")
    } else {
        Cow::Owned(joined)
    })
}

/// A word of ClinicalTrials.gov as its API writes it: `Active, not recruiting` is `ACTIVE_NOT_RECRUITING`.
fn constant_case(text: &str) -> Option<Cow<'_, str>> {
    let is_constant = |word: &str| {
        let mut bytes = word.bytes();
        !word.is_empty() && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    if text.split('_').all(is_constant) {
        return Some(Cow::Borrowed(text));
    }
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
    (!name.is_empty()).then_some(Cow::Owned(name))
}

impl TextLists {
    /// Adds a list of texts that are cleaned first; blank ones are left out.
    fn push_cleaned<'t>(&mut self, texts: impl Iterator<Item = &'t str>) -> Result<()> {
        let texts = texts.map(|text| clean(text).text);
        self.push(texts.filter(|text| !text.is_empty()))
    }
}
