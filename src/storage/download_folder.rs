//! A user's folder or a prefix of a bucket that downloaded files are put into: each whole, under its name, or not there.
//!
//! On a disk a file that is not whole is a [`PartialFile`] beside its final place, under a hidden name, and stays when the
//! process ends, so that a later one goes on with it. For a bucket it is an unnamed file of this machine. One process at
//! a time works in a folder; in a bucket nothing keeps two apart, and the later object of a name replaces the earlier.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::Sharing;
use super::bucket::BucketPrefix;
use super::commit::sync_folder;
use super::inside::is_inside;
use super::reservation::{Reservation, reserve};
use super::staging::create_folders;
use super::uri::Location;
use crate::error::{Error, Result};
use crate::task::Task;

/// The ending of files that are not whole. Their names begin with a dot, so that no reader of the folder takes them.
const PARTIAL: &str = ".part";

/// Where downloaded files are put.
#[derive(Debug)]
pub(crate) struct DownloadFolder {
    place: FolderPlace,
    _held: Option<Reservation>,
}

#[derive(Debug)]
enum FolderPlace {
    Local(PathBuf),
    Bucket(BucketPrefix),
}

impl DownloadFolder {
    /// Opens a folder or prefix, which may not exist yet. To write into it, it is reserved for this process.
    pub(crate) fn open(to: &str, writes: bool, task: &Task) -> Result<Self> {
        let (place, held) = match Location::parse(to)? {
            Location::Bucket(uri) => (FolderPlace::Bucket(BucketPrefix::connect(&uri, task)?), None),
            Location::Local(root) => {
                let held = if writes {
                    create_folders(&root)?;
                    Some(reserve(&root, "fetch", Sharing::Alone)?)
                } else {
                    None
                };
                (FolderPlace::Local(root), held)
            }
        };
        Ok(Self { place, _held: held })
    }

    /// The URI or path of a file.
    pub(crate) fn uri(&self, path: &str) -> String {
        match &self.place {
            FolderPlace::Local(root) => root.join(path).display().to_string(),
            FolderPlace::Bucket(prefix) => prefix.uri(path),
        }
    }

    /// The files directly in a folder, with their sizes; empty if there is no such folder.
    pub(crate) fn sizes(&self, folder: &str) -> Result<BTreeMap<String, u64>> {
        let root = match &self.place {
            FolderPlace::Local(root) => root,
            FolderPlace::Bucket(prefix) => return prefix.sizes(folder),
        };
        let place = root.join(folder);
        let failed = |error| Error::storage(place.display(), "list the folder", error);
        let entries = match place.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut sizes = BTreeMap::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            // A file that is gone a moment later is none.
            let Ok(found) = entry.path().metadata() else {
                continue;
            };
            if found.is_file() {
                sizes.insert(entry.file_name().to_string_lossy().into_owned(), found.len());
            }
        }
        Ok(sizes)
    }

    /// The bytes of a file; `None` if there is none.
    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let root = match &self.place {
            FolderPlace::Local(root) => root,
            FolderPlace::Bucket(prefix) => return prefix.read(path),
        };
        match fs::read(root.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Error::storage(self.uri(path), "read", error)),
        }
    }

    /// Opens a file for reading; `None` if there is none.
    pub(crate) fn open_stream(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>> {
        let root = match &self.place {
            FolderPlace::Local(root) => root,
            FolderPlace::Bucket(prefix) => return prefix.open(path),
        };
        match File::open(root.join(path)) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::storage(self.uri(path), "read", error)),
        }
    }

    /// The partial file of a path for a content that `mark` names, with what an earlier process left of it. In a bucket
    /// it is empty. `others` are the names in the file's folder: partial files for other contents are removed.
    pub(crate) fn partial<'n>(
        &self,
        path: &str,
        mark: &str,
        others: impl IntoIterator<Item = &'n String>,
    ) -> Result<PartialFile> {
        let FolderPlace::Local(root) = &self.place else {
            let uri = self.uri(path);
            let file = crate::scratch::unnamed()
                .map_err(|error| Error::storage(&uri, "keep a temporary copy of it", error))?;
            return Ok(PartialFile {
                file,
                bytes: 0,
                place: None,
                shown: format!("a temporary copy of {uri}"),
            });
        };
        let (folder, name) = split(path)?;
        let folder = root.join(folder);
        create_folders(&folder)?;
        let start = format!(".{name}.");
        let partial_name = format!("{start}{mark}{PARTIAL}");
        for other in others {
            if other.starts_with(&start) && other.ends_with(PARTIAL) && *other != partial_name {
                remove(&folder.join(other))?;
            }
        }
        let place = folder.join(partial_name);
        let shown = place.display().to_string();
        let failed = |error| Error::storage(&shown, "write", error);
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&place)
            .map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        Ok(PartialFile {
            file,
            bytes,
            place: Some(place),
            shown,
        })
    }

    /// Gives a whole file its name. It replaces an earlier file of this name.
    pub(crate) fn finish(&self, partial: PartialFile, path: &str) -> Result<()> {
        let root = match &self.place {
            FolderPlace::Local(root) => root,
            FolderPlace::Bucket(prefix) => return prefix.put(path, partial.file, partial.bytes),
        };
        let target = root.join(path);
        let failed = |error| Error::storage(target.display(), "write", error);
        let Some(place) = &partial.place else {
            return Err(Error::internal("a partial file without a place"));
        };
        partial.file.sync_all().map_err(failed)?;
        fs::rename(place, &target).map_err(failed)?;
        sync_folder(target.parent().unwrap_or(Path::new("")))
    }

    /// Writes a small file, whole or not at all.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let mut partial = self.partial(path, "new", None)?;
        partial.restart()?;
        partial.append(bytes)?;
        self.finish(partial, path)
    }

    /// Removes a file, if there is one.
    pub(crate) fn remove(&self, path: &str) -> Result<()> {
        match &self.place {
            FolderPlace::Local(root) => remove(&root.join(path)),
            FolderPlace::Bucket(prefix) => {
                prefix.remove(path);
                Ok(())
            }
        }
    }
}

/// The folder and the name of a path that stays inside.
fn split(path: &str) -> Result<(&str, &str)> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name.is_empty() || !is_inside(path) {
        return Err(Error::internal(format!("`{path}` leads out of its folder")));
    }
    Ok((folder, name))
}

fn remove(place: &Path) -> Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::storage(place.display(), "remove", error))
        }
        _ => Ok(()),
    }
}

/// A file on its way to its name.
#[derive(Debug)]
pub(crate) struct PartialFile {
    file: File,
    bytes: u64,
    /// `None` for an unnamed file.
    place: Option<PathBuf>,
    shown: String,
}

impl PartialFile {
    /// How many bytes it has.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds bytes at its end.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all_at(bytes, self.bytes)
            .map_err(|error| self.failed("write", error))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Empties it.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.file
            .set_len(0)
            .map_err(|error| self.failed("write", error))?;
        self.bytes = 0;
        Ok(())
    }

    /// Removes it.
    pub(crate) fn discard(self) -> Result<()> {
        self.place.as_deref().map_or(Ok(()), remove)
    }

    /// Reads it from its beginning.
    pub(crate) fn reader(&self) -> impl Read + '_ {
        PartialReader { of: self, at: 0 }
    }

    fn failed(&self, action: &'static str, error: io::Error) -> Error {
        Error::storage(&self.shown, action, error)
    }
}

struct PartialReader<'p> {
    of: &'p PartialFile,
    at: u64,
}

impl Read for PartialReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.of.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
