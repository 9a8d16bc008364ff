//! How far a command is: a line on a terminal, and notes where the caller wants more.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressDrawTarget, ProgressStyle};

use super::voice::{Voice, say};
use crate::task::{Progress, Task};

/// How often the counts are noted.
const COUNTS: Duration = Duration::from_secs(1);

/// Shows what a [`Task`] has done so far.
#[derive(Debug)]
pub struct ProgressBar {
    bar: Option<indicatif::ProgressBar>,
    wanted: bool,
    verbose: u8,
    /// When the counts were noted last.
    counted: Mutex<Instant>,
    voice: Option<Voice>,
}

impl ProgressBar {
    /// A bar on stderr, if that is a terminal and the caller wants one.
    pub fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal();
        let bar = shown.then(|| {
            let bar = indicatif::ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            // How much there is to do is not known beforehand: a spinner and words, no bar.
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

    /// A bar that also shows the notes of its task.
    pub(super) fn verbose(wanted: bool, verbose: u8, voice: &Voice) -> Self {
        Self {
            verbose,
            voice: Some(voice.clone()),
            ..Self::new(wanted)
        }
    }

    /// Whether the caller wants a bar and there is no terminal for it.
    pub fn is_hidden(&self) -> bool {
        self.wanted && self.bar.is_none()
    }

    /// A task that this bar can show.
    pub fn task(&self) -> Task {
        if self.verbose > 0 {
            Task::with_notes()
        } else {
            Task::new()
        }
    }

    /// Shows what the task has done so far.
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

    /// Shows the last notes and removes the bar: what is printed next begins on a line of its own.
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

    /// Shows a line, if the caller wants notes.
    pub(super) fn note(&self, line: &str) {
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
