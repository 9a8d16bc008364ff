//! `fetch`: downloads of what NLM publishes.

use pyo3::prelude::*;

use super::process::{call, progress as messages};
use super::{arguments, errors};
use crate::fetch::{FetchSettings, PubmedPart, fetch as fetch_files};

#[doc = stub_doc!(fetch)]
#[pyfunction]
#[pyo3(signature = (source, to, *, part="all", since=None, until=None, first=None, limit=None, base_url=None, parallel=3,
    attempts=8, timeout=60, dry_run=false, progress=false))]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
pub(super) fn fetch<'py>(
    py: Python<'py>,
    source: &str,
    to: &Bound<'py, PyAny>,
    part: &str,
    since: Option<&Bound<'py, PyAny>>,
    until: Option<&Bound<'py, PyAny>>,
    #[pyo3(from_py_with = arguments::first)] first: Option<u64>,
    #[pyo3(from_py_with = arguments::limit)] limit: Option<u64>,
    base_url: Option<&Bound<'py, PyAny>>,
    #[pyo3(from_py_with = arguments::parallel)] parallel: u64,
    #[pyo3(from_py_with = arguments::attempts)] attempts: u64,
    #[pyo3(from_py_with = arguments::timeout)] timeout: u64,
    dry_run: bool,
    progress: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let source = arguments::choice(py, "source", source)?;
    let to = arguments::path(to, "to")?;
    let base_url = base_url
        .map(|address| arguments::text(address, "base_url"))
        .transpose()?;
    let settings = FetchSettings {
        part: arguments::choice::<PubmedPart>(py, "part", part)?,
        since: since.map(|day| arguments::day(day, "since")).transpose()?,
        until: until.map(|day| arguments::day(day, "until")).transpose()?,
        first,
        limit,
        base_url,
        parallel,
        attempts,
        timeout,
        dry_run,
    };
    // It waits for a server and uses no engine, so a forked child may call it.
    let report = call::run_waiting(py, progress, |task| fetch_files(source, &to, &settings, task))?;
    messages::warn(py, &report.warnings)?;
    let json = report.to_json().map_err(|error| errors::exception(py, &error))?;
    py.import("json")?.call_method1("loads", (json,))
}
