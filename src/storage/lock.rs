//! File locks whose file may be removed while others wait for them.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::inside::{is_refused, open_file, open_lock};

/// Whether an open file is still the one at this path. After waiting for a lock, check this: the holder may have
/// removed the file, and others may hold the lock of a new one.
pub(super) fn is_named(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

/// Attempts to lock a file that keeps being replaced. After that, the file system is one whose inode numbers change,
/// and the lock is the best that it offers.
const MOST_TURNS: usize = 100;

/// Waits for a lock, also while signals come: Python's handlers interrupt system calls and do not restart them.
fn uninterrupted(lock: impl Fn() -> io::Result<()>) -> io::Result<()> {
    loop {
        match lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Lock {
    _file: File,
    /// The path, if the file is removed with the lock; then the lock must be exclusive.
    leaves: Option<PathBuf>,
}

impl Lock {
    /// Waits for the exclusive lock of a file, and creates the file if it is missing.
    pub(super) fn alone(path: &Path, leaves: bool) -> io::Result<Self> {
        let mut turn = 1;
        loop {
            let file = open_lock(path)?;
            uninterrupted(|| file.lock())?;
            if is_named(&file, path) || turn == MOST_TURNS {
                return Ok(Self {
                    _file: file,
                    leaves: leaves.then(|| path.to_owned()),
                });
            }
            turn += 1;
        }
    }

    /// Waits for the shared lock of a file; `None` if the file is missing or may not be read.
    pub(super) fn shared(path: &Path) -> io::Result<Option<Self>> {
        let mut turn = 1;
        loop {
            let file = match open_file(path) {
                Ok(file) => file,
                Err(error) if is_refused(&error) => return Err(error),
                Err(_) => return Ok(None),
            };
            if uninterrupted(|| file.lock_shared()).is_err() {
                return Ok(None);
            }
            if is_named(&file, path) || turn == MOST_TURNS {
                return Ok(Some(Self {
                    _file: file,
                    leaves: None,
                }));
            }
            turn += 1;
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(path) = &self.leaves {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_signal_does_not_end_the_wait_for_a_lock() {
        let attempts = Cell::new(0);
        let lock = |last: io::ErrorKind| {
            attempts.set(0);
            uninterrupted(|| {
                attempts.set(attempts.get() + 1);
                let kind = if attempts.get() < 4 {
                    io::ErrorKind::Interrupted
                } else {
                    last
                };
                if kind == io::ErrorKind::Other {
                    Ok(())
                } else {
                    Err(kind.into())
                }
            })
        };
        assert!(lock(io::ErrorKind::Other).is_ok());
        assert_eq!(attempts.get(), 4);
        let refused = lock(io::ErrorKind::PermissionDenied).map_err(|error| error.kind());
        assert_eq!(refused, Err(io::ErrorKind::PermissionDenied));
        assert_eq!(attempts.get(), 4);
    }
}
