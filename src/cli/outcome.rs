//! What a command came to, and how it is printed.

use std::io::{self, Write};

use super::parse::ParsedCommand;
use crate::error::{Error, Refusal, Result};
use crate::task::Patient;

/// What a command came to. It is printed when the progress bar is gone.
#[derive(Debug, Default)]
#[must_use]
pub struct Outcome {
    warnings: Vec<String>,
    text: Vec<u8>,
    /// Why the command fails although it has something to print.
    failure: Option<Error>,
    exit_code: u8,
}

impl Outcome {
    pub(super) fn of_text(text: impl Into<Vec<u8>>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// The outcome of a command that has printed everything itself.
    pub(super) fn of_exit_code(exit_code: u8) -> Self {
        Self {
            exit_code,
            ..Self::default()
        }
    }

    /// The outcome with warnings that are printed first.
    pub(super) fn with_warnings(self, warnings: Vec<String>) -> Self {
        Self { warnings, ..self }
    }

    /// The outcome of a command that fails after its result is printed.
    pub(super) fn with_failure(self, failure: Option<Error>) -> Self {
        Self { failure, ..self }
    }

    /// Prints the warnings and the result, and gives the exit code.
    pub fn print(self, command: &ParsedCommand) -> Result<u8> {
        self.warnings
            .iter()
            .for_each(|warning| command.voice.warn(warning));
        printed(Patient(io::stdout().lock()).write_all(&self.text))?;
        self.failure.map_or(Ok(self.exit_code), Err)
    }
}

/// A reader that closed its end of the pipe has what it wanted.
fn printed(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| not_printed(&error)),
    }
}

/// The error for what could not be printed: unlike with other errors, the work itself is done.
pub(super) fn not_printed(error: &io::Error) -> Error {
    let refusal = Refusal {
        found: error.to_string(),
        remedy: "what was made before stands; print to a place that takes it",
    };
    Error::storage("standard output", "write", io::Error::new(error.kind(), refusal))
}
