//! A progress bar on a terminal, and nothing anywhere else.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressDrawTarget, ProgressStyle};

use crate::task::Progress;

/// Shows what a [`crate::task::Task`] has done so far.
#[derive(Debug)]
pub struct ProgressBar(Option<indicatif::ProgressBar>);

impl ProgressBar {
    /// A bar on stderr, if that is a terminal and the caller wants one.
    pub fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal();
        Self(shown.then(|| {
            let bar = indicatif::ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // How much there is to do is not known beforehand: a spinner and words, no bar.
            bar.set_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        }))
    }

    /// Shows a reading.
    pub fn show(&self, progress: Progress) {
        if let Some(bar) = &self.0 {
            bar.set_message(Self::line(progress));
        }
    }

    /// Whether there is a bar on a terminal.
    pub fn is_shown(&self) -> bool {
        self.0.is_some()
    }

    /// A reading in words.
    pub fn line(progress: Progress) -> String {
        let Progress { stage, bytes, rows } = progress;
        // A step has no name before its first stage begins.
        let separator = if stage.is_empty() { "" } else { ": " };
        format!(
            "{stage}{separator}{} read, {} rows",
            HumanBytes(bytes),
            HumanCount(rows)
        )
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
