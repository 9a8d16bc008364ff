//! What a running step shares with whoever waits for it: a flag to stop and counters to show.
//!
//! Workers call [`Task::check`] at every batch and count what they did; the waiting side (the Python border, the
//! command) sets the flag and reads the counters. Nothing here blocks or allocates.

use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::{Error, Result};

/// How many threads wait for bytes that may never come.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Whether some thread waits for bytes that may never come: of a pipe that nobody writes to, of a terminal. Such a thread
/// sees no flag.
pub fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// Does what may wait for ever.
pub fn waiting<T>(work: impl FnOnce() -> T) -> T {
    struct Waits;
    impl Drop for Waits {
        fn drop(&mut self) {
            WAITING.fetch_sub(1, Ordering::Relaxed);
        }
    }
    WAITING.fetch_add(1, Ordering::Relaxed);
    let _waits = Waits;
    work()
}

/// Reads or writes what may be a pipe or a terminal.
#[derive(Debug)]
pub struct Patient<R>(pub R);

impl<R: Read> Read for Patient<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        waiting(|| self.0.read(bytes))
    }
}

impl<W: Write> Write for Patient<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        waiting(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        waiting(|| self.0.flush())
    }
}

/// One running piece of work. Share it by reference; a clone is the same piece of work.
#[derive(Debug, Default, Clone)]
pub struct Task(Arc<TaskState>);

#[derive(Debug, Default)]
struct TaskState {
    cancelled: AtomicBool,
    bytes: AtomicU64,
    rows: AtomicU64,
    stage: Mutex<&'static str>,
    /// `None` where nobody reads them.
    notes: Option<Notes>,
}

#[derive(Debug)]
struct Notes {
    started: Instant,
    lines: Mutex<Vec<String>>,
}

/// A poisoned lock only means that some thread panicked with it; what it holds is still whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A reading of the counters of a [`Task`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done ("pubmed silver").
    pub stage: &'static str,
    /// Bytes of sources read so far.
    pub bytes: u64,
    /// Rows read or matched so far.
    pub rows: u64,
}

impl Task {
    /// A task that nobody has asked to stop.
    pub fn new() -> Self {
        Self::default()
    }

    /// A task that notes what it does, for [`Task::take_notes`].
    pub fn with_notes() -> Self {
        Self(Arc::new(TaskState {
            notes: Some(Notes {
                started: Instant::now(),
                lines: Mutex::default(),
            }),
            ..TaskState::default()
        }))
    }

    /// Notes what begins now, with the seconds since the task began. Does nothing unless somebody reads notes.
    pub fn note(&self, text: impl FnOnce() -> String) {
        if let Some(Notes { started, lines }) = &self.0.notes {
            let line = format!("{:7.2} s  {}", started.elapsed().as_secs_f64(), text());
            locked(lines).push(line);
        }
    }

    /// The notes since the last call.
    pub fn take_notes(&self) -> Vec<String> {
        let notes = self.0.notes.as_ref();
        notes.map_or_else(Vec::new, |notes| std::mem::take(&mut *locked(&notes.lines)))
    }

    /// Asks the work to stop; it does so at its next batch.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// `Err(Cancelled)` once somebody asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.0.cancelled.load(Ordering::Relaxed) {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Names what is being done now.
    pub fn enter(&self, stage: &'static str) {
        *locked(&self.0.stage) = stage;
        self.note(|| format!("step {stage}"));
    }

    /// Counts rows that are done.
    pub fn count_rows(&self, rows: usize) {
        self.0.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Counts source bytes that are done.
    pub fn count_bytes(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What has been done so far.
    pub fn progress(&self) -> Progress {
        Progress {
            stage: *locked(&self.0.stage),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            rows: self.0.rows.load(Ordering::Relaxed),
        }
    }
}
