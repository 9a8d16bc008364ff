//! Runs the steps of several dates: bronze and silver of each date in order, then gold once.
//!
//! The lake is then what a run of each date would have made of it, because gold is made from all dates; making it for each
//! date would repeat the work. The sources of all dates are looked for before the first is copied: an incomplete date
//! leaves the lake untouched. A backfill that ends in between has complete dates in silver, and made again it leaves
//! them as they are.

use super::bronze::BronzeSource;
use super::gold::{GoldSettings, gold};
use super::run::{check_vocabulary, deliver, find_all};
use super::silver::SilverSettings;
use crate::error::{Error, Result};
use crate::lake::dt::{Dt, DtRange};
use crate::lake::report::{SkippedDate, StepReport, StepStart};
use crate::storage::source::expand;
use crate::storage::{Sharing, Storage};
use crate::task::Task;

/// The place of the date in the name of a source.
const PLACEHOLDER: &str = "{dt}";

/// Runs the dates whose sources exist; the others are skipped. The report has one for each date, and that of gold, as its
/// steps.
pub fn backfill(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    dates: DtRange,
    silver: &SilverSettings,
    settings: &GoldSettings,
    task: &Task,
) -> Result<StepReport> {
    let started = StepStart::now(task);
    if sources.iter().any(|source| source.snapshot.is_some()) {
        let found = "a snapshot for several dates, of which each would replace the ones before";
        return Err(Error::argument("snapshot", found, "one date (dt)"));
    }
    let (delivered, skipped) = find_dates(sources, dates, task)?;
    let Some(last) = delivered.last().copied() else {
        return Err(nothing(&skipped, dates));
    };
    check_vocabulary(storage, sources, last)?;
    let mut steps = Vec::with_capacity(delivered.len() + 1);
    for dt in delivered {
        task.check()?;
        steps.push(run_date(storage, &of_date(sources, dt), dt, silver, task)?);
    }
    steps.push(gold(storage, last, settings, task)?);
    let mut report = StepReport::together("run", last, storage, &steps, started);
    if let Some(gold) = steps.last() {
        report.gold = gold.gold.clone();
        report.held = gold.held.clone();
    }
    report.steps = steps;
    report.dates = dates.to_string();
    report.skipped = skipped;
    Ok(report)
}

/// Bronze and silver of one date.
fn run_date(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    dt: Dt,
    silver: &SilverSettings,
    task: &Task,
) -> Result<StepReport> {
    let started = StepStart::now(task);
    let files = find_all(sources, task)?;
    let reservation = storage.reserve(&format!("dt={dt}"), Sharing::Alone)?;
    let [bronze, silver] = deliver(storage, sources, &files, dt, silver, task)?;
    let mut report = StepReport::together("run", dt, storage, std::slice::from_ref(&silver), started);
    report.unchanged &= bronze.unchanged;
    report.steps = vec![bronze, silver];
    report.save(storage, dt, "run")?;
    report.record(storage)?;
    drop(reservation);
    Ok(report)
}

/// The dates with all of their sources, and those with none.
fn find_dates(sources: &[BronzeSource], dates: DtRange, task: &Task) -> Result<(Vec<Dt>, Vec<SkippedDate>)> {
    let templates = |source: &BronzeSource| source.uris.iter().any(|uri| uri.contains(PLACEHOLDER));
    if !sources.iter().any(templates) {
        return Err(Error::argument(
            "dates",
            format!("{dates}, and no source with {PLACEHOLDER} in its name"),
            format!("a source of each date, such as in/{PLACEHOLDER}/pubmed.csv"),
        ));
    }
    let (mut delivered, mut skipped) = (Vec::new(), Vec::new());
    for dt in dates.days() {
        task.check()?;
        let mut found = None;
        let mut missing = Vec::new();
        for source in sources {
            let expected = source.table.expected();
            for uri in source.uris.iter().filter(|uri| uri.contains(PLACEHOLDER)) {
                let uri = with_date(uri, dt);
                match expand(&uri, expected, task) {
                    Ok(_) => found = Some(uri),
                    Err(error) if is_missing(&error, expected) => missing.push(uri),
                    Err(error) => return Err(error),
                }
            }
        }
        match (found, missing.first()) {
            (_, None) => delivered.push(dt),
            (Some(found), Some(uri)) => return Err(incomplete(uri, &found, dt)),
            (None, Some(_)) => skipped.push(SkippedDate {
                dt: dt.to_string(),
                missing,
            }),
        }
    }
    Ok((delivered, skipped))
}

/// The sources of a date.
/// The sources with the date in the place of `{dt}`.
pub fn of_date(sources: &[BronzeSource], dt: Dt) -> Vec<BronzeSource> {
    let with_its_names = |source: &BronzeSource| BronzeSource {
        uris: source.uris.iter().map(|uri| with_date(uri, dt)).collect(),
        ..source.clone()
    };
    sources.iter().map(with_its_names).collect()
}

fn with_date(uri: &str, dt: Dt) -> String {
    uri.replace(PLACEHOLDER, &dt.to_string())
}

/// Whether nothing was delivered. A link without its file is a broken delivery.
fn is_missing(error: &Error, expected_source: &str) -> bool {
    match error {
        Error::SourceNotFound { expected, .. } => expected.starts_with(expected_source),
        Error::EmptyFolder { .. } => true,
        _ => false,
    }
}

fn incomplete(missing: &str, found: &str, dt: Dt) -> Error {
    Error::SourceNotFound {
        uri: missing.to_owned(),
        expected: format!(
            "all sources of {dt} or none, and {found} is there; deliver what is missing, or run other dates; nothing was \
             written"
        ),
    }
}

fn nothing(skipped: &[SkippedDate], dates: DtRange) -> Error {
    let missing = skipped.iter().flat_map(|date| &date.missing).next();
    Error::SourceNotFound {
        uri: missing.cloned().unwrap_or_default(),
        expected: format!("the sources of at least one date of {dates}, and none of them has any"),
    }
}
