//! What a step did: counts, places and times, never the content of a row.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::documents::HeldDate;
use super::dt::Dt;
use super::layout;
use crate::error::{Error, Result};
use crate::quality::{FileTally, Totals};
use crate::schema::DrugUnit;
use crate::storage::Storage;
use crate::tables::output_file::OutputFile;

/// Whether all files of an earlier run still stand. What somebody deleted is made again.
pub(crate) fn all_stand(outputs: &[OutputFile], storage: &dyn Storage) -> Result<bool> {
    for output in outputs {
        if !output.stands(storage)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What the gold step counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoldNumbers {
    /// The graph holds the partitions up to this date.
    pub as_of: String,
    /// Codes of the vocabulary.
    pub drugs: u64,
    pub publications: u64,
    /// Rows of earlier dates that a later one brings anew.
    #[serde(default)]
    pub superseded: u64,
    /// Rows of earlier dates that a later one deletes.
    #[serde(default)]
    pub deleted: u64,
    /// What counts as one drug in `mentions`, `pairs` and the answers. Gold layers that do not say so counted codes.
    #[serde(default = "code")]
    pub unit: DrugUnit,
    #[serde(default)]
    pub substances: u64,
    /// Places in texts that name a drug. One place counts once for each drug that it names.
    pub mentions: u64,
    /// Pairs of a drug and a publication.
    #[serde(default)]
    pub pairs: u64,
    pub journals: u64,
    /// Every journal that shares the first place, with its number of different drugs.
    pub top_journals: std::collections::BTreeMap<String, u64>,
    /// How many drugs the lists of `exclusive_drugs.json` have at most, together; 0 is no limit.
    #[serde(default)]
    pub max_exclusive: u64,
    /// How many lists of `exclusive_drugs.json` were cut for that.
    #[serde(default)]
    pub exclusive_cut: u64,
}

impl GoldNumbers {
    /// Says that `exclusive_drugs.json` is not whole, where it is not.
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

/// The report of a step, or of a run of several steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    pub step: String,
    pub dt: String,
    pub out: String,
    /// Whether everything was already as it should be, so that nothing was written.
    pub unchanged: bool,
    pub sources: Vec<FileTally>,
    pub outputs: Vec<OutputFile>,
    /// Silver: the folders of bronze that the sources were read from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// How many entries of the two lists were left out: a report is handed from process to process and stays small. The
    /// manifests name every file, and the totals count every one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sources_left_out: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub outputs_left_out: u64,
    #[serde(flatten)]
    pub totals: Totals,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub gold: Option<GoldNumbers>,
    /// Gold and runs: the delivered dates that are held back and left out, of those up to the date that gold has reached.
    /// Holding and releasing: all dates that are held back then. Other steps have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Vec<HeldDate>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    pub seconds: f64,
}

impl StepReport {
    /// The report of one unit of work.
    pub(crate) fn new(
        step: &str,
        dt: Dt,
        storage: &dyn Storage,
        mut sources: Vec<FileTally>,
        mut outputs: Vec<OutputFile>,
        unchanged: bool,
        started: Instant,
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
            inputs: Vec::new(),
            gold: None,
            held: None,
            steps: Vec::new(),
            seconds: seconds_since(started),
        }
    }

    /// One report of several units of the same step, or, with their reports kept, of several steps.
    pub(crate) fn together(
        step: &str,
        dt: Dt,
        storage: &dyn Storage,
        parts: &[Self],
        started: Instant,
    ) -> Self {
        let sources: Vec<FileTally> = parts.iter().flat_map(|part| part.sources.clone()).collect();
        let outputs = parts.iter().flat_map(|part| part.outputs.clone()).collect();
        let unchanged = parts.iter().all(|part| part.unchanged);
        let mut report = Self::new(step, dt, storage, sources, outputs, unchanged, started);
        report.totals = parts.iter().map(|part| &part.totals).collect();
        report.sources_left_out += parts.iter().map(|part| part.sources_left_out).sum::<u64>();
        report.inputs = parts.iter().flat_map(|part| part.inputs.clone()).collect();
        report.outputs_left_out += parts.iter().map(|part| part.outputs_left_out).sum::<u64>();
        report
    }

    /// Writes the report into the lake. The report of a step that changed nothing is written only where none is.
    pub(crate) fn save(&self, storage: &dyn Storage, dt: Dt, name: &str) -> Result<()> {
        let path = layout::report(&self.step, dt, name);
        if self.unchanged && self.is_told(storage, &path)? {
            return Ok(());
        }
        storage.put(&path, self.to_json()?.as_bytes())
    }

    /// Whether the report that stands in the lake tells the same: a process killed between a commit and its report leaves
    /// the report of the run before.
    fn is_told(&self, storage: &dyn Storage, path: &str) -> Result<bool> {
        let Some(bytes) = storage.read(path)? else {
            return Ok(false);
        };
        let told: Option<Self> = serde_json::from_slice(&bytes).ok();
        Ok(told.is_some_and(|told| {
            told.sources == self.sources
                && told.outputs == self.outputs
                && told.gold == self.gold
                && told.held.unwrap_or_default() == *self.held.as_deref().unwrap_or_default()
        }))
    }

    /// What is to be heard by whoever does not read the report: which dates the graph lacks, and why; which answer is not
    /// whole.
    pub fn warnings(&self) -> Vec<String> {
        let Some(gold) = &self.gold else {
            return Vec::new();
        };
        let held = self.held.as_deref().unwrap_or_default();
        let mut told: Vec<String> = held
            .iter()
            .take(MOST_WARNINGS)
            .map(|HeldDate { dt, reason }| format!("dt={dt} is held back, and gold leaves it out: {reason}"))
            .collect();
        if held.len() > MOST_WARNINGS {
            let more = held.len() - MOST_WARNINGS;
            told.push(format!("{more} more dates are held back; the report names all"));
        }
        told.extend(gold.exclusive_note());
        told
    }

    /// The report as JSON for people and machines.
    pub fn to_json(&self) -> Result<String> {
        let mut json = to_json(self)?;
        json.push('\n');
        Ok(json)
    }
}

/// So many dates that are held back are told one by one.
const MOST_WARNINGS: usize = 20;

/// So many entries of a list stand in a report.
const MOST_ENTRIES: usize = 10_000;

/// Leaves out what is too much; gives how many that were.
fn shorten<T>(entries: &mut Vec<T>) -> u64 {
    let left_out = entries.len().saturating_sub(MOST_ENTRIES);
    entries.truncate(MOST_ENTRIES);
    left_out as u64
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A report, or a part of one, as JSON.
pub fn to_json(part: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(part).map_err(|error| Error::Internal {
        message: format!("the report as JSON: {error}"),
    })
}

/// Seconds, to the millisecond.
pub(crate) fn seconds_since(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0
}
