//! Locks on files that may be taken away while somebody waits for them.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::inside::{is_refused, open_file, open_lock};

/// Whether a file is still the one of this name. Who has waited for a lock asks: the holder may have taken the file away, and
/// others may hold the lock of the one that came after it.
pub(super) fn is_named(file: &File, path: &Path) -> bool {
    match (file.metadata(), path.metadata()) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

/// So often a lock is asked for again because its file went away; then the file system is one that gives one file several
/// numbers, and the lock is as good as any there.
const MOST_TURNS: usize = 100;

/// A lock that is held until this is dropped.
#[derive(Debug)]
#[must_use]
pub(super) struct Lock {
    _file: File,
    /// The file, if it goes with the lock: it must be held alone then.
    leaves: Option<PathBuf>,
}

impl Lock {
    /// Waits for the lock of a file, which is made where it is missing.
    pub(super) fn alone(path: &Path, leaves: bool) -> std::io::Result<Self> {
        let mut turn = 1;
        loop {
            let file = open_lock(path)?;
            file.lock()?;
            if is_named(&file, path) || turn == MOST_TURNS {
                return Ok(Self {
                    _file: file,
                    leaves: leaves.then(|| path.to_owned()),
                });
            }
            turn += 1;
        }
    }

    /// Waits for the lock of a file together with others, if the file is there and may be read.
    pub(super) fn shared(path: &Path) -> std::io::Result<Option<Self>> {
        let mut turn = 1;
        loop {
            let file = match open_file(path) {
                Ok(file) => file,
                Err(error) if is_refused(&error) => return Err(error),
                Err(_) => return Ok(None),
            };
            if file.lock_shared().is_err() {
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
