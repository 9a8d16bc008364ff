//! `read_publications`, `iter_publications`, `read_drugs`: sources as tables, without a lake.

use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::DataFrame;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyType};

use super::process::call;
use super::table::Table;
use super::{arguments, arrow, errors};
use crate::api::read::PublicationStream;
use crate::api::{preview, read};
use crate::error::{Error, Result};
use crate::formats::MostRatio;
use crate::lake::report;
use crate::quality::FileTally;
use crate::steps::silver::SilverSettings;
use crate::task::Task;

#[doc = stub_doc!(CleanTable)]
#[pyclass(frozen, extends = Table, module = "drugs_rs")]
pub(super) struct CleanTable {
    rejected: DataFrame,
    sources: Vec<FileTally>,
}

impl CleanTable {
    fn create(py: Python<'_>, table: read::CleanTable) -> PyResult<Py<Self>> {
        let read::CleanTable {
            frame,
            rejected,
            sources,
        } = table;
        Self { rejected, sources }.on(py, Table::new(frame))
    }

    /// Joins with the table of the rows that were kept.
    fn on(self, py: Python<'_>, table: Table) -> PyResult<Py<Self>> {
        Py::new(py, PyClassInitializer::from(table).add_subclass(self))
    }

    /// What the preview says beside the size of the table.
    fn note(&self) -> String {
        let rejected = preview::counted(self.rejected.height(), "rejected row");
        if self.sources.is_empty() {
            return format!(", {rejected}");
        }
        format!(", {}, {rejected}", preview::counted(self.sources.len(), "file"))
    }
}

#[pymethods]
impl CleanTable {
    #[doc = stub_doc!(CleanTable.rejected)]
    #[getter]
    fn rejected(&self) -> Table {
        Table::new(self.rejected.clone())
    }

    #[doc = stub_doc!(CleanTable.sources)]
    #[getter]
    fn sources<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        dictionaries(py, &self.sources)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.as_super()
            .get()
            .text(slf.py(), "CleanTable", &slf.get().note())
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.as_super()
            .get()
            .html(slf.py(), "CleanTable", &slf.get().note())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Pickled<'py>)> {
        let (py, this) = (slf.py(), slf.get());
        let make = slf.get_type().getattr("_from_pickle")?;
        let sources = report::to_json(&this.sources).map_err(|error| errors::exception(py, &error))?;
        let table = slf.as_super().get().to_bytes(py)?;
        Ok((make, (table, this.rejected().to_bytes(py)?, sources)))
    }

    #[classmethod]
    fn _from_pickle(
        class: &Bound<'_, PyType>,
        data: &Bound<'_, PyBytes>,
        rejected: &Bound<'_, PyBytes>,
        sources: &str,
    ) -> PyResult<Py<Self>> {
        let py = class.py();
        let sources = serde_json::from_str(sources).map_err(|error| {
            let error = Error::format(
                "these bytes",
                "sources",
                error.to_string(),
                "read the sources again",
            );
            errors::exception(py, &error)
        })?;
        let rejected = Table::from_bytes(rejected)?.into_frame();
        Self { rejected, sources }.on(py, Table::from_bytes(data)?)
    }
}

/// The table, its rejected rows and the counts of its files, for a pickle.
type Pickled<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, String);

#[doc = stub_doc!(read_publications)]
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
#[pyo3(signature = (sources, *, kind="pubmed", encoding=None, month_first=false, on_bad_file="fail", max_ratio=400, progress=false))]
pub(super) fn read_publications(
    py: Python<'_>,
    sources: &Bound<'_, PyAny>,
    kind: &str,
    encoding: Option<&str>,
    month_first: bool,
    on_bad_file: &str,
    #[pyo3(from_py_with = arguments::max_ratio)] max_ratio: u64,
    progress: bool,
) -> PyResult<Py<CleanTable>> {
    let uris = arguments::paths(sources, "sources")?;
    let kind = arguments::choice(py, "kind", kind)?;
    let settings = settings(py, encoding, month_first, on_bad_file, max_ratio)?;
    let table = call::run_interruptible(py, progress, |task| {
        read::read_publications(&uris, kind, &settings, task)
    })?;
    CleanTable::create(py, table)
}

#[doc = stub_doc!(read_drugs)]
#[pyfunction]
#[pyo3(signature = (sources, *, encoding=None, on_bad_file="fail", max_ratio=400, progress=false))]
pub(super) fn read_drugs(
    py: Python<'_>,
    sources: &Bound<'_, PyAny>,
    encoding: Option<&str>,
    on_bad_file: &str,
    #[pyo3(from_py_with = arguments::max_ratio)] max_ratio: u64,
    progress: bool,
) -> PyResult<Py<CleanTable>> {
    let uris = arguments::paths(sources, "sources")?;
    let settings = settings(py, encoding, false, on_bad_file, max_ratio)?;
    let table = call::run_interruptible(py, progress, |task| read::read_drugs(&uris, &settings, task))?;
    CleanTable::create(py, table)
}

#[doc = stub_doc!(iter_publications)]
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "keywords of a Python function")]
#[pyo3(signature = (sources, *, kind="pubmed", batch_rows=65536, encoding=None, month_first=false, on_bad_file="fail", max_ratio=400))]
pub(super) fn iter_publications(
    py: Python<'_>,
    sources: &Bound<'_, PyAny>,
    kind: &str,
    #[pyo3(from_py_with = arguments::batch_rows)] batch_rows: u64,
    encoding: Option<&str>,
    month_first: bool,
    on_bad_file: &str,
    #[pyo3(from_py_with = arguments::max_ratio)] max_ratio: u64,
) -> PyResult<PublicationBatches> {
    let uris = arguments::paths(sources, "sources")?;
    let kind = arguments::choice(py, "kind", kind)?;
    let settings = settings(py, encoding, month_first, on_bad_file, max_ratio)?;
    let stream = call::run_interruptible(py, false, |task| {
        PublicationStream::open(&uris, kind, settings, batch_rows as usize, task)
    })?;
    Ok(PublicationBatches {
        state: Arc::new(Mutex::new(State {
            stream: Some(stream),
            sources: Vec::new(),
        })),
    })
}

#[doc = stub_doc!(PublicationBatches)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct PublicationBatches {
    /// Shared with the Arrow streams that were requested.
    state: Arc<Mutex<State>>,
}

struct State {
    /// `None` after the end, an error or an interruption: like a generator, it then returns nothing more.
    stream: Option<PublicationStream>,
    sources: Vec<FileTally>,
}

#[pymethods]
impl PublicationBatches {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<CleanTable>>> {
        let batch = call::run_interruptible(py, false, |task| next_batch(&self.state, task))?;
        batch.map(|table| CleanTable::create(py, table)).transpose()
    }

    #[doc = stub_doc!(PublicationBatches.sources)]
    #[getter]
    fn sources<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let sources = call::run_inline(py, || {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(match &state.stream {
                Some(stream) => stream.sources().to_vec(),
                None => state.sources.clone(),
            })
        })?;
        dictionaries(py, &sources)
    }

    #[doc = stub_doc!(PublicationBatches.__arrow_c_stream__)]
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer ignore a request that it cannot meet.
        let _ = requested_schema;
        let (state, asker) = (Arc::clone(&self.state), std::thread::current().id());
        let next = move || {
            call::run_for_stream(asker, |task| {
                // Skips batches without rows: all of their rows were rejected.
                while let Some(batch) = next_batch(&state, task)? {
                    if batch.frame.height() > 0 {
                        return Ok(Some(batch.frame));
                    }
                }
                Ok(None)
            })
        };
        arrow::stream_of(py, &empty(py)?, &[], next)
    }

    #[doc = stub_doc!(PublicationBatches.__arrow_c_schema__)]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow::schema(py, &empty(py)?, &[])
    }

    fn __repr__(&self) -> &'static str {
        "PublicationBatches()"
    }
}

fn next_batch(state: &Mutex<State>, task: &Task) -> Result<Option<read::CleanTable>> {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(mut stream) = state.stream.take() else {
        return Ok(None);
    };
    let batch = stream.next_batch(task);
    state.sources = stream.sources().to_vec();
    if matches!(batch, Ok(Some(_))) {
        state.stream = Some(stream);
    }
    batch
}

fn empty(py: Python<'_>) -> PyResult<DataFrame> {
    read::no_publications().map_err(|error| errors::exception(py, &error))
}

fn dictionaries<'py>(py: Python<'py>, sources: &[FileTally]) -> PyResult<Bound<'py, PyAny>> {
    let json = report::to_json(&sources).map_err(|error| errors::exception(py, &error))?;
    py.import("json")?.call_method1("loads", (json,))
}

fn settings(
    py: Python<'_>,
    encoding: Option<&str>,
    month_first: bool,
    on_bad_file: &str,
    max_ratio: u64,
) -> PyResult<SilverSettings> {
    Ok(SilverSettings {
        encoding: arguments::encoding(py, encoding)?,
        order: arguments::order(month_first),
        on_bad_file: arguments::on_bad_file(py, on_bad_file)?,
        most_ratio: MostRatio(max_ratio),
        ..SilverSettings::default()
    })
}
