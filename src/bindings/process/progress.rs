//! The progress of a long step, for the logger `drugs_rs` and for notebooks.
//!
//! Only the calling thread calls Python. A worker that did so would wait for an interpreter that waits for the worker.

use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::interpreter::with_interpreter;
use crate::cli::ProgressBar;
use crate::task::Progress;

/// Logs progress to Python's logger `drugs_rs`, such as the log of an Airflow task, if no terminal shows it.
pub(super) struct ProgressLog {
    started: Instant,
    next: Duration,
}

impl ProgressLog {
    /// Short steps log nothing.
    const FIRST: Duration = Duration::from_secs(2);
    const EVERY: Duration = Duration::from_secs(10);

    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            next: Self::FIRST,
        }
    }

    /// Logs a line if one is due. An error is the exception of a signal handler.
    pub(super) fn show(&mut self, progress: Progress) -> PyResult<()> {
        if self.started.elapsed() < self.next {
            return Ok(());
        }
        self.next += Self::EVERY;
        let Progress { stage, bytes, rows } = progress;
        with_interpreter(|py| {
            let Some(logger) = logger(py)? else {
                return Ok(());
            };
            let form = "%s: %s bytes read, %s rows so far, after %d s";
            logger.call_method1(
                "info",
                (form, stage, bytes, rows, self.started.elapsed().as_secs()),
            )?;
            Ok(())
        })
    }
}

/// Python's logger `drugs_rs`, or `None` in a program that never imported `logging`, where nobody reads the log.
fn logger(py: Python<'_>) -> PyResult<Option<Bound<'_, PyAny>>> {
    let modules = py.import("sys")?.getattr("modules")?;
    if !modules.contains("logging")? {
        return Ok(None);
    }
    let logger = py.import("logging")?.call_method1("getLogger", ("drugs_rs",))?;
    Ok(Some(logger))
}

/// Logs the warnings of a successful step.
pub(in crate::bindings) fn warn(py: Python<'_>, warnings: &[String]) -> PyResult<()> {
    if warnings.is_empty() {
        return Ok(());
    }
    if let Some(logger) = logger(py)? {
        for warning in warnings {
            logger.call_method1("warning", ("%s", warning))?;
        }
    }
    Ok(())
}

/// One line of progress below a notebook's cell, which overwrites itself. A kernel's stderr is no terminal, so the
/// command's progress bar cannot draw there.
pub(super) struct NotebookLine {
    is_wanted: bool,
    /// The time of the last update.
    written: Instant,
    /// The letters of the line, which the next one must cover; 0 before the first.
    width: usize,
    last: Option<Progress>,
}

impl NotebookLine {
    /// A kernel sends each update to the browser.
    const EVERY: Duration = Duration::from_millis(500);

    /// A line, if the caller wants one and runs in a notebook.
    pub(super) fn new(py: Python<'_>, is_wanted: bool) -> Self {
        Self {
            is_wanted: is_wanted && is_notebook(py).unwrap_or(false),
            written: Instant::now(),
            width: 0,
            last: None,
        }
    }

    /// Updates the line if an update is due. An error is the exception of a signal handler.
    pub(super) fn show(&mut self, progress: Progress) -> PyResult<()> {
        let is_early = self.width > 0 && self.written.elapsed() < Self::EVERY;
        if !self.is_wanted || is_early || self.last == Some(progress) {
            return Ok(());
        }
        self.written = Instant::now();
        self.last = Some(progress);
        let line = ProgressBar::line(progress);
        let text = format!("\r{line:<width$}", width = self.width);
        self.width = line.chars().count();
        with_interpreter(|py| write(py, &text))
    }

    /// Ends the line, which stays below the cell.
    pub(super) fn finish(self, py: Python<'_>) -> PyResult<()> {
        if self.width == 0 {
            return Ok(());
        }
        write(py, "\n")
    }
}

/// Whether IPython runs this program for a kernel. It imports nothing, because a notebook has already imported IPython.
fn is_notebook(py: Python<'_>) -> PyResult<bool> {
    let modules = py.import("sys")?.getattr("modules")?;
    let Some(ipython) = modules.cast::<PyDict>()?.get_item("IPython")? else {
        return Ok(false);
    };
    // A shell in a terminal has no kernel.
    ipython.call_method0("get_ipython")?.hasattr("kernel")
}

fn write(py: Python<'_>, text: &str) -> PyResult<()> {
    let stderr = py.import("sys")?.getattr("stderr")?;
    if stderr.is_none() {
        return Ok(());
    }
    stderr.call_method1("write", (text,))?;
    stderr.call_method0("flush")?;
    Ok(())
}
