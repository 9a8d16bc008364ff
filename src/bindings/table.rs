//! `Table`: a result of the core, for every library that reads Arrow.

use polars::prelude::{AnyValue, DataFrame};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};

use super::arrow;

#[doc = stub_doc!(Table)]
#[pyclass(frozen, subclass, module = "drugs_rs")]
pub(super) struct Table {
    frame: DataFrame,
}

impl Table {
    pub(super) fn new(frame: DataFrame) -> Self {
        Self { frame }
    }
}

#[pymethods]
impl Table {
    #[doc = stub_doc!(Table.__arrow_c_stream__)]
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer ignore a request that it cannot meet.
        let _ = requested_schema;
        arrow::stream(py, &self.frame)
    }

    #[doc = stub_doc!(Table.__arrow_c_schema__)]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow::schema(py, &self.frame)
    }

    #[doc = stub_doc!(Table.__len__)]
    fn __len__(&self) -> usize {
        self.frame.height()
    }

    #[doc = stub_doc!(Table.num_rows)]
    #[getter]
    fn num_rows(&self) -> usize {
        self.frame.height()
    }

    #[doc = stub_doc!(Table.num_columns)]
    #[getter]
    fn num_columns(&self) -> usize {
        self.frame.width()
    }

    #[doc = stub_doc!(Table.column_names)]
    #[getter]
    fn column_names(&self) -> Vec<String> {
        self.frame
            .get_column_names()
            .into_iter()
            .map(ToString::to_string)
            .collect()
    }

    #[doc = stub_doc!(Table.to_dicts)]
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows = PyList::empty(py);
        for row in 0..self.frame.height() {
            let dictionary = PyDict::new(py);
            for column in self.frame.columns() {
                dictionary.set_item(
                    column.name().as_str(),
                    value(py, &column.get(row).unwrap_or(AnyValue::Null))?,
                )?;
            }
            rows.append(dictionary)?;
        }
        Ok(rows)
    }

    fn __repr__(&self) -> String {
        let columns = self.column_names().join(", ");
        format!("Table({} rows: {columns})", self.frame.height())
    }
}

fn value<'py>(py: Python<'py>, value: &AnyValue<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        AnyValue::String(text) => text.into_pyobject(py)?.into_any(),
        AnyValue::StringOwned(text) => text.as_str().into_pyobject(py)?.into_any(),
        AnyValue::UInt64(number) => number.into_pyobject(py)?.into_any(),
        AnyValue::Int64(number) => number.into_pyobject(py)?.into_any(),
        AnyValue::Date(days) => {
            // 719163 is the proleptic ordinal of 1970-01-01.
            py.import("datetime")?
                .getattr("date")?
                .call_method1("fromordinal", (days + 719_163,))?
        }
        AnyValue::List(items) => {
            let list = PyList::empty(py);
            for item in items.iter() {
                list.append(self::value(py, &item)?)?;
            }
            list.into_any()
        }
        _ => py.None().into_bound(py),
    })
}
