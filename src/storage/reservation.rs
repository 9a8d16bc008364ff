//! Reservations: while one process works on a partition, another is told so at once.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Sharing;
use super::staging::{self, create_folders, leave};
use crate::error::{Error, Result};

/// A reservation of a name; it ends when this is dropped or the process dies.
#[derive(Debug)]
#[must_use]
pub struct Reservation {
    file: File,
    path: PathBuf,
    root: PathBuf,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // The last holder takes the file away while it holds it alone; whoever opened it meanwhile sees that its name is
        // gone and opens it anew (see `reserve`).
        if self.file.try_lock().is_ok() {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_dir(folder(&self.root));
            leave(&self.root);
        }
    }
}

/// The folder of reservations.
fn folder(root: &Path) -> PathBuf {
    root.join(staging::FOLDER).join(staging::RESERVATIONS)
}

/// Reserves a name in the lake at `root`, or says at once that another process holds it.
pub(super) fn reserve(root: &Path, name: &str, sharing: Sharing) -> Result<Reservation> {
    let path = folder(root).join(format!("{name}.lock"));
    let failed = |source| Error::storage(path.display(), "lock", source);
    // Each turn loses only against a holder that went away in between, so a few are plenty.
    for _ in 0..100 {
        create_folders(&folder(root))?;
        let Ok(file) = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
        else {
            if path.parent().is_some_and(Path::is_dir) {
                // Not a folder that went away meanwhile: a real refusal, which opening again will name.
                File::options()
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .open(&path)
                    .map_err(failed)?;
            }
            continue;
        };
        let locked = match sharing {
            Sharing::Alone => file.try_lock(),
            Sharing::Shared => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let same = match (file.metadata(), path.metadata()) {
            (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
            _ => false,
        };
        if same {
            return Ok(Reservation {
                file,
                path,
                root: root.to_owned(),
            });
        }
    }
    Err(Error::Conflict {
        path: root.display().to_string(),
        found: format!("another run of {name} is at work in this lake"),
    })
}
