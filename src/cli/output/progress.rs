//! The progress of a command: a line on a terminal, and notes with `--verbose`.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressDrawTarget, ProgressStyle};

use super::voice::{Voice, say};
use crate::task::{Progress, Task};

/// The interval between notes of the counts.
const COUNTS: Duration = Duration::from_secs(1);

/// Displays the progress of a [`Task`].
#[derive(Debug)]
pub struct ProgressBar {
    bar: Option<indicatif::ProgressBar>,
    wanted: bool,
    verbose: u8,
    /// The time of the last note of the counts.
    counted: Mutex<Instant>,
    voice: Option<Voice>,
}

impl ProgressBar {
    /// A progress line on stderr, if that is a terminal and the caller wants one.
    pub fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal();
        let bar = shown.then(|| {
            let bar = indicatif::ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // The total is unknown beforehand, so it shows a spinner and words.
            bar.set_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self {
            bar,
            wanted,
            verbose: 0,
            counted: Mutex::new(Instant::now()),
            voice: None,
        }
    }

    /// A progress line that also shows the notes of its task.
    pub(in crate::cli) fn verbose(wanted: bool, verbose: u8, voice: &Voice) -> Self {
        Self {
            verbose,
            voice: Some(voice.clone()),
            ..Self::new(wanted)
        }
    }

    /// Whether the caller wants progress but there is no terminal.
    pub fn is_hidden(&self) -> bool {
        self.wanted && self.bar.is_none()
    }

    /// A task to display; it records notes if they are shown.
    pub fn task(&self) -> Task {
        if self.verbose > 0 {
            Task::with_notes()
        } else {
            Task::new()
        }
    }

    /// Updates the display.
    pub fn show(&self, task: &Task) {
        self.show_notes(task);
        if let Some(bar) = &self.bar {
            bar.set_message(Self::line(task.progress()));
        }
        if self.verbose > 1 {
            let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
            if counted.elapsed() >= COUNTS {
                *counted = Instant::now();
                task.note(|| Self::line(task.progress()));
            }
        }
    }

    /// The text of a progress line.
    pub fn line(progress: Progress) -> String {
        let Progress { stage, bytes, rows } = progress;
        // A step has no name before its first stage.
        let separator = if stage.is_empty() { "" } else { ": " };
        format!(
            "{stage}{separator}{} read, {} rows",
            HumanBytes(bytes),
            HumanCount(rows)
        )
    }

    /// Shows the last notes and removes the line, so that the next output begins on a line of its own.
    pub fn clear(&self, task: &Task) {
        let progress = task.progress();
        if progress.bytes > 0 || progress.rows > 0 {
            task.note(|| Self::line(progress));
        }
        self.show_notes(task);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Prints a note, if notes are shown.
    pub(in crate::cli) fn note(&self, line: &str) {
        if self.verbose == 0 {
            return;
        }
        let line = self
            .voice
            .as_ref()
            .map_or_else(|| line.to_owned(), |voice| voice.hide(line));
        match &self.bar {
            Some(bar) => bar.suspend(|| say(&format!("{line}\n"))),
            None => say(&format!("{line}\n")),
        }
    }

    fn show_notes(&self, task: &Task) {
        for note in task.take_notes() {
            self.note(&note);
        }
    }
}
