//! The report of a step: counts, paths and times, never the content of a row.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::documents::HeldDate;
use super::dt::Dt;
use super::layout;
use crate::error::{Error, Result};
use crate::quality::contracts::{RuleResult, RuleSeverity};
use crate::quality::{FileTally, Totals};
use crate::schema::DrugUnit;
use crate::storage::Storage;
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// When a step began, and in which run.
#[derive(Debug, Clone)]
pub(crate) struct StepStart {
    at: Instant,
    clock: DateTime<Utc>,
    run_id: String,
}

impl StepStart {
    /// A step of the task that begins now.
    pub(crate) fn now(task: &Task) -> Self {
        Self {
            at: Instant::now(),
            clock: Utc::now(),
            run_id: task.run_id().to_owned(),
        }
    }
}

/// Settings by name, as they are in a report.
pub type ReportSettings = BTreeMap<String, serde_json::Value>;

/// Whether all files of an earlier run still exist. A step rewrites the partition of a deleted file.
pub(crate) fn all_stand(outputs: &[OutputFile], storage: &dyn Storage) -> Result<bool> {
    for output in outputs {
        if !output.stands(storage)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The counts of the gold step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldNumbers {
    /// The graph holds the partitions up to this date.
    pub as_of: String,
    /// Codes of the vocabulary.
    pub drugs: u64,
    pub publications: u64,
    /// Rows of earlier dates that a later date replaces.
    #[serde(default)]
    pub superseded: u64,
    /// Rows of earlier dates that a later date deletes.
    #[serde(default)]
    pub deleted: u64,
    /// Publications that were not searched because of their status.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excluded: u64,
    /// What counts as one drug in `mentions`, `pairs` and the answers. Reports without this field counted codes.
    #[serde(default = "code")]
    pub unit: DrugUnit,
    #[serde(default)]
    pub substances: u64,
    /// Places in texts that name a drug. A place counts once for each drug that it names.
    pub mentions: u64,
    /// Pairs of a drug and a publication.
    #[serde(default)]
    pub pairs: u64,
    pub journals: u64,
    /// Every journal that shares the first rank, with its number of different drugs.
    pub top_journals: BTreeMap<String, u64>,
    /// The limit on the drugs in all lists of `exclusive_drugs.json` together; 0 is no limit.
    #[serde(default)]
    pub max_exclusive: u64,
    /// The number of lists of `exclusive_drugs.json` that were shortened to that limit.
    #[serde(default)]
    pub exclusive_cut: u64,
}

impl GoldNumbers {
    /// The warning about an incomplete `exclusive_drugs.json`, if it is incomplete.
    pub fn exclusive_note(&self) -> Option<String> {
        let (cut, most) = (self.exclusive_cut, self.max_exclusive);
        (cut > 0).then(|| {
            format!(
                "exclusive_drugs.json: {cut} lists are cut, so that the file lists at most {most} drugs (max_exclusive); \
                 DrugGraph.exclusive_drugs(code) gives one list whole, max_exclusive=0 writes all of them"
            )
        })
    }
}

fn code() -> DrugUnit {
    DrugUnit::Code
}

/// A silver partition with fewer rows than the delivery that it replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShrunkPartition {
    pub table: String,
    pub dt: String,
    pub rows_before: u64,
    pub rows: u64,
}

/// A date of a run of several dates for which nothing was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedDate {
    pub dt: String,
    /// The sources that do not exist.
    pub missing: Vec<String>,
}

/// The report of a step, or of a run of several steps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    pub step: String,
    pub dt: String,
    pub out: String,
    /// Whether everything was up to date, so that nothing was written.
    pub unchanged: bool,
    pub sources: Vec<FileTally>,
    pub outputs: Vec<OutputFile>,
    /// Silver: the folders of bronze that the sources were read from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// The number of entries left out of the two lists: a report is passed between processes and must stay small. The
    /// manifests list every file, and the totals count every one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sources_left_out: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub outputs_left_out: u64,
    #[serde(flatten)]
    pub totals: Totals,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub gold: Option<GoldNumbers>,
    /// Gold and runs: the delivered dates that are held, up to the date that gold has reached. Hold and release: all
    /// dates that are held afterwards. `None` for other steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Vec<HeldDate>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// Silver and runs: the replaced partitions that had more rows before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shrunk: Vec<ShrunkPartition>,
    /// Silver and runs: how many publications of earlier dates the snapshots lack; `None` without a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<u64>,
    /// A run of several dates: which, such as `2024-01-01..2024-01-31`; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dates: String,
    /// A run of several dates: those for which nothing was delivered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedDate>,
    /// Names the run: the steps of one run have the same one.
    #[serde(default)]
    pub run_id: String,
    /// When the step began, in UTC: `2026-11-22T06:00:00.000Z`.
    #[serde(default)]
    pub started_at: String,
    /// The version of drugs_rs.
    #[serde(default)]
    pub version: String,
    /// The settings that the outputs depend on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: ReportSettings,
    /// Gold and runs: the settings that differ from those of the gold layer before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_settings: Vec<ChangedSetting>,
    /// Silver and runs with a contract: what its rules found in each table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quality: Vec<RuleResult>,
    pub seconds: f64,
}

/// A setting that differs from that of the gold layer before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedSetting {
    pub name: String,
    pub before: String,
    pub now: String,
}

impl From<[String; 3]> for ChangedSetting {
    fn from([name, before, now]: [String; 3]) -> Self {
        Self { name, before, now }
    }
}

impl StepReport {
    /// The report of one unit of work, such as a table.
    pub(crate) fn new(
        step: &str,
        dt: Dt,
        storage: &dyn Storage,
        mut sources: Vec<FileTally>,
        mut outputs: Vec<OutputFile>,
        unchanged: bool,
        started: StepStart,
    ) -> Self {
        Self {
            step: step.to_owned(),
            dt: dt.to_string(),
            out: storage.root(),
            unchanged,
            totals: sources.iter().collect(),
            sources_left_out: shorten(&mut sources),
            outputs_left_out: shorten(&mut outputs),
            sources,
            outputs,
            run_id: started.run_id,
            started_at: started.clock.to_rfc3339_opts(SecondsFormat::Millis, true),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seconds: seconds_since(started.at),
            ..Self::default()
        }
    }

    /// One report of several units of the same step, or of several steps, whose own reports it then holds.
    pub(crate) fn together(
        step: &str,
        dt: Dt,
        storage: &dyn Storage,
        parts: &[Self],
        started: StepStart,
    ) -> Self {
        let sources: Vec<FileTally> = parts.iter().flat_map(|part| part.sources.clone()).collect();
        let outputs = parts.iter().flat_map(|part| part.outputs.clone()).collect();
        let unchanged = parts.iter().all(|part| part.unchanged);
        let mut report = Self::new(step, dt, storage, sources, outputs, unchanged, started);
        report.totals = parts.iter().map(|part| &part.totals).collect();
        report.sources_left_out += parts.iter().map(|part| part.sources_left_out).sum::<u64>();
        report.inputs = parts.iter().flat_map(|part| part.inputs.clone()).collect();
        report.shrunk = parts.iter().flat_map(|part| part.shrunk.clone()).collect();
        report.absent = parts
            .iter()
            .filter_map(|part| part.absent)
            .reduce(|sum, absent| sum + absent);
        report.settings = parts.iter().flat_map(|part| part.settings.clone()).collect();
        report.quality = parts.iter().flat_map(|part| part.quality.clone()).collect();
        let changed = parts.iter().flat_map(|part| part.changed_settings.clone());
        report.changed_settings = changed.collect();
        report.outputs_left_out += parts.iter().map(|part| part.outputs_left_out).sum::<u64>();
        report
    }

    /// Writes the report into the lake. If a step changed nothing, it is written only if the lake's report is missing
    /// or differs.
    pub(crate) fn save(&self, storage: &dyn Storage, dt: Dt, name: &str) -> Result<()> {
        let path = layout::report(&self.step, dt, name);
        if self.unchanged && self.is_told(storage, &path)? {
            return Ok(());
        }
        storage.put(&path, self.to_json()?.as_bytes())
    }

    /// Writes what a contract found in a table into the lake, unless the lake says so already.
    pub(crate) fn save_quality(
        &self,
        storage: &dyn Storage,
        dt: Dt,
        table: &str,
        contract: &str,
    ) -> Result<()> {
        if self.quality.is_empty() {
            return Ok(());
        }
        let found = QualityReport {
            contract,
            table,
            dt: dt.to_string(),
            passed: self.quality.iter().all(|result| result.passed),
            rules: &self.quality,
        };
        let mut json = to_json(&found)?;
        json.push('\n');
        let path = layout::report("quality", dt, table);
        if storage.read(&path)?.as_deref() == Some(json.as_bytes()) {
            return Ok(());
        }
        storage.put(&path, json.as_bytes())
    }

    /// Adds the run to the history of the lake, unless it changed nothing.
    pub(crate) fn record(&self, storage: &dyn Storage) -> Result<()> {
        if self.unchanged {
            return Ok(());
        }
        let started = self.started_at.replace(':', "");
        let path = format!(
            "{}/dt={}/{started}-{}.json",
            layout::HISTORY,
            self.dt,
            self.run_id
        );
        let gold = self.gold.as_ref();
        let record = RunRecord {
            run_id: self.run_id.clone(),
            started_at: self.started_at.clone(),
            seconds: self.seconds,
            version: self.version.clone(),
            step: self.step.clone(),
            dt: self.dt.clone(),
            settings: self.settings.clone(),
            rows_in: self.totals.rows_in,
            rows_kept: self.totals.rows_kept,
            rows_merged: self.totals.rows_merged,
            rows_rejected: self.totals.rows_rejected,
            publications: gold.map(|gold| gold.publications),
            mentions: gold.map(|gold| gold.mentions),
            pairs: gold.map(|gold| gold.pairs),
        };
        storage.put(&path, to_json(&record)?.as_bytes())
    }

    /// Whether the lake's report already says the same. A process killed between a commit and its report leaves the
    /// report of the run before.
    fn is_told(&self, storage: &dyn Storage, path: &str) -> Result<bool> {
        let Some(bytes) = storage.read(path)? else {
            return Ok(false);
        };
        let told: Option<Self> = serde_json::from_slice(&bytes).ok();
        Ok(told.is_some_and(|told| {
            told.sources == self.sources
                && told.outputs == self.outputs
                && told.gold == self.gold
                && told.quality == self.quality
                && told.held.unwrap_or_default() == *self.held.as_deref().unwrap_or_default()
        }))
    }

    /// What users must see even without the report: the dates that the graph lacks, and why; an incomplete answer; and
    /// settings that are not those of the last run.
    pub fn warnings(&self) -> Vec<String> {
        let broken = self
            .quality
            .iter()
            .filter(|result| result.breaks(RuleSeverity::Warning));
        let mut told: Vec<String> = broken.take(MOST_WARNINGS).map(RuleResult::sentence).collect();
        let stale = self.totals.stale_corrections;
        if stale > 0 {
            told.push(format!(
                "corrections that meet no rejected row any more: {stale}; `drugs-rs rejected --corrected` lists those of a date"
            ));
        }
        let Some(gold) = &self.gold else {
            return told;
        };
        let held = self.held.as_deref().unwrap_or_default();
        let waits = |HeldDate { dt, reason }: &HeldDate| {
            format!("dt={dt} is held back, and gold leaves it out: {reason}")
        };
        told.extend(held.iter().take(MOST_WARNINGS).map(waits));
        if held.len() > MOST_WARNINGS {
            let more = held.len() - MOST_WARNINGS;
            told.push(format!("{more} more dates are held back; the report names all"));
        }
        told.extend(gold.exclusive_note());
        told.extend(
            self.changed_settings
                .iter()
                .map(|ChangedSetting { name, before, now }| {
                    format!("{name} is {now}, and was {before} in the last run; it applies to all dates")
                }),
        );
        told
    }

    /// The report of a run of several dates as NDJSON: a line for each date in order, also for one that was skipped, and
    /// one for all dates together, which has gold's report as its only step.
    pub fn to_lines(&self) -> Result<String> {
        let mut lines: BTreeMap<&str, String> = BTreeMap::new();
        let mut together = self.clone();
        let dates = together.steps.len().saturating_sub(1);
        for report in self.steps.iter().take(dates) {
            lines.insert(&report.dt, to_line(report)?);
        }
        together.steps.drain(..dates);
        for SkippedDate { dt, missing } in &self.skipped {
            let skipped = serde_json::json!({"dt": dt, "skipped": true, "missing": missing});
            lines.insert(dt, to_line(&skipped)?);
        }
        let lines = lines.into_values().chain([to_line(&together)?]);
        Ok(lines.collect())
    }

    /// The report as JSON for people and programs.
    pub fn to_json(&self) -> Result<String> {
        let mut json = to_json(self)?;
        json.push('\n');
        Ok(json)
    }
}

/// What a contract found in a table of a date, as a file of the lake.
#[derive(Serialize)]
struct QualityReport<'r> {
    contract: &'r str,
    table: &'r str,
    dt: String,
    passed: bool,
    rules: &'r [RuleResult],
}

/// A run in the history of a lake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    pub run_id: String,
    pub started_at: String,
    pub seconds: f64,
    pub version: String,
    pub step: String,
    pub dt: String,
    pub settings: ReportSettings,
    pub rows_in: u64,
    pub rows_kept: u64,
    pub rows_merged: u64,
    pub rows_rejected: u64,
    /// Runs with gold: what the graph holds.
    pub publications: Option<u64>,
    pub mentions: Option<u64>,
    pub pairs: Option<u64>,
}

/// The runs that changed a lake, the first one first.
pub fn read_history(storage: &dyn Storage) -> Result<Vec<RunRecord>> {
    let mut records = Vec::new();
    for folder in storage.list(layout::HISTORY)? {
        let folder = format!("{}/{folder}", layout::HISTORY);
        for name in storage.list(&folder)? {
            records.extend(read_record(storage, &format!("{folder}/{name}"))?);
        }
    }
    let start = |record: &RunRecord| (record.started_at.clone(), record.run_id.clone());
    records.sort_by_key(start);
    Ok(records)
}

/// A record of a run; `None` for a file that is none.
fn read_record(storage: &dyn Storage, path: &str) -> Result<Option<RunRecord>> {
    let Some(bytes) = storage.read(path)?.filter(|_| path.ends_with(".json")) else {
        return Ok(None);
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        let uri = format!("{}/{path}", storage.root());
        Error::format(uri, place, error.to_string(), "remove this record of a run")
    })
}

/// At most this many held dates get a warning of their own.
const MOST_WARNINGS: usize = 20;

/// At most this many entries of a list in a report.
const MOST_ENTRIES: usize = 10_000;

/// Shortens a list; returns the number of entries left out.
fn shorten<T>(entries: &mut Vec<T>) -> u64 {
    let left_out = entries.len().saturating_sub(MOST_ENTRIES);
    entries.truncate(MOST_ENTRIES);
    left_out as u64
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn to_line(part: &impl Serialize) -> Result<String> {
    let mut line = serde_json::to_string(part)
        .map_err(|error| Error::internal(format!("the report as JSON: {error}")))?;
    line.push('\n');
    Ok(line)
}

/// A report, or a part of one, as JSON.
pub fn to_json(part: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(part)
        .map_err(|error| Error::internal(format!("the report as JSON: {error}")))
}

/// Seconds, rounded to the millisecond.
pub(crate) fn seconds_since(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}
