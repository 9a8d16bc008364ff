//! The `drugs-rs` command. It prints, and nothing else does: data to stdout, messages to stderr.
//!
//! Exit codes: 0 done, 1 bad input, a failed check or no mention, 2 usage.

mod answer;
mod arguments;
mod execute;
mod generate;
mod manual;
mod mentions;
mod parse;
mod progress;
mod publication_sources;
mod summary;
mod voice;

pub use execute::{Outcome, execute};
pub use parse::{Invocation, ParsedCommand, parse};
pub use progress::ProgressBar;
