//! `Table`: a result of the core, for every library that reads Arrow, and for notebooks.

mod bytes;
mod rows;

use polars::prelude::{Column, DataFrame, IdxCa, IdxSize, NewChunkedArray};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyCapsule, PyList, PySlice, PyString, PyType};

use super::process::call;
use super::{arguments, arrow, errors};
use crate::api::preview;
use crate::choice::close_names;
use crate::error::{Error, Result};
use crate::schema::TableColumn;
use rows::{TableRows, add_rows, values};

#[doc = stub_doc!(Table)]
#[pyclass(frozen, subclass, module = "drugs_rs")]
pub(in crate::bindings) struct Table {
    frame: DataFrame,
    /// What is known of its columns, if it is a table of a lake.
    columns: Vec<&'static TableColumn>,
}

impl Table {
    pub(in crate::bindings) fn new(frame: DataFrame) -> Self {
        Self::described(frame, Vec::new())
    }

    /// A table whose Arrow schema has the description of each column.
    pub(in crate::bindings) fn described(frame: DataFrame, columns: Vec<&'static TableColumn>) -> Self {
        Self { frame, columns }
    }

    pub(in crate::bindings) fn into_frame(self) -> DataFrame {
        self.frame
    }

    pub(in crate::bindings) fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = call::run_inline(py, || bytes::to_bytes(&self.frame))?;
        Ok(PyBytes::new(py, &bytes))
    }

    pub(in crate::bindings) fn from_bytes(data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        let bytes = data.as_bytes();
        call::run_inline(data.py(), || bytes::from_bytes(bytes)).map(Self::new)
    }

    /// The preview as text, with the name of the class and a note about the rows.
    pub(in crate::bindings) fn text(&self, py: Python<'_>, class: &str, note: &str) -> PyResult<String> {
        call::run_inline(py, || Ok(preview::as_text(class, &self.frame, note)))
    }

    pub(in crate::bindings) fn html(&self, py: Python<'_>, class: &str, note: &str) -> PyResult<String> {
        call::run_inline(py, || Ok(preview::as_html(class, &self.frame, note)))
    }

    fn column(&self, name: &Bound<'_, PyString>) -> PyResult<&Column> {
        let found = name.to_string_lossy();
        self.frame.column(&found).map_err(|_| {
            let columns = self.column_names();
            let close = close_names(&found, columns.iter().map(String::as_str), 1);
            let close = close.first().map(|close| (*close).to_owned());
            let found = found.into_owned();
            errors::exception(
                name.py(),
                &Error::Column {
                    found,
                    columns,
                    close,
                },
            )
        })
    }

    fn select(&self, names: &Bound<'_, PyList>) -> PyResult<Self> {
        let mut columns: Vec<Column> = Vec::new();
        for name in names {
            let Ok(name) = name.cast::<PyString>() else {
                return Err(PyTypeError::new_err(format!(
                    "a list of columns has their names, not {}; rows are a slice such as table[2:10]",
                    name.get_type().name()?
                )));
            };
            let column = self.column(name)?;
            if columns.iter().any(|other| other.name() == column.name()) {
                let found = format!("`{}` twice", column.name());
                let error = Error::argument("columns", found, "each name once");
                return Err(errors::exception(names.py(), &error));
            }
            columns.push(column.clone());
        }
        call::run_inline(names.py(), || Ok(DataFrame::new(self.frame.height(), columns)?)).map(Self::new)
    }

    fn slice(&self, slice: &Bound<'_, PySlice>) -> PyResult<Self> {
        let height = self.frame.height();
        let places = slice.indices(isize::try_from(height)?)?;
        let (start, step, length) = (places.start, places.step, places.slicelength);
        call::run_inline(slice.py(), || {
            if step == 1 {
                return Ok(self.frame.slice(start as i64, length));
            }
            let rows = (0..length).map(|place| (start + place as isize * step) as IdxSize);
            let rows = IdxCa::from_iter_values("".into(), rows);
            // Column by column, because polars would start threads, which a forked child does not have.
            let columns = self.frame.columns().iter().map(|column| column.take(&rows));
            let columns = columns.collect::<Result<_, _>>()?;
            Ok(DataFrame::new(length, columns)?)
        })
        .map(Self::new)
    }

    /// The place of a row that is counted from 0, or from -1 at the end.
    fn place(&self, key: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = key.py();
        let number = if key.is_instance_of::<PyBool>() {
            Err(PyTypeError::new_err(""))
        } else {
            key.extract::<i64>()
        };
        let rows = self.frame.height();
        let place = match number {
            Ok(number) if number < 0 => number.checked_add_unsigned(rows as u64),
            Ok(number) => Some(number),
            Err(error) if error.is_instance_of::<PyOverflowError>(py) => None,
            Err(_) => {
                return Err(PyTypeError::new_err(format!(
                    "a table takes the name of a column, a list of names, the number of a row or a slice, not {}",
                    key.get_type().name()?
                )));
            }
        };
        let place = place.and_then(|place| usize::try_from(place).ok());
        place.filter(|place| *place < rows).ok_or_else(|| {
            let found = key.str().map_or_else(|_| "?".to_owned(), |text| text.to_string());
            errors::exception(py, &Error::Row { found, rows })
        })
    }
}

/// Calls the function of `drugs_rs.table` that hands a table to a library.
fn hand_over<'py>(table: &Bound<'py, Table>, function: &str) -> PyResult<Bound<'py, PyAny>> {
    table
        .py()
        .import("drugs_rs.table")?
        .call_method1(function, (table,))
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
        arrow::stream(py, &self.frame, &self.columns)
    }

    #[doc = stub_doc!(Table.__arrow_c_schema__)]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow::schema(py, &self.frame, &self.columns)
    }

    #[doc = stub_doc!(Table.__len__)]
    fn __len__(&self) -> usize {
        self.frame.height()
    }

    #[doc = stub_doc!(Table.__getitem__)]
    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        if let Ok(name) = key.cast::<PyString>() {
            return Ok(PyList::new(py, values(py, self.column(name)?)?)?.into_any());
        }
        if let Ok(names) = key.cast::<PyList>() {
            return Ok(Bound::new(py, self.select(names)?)?.into_any());
        }
        if let Ok(slice) = key.cast::<PySlice>() {
            return Ok(Bound::new(py, self.slice(slice)?)?.into_any());
        }
        let rows = PyList::empty(py);
        add_rows(&rows, &self.frame.slice(self.place(key)? as i64, 1))?;
        rows.get_item(0)
    }

    #[doc = stub_doc!(Table.__iter__)]
    fn __iter__(&self) -> TableRows {
        TableRows::new(self.frame.clone())
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

    #[doc = stub_doc!(Table.schema)]
    #[getter]
    pub(in crate::bindings) fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let types: Vec<(&str, String)> = self
            .frame
            .columns()
            .iter()
            .map(|column| (column.name().as_str(), preview::type_name(column.dtype())))
            .collect();
        let class = py.import("drugs_rs.table")?.getattr("TableSchema")?;
        class.call1((types, Self::described(self.frame.clear(), self.columns.clone())))
    }

    #[doc = stub_doc!(Table.head)]
    #[pyo3(signature = (n=5))]
    fn head(&self, #[pyo3(from_py_with = arguments::n)] n: u64) -> Self {
        let most = usize::try_from(n).unwrap_or(usize::MAX);
        Self::new(self.frame.slice(0, most.min(self.frame.height())))
    }

    #[doc = stub_doc!(Table.to_dicts)]
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows = PyList::empty(py);
        let mut pieces = TableRows::new(self.frame.clone());
        while let Some(piece) = pieces.next_piece() {
            add_rows(&rows, &piece)?;
            py.check_signals()?;
        }
        Ok(rows)
    }

    #[doc = stub_doc!(Table.to_polars)]
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        hand_over(slf, "to_polars")
    }

    #[doc = stub_doc!(Table.to_pandas)]
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        hand_over(slf, "to_pandas")
    }

    #[doc = stub_doc!(Table.to_arrow)]
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        hand_over(slf, "to_arrow")
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        self.text(py, "Table", "")
    }

    #[doc = stub_doc!(Table._repr_html_)]
    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        self.html(py, "Table", "")
    }

    // A table never changes, so it is its own copy.
    fn __copy__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __deepcopy__<'py>(slf: Bound<'py, Self>, memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        let _ = memo;
        slf
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let make = slf.get_type().getattr("_from_pickle")?;
        Ok((make, (slf.get().to_bytes(slf.py())?,)))
    }

    #[classmethod]
    fn _from_pickle(_class: &Bound<'_, PyType>, data: &Bound<'_, PyBytes>) -> PyResult<Self> {
        Self::from_bytes(data)
    }
}
