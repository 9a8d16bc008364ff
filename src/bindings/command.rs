//! The `drugs-rs` command: Python owns the process, Rust does everything else.

use std::ffi::OsString;

use pyo3::prelude::*;

use super::{call, errors};
use crate::cli::{self, Invocation};

#[doc = stub_doc!(main)]
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "arguments of a Python function are owned"
)]
pub(super) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    let invocation = match cli::parse(&arguments) {
        Invocation::Command(command) => command,
        Invocation::Done(code) => return Ok(code),
    };
    let progress = invocation.progress();
    match call::run_command(py, progress, |task| Ok(cli::execute(&invocation, task))) {
        Ok(Ok(())) => Ok(0),
        Ok(Err(error)) => {
            if matches!(error, crate::error::Error::Cancelled) {
                return Err(errors::exception(py, &error));
            }
            Ok(cli::report_error(&error, &arguments))
        }
        Err(raised) if raised.is_instance_of::<pyo3::exceptions::PyException>(py) => {
            // A fork or a panic: an exception of ours, told as any other error.
            Ok(cli::report_message(&raised.value(py).to_string(), &arguments))
        }
        // KeyboardInterrupt and SystemExit end the process as Python does.
        Err(raised) => Err(raised),
    }
}
