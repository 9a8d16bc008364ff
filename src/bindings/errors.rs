//! Converts errors of the core to exceptions of `drugs_rs.exceptions`, by [`Error::class`].

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::error::Error;

/// The exception for an error. The classes are defined in Python, so that they pickle and inherit from built-in ones.
pub(super) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    if matches!(error, Error::Cancelled) {
        return PyKeyboardInterrupt::new_err(error.to_string());
    }
    let raised = py
        .import("drugs_rs.exceptions")
        .and_then(|exceptions| exceptions.getattr(error.class()))
        .and_then(|class| Ok(class.cast_into::<PyType>()?))
        .map(|class| PyErr::from_type(class, error.to_string()));
    raised.unwrap_or_else(|broken| broken)
}
