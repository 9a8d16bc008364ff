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

use crate::error::Error;

/// Tells about an error and gives the exit code.
pub fn report_error(error: &Error) -> u8 {
    report_message(&error.to_string());
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
pub fn report_message(message: &str) -> u8 {
    eprintln!("drugs-rs: error: {message}");
    1
}
