//! The `drugs-rs` command: Python owns the process, and Rust does the rest.

use std::ffi::OsString;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::errors;
use super::process::call;
use crate::cli::{self, Invocation, Outcome, ParsedCommand, ProgressBar, RequestedLoad};
use crate::error::{Error, Result};

#[doc = stub_doc!(main)]
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "arguments of a Python function are owned"
)]
pub(super) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    let command = match cli::parse(&arguments) {
        Invocation::Command(command) => command,
        Invocation::Done(code) => return Ok(code),
    };
    match execute(py, &command) {
        Ok(Ok(code)) => Ok(code),
        Ok(Err(error @ Error::Cancelled)) => Err(errors::exception(py, &error)),
        Ok(Err(error)) => Ok(command.report(&error)),
        Err(raised) if raised.is_instance_of::<pyo3::exceptions::PyException>(py) => {
            // An exception of ours, after a fork or a panic: reported like any other error.
            let class = raised.get_type(py).name()?.to_string();
            let exit_code = if class == "ArgumentError" { 2 } else { 1 };
            Ok(command.report_message(&class, &raised.value(py).to_string(), exit_code))
        }
        // KeyboardInterrupt and SystemExit end the process as in any Python program.
        Err(raised) => Err(raised),
    }
}

/// Executes the command, and prints its outcome after the progress bar is removed.
fn execute(py: Python<'_>, command: &ParsedCommand) -> PyResult<Result<u8>> {
    if let Some(load) = command.requested_load() {
        let text = load_text(py, &load)?;
        return call::run_command(py, &ProgressBar::new(false), |_| {
            Ok(Outcome::of_text(text).print(command))
        });
    }
    let outcome = call::run_command(py, &command.progress_bar(), |task| {
        Ok(cli::execute(command, task))
    })?;
    match outcome {
        Ok(outcome) => call::run_command(py, &ProgressBar::new(false), |_| Ok(outcome.print(command))),
        Err(error) => Ok(Err(error)),
    }
}

/// Loads a lake, and returns what to print of the plan or the receipt.
fn load_text(py: Python<'_>, load: &RequestedLoad<'_>) -> PyResult<String> {
    let keywords = PyDict::new(py);
    keywords.set_item("plan", load.plan)?;
    if !load.tables.is_empty() {
        keywords.set_item("tables", load.tables)?;
    }
    let module = py.import("drugs_rs.targets")?;
    let result = module.call_method("load", (load.lake, load.target), Some(&keywords))?;
    if load.json {
        let dictionary = result.call_method0("to_dict")?;
        let json: String = py
            .import("json")?
            .call_method1("dumps", (dictionary,))?
            .extract()?;
        return Ok(json + "\n");
    }
    if load.quiet {
        return Ok(String::new());
    }
    Ok(result.str()?.to_string() + "\n")
}
