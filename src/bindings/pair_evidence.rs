//! `PairEvidence`: what says that a publication mentions a drug, for Python.

use pyo3::prelude::*;

use super::errors;
use crate::api::evidence::PairEvidence as Evidence;
use crate::lake::report::to_json;

#[doc = stub_doc!(PairEvidence)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct PairEvidence(pub(super) Evidence);

#[pymethods]
impl PairEvidence {
    #[doc = stub_doc!(PairEvidence.is_mentioned)]
    #[getter]
    fn is_mentioned(&self) -> bool {
        self.0.is_mentioned
    }

    #[doc = stub_doc!(PairEvidence.to_dict)]
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = to_json(&self.0).map_err(|error| errors::exception(py, &error))?;
        py.import("json")?.call_method1("loads", (json,))
    }

    #[doc = stub_doc!(PairEvidence.to_text)]
    fn to_text(&self) -> String {
        self.0.to_text()
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.to_dict(key.py())?.get_item(key)
    }

    fn __str__(&self) -> String {
        self.0.to_text()
    }

    fn __repr__(&self) -> String {
        let Evidence {
            kind,
            publication_id,
            drug,
            is_mentioned,
            state,
            ..
        } = &self.0;
        let is_mentioned = if *is_mentioned {
            "mentioned"
        } else {
            "not mentioned"
        };
        format!(
            "PairEvidence({drug:?} is {is_mentioned} in {kind} {publication_id:?} of state {})",
            state.state
        )
    }
}
