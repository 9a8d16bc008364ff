//! One match from the errors of the core to the exceptions of `drugs_rs.exceptions`.

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::error::Error;

/// The exception for an error. The classes are Python's, so that they pickle and inherit from builtins.
pub(super) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::SourceNotFound { .. } => "SourceNotFoundError",
        Error::EmptyFolder { .. } => "SourceIsDirectoryError",
        Error::Argument { .. } => "ArgumentError",
        Error::Schema { .. } => "SchemaError",
        Error::Format { .. } => "FormatError",
        Error::Encoding { .. } => "EncodingError",
        Error::Storage { .. } => "StorageError",
        Error::Conflict { .. } => "ConflictError",
        Error::Conservation { .. } => "ConservationError",
        Error::Forked { .. } => "ForkError",
        Error::Cancelled => return PyKeyboardInterrupt::new_err(error.to_string()),
        Error::Internal { .. } => "InternalError",
    };
    let raised = py
        .import("drugs_rs.exceptions")
        .and_then(|exceptions| exceptions.getattr(class))
        .and_then(|class| Ok(class.cast_into::<PyType>()?))
        .map(|class| PyErr::from_type(class, error.to_string()));
    raised.unwrap_or_else(|broken| broken)
}
