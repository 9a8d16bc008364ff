//! Expands what a caller names as a source (a file, a folder, a glob, a URI) into a list of files.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

#[cfg(feature = "cloud")]
use super::bucket::{self, ObjectFile};
use super::hidden::is_below_hidden;
use super::home::with_home;
use super::uri::Location;
use crate::error::{Error, Result};
use crate::task::{Patient, Task, waiting};

/// One file of a source.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// As given by the caller, or as expanded from a folder or glob.
    pub uri: String,
    place: FilePlace,
}

#[derive(Debug, Clone)]
enum FilePlace {
    Local(PathBuf),
    #[cfg(feature = "cloud")]
    Object(ObjectFile),
}

/// Different names are different files, whatever they point to.
impl PartialEq for SourceFile {
    fn eq(&self, other: &Self) -> bool {
        self.uri == other.uri
    }
}

impl Eq for SourceFile {}

impl SourceFile {
    fn local(uri: String, path: PathBuf) -> Self {
        Self {
            uri,
            place: FilePlace::Local(path),
        }
    }

    /// The file's own name.
    pub fn file_name(&self) -> String {
        match &self.place {
            FilePlace::Local(path) => path
                .file_name()
                .map_or_else(|| "data".to_owned(), |name| shown(Path::new(name))),
            #[cfg(feature = "cloud")]
            FilePlace::Object(object) => object.name().to_owned(),
        }
    }

    /// Opens the file for reading from its beginning.
    pub fn open(&self) -> Result<Box<dyn Read + Send>> {
        match &self.place {
            FilePlace::Local(path) => {
                // It may be a pipe, which blocks until it has a writer.
                let file = waiting(|| File::open(path))
                    .map_err(|source| Error::storage(&self.uri, "read the source", source))?;
                Ok(Box::new(Patient(file)))
            }
            #[cfg(feature = "cloud")]
            FilePlace::Object(object) => object.open(),
        }
    }

    /// Opens the file for random access, for formats that are read from their end; `None` for a pipe or an object.
    pub fn open_file(&self) -> Result<Option<File>> {
        let failed = |source| Error::storage(&self.uri, "read the source", source);
        match &self.place {
            FilePlace::Local(path) => {
                // A pipe is not even opened: its writer would lose its reader.
                if !path.metadata().map_err(failed)?.is_file() {
                    return Ok(None);
                }
                Ok(Some(File::open(path).map_err(failed)?))
            }
            #[cfg(feature = "cloud")]
            FilePlace::Object(_) => Ok(None),
        }
    }

    /// Its size in bytes.
    pub fn size(&self) -> Result<u64> {
        match &self.place {
            FilePlace::Local(path) => {
                let metadata = path
                    .metadata()
                    .map_err(|source| Error::storage(&self.uri, "read the source", source))?;
                Ok(metadata.len())
            }
            #[cfg(feature = "cloud")]
            FilePlace::Object(object) => Ok(object.size()),
        }
    }
}

/// The files of several source arguments, each once.
pub fn expand_all(uris: &[String], expected: &str, task: &Task) -> Result<Vec<SourceFile>> {
    let mut files: Vec<SourceFile> = Vec::new();
    let mut known = KnownFiles::default();
    for uri in uris {
        for file in expand(uri, expected, task)? {
            if known.is_new(&file) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// The files seen so far, whatever their spelling: `a.csv`, `./a.csv`, `in/../a.csv`, `file:///data/a.csv`. A file is
/// identified by its name and its resolved folder. So a link to a file is another file, but a file reached over a
/// linked folder is the same one.
#[derive(Default)]
struct KnownFiles {
    files: HashSet<PathBuf>,
    /// Resolved folders by their spelling: most files lie in few folders.
    folders: HashMap<PathBuf, PathBuf>,
}

impl KnownFiles {
    fn is_new(&mut self, file: &SourceFile) -> bool {
        let identity = match &file.place {
            FilePlace::Local(path) => self.resolved(path),
            #[cfg(feature = "cloud")]
            FilePlace::Object(_) => PathBuf::from(&file.uri),
        };
        self.files.insert(identity)
    }

    fn resolved(&mut self, path: &Path) -> PathBuf {
        let (Some(name), Some(folder)) = (path.file_name(), path.parent()) else {
            return path.to_owned();
        };
        let resolved = self.folders.entry(folder.to_owned()).or_insert_with(|| {
            let spelled = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            spelled.canonicalize().unwrap_or_else(|_| folder.to_owned())
        });
        resolved.join(name)
    }
}

/// The files of one source argument: those directly in a folder, or those that a glob matches. Both lists are sorted
/// and leave out hidden files (`.name`, `_name`). A file whose own name looks like the glob is one of the matches. In a
/// bucket the same rules hold, and requests end when the task is cancelled.
/// `~` and `~user` are replaced by the home, also in the names of the files.
pub fn expand(uri: &str, expected: &str, task: &Task) -> Result<Vec<SourceFile>> {
    // Reports use the expanded name, so that another user finds the file.
    let uri = &*with_home(uri);
    let not_found = |found: &str| Error::SourceNotFound {
        uri: uri.to_owned(),
        expected: format!("{expected}{found}"),
    };
    if uri.trim().is_empty() {
        return Err(Error::argument("source", "a blank path", expected.to_owned()));
    }
    let path = match Location::parse(uri)? {
        Location::Local(path) => path,
        #[cfg(feature = "cloud")]
        Location::Bucket(place) => {
            let objects = bucket::expand(uri, &place, expected, task)?;
            return Ok(objects
                .into_iter()
                .map(|(uri, object)| SourceFile {
                    uri,
                    place: FilePlace::Object(object),
                })
                .collect());
        }
        #[cfg(not(feature = "cloud"))]
        Location::Bucket(_) => super::uri::local_path(uri)?,
    };
    task.check()?;
    let mut files = match path.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            let files = files_in(uri, &path)?;
            if files.is_empty() && !is_pattern(uri) {
                return Err(Error::EmptyFolder {
                    uri: uri.to_owned(),
                    expected: expected.to_owned(),
                });
            }
            files
        }
        Ok(_) => vec![SourceFile::local(uri.to_owned(), path.clone())],
        Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => {
            if !is_pattern(uri) {
                return Err(not_found(""));
            }
            Vec::new()
        }
        Err(error) => return Err(Error::storage(uri, "read the source", error)),
    };
    // A file whose name looks like a glob is one of the matches and replaces no other.
    if is_pattern(uri) {
        match files_matching(uri, &path) {
            Ok(matching) => files.extend(matching),
            // A malformed glob may still be the name of a file.
            Err(Error::Argument { .. }) if !files.is_empty() => {}
            Err(error) => return Err(error),
        }
        let mut known = KnownFiles::default();
        files.retain(|file| known.is_new(file));
        files.sort_by(|left, right| left.uri.cmp(&right.uri));
        if files.is_empty() {
            return Err(not_found("; the glob matches no file"));
        }
    }
    Ok(files)
}

fn files_in(uri: &str, folder: &Path) -> Result<Vec<SourceFile>> {
    let denied = |source| Error::storage(uri, "list the folder", source);
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(denied)? {
        let path = entry.map_err(denied)?.path();
        let its = join(uri, &path);
        if is_data(&path, &its)? {
            files.push(SourceFile::local(its, path));
        }
    }
    files.sort_by(|left, right| left.uri.cmp(&right.uri));
    Ok(files)
}

fn files_matching(uri: &str, pattern: &Path) -> Result<Vec<SourceFile>> {
    let pattern = pattern
        .to_str()
        .ok_or_else(|| malformed(uri, "not UTF-8".to_owned()))?;
    let mut files = Vec::new();
    for path in matching(uri, pattern)? {
        let its = shown(&path);
        if !is_below_hidden(pattern, &its) && is_data(&path, &its)? {
            files.push(SourceFile::local(its, path));
        }
    }
    files.sort_by(|left, right| left.uri.cmp(&right.uri));
    Ok(files)
}

fn malformed(uri: &str, found: String) -> Error {
    Error::argument(uri.to_owned(), found, "a path or a glob such as data/*.csv")
}

/// The paths that a glob matches. The library skips names that are not UTF-8; they are found here.
fn matching(uri: &str, pattern: &str) -> Result<Vec<PathBuf>> {
    let denied = |source| Error::storage(uri, "list the folder", source);
    let bad = |error: glob::PatternError| malformed(uri, error.to_string());
    let mut paths = glob::glob(pattern)
        .map_err(bad)?
        .map(|path| {
            path.map_err(|error| Error::storage(shown(error.path()), "list the folder", error.into()))
        })
        .collect::<Result<Vec<PathBuf>>>()?;
    let (above, last) = split(pattern);
    let name = glob::Pattern::new(last).map_err(bad)?;
    for folder in folders(uri, above)? {
        let here = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &folder
        };
        if !here.is_dir() {
            continue;
        }
        // A plain UTF-8 name needs no listing. Without permission, however, its existence is unknown.
        if folder.to_str().is_some() && !is_pattern(last) {
            match folder.join(last).symlink_metadata() {
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    return Err(Error::storage(
                        shown(&folder.join(last)),
                        "read the source",
                        error,
                    ));
                }
                _ => continue,
            }
        }
        for entry in here.read_dir().map_err(denied)? {
            let found = entry.map_err(denied)?.file_name();
            let passed_over = found.to_str().is_none() || folder.to_str().is_none();
            if passed_over && name.matches(&found.to_string_lossy()) {
                paths.push(folder.join(found));
            }
        }
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The folders that the part of a glob before its last name matches.
fn folders(uri: &str, above: &str) -> Result<Vec<PathBuf>> {
    if !is_pattern(above) {
        return Ok(vec![PathBuf::from(above)]);
    }
    let mut found = matching(uri, above)?;
    if let (higher, "**") = split(above) {
        // `**` may match no folder at all.
        found.extend(folders(uri, higher)?);
    }
    Ok(found)
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The part of a glob before its last name, and that name.
fn split(pattern: &str) -> (&str, &str) {
    match pattern.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some(parts) => parts,
        None => ("", pattern),
    }
}

/// A path as text: bytes that are not UTF-8 become `\xE9`, so that no two files look alike.
fn shown(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02X}");
        }
    }
    text
}

/// Whether an entry of a folder or glob is a data file: not hidden and no folder. A dangling link is an error, because
/// a delivery is missing; so is an entry that may not be read.
fn is_data(path: &Path, uri: &str) -> Result<bool> {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with(['.', '_']));
    if hidden {
        return Ok(false);
    }
    match path.metadata() {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(error) if error.kind() == ErrorKind::NotFound && !path.is_symlink() => Ok(false),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::SourceNotFound {
            uri: uri.to_owned(),
            expected: "the file that this link leads to; deliver it, or remove the link".to_owned(),
        }),
        Err(error) => Err(Error::storage(uri, "read the source", error)),
    }
}

fn join(folder: &str, path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| shown(Path::new(name)))
        .unwrap_or_default();
    format!("{}/{name}", folder.trim_end_matches('/'))
}
