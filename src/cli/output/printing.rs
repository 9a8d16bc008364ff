//! Printing: what goes to stdout, and cells of tables.

use std::io;

use crate::error::{Error, Refusal, Result};

/// A reader that closed its end of the pipe has what it wanted.
pub(in crate::cli) fn printed(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| not_printed(&error)),
    }
}

/// The error for output that could not be printed. Unlike with other errors, the work itself is done.
pub(in crate::cli) fn not_printed(error: &io::Error) -> Error {
    let refusal = Refusal {
        found: error.to_string(),
        remedy: "the work itself is done; print to another place",
    };
    Error::storage("standard output", "write", io::Error::new(error.kind(), refusal))
}

/// A field of CSV, in quotes if RFC 4180 requires them.
pub(in crate::cli) fn csv_field(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Replaces control characters of a text, which a terminal would obey.
pub(in crate::cli) fn shown_cell(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
