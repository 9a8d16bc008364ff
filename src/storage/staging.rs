//! Staging folders: where transactions write before they commit, and how those of dead processes go.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::inside::{is_refused, open_file, path_inside};
use crate::error::{Error, Result};

/// The file beside `spare` that names what `spare` is the old state of, while two renames are under way.
pub(super) const RESTORE: &str = "restore";

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
                // Without a lock it is a folder left half-made or half-removed; a birth under way has one within moments.
                if !born || is_old(&path) {
                    let _ = fs::remove_dir_all(&path);
                }
                continue;
            }
        };
        if alive.try_lock().is_ok() && (!born || is_old(&path)) {
            bring_back(root, &path)?;
            let _ = fs::remove_dir_all(&path);
        }
    }
    Ok(())
}

/// Whether a folder may be one of a transaction: a number of a process and one of its own, maybe behind a dot. The folder may
/// stand beside files of somebody else, who may keep things in a folder of the same name.
fn is_name(name: &str) -> bool {
    let numbers = name.strip_prefix('.').unwrap_or(name).split_once('-');
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
}

/// Where a dead process had moved the old state away and not yet put the new one in its place, the old one returns.
fn bring_back(root: &Path, staging: &Path) -> Result<()> {
    let (note, old) = (staging.join(RESTORE), staging.join("old"));
    let failed = |error| Error::storage(note.display(), "bring the old state back", error);
    let mut target = String::new();
    match open_file(&note) {
        // A path; what is longer leads nowhere.
        Ok(file) => file
            .take(LONGEST_PATH)
            .read_to_string(&mut target)
            .map_err(failed)?,
        Err(error) if is_refused(&error) => return Err(failed(error)),
        Err(_) => return Ok(()),
    };
    let target = path_inside(root, &target).map_err(failed)?;
    // A link is no state of a lake.
    let stands = |path: &Path| path.symlink_metadata().ok().filter(|found| !found.is_symlink());
    if target != root && stands(&old).is_some() && stands(&target).is_none() {
        let _ = fs::rename(old, target);
    }
    Ok(())
}

/// No path of the system is longer.
const LONGEST_PATH: u64 = 4096;

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
