//! What a running step shares with whoever waits for it: a flag to stop and counters to show.
//!
//! Workers call [`Task::check`] at every batch and count what they did; the waiting side (the Python border, the
//! command) sets the flag and reads the counters. Nothing here blocks or allocates.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

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

/// Reads what may be a pipe or a terminal.
#[derive(Debug)]
pub struct Patient<R>(pub R);

impl<R: Read> Read for Patient<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        waiting(|| self.0.read(bytes))
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
    stage: std::sync::Mutex<&'static str>,
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

    /// Reads to the end, so many bytes at a time, and asks before each whether to stop; `failed` tells what went wrong, and at which
    /// byte.
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

    /// Names what is being done now.
    pub fn enter(&self, stage: &'static str) {
        // A poisoned lock only means that some thread panicked while naming its stage; the name is still whole.
        *self
            .0
            .stage
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = stage;
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
            stage: *self
                .0
                .stage
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
            bytes: self.0.bytes.load(Ordering::Relaxed),
            rows: self.0.rows.load(Ordering::Relaxed),
        }
    }
}
