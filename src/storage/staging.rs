//! Staging folders: where transactions write before they commit, and how the folders of dead processes are removed.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::inside::{is_refused, open_file, path_inside};
use crate::error::{Error, Result};

/// The folder of all staging folders, below the lake's root.
pub(super) const FOLDER: &str = ".staging";
/// The journal of a commit, in there (see `commit.rs`). At most one commit at a time holds the lake's lock.
pub(super) const JOURNAL: &str = "commit";

const ALIVE: &str = ".alive";

/// The one folder in there that belongs to no transaction: see `reservation.rs`.
pub(super) const RESERVATIONS: &str = "locks";

/// The staging folder of one transaction, on the lake's own file system; dropping this removes it.
#[derive(Debug)]
pub(super) struct Staging {
    pub path: PathBuf,
    root: PathBuf,
    /// Whether the root existed before, and so stays when it is empty.
    root_stays: bool,
    /// Locked while the owner lives; the operating system releases it however the owner ends.
    alive: Option<File>,
    /// Whether a journal names this folder, so that it must stay for whoever finishes the commit.
    pub stays: bool,
}

impl Staging {
    /// Creates a staging folder and removes those of dead processes.
    pub(super) fn create(root: &Path, root_stays: bool) -> Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let folder = root.join(FOLDER);
        let name = format!(
            "{}-{}",
            std::process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        let path = folder.join(&name);
        let mut tries = 0;
        loop {
            path_inside(root, FOLDER)
                .map_err(|error| Error::storage(folder.display(), "create the folder", error))?;
            create_folders(&folder)?;
            remove_abandoned(root, &folder)?;
            match Self::give_birth(&folder, &name) {
                Ok(alive) => {
                    return Ok(Self {
                        path,
                        root: root.to_owned(),
                        root_stays,
                        alive: Some(alive),
                        stays: false,
                    });
                }
                // Another transaction has just ended and removed the empty folder.
                Err(error) if error.kind() == ErrorKind::NotFound && tries < 100 => tries += 1,
                Err(error) => return Err(Error::storage(path.display(), "create the staging folder", error)),
            }
        }
    }

    /// Creates the folder under a hidden name and renames it once its lock is held, so that no other process sees it
    /// unlocked.
    fn give_birth(folder: &Path, name: &str) -> io::Result<File> {
        let birth = folder.join(format!(".{name}"));
        // A folder of this name belonged to a dead process with the same process id.
        let _ = fs::remove_dir_all(&birth);
        fs::create_dir(&birth)?;
        let alive = File::create(birth.join(ALIVE))?;
        alive.lock()?;
        fs::rename(&birth, folder.join(name))?;
        Ok(alive)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        // A folder that cannot be removed now is removed by the next transaction.
        let _ = fs::remove_dir_all(&self.path);
        self.alive.take();
        if self.root_stays {
            let _ = fs::remove_dir(self.root.join(FOLDER));
        } else {
            leave(&self.root);
        }
    }
}

/// Removes the folder of staging folders if it is empty, and then the root if that is empty too.
pub(super) fn leave(root: &Path) {
    if fs::remove_dir(root.join(FOLDER)).is_ok() {
        let _ = fs::remove_dir(root);
    }
}

/// The journal of the lake at `root`.
pub(super) fn journal_path(root: &Path) -> PathBuf {
    root.join(FOLDER).join(JOURNAL)
}

/// Whether a commit has happened that is not finished, or is being finished.
pub(super) fn is_unfinished(root: &Path) -> bool {
    journal_path(root).symlink_metadata().is_ok()
}

/// Removes staging folders without a living owner. A failure is no error: the next transaction tries again.
fn remove_abandoned(root: &Path, folder: &Path) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_name(&name) || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let born = name.starts_with('.');
        let alive = match open_file(&path.join(ALIVE)) {
            Ok(alive) => alive,
            Err(error) if is_refused(&error) => {
                let path = path.join(ALIVE);
                return Err(Error::storage(
                    path.display(),
                    "see whether its owner lives",
                    error,
                ));
            }
            Err(_) => {
                // Without a lock the folder is half-made or half-removed; one that is being created gets its lock
                // within moments.
                if !born || is_old(&path) {
                    let _ = fs::remove_dir_all(&path);
                }
                continue;
            }
        };
        // The owner is dead, so a journal that is not there now is never written. One that is there names a folder.
        if alive.try_lock().is_ok() && (!born || is_old(&path)) && !is_unfinished(root) {
            let _ = fs::remove_dir_all(&path);
        }
    }
    Ok(())
}

/// Whether a folder's name has the form of a staging folder: a process id and a number, perhaps after a dot. A user's
/// folder of the same parent name may hold other things.
pub(super) fn is_name(name: &str) -> bool {
    let numbers = name.strip_prefix('.').unwrap_or(name).split_once('-');
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
}

fn is_old(path: &Path) -> bool {
    let age = path
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age.as_secs() > 60)
}

/// Creates a folder and its parents. Other processes remove empty staging folders at the same time, so a folder that
/// existed a moment ago may be gone.
pub(super) fn create_folders(path: &Path) -> Result<()> {
    let mut tries = 0;
    loop {
        let Err(error) = fs::create_dir_all(path) else {
            return Ok(());
        };
        // One look at each: between two looks a folder may come or go.
        let is_file = |folder: &Path| folder.metadata().is_ok_and(|found| !found.is_dir());
        let raced = matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound)
            && !path.ancestors().any(is_file);
        if !raced || tries == 100 {
            return Err(Error::storage(path.display(), "create the folder", error));
        }
        tries += 1;
    }
}
