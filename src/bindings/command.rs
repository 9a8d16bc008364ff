//! The `drugs-rs` command: Python owns the process, and Rust does the rest.

use std::ffi::OsString;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyBaseException, PyException};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::errors;
use super::process::call;
use crate::cli::{self, Invocation, Outcome, ParsedCommand, ProgressBar};
use crate::error::{Error, Result};

#[doc = stub_doc!(main)]
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "arguments of a Python function are owned"
)]
pub(super) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<Py<PyAny>> {
    let command = match cli::parse(&arguments) {
        Invocation::Command(command) => command,
        Invocation::Done(code) => return code.into_py_any(py),
    };
    if command.requested_load().is_some() {
        return LoadCommand(command).into_py_any(py);
    }
    finished(py, &command, execute(py, &command))?.into_py_any(py)
}

/// The exit code of a command that was executed; an error is printed.
fn finished(py: Python<'_>, command: &ParsedCommand, outcome: PyResult<Result<u8>>) -> PyResult<u8> {
    match outcome {
        Ok(Ok(code)) => Ok(code),
        Ok(Err(error @ Error::Cancelled)) => Err(errors::exception(py, &error)),
        Ok(Err(error)) => Ok(command.report(&error)),
        Err(raised) if raised.is_instance_of::<PyException>(py) => {
            report_raised(py, command, raised.value(py))
        }
        // KeyboardInterrupt and SystemExit end the process as in any Python program.
        Err(raised) => Err(raised),
    }
}

/// Reports an exception like any other error.
fn report_raised(
    py: Python<'_>,
    command: &ParsedCommand,
    raised: &Bound<'_, PyBaseException>,
) -> PyResult<u8> {
    let class = raised.get_type().name()?.to_string();
    let is_usage = raised.is_instance(&py.import("drugs_rs.exceptions")?.getattr("ArgumentError")?)?;
    let exit_code = if is_usage { 2 } else { 1 };
    Ok(command.report_message(&class, &raised.to_string(), exit_code))
}

/// Executes the command, and prints its outcome after the progress bar is removed.
fn execute(py: Python<'_>, command: &ParsedCommand) -> PyResult<Result<u8>> {
    let outcome = call::run_command(py, &command.progress_bar(), |task| {
        Ok(cli::execute(command, task))
    })?;
    match outcome {
        Ok(outcome) => printed(py, command, outcome),
        Err(error) => Ok(Err(error)),
    }
}

fn printed(py: Python<'_>, command: &ParsedCommand, outcome: Outcome) -> PyResult<Result<u8>> {
    call::run_command(py, &ProgressBar::new(false), |_| Ok(command.print(outcome)))
}

#[doc = stub_doc!(LoadCommand)]
#[pyclass(frozen, module = "drugs_rs")]
pub(super) struct LoadCommand(Box<ParsedCommand>);

#[pymethods]
impl LoadCommand {
    #[doc = stub_doc!(LoadCommand.arguments)]
    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let arguments = PyDict::new(py);
        if let Some(load) = self.0.requested_load() {
            arguments.set_item("lake", load.lake)?;
            arguments.set_item("target", load.target)?;
            arguments.set_item("tables", (!load.tables.is_empty()).then_some(load.tables))?;
            arguments.set_item("plan", load.plan)?;
        }
        Ok(arguments)
    }

    #[doc = stub_doc!(LoadCommand.succeed)]
    fn succeed(&self, py: Python<'_>, text: &str, json: &str) -> PyResult<u8> {
        let text = match self.0.requested_load() {
            Some(load) if load.json => format!("{json}\n"),
            Some(load) if load.quiet => String::new(),
            _ => format!("{text}\n"),
        };
        finished(py, &self.0, printed(py, &self.0, Outcome::of_text(text)))
    }

    #[doc = stub_doc!(LoadCommand.fail)]
    fn fail(&self, error: &Bound<'_, PyBaseException>) -> PyResult<u8> {
        report_raised(error.py(), &self.0, error)
    }
}
