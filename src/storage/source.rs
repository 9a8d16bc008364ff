//! What a caller names as a source: a file, a folder, a glob, a URI; each becomes a list of files.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

#[cfg(feature = "cloud")]
use super::bucket::{self, ObjectFile};
use super::hidden::is_below_hidden;
use super::uri::Location;
use crate::error::{Error, Result};
use crate::task::{Patient, Task, waiting};

/// One file of a source.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// As the caller gave it, or as a folder or glob expanded to it.
    pub uri: String,
    place: FilePlace,
}

#[derive(Debug, Clone)]
enum FilePlace {
    Local(PathBuf),
    #[cfg(feature = "cloud")]
    Object(ObjectFile),
}

/// Two names are two files, whatever stands there.
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
                // It may be a pipe, which waits for its writer.
                let file = waiting(|| File::open(path))
                    .map_err(|source| Error::storage(&self.uri, "read the source", source))?;
                Ok(Box::new(Patient(file)))
            }
            #[cfg(feature = "cloud")]
            FilePlace::Object(object) => object.open(),
        }
    }

    /// Opens the file itself, for formats that are read from their end; nothing for what has none: a pipe, an object.
    pub fn open_file(&self) -> Result<Option<File>> {
        let failed = |source| Error::storage(&self.uri, "read the source", source);
        match &self.place {
            FilePlace::Local(path) => {
                // A pipe is not even opened: whoever writes into it would find its reader gone.
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

/// The files that were met, whatever their spelling: `a.csv`, `./a.csv`, `in/../a.csv`, `file:///data/a.csv`. A file is its
/// name in its folder, so a link to a file is another one, and a file in a folder that a link leads to is not.
#[derive(Default)]
struct KnownFiles {
    files: HashSet<PathBuf>,
    /// Folders as they were spelled, and where they are: most files stand in few.
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

/// The files of one source argument. A folder gives the files directly in it, a glob what it matches, both sorted; hidden
/// files (`.name`, `_name`) are left out there. A file whose own name is that glob is one of them. In a bucket the same rules hold, and the task is asked while waiting.
pub fn expand(uri: &str, expected: &str, task: &Task) -> Result<Vec<SourceFile>> {
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
    // A file that is named like a glob is one of the files that the glob means, and takes no other's place.
    if is_pattern(uri) {
        match files_matching(uri, &path) {
            Ok(matching) => files.extend(matching),
            // What is no glob may still be a name.
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

/// What a glob matches. The library passes over names that are not UTF-8; they are looked for here.
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
        // A plain name is a text, and need not be looked for among others. Whether it is there may be hidden, though.
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

/// The folders that the part of a glob before its last name stands for.
fn folders(uri: &str, above: &str) -> Result<Vec<PathBuf>> {
    if !is_pattern(above) {
        return Ok(vec![PathBuf::from(above)]);
    }
    let mut found = matching(uri, above)?;
    if let (higher, "**") = split(above) {
        // It may stand for no folder at all.
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

/// A path as a text: bytes that are none stand as `\xE9`, so that no two files look alike.
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

/// Whether what a folder or a glob holds is a file with data: no hidden one and no folder. A link whose file is gone stands for
/// a delivery that is missing, and what may not be looked at may be one: nobody should have to find out by counting.
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
