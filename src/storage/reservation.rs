//! Reservations: while one process works on a partition, another one fails at once.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Sharing;
use super::inside::{open_lock, path_inside};
use super::lock::is_named;
use super::staging::{self, create_folders, leave};
use crate::error::{Error, Result};

/// Attempts to take a held lock, with a short sleep between them, before it counts as held by a working process.
const PATIENCE: usize = 20;
const MOMENT: Duration = Duration::from_millis(5);

/// The reservation of a name; it ends when this is dropped or the process dies.
#[derive(Debug)]
#[must_use]
pub struct Reservation {
    _held: Option<HeldLock>,
}

#[derive(Debug)]
struct HeldLock {
    file: File,
    path: PathBuf,
    root: PathBuf,
}

impl Reservation {
    /// For storage without reservations, where only the commit keeps runs apart.
    #[cfg(feature = "cloud")]
    pub(super) fn unheld() -> Self {
        Self { _held: None }
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // The last holder removes the file while it holds the lock alone. A process that opened the file meanwhile
        // notices that its name is gone and opens it again (see `reserve`).
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

/// Reserves a name in the lake at `root`, or fails at once if another process holds it.
pub(super) fn reserve(root: &Path, name: &str, sharing: Sharing) -> Result<Reservation> {
    let relative = format!("{}/{}/{name}.lock", staging::FOLDER, staging::RESERVATIONS);
    let path = root.join(&relative);
    let failed = |source| Error::storage(path.display(), "lock", source);
    let mut refusals = 0;
    // A turn fails only if a holder leaves at that very moment, so a few turns are enough.
    for _ in 0..1000 {
        path_inside(root, &relative).map_err(failed)?;
        create_folders(&folder(root))?;
        let file = match open_lock(&path) {
            Ok(file) => file,
            // The last reservation has removed the folder.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        let locked = match sharing {
            Sharing::Alone => file.try_lock(),
            Sharing::Shared => file.try_lock_shared(),
        };
        match locked {
            Ok(()) => {}
            // A leaving holder locks the file alone while it removes it: retry before this counts as a conflict.
            Err(TryLockError::WouldBlock) if refusals < PATIENCE => {
                refusals += 1;
                std::thread::sleep(MOMENT);
                continue;
            }
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if is_named(&file, &path) {
            let root = root.to_owned();
            return Ok(Reservation {
                _held: Some(HeldLock { file, path, root }),
            });
        }
    }
    Err(Error::Conflict {
        path: root.display().to_string(),
        found: format!("another run of {name} is at work here"),
    })
}
