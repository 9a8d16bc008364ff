//! Replaces the old state by the new one: at the cost of what changes, and whole even if the process is killed.
//!
//! One changed file or folder is renamed into place (an existing folder is exchanged, which Linux does atomically). If
//! several change, a journal (`.staging/commit`) names them first: once it is durable, the commit has happened. Then each
//! unit is renamed into place, and the journal is removed. All of this holds the lake's lock. Whoever opens the lake
//! after a kill finds the journal and finishes the renames ([`heal`]), which may begin again at any of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::{Deserialize, Serialize};

use super::inside::{open_file, path_inside};
use super::staging::{self, JOURNAL, create_folders, journal_path};
use crate::error::{Error, Refusal, Result};

/// A longer journal was not written by a commit.
const LONGEST_JOURNAL: u64 = 1 << 30;

/// What a commit is about to rename.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    /// The name of the transaction's staging folder.
    staging: String,
    units: Vec<JournalUnit>,
}

/// A file or folder that a commit replaces.
#[derive(Debug, Serialize, Deserialize)]
struct JournalUnit {
    path: String,
    /// The device and inode of what replaces it, by which a second try knows what the first one has done; `None` if the
    /// unit is removed.
    new: Option<(u64, u64)>,
    /// Where the file that is there stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
}

/// Replaces `units`, relative paths below `root`, by what the transaction with this staging folder has in `new`; a unit
/// that is missing there is removed. Files that are in `kept` stay there. The caller holds the lake's lock.
pub(super) fn exchange(
    root: &Path,
    staging: &Path,
    units: &[String],
    kept: &BTreeMap<String, String>,
) -> Result<()> {
    match units {
        [] => return Ok(()),
        [unit] if kept.is_empty() && replace_at_once(root, staging, unit)? => return Ok(()),
        _ => {}
    }
    let entries = units.iter().map(|unit| {
        let path = unit.trim_matches('/');
        JournalUnit {
            path: path.to_owned(),
            new: identity(&staging.join(NEW).join(unit)),
            kept: kept.get(path).cloned(),
        }
    });
    let journal = Journal {
        staging: staging
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        units: entries.collect(),
    };
    write_journal(root, staging, &journal)?;
    finish(root, &journal)
}

/// The folder of the new state in a staging folder, and the one of what it replaced.
pub(super) const NEW: &str = "new";
const OLD: &str = "old";

/// Finishes the commit of a process that was killed in it, if there is one. The caller holds the lake's lock.
pub(super) fn heal(root: &Path) -> Result<()> {
    let path = journal_path(root);
    let failed = |error| Error::storage(path.display(), "finish the commit that it names", error);
    let mut bytes = Vec::new();
    match open_file(&path) {
        Ok(file) => file
            .take(LONGEST_JOURNAL)
            .read_to_end(&mut bytes)
            .map_err(failed)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let damaged = |found: String| {
        let remedy = "remove this file, and run again the step that was killed: it replaces what it had begun to replace";
        failed(io::Error::other(Refusal { found, remedy }))
    };
    let journal: Journal = serde_json::from_slice(&bytes)
        .map_err(|error| damaged(format!("it is no journal of a commit ({error})")))?;
    if !staging::is_name(&journal.staging) {
        return Err(damaged("it names no staging folder".to_owned()));
    }
    for unit in &journal.units {
        path_inside(root, &unit.path).map_err(failed)?;
        if let Some(kept) = &unit.kept {
            path_inside(root, kept).map_err(failed)?;
        }
        for state in [NEW, OLD] {
            let staged = format!("{}/{}/{state}/{}", staging::FOLDER, journal.staging, unit.path);
            path_inside(root, &staged).map_err(failed)?;
        }
    }
    finish(root, &journal)?;
    // A leftover is removed by the next transaction.
    let _ = fs::remove_dir_all(root.join(staging::FOLDER).join(&journal.staging));
    Ok(())
}

fn write_journal(root: &Path, staging: &Path, journal: &Journal) -> Result<()> {
    let path = journal_path(root);
    let failed = |error| Error::storage(path.display(), "write", error);
    let bytes = serde_json::to_vec(journal).map_err(|error| failed(error.into()))?;
    let draft = staging.join(JOURNAL);
    let mut file = File::create(&draft).map_err(failed)?;
    file.write_all(&bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&draft, &path))
        .map_err(failed)?;
    sync_folder(&root.join(staging::FOLDER))
}

/// Renames every unit of a journal that is not in place, and removes the journal.
fn finish(root: &Path, journal: &Journal) -> Result<()> {
    let staged = root.join(staging::FOLDER).join(&journal.staging);
    let mut folders = Vec::new();
    for unit in &journal.units {
        let target = root.join(&unit.path);
        let failed = |error| Error::storage(target.display(), "replace", error);
        let folder = target.parent().unwrap_or(root);
        let (new, old) = (
            staged.join(NEW).join(&unit.path),
            staged.join(OLD).join(&unit.path),
        );
        if let Some(kept) = unit.kept.as_ref().map(|kept| root.join(kept)) {
            // Not the new file, which is there already if this is a second try.
            if target.is_file() && (unit.new.is_none() || identity(&target) != unit.new) {
                keep(root, &target, &kept)?;
                folders.push(kept.parent().unwrap_or(root).to_owned());
            }
        }
        match unit.new {
            Some(identity_of_new) => {
                folders.push(folder.to_owned());
                // What is not in the staging folder any more is in place, also where inodes change (network mounts).
                if identity(&target) == Some(identity_of_new) || new.symlink_metadata().is_err() {
                    continue;
                }
                create_durably(root, folder)?;
                if new.is_dir() && target.exists() {
                    swap(&new, &target, &old)?;
                } else if target.is_dir() {
                    move_away(&target, &old)?;
                    fs::rename(&new, &target).map_err(failed)?;
                } else {
                    fs::rename(&new, &target).map_err(failed)?;
                }
            }
            None => {
                folders.push(folder.to_owned());
                if target.symlink_metadata().is_ok() {
                    move_away(&target, &old)?;
                }
            }
        }
    }
    folders.sort_unstable();
    folders.dedup();
    folders.retain(|folder| folder.exists());
    sync_folders(&folders)?;
    fs::remove_file(journal_path(root))
        .map_err(|error| Error::storage(journal_path(root).display(), "remove", error))?;
    sync_folder(&root.join(staging::FOLDER))?;
    for unit in journal.units.iter().filter(|unit| unit.new.is_none()) {
        remove_empty_parents(root, &unit.path);
    }
    Ok(())
}

/// Gives a file that a commit is about to replace a second name, under which it stays.
fn keep(root: &Path, target: &Path, kept: &Path) -> Result<()> {
    create_durably(root, kept.parent().unwrap_or(root))?;
    match fs::hard_link(target, kept) {
        Ok(()) => Ok(()),
        // The same content was replaced before, or this is a second try.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        // File systems without second names: for a moment there is neither the old file nor the new one.
        Err(_) => fs::rename(target, kept)
            .map_err(|error| Error::storage(kept.display(), "keep what a commit replaces", error)),
    }
}

/// Exchanges a folder with what is in its place.
fn swap(new: &Path, target: &Path, old: &Path) -> Result<()> {
    match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        // Some network mounts: for a moment there is neither the old folder nor the new one.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            move_away(target, old)?;
            fs::rename(new, target).map_err(|error| Error::storage(target.display(), "replace", error))
        }
        Err(error) => Err(Error::storage(target.display(), "replace", error.into())),
    }
}

/// Moves what a commit replaces into the staging folder.
fn move_away(target: &Path, old: &Path) -> Result<()> {
    create_folders(old.parent().unwrap_or(old))?;
    fs::rename(target, old).map_err(|error| Error::storage(target.display(), "replace", error))
}

/// Removes the folders of partitions (`kind=…`, `dt=…`) above a removed unit that are empty now.
fn remove_empty_parents(root: &Path, unit: &str) {
    let mut folder = Path::new(unit).parent();
    let is_partition = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().contains(&b'='))
    };
    while let Some(path) = folder.filter(|path| is_partition(path)) {
        if fs::remove_dir(root.join(path)).is_err() {
            return;
        }
        folder = path.parent();
    }
}

/// Replaces one unit with one rename; `false` if that needs a journal.
fn replace_at_once(root: &Path, staging: &Path, unit: &str) -> Result<bool> {
    let (target, new) = (root.join(unit), staging.join(NEW).join(unit));
    let parent = target.parent().unwrap_or(Path::new(""));
    create_durably(root, parent)?;
    let failed = |source: io::Error| Error::storage(target.display(), "replace", source);
    if !new.exists() {
        if target.exists() {
            move_away(&target, &staging.join(OLD).join(unit))?;
        }
        sync_folder(parent)?;
        remove_empty_parents(root, unit);
        return Ok(true);
    }
    if new.is_dir() && target.exists() {
        match renameat_with(CWD, &new, CWD, &target, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                return Ok(false);
            }
            Err(error) => return Err(failed(error.into())),
        }
    } else {
        fs::rename(new, &target).map_err(failed)?;
    }
    sync_folder(parent)?;
    Ok(true)
}

/// The device and inode of a file or folder.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let found = path.symlink_metadata().ok()?;
    Some((found.dev(), found.ino()))
}

/// Creates a folder below `root` and makes the names of all new folders durable.
fn create_durably(root: &Path, folder: &Path) -> Result<()> {
    let missing: Vec<&Path> = folder
        .ancestors()
        .take_while(|ancestor| *ancestor != root && !ancestor.exists())
        .collect();
    create_folders(folder)?;
    missing
        .into_iter()
        .filter_map(Path::parent)
        .try_for_each(sync_folder)
}

/// Above this many files or folders, one `syncfs` of the whole file system is cheaper than a call for each. Only Linux
/// has it.
pub(super) const SYNC_ONE_BY_ONE: usize = if cfg!(target_os = "linux") {
    256
} else {
    usize::MAX
};

fn sync_folders(folders: &[PathBuf]) -> Result<()> {
    match folders {
        [] => Ok(()),
        [first, ..] if folders.len() > SYNC_ONE_BY_ONE => sync_file_system(first),
        _ => folders.iter().try_for_each(|folder| sync_folder(folder)),
    }
}

/// Makes everything on the file system of a folder durable.
pub(super) fn sync_file_system(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| {
            #[cfg(target_os = "linux")]
            rustix::fs::syncfs(folder)?;
            #[cfg(not(target_os = "linux"))]
            folder.sync_all()?;
            Ok(())
        })
        .map_err(|source| Error::storage(folder.display(), "make durable", source))
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| Error::storage(path.display(), "make durable", source))
}
