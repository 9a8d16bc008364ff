//! `LakeDiff`: what changed between two states of a lake, for Python.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyCapsule};

use super::process::call;
use super::table::Table;
use super::{arrow, errors};
use crate::api::diff::LakeDiff as Changes;
use crate::error::{Error, Result};
use crate::lake::report::to_json;
use crate::schema::{MENTION_CHANGES, TableColumn};
use crate::share::Share;

#[doc = stub_doc!(LakeDiff)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct LakeDiff(Arc<Changes>);

impl LakeDiff {
    pub(super) fn new(changes: Changes) -> Self {
        Self(Arc::new(changes))
    }

    fn columns() -> Vec<&'static TableColumn> {
        MENTION_CHANGES.all_columns().collect()
    }

    fn all(&self, py: Python<'_>) -> PyResult<Table> {
        let frame = call::run_interruptible(py, false, |_| self.0.read_all())?;
        Ok(Table::described(frame, Self::columns()))
    }
}

#[pymethods]
impl LakeDiff {
    #[doc = stub_doc!(LakeDiff.from_state)]
    #[getter(from_state)]
    fn earlier_state(&self) -> u64 {
        self.0.summary().from.state
    }

    #[doc = stub_doc!(LakeDiff.to_state)]
    #[getter(to_state)]
    fn later_state(&self) -> u64 {
        self.0.summary().to.state
    }

    #[doc = stub_doc!(LakeDiff.lost_share)]
    #[getter]
    fn lost_share(&self) -> f64 {
        let summary = self.0.summary();
        summary.lost.pairs as f64 / summary.from.pairs.max(1) as f64
    }

    #[doc = stub_doc!(LakeDiff.causes)]
    #[getter]
    fn causes(&self, py: Python<'_>) -> PyResult<Table> {
        call::run_inline(py, || self.0.summary().cause_frame()).map(Table::new)
    }

    #[doc = stub_doc!(LakeDiff.substances)]
    #[getter]
    fn substances(&self, py: Python<'_>) -> PyResult<Table> {
        call::run_inline(py, || self.0.summary().substance_frame()).map(Table::new)
    }

    #[doc = stub_doc!(LakeDiff.drugs)]
    #[getter]
    fn drugs(&self, py: Python<'_>) -> PyResult<Table> {
        call::run_inline(py, || self.0.drugs()).map(Table::new)
    }

    #[doc = stub_doc!(LakeDiff.check)]
    #[pyo3(signature = (max_lost))]
    fn check(&self, py: Python<'_>, max_lost: &str) -> PyResult<()> {
        call::run_inline(py, || self.0.check(Share::parse("max_lost", max_lost)?))
    }

    #[doc = stub_doc!(LakeDiff.read)]
    fn read(&self, py: Python<'_>) -> PyResult<Table> {
        self.all(py)
    }

    #[doc = stub_doc!(LakeDiff.to_polars)]
    fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.all(py)?)?.call_method0("to_polars")
    }

    #[doc = stub_doc!(LakeDiff.to_pandas)]
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.all(py)?)?.call_method0("to_pandas")
    }

    #[doc = stub_doc!(LakeDiff.to_arrow)]
    fn to_arrow<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.all(py)?)?.call_method0("to_arrow")
    }

    #[doc = stub_doc!(LakeDiff.to_dicts)]
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.all(py)?)?.call_method0("to_dicts")
    }

    #[doc = stub_doc!(LakeDiff.to_dict)]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = to_json(self.0.summary()).map_err(|error| errors::exception(py, &error))?;
        py.import("json")?.call_method1("loads", (json,))
    }

    #[doc = stub_doc!(LakeDiff.to_text)]
    fn to_text(&self) -> String {
        self.0.summary().to_text()
    }

    #[doc = stub_doc!(LakeDiff.schema)]
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Table::described(MENTION_CHANGES.empty(), Self::columns()).schema(py)
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        Bound::new(py, self.all(py)?)?.get_item(key)
    }

    #[doc = stub_doc!(LakeDiff.__iter__)]
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.all(py)?)?
            .into_any()
            .try_iter()
            .map(Bound::into_any)
    }

    #[doc = stub_doc!(LakeDiff.__len__)]
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        call::run_inline(py, || {
            usize::try_from(self.0.height())
                .map_err(|_| Error::internal("more changes than this machine can count"))
        })
    }

    #[doc = stub_doc!(LakeDiff.__arrow_c_stream__)]
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer ignore a request that it cannot meet.
        let _ = requested_schema;
        let changes = Arc::clone(&self.0);
        let asker = std::thread::current().id();
        let mut number = 0;
        let next = move || -> Result<_> {
            let frame = call::run_for_stream(asker, |_| changes.frame(number))?;
            number += 1;
            Ok(frame)
        };
        arrow::stream_of(py, &MENTION_CHANGES.empty(), &Self::columns(), next)
    }

    #[doc = stub_doc!(LakeDiff.__arrow_c_schema__)]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.schema(py)?.call_method0("__arrow_c_schema__")
    }

    fn __str__(&self) -> String {
        self.to_text()
    }

    fn __repr__(&self) -> String {
        let summary = self.0.summary();
        format!(
            "LakeDiff(state {} to state {}: {} mentions gained, {} lost)",
            summary.from.state, summary.to.state, summary.gained.mentions, summary.lost.mentions
        )
    }
}
