//! The `drugs-rs` command. It prints, and nothing else does: data to stdout, talk to stderr.
//!
//! Exit codes: 0 done, 1 bad input or a failed check, 2 usage.

mod arguments;
mod execute;
mod generate;
mod progress;
mod summary;

pub use arguments::{Invocation, parse};
pub use execute::execute;
pub use progress::ProgressBar;

use std::ffi::OsString;

use crate::api::credentials::hide_credentials;
use crate::error::Error;

/// Tells about an error of a command line of these words and gives the exit code.
pub fn report_error(error: &Error, words: &[OsString]) -> u8 {
    report_message(&error.to_string(), words);
    if matches!(error, Error::Argument { .. }) {
        2
    } else {
        1
    }
}

/// Tells about something that did not go as it should and is no error.
#[expect(clippy::print_stderr, reason = "this is the command's own voice")]
pub(crate) fn warn(message: &str) {
    eprintln!("drugs-rs: warning: {message}");
}

/// Tells about an error that has no class here, and gives the exit code.
#[expect(clippy::print_stderr, reason = "this is the command's own voice")]
pub fn report_message(message: &str, words: &[OsString]) -> u8 {
    eprintln!("drugs-rs: error: {}", told(message, words));
    1
}

/// A message as it may be told: any word may hold credentials, also one that is no URI to the command.
fn told(message: &str, words: &[OsString]) -> String {
    hide_credentials(message, words.iter().filter_map(|word| word.to_str()))
}
