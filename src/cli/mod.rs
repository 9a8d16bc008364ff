//! The `drugs-rs` command. Only this module prints: data to stdout, messages to stderr.
//!
//! Exit codes: 0 success; 1 bad input, a failed check or no mention; 2 wrong usage; 130 or 143 ended by a signal.

mod answer;
mod arguments;
mod execute;
mod generate;
mod lake;
mod lake_explain;
mod lake_history;
mod manual;
mod mentions;
mod options;
mod outcome;
mod parse;
mod plan;
mod printing;
mod progress;
mod settings;
mod summary;
mod voice;

pub use execute::execute;
pub use outcome::Outcome;
pub use parse::{Invocation, ParsedCommand, parse};
pub use progress::ProgressBar;
