//! What a contract says of a lake as it is: its rules for every table, and its objectives.

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

use super::scan::{ScanRequest, TableScan};
use crate::choice::Choice as _;
use crate::error::{Error, Result};
use crate::lake::LakeAddress;
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::partitions::{delivered_dates, kept_rows, rows_before};
use crate::lake::table_files::{PartitionFilter, current_date, table_files};
use crate::lake::{layout, manifest};
use crate::quality::Totals;
use crate::quality::contracts::{
    Contract, Objective, ObjectiveKind, RuleResult, RuleSeverity, TableRules, key_hashes,
};
use crate::schema::{CURRENT_PUBLICATIONS, MENTIONS, SourceTable};
use crate::scratch::unnamed;
use crate::sorting::{Bound, Sorter, sort_record};
use crate::storage::Storage;
use crate::task::Task;

/// The median of at most this many deliveries is the usual number of rows.
const MOST_DELIVERIES: usize = 30;

/// The median of fewer deliveries says too little.
const LEAST_DELIVERIES: usize = 3;

/// What a contract says of a lake.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LakeQuality {
    /// The name of the contract.
    pub contract: String,
    /// Whether no rule of severity `error` is broken, and no objective is missed.
    pub passed: bool,
    /// What each rule found in its table.
    pub rules: Vec<RuleResult>,
    /// What was measured for each objective.
    pub objectives: Vec<ObjectiveResult>,
}

/// What was measured for an objective.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ObjectiveResult {
    pub objective: String,
    /// The table whose deliveries were measured; `None` for the lake as a whole.
    pub table: Option<String>,
    /// The newest delivery of the table, or the date that gold has reached.
    pub dt: Option<String>,
    /// `None` if there is nothing to measure yet.
    pub measured: Option<f64>,
    /// Of the measured number and its bounds: `d`, `percent` or `rows`.
    pub unit: String,
    pub least: Option<f64>,
    pub most: Option<f64>,
    /// Whether the objective is reached; also if there is nothing to measure yet.
    pub passed: bool,
}

impl ObjectiveResult {
    /// A sentence for people, if the objective is missed.
    pub fn sentence(&self) -> String {
        let bound = |word: &str, number: Option<f64>| number.map(|number| format!("{word} {number}"));
        let bounds: Vec<String> = [bound("at least", self.least), bound("at most", self.most)]
            .into_iter()
            .flatten()
            .collect();
        let of = self
            .table
            .as_ref()
            .map(|table| format!(" of {table}"))
            .unwrap_or_default();
        let at = self
            .dt
            .as_ref()
            .map(|dt| format!(" at dt={dt}"))
            .unwrap_or_default();
        let measured = self
            .measured
            .map_or_else(|| "nothing".to_owned(), |number| number.to_string());
        format!(
            "the objective {}{of}{at} is {}: {measured} {}, {}",
            self.objective,
            if self.passed { "reached" } else { "missed" },
            self.unit,
            bounds.join(" and ")
        )
    }
}

impl LakeQuality {
    /// The broken rules of this severity and, for errors, the missed objectives, as sentences.
    pub fn faults(&self, severity: RuleSeverity) -> Vec<String> {
        let rules = self.rules.iter().filter(|result| result.breaks(severity));
        let mut faults: Vec<String> = rules.map(RuleResult::sentence).collect();
        if severity == RuleSeverity::Error {
            let missed = self.objectives.iter().filter(|result| !result.passed);
            faults.extend(missed.map(ObjectiveResult::sentence));
        }
        faults
    }

    /// Fails if a rule of severity `error` is broken, or an objective is missed.
    pub fn check(&self, lake: &LakeAddress) -> Result<()> {
        if self.passed {
            return Ok(());
        }
        Err(Error::Contract {
            table: lake.root.clone(),
            contract: self.contract.clone(),
            found: self.faults(RuleSeverity::Error).join("; "),
            remedy: "correct the sources, or the contract",
        })
    }
}

/// Counts the rows of every table that break a rule, and measures the objectives on `today`.
pub fn lake_quality(
    lake: &LakeAddress,
    contract: &Contract,
    today: NaiveDate,
    task: &Task,
) -> Result<LakeQuality> {
    let storage: Arc<dyn Storage> = lake.open(task)?.into();
    let mut rules = Vec::new();
    for table in contract.tables() {
        match table_results(&storage, table, task) {
            Ok(results) => rules.extend(results),
            // Gold does not exist yet.
            Err(Error::SourceNotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let objectives = measure(&storage, contract, today, task)?;
    Ok(quality_of(contract, rules, objectives))
}

/// Measures the objectives alone: of silver it reads the manifests, and of gold which publications have mentions.
pub fn lake_objectives(
    lake: &LakeAddress,
    contract: &Contract,
    today: NaiveDate,
    task: &Task,
) -> Result<LakeQuality> {
    let storage: Arc<dyn Storage> = lake.open(task)?.into();
    let objectives = measure(&storage, contract, today, task)?;
    Ok(quality_of(contract, Vec::new(), objectives))
}

fn quality_of(contract: &Contract, rules: Vec<RuleResult>, objectives: Vec<ObjectiveResult>) -> LakeQuality {
    LakeQuality {
        contract: contract.name.clone(),
        passed: !rules.iter().any(|result| result.breaks(RuleSeverity::Error))
            && objectives.iter().all(|result| result.passed),
        rules,
        objectives,
    }
}

/// The hash of a key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct KeyHash {
    high: u64,
    low: u64,
}

sort_record! { KeyHash { high, low } }

fn table_results(storage: &Arc<dyn Storage>, rules: &TableRules, task: &Task) -> Result<Vec<RuleResult>> {
    let table = rules.table();
    let files = table_files(storage.as_ref(), table, &PartitionFilter::default())?;
    let rows = files.iter().map(|file| file.file.rows).sum();
    let names = rules.columns();
    let mut counts: Vec<u64> = Vec::new();
    if !names.is_empty() {
        let request = ScanRequest {
            columns: Some(names.into_iter().map(str::to_owned).collect()),
            ..ScanRequest::default()
        };
        let failed = |error| Error::storage("keys that wait", "sort", error);
        let keys = rules.keys().map(|(place, key)| {
            let sorter: Sorter<KeyHash> = Sorter::on_demand(unnamed, Bound::default());
            (place, key, sorter)
        });
        let mut keys: Vec<_> = keys.collect();
        let mut scan = TableScan::open(Arc::clone(storage), table.name, request)?;
        counts = rules.count(&scan.empty(), true)?;
        while let Some(frame) = scan.next_frame(task)? {
            let of_frame = rules.count(&frame, true)?;
            counts
                .iter_mut()
                .zip(of_frame)
                .for_each(|(sum, count)| *sum += count);
            for (_, key, sorter) in &mut keys {
                for hash in key_hashes(&frame, key)? {
                    let (high, low) = ((hash >> 64) as u64, hash as u64);
                    sorter.push(KeyHash { high, low }).map_err(failed)?;
                }
            }
        }
        for (place, _, sorter) in keys {
            counts[place] = repeated(sorter).map_err(failed)?;
        }
    }
    Ok(rules.results(&counts, rows, None))
}

/// How many keys come more than once.
fn repeated(sorter: Sorter<KeyHash>) -> std::io::Result<u64> {
    let (mut count, mut times) = (0, 0_u64);
    let mut last: Option<KeyHash> = None;
    for key in sorter.finish()? {
        let key = key?;
        times = if last.as_ref() == Some(&key) { times + 1 } else { 1 };
        count += u64::from(times == 2);
        last = Some(key);
    }
    Ok(count)
}

fn measure(
    storage: &Arc<dyn Storage>,
    contract: &Contract,
    today: NaiveDate,
    task: &Task,
) -> Result<Vec<ObjectiveResult>> {
    let mut results = Vec::new();
    for objective in contract.objectives() {
        match objective.kind {
            ObjectiveKind::Freshness => results.push(freshness(storage.as_ref(), objective, today)?),
            ObjectiveKind::HitRate => results.push(hit_rate(storage, objective, task)?),
            ObjectiveKind::Volume | ObjectiveKind::RejectedShare => {
                for table in SourceTable::ALL {
                    results.extend(of_delivery(storage.as_ref(), objective, table)?);
                }
            }
        }
    }
    Ok(results)
}

/// A result without bounds.
fn result(objective: &Objective, measured: Option<f64>, dt: Option<String>) -> ObjectiveResult {
    ObjectiveResult {
        objective: objective.kind.choice_name().to_owned(),
        table: None,
        dt,
        measured,
        unit: objective.kind.unit().to_owned(),
        least: None,
        most: None,
        passed: true,
    }
    .within(None, None)
}

impl ObjectiveResult {
    /// With bounds, of which each may be missing.
    fn within(self, least: Option<f64>, most: Option<f64>) -> Self {
        let is_in =
            |number: f64| least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most);
        let passed = self.measured.is_none_or(is_in);
        Self {
            least,
            most,
            passed,
            ..self
        }
    }
}

fn freshness(storage: &dyn Storage, objective: &Objective, today: NaiveDate) -> Result<ObjectiveResult> {
    let reached = current_date(storage)?;
    let days = reached
        .as_deref()
        .and_then(|dt| dt.parse::<NaiveDate>().ok())
        .map(|date| (today - date).num_days() as f64);
    Ok(result(objective, days, reached).within(None, Some(objective.value)))
}

fn hit_rate(storage: &Arc<dyn Storage>, objective: &Objective, task: &Task) -> Result<ObjectiveResult> {
    let reached = current_date(storage.as_ref())?;
    if reached.is_none() {
        return Ok(result(objective, None, None).within(Some(objective.value), None));
    }
    let files = table_files(
        storage.as_ref(),
        &CURRENT_PUBLICATIONS,
        &PartitionFilter::default(),
    )?;
    let publications: u64 = files.iter().map(|file| file.file.rows).sum();
    let request = ScanRequest {
        columns: Some(vec!["kind".to_owned(), "publication_id".to_owned()]),
        ..ScanRequest::default()
    };
    let mut scan = TableScan::open(Arc::clone(storage), MENTIONS.name, request)?;
    let mut hits = 0_u64;
    let mut last: Option<(String, String)> = None;
    while let Some(frame) = scan.next_frame(task)? {
        // The mentions of a publication stand side by side, in one file.
        let (kinds, ids) = (
            frame.column("kind")?.str()?,
            frame.column("publication_id")?.str()?,
        );
        for (kind, id) in kinds.iter().zip(ids.iter()) {
            let (kind, id) = (kind.unwrap_or_default(), id.unwrap_or_default());
            if last
                .as_ref()
                .is_none_or(|(before, of)| before != kind || of != id)
            {
                hits += 1;
                last = Some((kind.to_owned(), id.to_owned()));
            }
        }
    }
    let share = (publications > 0).then(|| percent(hits, publications));
    Ok(result(objective, share, reached).within(Some(objective.value), None))
}

/// The volume or the rejected share of a table's newest delivery; `None` for a table without one.
fn of_delivery(
    storage: &dyn Storage,
    objective: &Objective,
    table: SourceTable,
) -> Result<Option<ObjectiveResult>> {
    let Some(dt) = delivered_dates(storage, table)?.last().copied() else {
        return Ok(None);
    };
    let (found, _) = manifest::read::<SilverManifest>(storage, layout::silver_manifest(table, dt))?;
    let Some(found) = found else {
        return Ok(None);
    };
    let measured = match objective.kind {
        ObjectiveKind::Volume => volume(storage, objective, table, dt, &found)?,
        _ => {
            let totals: Totals = found.sources.iter().collect();
            let share = (totals.rows_in > 0).then(|| percent(totals.rows_rejected, totals.rows_in));
            result(objective, share, Some(dt.to_string())).within(None, Some(objective.value))
        }
    };
    Ok(Some(ObjectiveResult {
        table: Some(table.name().to_owned()),
        ..measured
    }))
}

/// The rows of a delivery, with the band around the median of those before it.
fn volume(
    storage: &dyn Storage,
    objective: &Objective,
    table: SourceTable,
    dt: Dt,
    found: &SilverManifest,
) -> Result<ObjectiveResult> {
    let rows = kept_rows(&found.outputs, table, dt).map(|rows| rows as f64);
    let mut before = rows_before(storage, table, dt, MOST_DELIVERIES)?;
    let measured = ObjectiveResult {
        unit: "rows".to_owned(),
        ..result(objective, rows, Some(dt.to_string()))
    };
    if before.len() < LEAST_DELIVERIES {
        return Ok(measured);
    }
    before.sort_unstable();
    let middle = before.len() / 2;
    let median = (before[middle] + before[(before.len() - 1) / 2]) as f64 / 2.0;
    let share = objective.value / 100.0;
    let least = (median * (1.0 - share)).max(0.0).ceil();
    Ok(measured.within(Some(least), Some((median * (1.0 + share)).floor())))
}

fn percent(part: u64, whole: u64) -> f64 {
    (part as f64 / whole as f64 * 1e8).round() / 1e6
}
