//! The state that a running step shares with its caller: a cancellation flag and counters.
//!
//! Workers call [`Task::check`] at every batch and count their work; the waiting side (the Python bindings, the
//! command) sets the flag and reads the counters. Nothing here blocks for long.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use crate::error::{Error, Result};

/// The number of threads that wait for bytes that may never come.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Whether some thread waits for bytes that may never come: from a pipe without a writer, or from a terminal. Such a
/// thread does not check for cancellation.
pub fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// Runs work that may block for ever.
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

/// A reader or writer for a pipe or a terminal, which may block for ever.
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

/// A running piece of work. Clones share its state.
#[derive(Debug, Default, Clone)]
pub struct Task(Arc<TaskState>);

#[derive(Debug, Default)]
struct TaskState {
    cancelled: AtomicBool,
    bytes: AtomicU64,
    rows: AtomicU64,
    stage: Mutex<&'static str>,
    run_id: OnceLock<String>,
    /// `None` if nobody reads them.
    notes: Option<TaskNotes>,
}

#[derive(Debug)]
struct TaskNotes {
    started: Instant,
    lines: Mutex<Vec<String>>,
}

/// A lock is poisoned if a thread panicked while it held it; the content is still valid.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A snapshot of a [`Task`]'s counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The current stage ("pubmed silver").
    pub stage: &'static str,
    /// Bytes of sources read so far.
    pub bytes: u64,
    /// Rows read or matched so far.
    pub rows: u64,
}

impl Task {
    /// A task that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// A task that records notes, for [`Task::take_notes`].
    pub fn with_notes() -> Self {
        Self(Arc::new(TaskState {
            notes: Some(TaskNotes {
                started: Instant::now(),
                lines: Mutex::default(),
            }),
            ..TaskState::default()
        }))
    }

    /// A name for this work that no other has: sixteen bytes of chance in hexadecimal.
    pub fn run_id(&self) -> &str {
        self.0.run_id.get_or_init(|| {
            let chance = || RandomState::new().build_hasher().finish();
            format!("{:016x}{:016x}", chance(), chance())
        })
    }

    /// Records a note of what begins now, with the seconds since the task began. Does nothing if notes are not
    /// recorded.
    pub fn note(&self, text: impl FnOnce() -> String) {
        if let Some(TaskNotes { started, lines }) = &self.0.notes {
            let line = format!("{:7.2} s  {}", started.elapsed().as_secs_f64(), text());
            locked(lines).push(line);
        }
    }

    /// The notes since the last call.
    pub fn take_notes(&self) -> Vec<String> {
        let notes = self.0.notes.as_ref();
        notes.map_or_else(Vec::new, |notes| std::mem::take(&mut *locked(&notes.lines)))
    }

    /// Cancels the work; it stops at its next batch.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// `Err(Cancelled)` once the task is cancelled.
    pub fn check(&self) -> Result<()> {
        if self.0.cancelled.load(Ordering::Relaxed) {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Reads to the end in pieces of at most `most` bytes, and returns the number of bytes. Before each piece it checks
    /// whether to stop; `failed` makes the error of a read at a byte.
    pub(crate) fn read_pieces(
        &self,
        mut from: impl Read,
        most: usize,
        failed: impl Fn(u64, io::Error) -> Error,
        mut each: impl FnMut(&[u8]) -> Result<()>,
    ) -> Result<u64> {
        let (mut piece, mut at) = (vec![0; most], 0);
        loop {
            self.check()?;
            match from.read(&mut piece) {
                Ok(0) => return Ok(at),
                Ok(read) => {
                    each(&piece[..read])?;
                    at += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(at, error)),
            }
        }
    }

    /// Names the current stage.
    pub fn enter(&self, stage: &'static str) {
        *locked(&self.0.stage) = stage;
        self.note(|| format!("step {stage}"));
    }

    /// Counts finished rows.
    pub fn count_rows(&self, rows: usize) {
        self.0.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Counts source bytes that were read.
    pub fn count_bytes(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The progress so far.
    pub fn progress(&self) -> Progress {
        Progress {
            stage: *locked(&self.0.stage),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            rows: self.0.rows.load(Ordering::Relaxed),
        }
    }
}
