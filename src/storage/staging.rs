//! Staging folders: where transactions write before they commit, and how those of dead processes go.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::commit::RESTORE;
use crate::error::{Error, Result};

/// The folder of all staging folders, below the lake's root.
pub(super) const FOLDER: &str = ".staging";
const ALIVE: &str = ".alive";

/// The one folder in there that is no transaction's: see `reservation.rs`.
pub(super) const RESERVATIONS: &str = "locks";

/// A folder of one transaction, on the lake's own file system, removed when this is dropped.
#[derive(Debug)]
pub(super) struct Staging {
    pub path: PathBuf,
    root: PathBuf,
    /// Whether the root is somebody's folder, and stays when nothing is in it.
    root_stays: bool,
    /// Locked as long as the owner lives; the operating system lets go of it however the owner ends.
    alive: Option<File>,
}

impl Staging {
    /// Makes a staging folder and removes those whose owners are gone.
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
            create_folders(&folder)?;
            remove_abandoned(root, &folder);
            match Self::give_birth(&folder, &name) {
                Ok(alive) => {
                    return Ok(Self {
                        path,
                        root: root.to_owned(),
                        root_stays,
                        alive: Some(alive),
                    });
                }
                // Another transaction ended meanwhile and took the empty folder with it.
                Err(error) if error.kind() == ErrorKind::NotFound && tries < 100 => tries += 1,
                Err(error) => return Err(Error::storage(path.display(), "create the staging folder", error)),
            }
        }
    }

    /// The folder is born under a hidden name and renamed when its lock is held: no other process sees it without one.
    fn give_birth(folder: &Path, name: &str) -> io::Result<File> {
        let birth = folder.join(format!(".{name}"));
        // A folder of that name is a dead process's whose number came round again.
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

/// Takes away the folder of staging folders, and a root that never got any content, when they are empty.
pub(super) fn leave(root: &Path) {
    if fs::remove_dir(root.join(FOLDER)).is_ok() {
        let _ = fs::remove_dir(root);
    }
}

/// Removes staging folders that nobody holds any more. Failing to is no error: the next transaction tries again.
fn remove_abandoned(root: &Path, folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_name() == RESERVATIONS {
            continue;
        }
        let born = entry.file_name().to_string_lossy().starts_with('.');
        let Ok(alive) = File::open(path.join(ALIVE)) else {
            // Without a lock it is a folder left half-made or half-removed; a birth under way has one within moments.
            if !born || is_old(&path) {
                let _ = fs::remove_dir_all(&path);
            }
            continue;
        };
        if alive.try_lock().is_ok() && (!born || is_old(&path)) {
            bring_back(root, &path);
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Where a dead process had moved the old state away and not yet put the new one in its place, the old one returns.
fn bring_back(root: &Path, staging: &Path) {
    let Ok(target) = fs::read_to_string(staging.join(RESTORE)) else {
        return;
    };
    let (target, old) = (root.join(target), staging.join("old"));
    if old.exists() && !target.exists() {
        let _ = fs::rename(old, target);
    }
}

fn is_old(path: &Path) -> bool {
    let age = path
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age.as_secs() > 60)
}

/// Creates a folder and those above it. Other processes take empty staging folders away at the same time, so what was
/// there a moment ago may be gone when it is asked for again.
pub(super) fn create_folders(path: &Path) -> Result<()> {
    let mut tries = 0;
    loop {
        let Err(error) = fs::create_dir_all(path) else {
            return Ok(());
        };
        // Asked once for each: between two questions a folder may come or go as well.
        let is_file = |folder: &Path| folder.metadata().is_ok_and(|found| !found.is_dir());
        let raced = matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound)
            && !path.ancestors().any(is_file);
        if !raced || tries == 100 {
            return Err(Error::storage(path.display(), "create the folder", error));
        }
        tries += 1;
    }
}
