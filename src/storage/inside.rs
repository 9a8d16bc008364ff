//! Keeps paths inside of a lake, and opens only regular files.
//!
//! A lake may come from someone else. A path read from one of its files must not lead out of it, nor must a link in it,
//! and opening a pipe instead of a file must not block.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;
use rustix::io::Errno;

use crate::error::{Error, Refusal, Result};

const STAY: &str =
    "a lake holds all of its files itself: put what belongs there in its place, or take it away";

fn refused(found: String, remedy: &'static str) -> io::Error {
    io::Error::other(Refusal { found, remedy })
}

/// Whether an error was raised by this module and not by the file system.
pub(super) fn is_refused(error: &io::Error) -> bool {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Refusal>())
        .is_some()
}

/// The kind of what was found, in a word.
fn kind_of(found: &Metadata) -> &'static str {
    let kind = found.file_type();
    if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_fifo() {
        "a pipe (FIFO)"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_file() {
        "a file"
    } else {
        "a device"
    }
}

/// Whether a path is relative, with `/` between its names, and has no `.` or `..`.
pub(super) fn is_inside(path: &str) -> bool {
    !path.starts_with('/') && path.split('/').all(|name| !matches!(name, "." | ".."))
}

/// The folders of a lake that were checked already: those of a year of days are asked for again and again.
#[derive(Debug, Default)]
pub(super) struct KnownFolders(Mutex<HashSet<String>>);

impl KnownFolders {
    /// [`path_inside`], but a folder that was checked before is not checked again.
    pub(super) fn path_inside(&self, root: &Path, path: &str) -> io::Result<PathBuf> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_known = |folder: &str| {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.contains(folder)
        };
        if folder.is_empty() || name.is_empty() || !is_inside(name) || !is_known(folder) {
            let place = path_inside(root, path)?;
            if !folder.is_empty() && is_inside(path) && root.join(folder).is_dir() {
                let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(folder.to_owned());
            }
            return Ok(place);
        }
        let place = root.join(path);
        if let Ok(found) = place.symlink_metadata() {
            check_kind(&place, &found)?;
        }
        Ok(place)
    }
}

/// Rejects what is neither a file nor a folder.
fn check_kind(place: &Path, found: &Metadata) -> io::Result<()> {
    if found.is_file() || found.is_dir() {
        return Ok(());
    }
    let place = place.display();
    let found = format!(
        "`{place}` is {} where a file or a folder should be",
        kind_of(found)
    );
    Err(refused(found, STAY))
}

/// A path of a lake as a path of the file system. Rejects one that leads out of the lake, or over a link or anything
/// else that is neither a file nor a folder.
pub(super) fn path_inside(root: &Path, path: &str) -> io::Result<PathBuf> {
    if !is_inside(path) {
        return Err(refused(format!("`{path}` leads out of the lake"), STAY));
    }
    let mut place = root.to_owned();
    let mut exists = true;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        place.push(name);
        // Nothing exists below a missing name.
        let found = if exists {
            place.symlink_metadata().ok()
        } else {
            None
        };
        exists = found.is_some();
        if let Some(found) = found {
            check_kind(&place, &found)?;
        }
    }
    Ok(place)
}

/// An opened file, if it is a regular one. It was opened without blocking.
fn checked(path: &Path, opened: io::Result<File>) -> io::Result<File> {
    let errors = [Errno::NXIO, Errno::LOOP].map(Errno::raw_os_error);
    let found = match opened {
        Ok(file) => {
            let found = file.metadata()?;
            if found.is_file() {
                return Ok(file);
            }
            found
        }
        // A pipe without a reader, a socket, a link.
        Err(error) if error.raw_os_error().is_some_and(|error| errors.contains(&error)) => {
            path.symlink_metadata()?
        }
        Err(error) => return Err(error),
    };
    let found = format!("{} where a file should be", kind_of(&found));
    Err(refused(found, STAY))
}

fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// Opens a regular file for reading.
pub(super) fn open_file(path: &Path) -> io::Result<File> {
    let flags = flags(OFlags::NONBLOCK | OFlags::NOFOLLOW);
    checked(path, File::options().read(true).custom_flags(flags).open(path))
}

/// Opens a lock file, and creates it if it is missing.
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    let flags = flags(OFlags::NONBLOCK | OFlags::NOFOLLOW);
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    checked(path, options.custom_flags(flags).open(path))
}

/// The kind of thing that replaces a caller's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteTarget {
    File,
    Folder,
}

/// The path to write for a caller's path: the target of a link, so that the link stays. Rejects an existing target of
/// another kind; a device or pipe would be replaced by a file.
pub fn write_target(path: &Path, written: WriteTarget) -> Result<PathBuf> {
    let failed = |source| Error::storage(path.display(), "write", source);
    let (wanted, remedy) = match written {
        WriteTarget::File => ("a file", "name a file, or a new one"),
        WriteTarget::Folder => ("a folder", "name a folder, or a new one"),
    };
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.to_owned()),
        // A file where a folder should be: opening the folder reports it.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(path.to_owned()),
        Err(error) => return Err(failed(error)),
    };
    let mut target = path.to_owned();
    let mut found = found;
    if found.is_symlink() {
        // `/dev/stdout` leads to a file that other processes have open. They would go on writing to the replaced file.
        let leads_to_open = fs::read_link(path).is_ok_and(|link| link.starts_with("/proc"))
            || path
                .parent()
                .and_then(|parent| parent.canonicalize().ok())
                .is_some_and(|parent| parent.starts_with("/proc"));
        if leads_to_open {
            return Err(failed(refused("an open file of a process".to_owned(), remedy)));
        }
        target = path.canonicalize().map_err(|_| {
            let link = "a symbolic link to what is not there".to_owned();
            failed(refused(link, remedy))
        })?;
        found = target.metadata().map_err(failed)?;
    }
    if kind_of(&found) != wanted {
        return Err(failed(refused(format!("it is {}", kind_of(&found)), remedy)));
    }
    Ok(target)
}

/// Copies the mode of the old file or folder to the new one, and its owner if this user may set it.
pub(super) fn make_like(path: &Path, before: &Metadata) -> io::Result<()> {
    let made = path.metadata()?;
    if (made.uid(), made.gid()) != (before.uid(), before.gid()) {
        let _ = chown(path, Some(before.uid()), Some(before.gid()));
    }
    // This user must still be able to write into the folder.
    let own = if before.is_dir() { 0o700 } else { 0 };
    fs::set_permissions(path, fs::Permissions::from_mode((before.mode() & 0o777) | own))
}
