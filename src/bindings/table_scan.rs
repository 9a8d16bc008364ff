//! `TableScan`: the rows of a table of a lake as a stream, for Python.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule};

use super::arrow;
use super::process::call;
use super::table::Table;
use crate::api::postgres_copy::{COPY_HEADER, COPY_TRAILER, append_rows};
use crate::api::scan::{ScanRequest, TableScan as Rows};
use crate::error::{Error, Result};
use crate::lake::LakeAddress;
use crate::task::Task;

/// Attempts to read a whole table while runs commit.
const TRIES: usize = 5;

#[doc = stub_doc!(TableScan)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct TableScan {
    lake: LakeAddress,
    table: String,
    request: ScanRequest,
}

impl TableScan {
    /// A scan of a table and of columns that exist.
    pub(super) fn new(
        py: Python<'_>,
        lake: LakeAddress,
        table: String,
        request: ScanRequest,
    ) -> PyResult<Self> {
        let scan = Self { lake, table, request };
        // Wrong names are errors here, and not when the first rows are wanted.
        scan.rows(py)?;
        Ok(scan)
    }

    fn open(&self, task: &Task) -> Result<Rows> {
        let mut tries = 0;
        loop {
            match Rows::open(self.lake.open(task)?.into(), &self.table, self.request.clone()) {
                // A run has committed meanwhile.
                Err(Error::Conflict { .. }) if tries < TRIES => tries += 1,
                opened => return opened,
            }
        }
    }

    /// The rows of this moment's state, from the beginning.
    fn rows(&self, py: Python<'_>) -> PyResult<Rows> {
        call::run_interruptible(py, false, |task| self.open(task))
    }

    /// All rows at once.
    fn table(&self, py: Python<'_>) -> PyResult<Table> {
        let (frame, columns) = call::run_interruptible(py, false, |task| {
            let mut tries = 0;
            loop {
                let read = self
                    .open(task)
                    .and_then(|mut rows| Ok((rows.read_all(task)?, rows.columns().to_vec())));
                match read {
                    // A run has committed meanwhile.
                    Err(Error::Conflict { .. }) if tries < TRIES => tries += 1,
                    read => return read,
                }
            }
        })?;
        Ok(Table::described(frame, columns))
    }
}

#[pymethods]
impl TableScan {
    #[doc = stub_doc!(TableScan.__iter__)]
    fn __iter__(&self, py: Python<'_>) -> PyResult<TableBatches> {
        Ok(TableBatches(Mutex::new(Some(self.rows(py)?))))
    }

    #[doc = stub_doc!(TableScan.read)]
    fn read(&self, py: Python<'_>) -> PyResult<Table> {
        self.table(py)
    }

    #[doc = stub_doc!(TableScan.to_polars)]
    fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.table(py)?)?.call_method0("to_polars")
    }

    #[doc = stub_doc!(TableScan.to_pandas)]
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.table(py)?)?.call_method0("to_pandas")
    }

    #[doc = stub_doc!(TableScan.to_arrow)]
    fn to_arrow<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.table(py)?)?.call_method0("to_arrow")
    }

    #[doc = stub_doc!(TableScan.schema)]
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let rows = self.rows(py)?;
        Table::described(rows.empty(), rows.columns().to_vec()).schema(py)
    }

    #[doc = stub_doc!(TableScan.postgres_copy)]
    fn postgres_copy(&self, py: Python<'_>) -> PyResult<PostgresCopy> {
        Ok(PostgresCopy(Mutex::new(Some((self.rows(py)?, COPY_HEADER)))))
    }

    #[doc = stub_doc!(TableScan.__arrow_c_stream__)]
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The interface lets a producer ignore a request that it cannot meet.
        let _ = requested_schema;
        let mut rows = self.rows(py)?;
        let (empty, columns) = (rows.empty(), rows.columns().to_vec());
        let asker = std::thread::current().id();
        let next = move || call::run_for_stream(asker, |task| rows.next_frame(task));
        arrow::stream_of(py, &empty, &columns, next)
    }

    #[doc = stub_doc!(TableScan.__arrow_c_schema__)]
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.schema(py)?.call_method0("__arrow_c_schema__")
    }

    fn __repr__(&self) -> String {
        format!("TableScan({:?} of {:?})", self.table, self.lake.root)
    }
}

/// The rows of a scan, a table at a time.
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct TableBatches(Mutex<Option<Rows>>);

#[pymethods]
impl TableBatches {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut rows) = taken else { return Ok(None) };
        let (frame, rows) = call::run_interruptible(py, false, move |task| {
            let frame = rows.next_frame(task)?;
            Ok((frame, rows))
        })?;
        let Some(frame) = frame else { return Ok(None) };
        let columns = rows.columns().to_vec();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(rows);
        Ok(Some(Table::described(frame, columns)))
    }
}

/// The rows of a scan in the binary form of PostgreSQL's `COPY`, the bytes of one row group at a time.
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct PostgresCopy(Mutex<Option<(Rows, &'static [u8])>>);

#[pymethods]
impl PostgresCopy {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((mut rows, before)) = taken else {
            return Ok(None);
        };
        let (bytes, left) = call::run_interruptible(py, false, move |task| {
            let mut bytes = before.to_vec();
            match rows.next_frame(task)? {
                Some(frame) => {
                    append_rows(frame, &mut bytes)?;
                    Ok((bytes, Some((rows, &b""[..]))))
                }
                None => {
                    bytes.extend_from_slice(COPY_TRAILER);
                    Ok((bytes, None))
                }
            }
        })?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left;
        Ok(Some(PyBytes::new(py, &bytes)))
    }
}
