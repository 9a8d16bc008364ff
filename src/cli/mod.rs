//! The `drugs-rs` command. Only this module prints: data to stdout, messages to stderr.
//!
//! Exit codes: 0 success; 1 bad input, a failed check or no mention; 2 wrong usage; 130 or 143 ended by a signal.

mod arguments;
mod commands;
mod execute;
mod options;
mod outcome;
mod output;
mod parse;
mod settings;

pub use execute::execute;
pub use outcome::Outcome;
pub use output::progress::ProgressBar;
pub use parse::{Invocation, ParsedCommand, parse};
