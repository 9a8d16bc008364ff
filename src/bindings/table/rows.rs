//! Values and rows of a table as Python objects.

use polars::prelude::{AnyValue, Column, DataFrame};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString};

/// Rows that are Python objects at the same time while a table is iterated.
const PIECE: usize = 1024;

/// An iterator over the rows of a table, each a dictionary.
#[pyclass(module = "drugs_rs")]
pub(super) struct TableRows {
    frame: DataFrame,
    /// The first row of the next piece.
    next: usize,
    piece: std::vec::IntoIter<Py<PyAny>>,
}

impl TableRows {
    pub(super) fn new(frame: DataFrame) -> Self {
        Self {
            frame,
            next: 0,
            piece: Vec::new().into_iter(),
        }
    }

    pub(super) fn next_piece(&mut self) -> Option<DataFrame> {
        let length = (self.frame.height() - self.next).min(PIECE);
        let piece = (length > 0).then(|| self.frame.slice(self.next as i64, length));
        self.next += length;
        piece
    }
}

#[pymethods]
impl TableRows {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        if self.piece.len() == 0
            && let Some(piece) = self.next_piece()
        {
            let rows = PyList::empty(py);
            add_rows(&rows, &piece)?;
            self.piece = rows.iter().map(Bound::unbind).collect::<Vec<_>>().into_iter();
        }
        Ok(self.piece.next())
    }

    fn __length_hint__(&self) -> usize {
        self.piece.len() + self.frame.height() - self.next
    }
}

/// Appends a dictionary for each row.
pub(super) fn add_rows(rows: &Bound<'_, PyList>, frame: &DataFrame) -> PyResult<()> {
    let py = rows.py();
    let mut columns = Vec::with_capacity(frame.width());
    for column in frame.columns() {
        let name = PyString::new(py, column.name());
        columns.push((name, values(py, column)?.into_iter()));
    }
    for _ in 0..frame.height() {
        let row = PyDict::new(py);
        for (name, values) in &mut columns {
            row.set_item(&*name, values.next())?;
        }
        rows.append(row)?;
    }
    Ok(())
}

/// The values of a column.
pub(super) fn values<'py>(py: Python<'py>, column: &Column) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let series = column.as_materialized_series().rechunk();
    series.iter().map(|value| python_value(py, &value)).collect()
}

fn python_value<'py>(py: Python<'py>, value: &AnyValue<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        AnyValue::Null => py.None().into_bound(py),
        AnyValue::Boolean(value) => value.into_pyobject(py)?.to_owned().into_any(),
        AnyValue::String(text) => text.into_pyobject(py)?.into_any(),
        AnyValue::StringOwned(text) => text.as_str().into_pyobject(py)?.into_any(),
        AnyValue::UInt64(number) => number.into_pyobject(py)?.into_any(),
        AnyValue::Int64(number) => number.into_pyobject(py)?.into_any(),
        AnyValue::Float64(number) => number.into_pyobject(py)?.into_any(),
        AnyValue::Date(days) => {
            static FROM_ORDINAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
            let from_ordinal = FROM_ORDINAL.get_or_try_init(py, || -> PyResult<Py<PyAny>> {
                Ok(py
                    .import("datetime")?
                    .getattr("date")?
                    .getattr("fromordinal")?
                    .unbind())
            })?;
            // 719163 is the proleptic ordinal of 1970-01-01.
            from_ordinal.bind(py).call1((i64::from(*days) + 719_163,))?
        }
        AnyValue::List(items) => {
            let list = PyList::empty(py);
            for item in items.rechunk().iter() {
                list.append(python_value(py, &item)?)?;
            }
            list.into_any()
        }
        AnyValue::Struct(_, _, fields) => {
            let dictionary = PyDict::new(py);
            for (field, value) in fields.iter().zip(value._iter_struct_av()) {
                dictionary.set_item(field.name.as_str(), python_value(py, &value)?)?;
            }
            dictionary.into_any()
        }
        other => {
            let message = format!("a value of type {} has no type in Python", other.dtype());
            return Err(PyTypeError::new_err(message));
        }
    })
}
