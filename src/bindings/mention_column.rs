//! `MentionColumn`: the mentions of each text of a column, as one Arrow array.

use polars::prelude::Series;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use super::arrow;

#[doc = stub_doc!(MentionColumn)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct MentionColumn(Series);

impl MentionColumn {
    pub(super) fn new(lists: Series) -> Self {
        Self(lists)
    }
}

#[pymethods]
impl MentionColumn {
    #[doc = stub_doc!(MentionColumn.__len__)]
    fn __len__(&self) -> usize {
        self.0.len()
    }

    #[doc = stub_doc!(MentionColumn.__arrow_c_array__)]
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // The interface lets a producer ignore a request that it cannot meet.
        let _ = requested_schema;
        arrow::array(py, &self.0)
    }

    #[doc = stub_doc!(MentionColumn.__arrow_c_schema__)]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(arrow::array(py, &self.0)?.0)
    }

    fn __repr__(&self) -> String {
        format!("MentionColumn({} texts)", self.0.len())
    }
}
