//! The steps as Python functions: they take arguments and return a report as a plain dictionary.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;

use super::process::{call, progress};
use super::{arguments, errors};
use crate::api::contracts::read_contract;
use crate::api::sources;
use crate::error::{Error, Result};
use crate::formats::MostRatio;
use crate::graph::AnswerSettings;
use crate::lake::dt::RunDates;
use crate::lake::report::{StepReport, to_json};
use crate::lake::states::KeepStates;
use crate::lake::{existing_lake_for, holds, open_lake_for};
use crate::schema::SourceTable;
use crate::steps::backfill::{backfill, of_date};
use crate::steps::bronze::{BronzeSource, as_snapshots};
use crate::steps::gold::GoldSettings;
use crate::steps::silver::SilverSettings;
use crate::steps::{bronze as bronze_step, gold as gold_step, run as whole, silver as silver_step};
use crate::task::Task;

#[doc = stub_help!(run)]
#[pyfunction]
#[pyo3(signature = (*, drugs=None, pubmed=None, clinical_trials=None, preprints=None, lake=None, out=None, dt=None, dates=None, encoding=None, month_first=false, on_bad_file="fail", max_ratio=400,
    expect_rows=None, contract=None, fields=None, abstracts=false, exclude_status=None, unit="substance", max_exclusive=1_000_000, graph="json", keep=KeepStates::default(), snapshot=false, max_absent="2%", progress=false, **options), text_signature = None)]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(super) fn run<'py>(
    py: Python<'py>,
    drugs: Option<&Bound<'py, PyAny>>,
    pubmed: Option<&Bound<'py, PyAny>>,
    clinical_trials: Option<&Bound<'py, PyAny>>,
    preprints: Option<&Bound<'py, PyAny>>,
    lake: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
    dt: Option<&Bound<'py, PyAny>>,
    dates: Option<&Bound<'py, PyAny>>,
    encoding: Option<&str>,
    month_first: bool,
    on_bad_file: &str,
    #[pyo3(from_py_with = arguments::max_ratio)] max_ratio: u64,
    expect_rows: Option<&str>,
    contract: Option<&Bound<'py, PyAny>>,
    fields: Option<&Bound<'py, PyAny>>,
    abstracts: bool,
    exclude_status: Option<&Bound<'py, PyAny>>,
    unit: &str,
    #[pyo3(from_py_with = arguments::max_exclusive)] max_exclusive: u64,
    graph: &str,
    #[pyo3(from_py_with = arguments::keep)] keep: KeepStates,
    snapshot: bool,
    max_absent: &str,
    progress: bool,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let sources = sources([drugs, pubmed, clinical_trials, preprints])?;
    let sources = call::run_inline(py, || as_snapshots(sources, snapshot, max_absent))?;
    let (lake, dates) = (arguments::lake(lake, out, "run")?, arguments::dates(dt, dates)?);
    let silver = SilverSettings {
        encoding: arguments::encoding(py, encoding)?,
        order: arguments::order(month_first),
        on_bad_file: arguments::on_bad_file(py, on_bad_file)?,
        most_ratio: MostRatio(max_ratio),
        expect_rows: arguments::expect_rows(py, expect_rows)?,
        ..SilverSettings::default()
    };
    let contract = arguments::contract(contract)?;
    let gold = GoldSettings {
        matcher: arguments::matcher_settings("run", options)?,
        search: arguments::search(py, fields, abstracts, exclude_status)?,
        answers: AnswerSettings {
            unit: arguments::unit(py, unit)?,
            max_exclusive,
        },
        graph: arguments::graph(py, graph)?,
        keep,
        ..GoldSettings::default()
    };
    report(py, progress, |task| {
        let contract = read_contract(contract.as_deref(), task)?;
        let silver = SilverSettings { contract, ..silver };
        let lake = open_lake_for(&lake, task)?;
        match dates {
            RunDates::One(dt) => whole::run(lake.as_ref(), &of_date(&sources, dt), dt, &silver, &gold, task),
            RunDates::Each(dates) => backfill(lake.as_ref(), &sources, dates, &silver, &gold, task),
        }
    })
}

#[doc = stub_doc!(bronze)]
#[pyfunction]
#[pyo3(signature = (*, lake=None, out=None, dt, drugs=None, pubmed=None, clinical_trials=None, preprints=None, name=None, snapshot=false, max_absent="2%", progress=false))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(super) fn bronze<'py>(
    py: Python<'py>,
    lake: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
    dt: &Bound<'py, PyAny>,
    drugs: Option<&Bound<'py, PyAny>>,
    pubmed: Option<&Bound<'py, PyAny>>,
    clinical_trials: Option<&Bound<'py, PyAny>>,
    preprints: Option<&Bound<'py, PyAny>>,
    name: Option<String>,
    snapshot: bool,
    max_absent: &str,
    progress: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let sources = sources([drugs, pubmed, clinical_trials, preprints])?;
    let mut sources = call::run_inline(py, || as_snapshots(sources, snapshot, max_absent))?;
    let refuse = |error: Error| errors::exception(py, &error);
    match (sources.as_mut_slice(), name) {
        ([], _) => {
            let expected = format!("at least one of {}", SourceTable::names(""));
            return Err(refuse(Error::argument("bronze", "no source", &expected)));
        }
        ([source], Some(name)) => source.name = name,
        (_, Some(name)) => {
            let expected = "a name only where one source is given";
            return Err(refuse(Error::argument(
                "name",
                format!("`{name}` for several sources"),
                expected,
            )));
        }
        (_, None) => {}
    }
    let (lake, dt) = (arguments::lake(lake, out, "bronze")?, arguments::dt(dt)?);
    report(py, progress, |task| {
        bronze_step::bronze(open_lake_for(&lake, task)?.as_ref(), &sources, dt, task)
    })
}

#[doc = stub_doc!(silver)]
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
#[pyo3(signature = (*, lake=None, out=None, dt, tables=None, encoding=None, month_first=false, on_bad_file="fail", max_ratio=400, expect_rows=None, contract=None, hold=false, progress=false))]
pub(super) fn silver<'py>(
    py: Python<'py>,
    lake: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
    dt: &Bound<'py, PyAny>,
    tables: Option<&Bound<'py, PyAny>>,
    encoding: Option<&str>,
    month_first: bool,
    on_bad_file: &str,
    #[pyo3(from_py_with = arguments::max_ratio)] max_ratio: u64,
    expect_rows: Option<&str>,
    contract: Option<&Bound<'py, PyAny>>,
    hold: bool,
    progress: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let tables = arguments::tables(tables)?;
    let (lake, dt) = (arguments::lake(lake, out, "silver")?, arguments::dt(dt)?);
    let settings = SilverSettings {
        encoding: arguments::encoding(py, encoding)?,
        order: arguments::order(month_first),
        on_bad_file: arguments::on_bad_file(py, on_bad_file)?,
        most_ratio: MostRatio(max_ratio),
        expect_rows: arguments::expect_rows(py, expect_rows)?,
        hold,
        ..SilverSettings::default()
    };
    let contract = arguments::contract(contract)?;
    report(py, progress, |task| {
        let contract = read_contract(contract.as_deref(), task)?;
        let settings = SilverSettings { contract, ..settings };
        silver_step::silver(
            existing_lake_for(&lake, task)?.as_ref(),
            tables.as_deref(),
            dt,
            &settings,
            task,
        )
    })
}

#[doc = stub_help!(gold)]
#[pyfunction]
#[pyo3(signature = (*, lake=None, out=None, dt, fields=None, abstracts=false, exclude_status=None, unit="substance", max_exclusive=1_000_000, graph="json", keep=KeepStates::default(), progress=false, **options),
    text_signature = None)]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(super) fn gold<'py>(
    py: Python<'py>,
    lake: Option<&Bound<'py, PyAny>>,
    out: Option<&Bound<'py, PyAny>>,
    dt: &Bound<'py, PyAny>,
    fields: Option<&Bound<'py, PyAny>>,
    abstracts: bool,
    exclude_status: Option<&Bound<'py, PyAny>>,
    unit: &str,
    #[pyo3(from_py_with = arguments::max_exclusive)] max_exclusive: u64,
    graph: &str,
    #[pyo3(from_py_with = arguments::keep)] keep: KeepStates,
    progress: bool,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (lake, dt) = (arguments::lake(lake, out, "gold")?, arguments::dt(dt)?);
    let settings = GoldSettings {
        matcher: arguments::matcher_settings("gold", options)?,
        search: arguments::search(py, fields, abstracts, exclude_status)?,
        answers: AnswerSettings {
            unit: arguments::unit(py, unit)?,
            max_exclusive,
        },
        graph: arguments::graph(py, graph)?,
        keep,
        ..GoldSettings::default()
    };
    report(py, progress, |task| {
        gold_step::gold(existing_lake_for(&lake, task)?.as_ref(), dt, &settings, task)
    })
}

#[doc = stub_doc!(hold)]
#[pyfunction]
pub(super) fn hold<'py>(
    py: Python<'py>,
    lake: &Bound<'py, PyAny>,
    dt: &Bound<'py, PyAny>,
    reason: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (lake, dt) = (arguments::path(lake, "lake")?, arguments::dt(dt)?);
    let reason = arguments::text(reason, "reason")?;
    let report = call::run_waiting(py, false, |task| {
        holds::hold(existing_lake_for(&lake, task)?.as_ref(), dt, &reason, task)
    })?;
    dictionary(py, &report)
}

#[doc = stub_doc!(release)]
#[pyfunction]
pub(super) fn release<'py>(
    py: Python<'py>,
    lake: &Bound<'py, PyAny>,
    dt: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (lake, dt) = (arguments::path(lake, "lake")?, arguments::dt(dt)?);
    let report = call::run_waiting(py, false, |task| {
        holds::release(existing_lake_for(&lake, task)?.as_ref(), dt, task)
    })?;
    dictionary(py, &report)
}

/// The given sources, in the order of the tables.
fn sources(given: [Option<&Bound<'_, PyAny>>; SourceTable::ALL.len()]) -> PyResult<Vec<BronzeSource>> {
    let mut sources = Vec::new();
    for (table, paths) in SourceTable::ALL.into_iter().zip(given) {
        let Some(paths) = paths.filter(|paths| !paths.is_none()) else {
            continue;
        };
        sources.push(BronzeSource::new(table, arguments::paths(paths, table.name())?));
    }
    Ok(sources)
}

/// Runs a step and returns its report as a dictionary.
fn report<'py>(
    py: Python<'py>,
    progress: bool,
    work: impl FnOnce(&Task) -> Result<StepReport> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    let report = call::run_interruptible(py, progress, work)?;
    progress::warn(py, &report.warnings())?;
    dictionary(py, &report)
}

/// A report as a dictionary.
pub(super) fn dictionary<'py>(py: Python<'py>, report: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let json = to_json(report).map_err(|error| errors::exception(py, &error))?;
    py.import("json")?.call_method1("loads", (json,))
}

#[doc = stub_doc!(list_sources)]
#[pyfunction]
pub(super) fn list_sources(py: Python<'_>, sources: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let uris = arguments::paths(sources, "sources")?;
    // A bucket may keep it waiting, and a forked child may call it.
    call::run_waiting(py, false, |task| sources::list_sources(&uris, task))
}
