//! Replaces the old state by the new one with one rename, however many files and folders change.
//!
//! One changed file or folder is renamed into place (an existing folder is exchanged, which Linux does atomically). If
//! several change, their nearest common folder is exchanged: its new version is built beside it, with hard links to
//! everything unchanged. That costs one link per file and never copies a byte.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::staging::{RESTORE, create_folders};
use crate::error::{Error, Result};

/// Replaces `units`, relative paths below `root`, by what is below `staged`; a unit that is missing there is removed.
/// `spare` is an unused path of the same file system, which receives the old state.
pub(super) fn exchange(root: &Path, staged: &Path, units: &[String], spare: &Path) -> Result<()> {
    match units {
        [] => Ok(()),
        [unit] => exchange_one(root, &root.join(unit), &staged.join(unit), spare),
        _ => {
            let common = common_folder(units);
            if common.as_os_str().is_empty() {
                // The root also holds the staging folders, and is never exchanged.
                return Err(Error::Internal {
                    message: format!("the units {units:?} lie in no common folder"),
                });
            }
            let next = staged.join(&common);
            create_folders(&next)?;
            let inner: Vec<PathBuf> = units
                .iter()
                .map(|unit| PathBuf::from(unit.trim_matches('/')))
                .collect();
            let mut folders = vec![next.clone()];
            link_rest(root, staged, &common, &inner, &mut folders)?;
            sync_folders(&folders)?;
            exchange_one(root, &root.join(&common), &next, spare)
        }
    }
}

/// Renames `new` to `target`; the old target moves to `spare`.
fn exchange_one(root: &Path, target: &Path, new: &Path, spare: &Path) -> Result<()> {
    let parent = target.parent().unwrap_or(Path::new(""));
    create_durably(root, parent)?;
    let failed = |source: io::Error| Error::storage(target.display(), "replace", source);
    if !new.exists() {
        if target.exists() {
            fs::rename(target, spare).map_err(failed)?;
        }
        return sync_folder(parent);
    }
    if new.is_dir() && target.exists() {
        match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
                exchange_in_two(root, target, new, spare).map_err(failed)?;
            }
            Err(error) => return Err(failed(error.into())),
        }
    } else {
        fs::rename(new, target).map_err(failed)?;
    }
    sync_folder(parent)
}

/// Exchanges two folders on a file system without an atomic exchange (some network mounts), by two renames. If the
/// process is killed between them, the next transaction restores the old state (see `staging.rs`).
fn exchange_in_two(root: &Path, target: &Path, new: &Path, spare: &Path) -> io::Result<()> {
    let relative = target.strip_prefix(root).unwrap_or(target);
    let note = spare.with_file_name(RESTORE);
    fs::write(&note, relative.to_string_lossy().as_bytes())?;
    File::open(&note)?.sync_all()?;
    fs::rename(target, spare)?;
    if let Err(error) = fs::rename(new, target) {
        fs::rename(spare, target)?;
        return Err(error);
    }
    Ok(())
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

/// The nearest folder that holds all units.
fn common_folder(units: &[String]) -> PathBuf {
    let mut common: Option<Vec<&str>> = None;
    for unit in units {
        let mut parts: Vec<&str> = unit.split('/').filter(|part| !part.is_empty()).collect();
        parts.pop();
        common = Some(match common {
            None => parts,
            Some(before) => before
                .iter()
                .zip(&parts)
                .take_while(|(left, right)| left == right)
                .map(|(part, _)| *part)
                .collect(),
        });
    }
    common.unwrap_or_default().into_iter().collect()
}

/// Links everything below `root/folder` that no unit replaces to the same path below `staged`; adds the new folders to
/// `made`.
fn link_rest(
    root: &Path,
    staged: &Path,
    folder: &Path,
    units: &[PathBuf],
    made: &mut Vec<PathBuf>,
) -> Result<()> {
    let old = root.join(folder);
    let failed = |path: &Path, source| Error::storage(path.display(), "link the unchanged file", source);
    let entries = match old.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(&old, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(&old, error))?;
        let path = folder.join(entry.file_name());
        if units.contains(&path) {
            continue;
        }
        let (from, to) = (root.join(&path), staged.join(&path));
        if entry.file_type().map_err(|error| failed(&from, error))?.is_dir() {
            create_folders(&to)?;
            link_rest(root, staged, &path, units, made)?;
            made.push(to);
        } else {
            link_or_copy(&from, &to).map_err(|error| failed(&from, error))?;
        }
    }
    Ok(())
}

/// Links a file, or copies it if the file system has no links.
pub(super) fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Unsupported | ErrorKind::PermissionDenied | ErrorKind::TooManyLinks
            ) =>
        {
            fs::copy(from, to)?;
            File::open(to)?.sync_all()
        }
        other => other,
    }
}

/// Above this many files or folders, one `syncfs` of the whole file system is cheaper than a call for each.
pub(super) const SYNC_ONE_BY_ONE: usize = 256;

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
        .and_then(|folder| Ok(rustix::fs::syncfs(folder)?))
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
