//! The outcome of a command, and how it is printed.

use std::io::{self, Write};

use super::output::printing::printed;
use super::output::voice::Voice;
use crate::error::{Error, Result};
use crate::task::Patient;

/// The result of a command. It is printed after the progress bar is removed.
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
    pub fn of_text(text: impl Into<Vec<u8>>) -> Self {
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

    /// Prints the warnings and the result, and returns the exit code.
    pub(super) fn print(self, voice: &Voice) -> Result<u8> {
        self.warnings.iter().for_each(|warning| voice.warn(warning));
        printed(Patient(io::stdout().lock()).write_all(&self.text))?;
        self.failure.map_or(Ok(self.exit_code), Err)
    }
}
