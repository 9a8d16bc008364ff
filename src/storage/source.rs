//! What a caller names as a source: a file, a folder, a glob, a `file://` URI; each becomes a list of files.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceFile {
    /// As the caller gave it, or as a folder or glob expanded to it.
    pub uri: String,
    path: PathBuf,
}

impl SourceFile {
    /// The file's own name.
    pub fn file_name(&self) -> String {
        self.path
            .file_name()
            .map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Opens the file for reading from its beginning.
    pub fn open(&self) -> Result<Box<dyn Read + Send>> {
        let file =
            File::open(&self.path).map_err(|source| Error::storage(&self.uri, "read the source", source))?;
        Ok(Box::new(file))
    }

    /// Its size in bytes.
    pub fn size(&self) -> Result<u64> {
        let metadata = self
            .path
            .metadata()
            .map_err(|source| Error::storage(&self.uri, "read the source", source))?;
        Ok(metadata.len())
    }
}

/// The files of one source argument. A folder gives the files directly in it, a glob what it matches, both sorted; hidden
/// files (`.name`, `_name`) are left out there.
pub fn expand(uri: &str, expected: &str) -> Result<Vec<SourceFile>> {
    let not_found = |found: &str| Error::SourceNotFound {
        uri: uri.to_owned(),
        expected: format!("{expected}{found}"),
    };
    if uri.trim().is_empty() {
        return Err(Error::argument("source", "a blank path", expected.to_owned()));
    }
    let path = local_path(uri)?;
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => {
            let files = files_in(uri, &path)?;
            if files.is_empty() {
                return Err(Error::EmptyFolder {
                    uri: uri.to_owned(),
                    expected: expected.to_owned(),
                });
            }
            Ok(files)
        }
        Ok(_) => Ok(vec![SourceFile {
            uri: uri.to_owned(),
            path,
        }]),
        Err(error) if error.kind() == ErrorKind::NotFound || error.kind() == ErrorKind::NotADirectory => {
            if !uri.contains(['*', '?', '[']) {
                return Err(not_found(""));
            }
            let files = files_matching(uri, &path)?;
            if files.is_empty() {
                return Err(not_found("; the glob matches no file"));
            }
            Ok(files)
        }
        Err(error) => Err(Error::storage(uri, "read the source", error)),
    }
}

/// The path of a local URI.
pub fn local_path(uri: &str) -> Result<PathBuf> {
    match uri.split_once("://") {
        None => Ok(PathBuf::from(uri)),
        Some(("file", rest)) => Ok(PathBuf::from(rest.strip_prefix("localhost").unwrap_or(rest))),
        Some((scheme, _)) => Err(Error::argument(
            uri.to_owned(),
            format!("the scheme `{scheme}://` is not supported"),
            "a local path or a file:// URI; copy the object to a local disk first",
        )),
    }
}

fn files_in(uri: &str, folder: &Path) -> Result<Vec<SourceFile>> {
    let denied = |source| Error::storage(uri, "list the folder", source);
    let mut files = Vec::new();
    for entry in folder.read_dir().map_err(denied)? {
        let path = entry.map_err(denied)?.path();
        if is_data(&path) {
            files.push(SourceFile {
                uri: join(uri, &path),
                path,
            });
        }
    }
    files.sort_by(|left, right| left.uri.cmp(&right.uri));
    Ok(files)
}

fn files_matching(uri: &str, pattern: &Path) -> Result<Vec<SourceFile>> {
    let malformed =
        |found: String| Error::argument(uri.to_owned(), found, "a path or a glob such as data/*.csv");
    let pattern = pattern
        .to_str()
        .ok_or_else(|| malformed("not UTF-8".to_owned()))?;
    let mut files = Vec::new();
    for path in glob::glob(pattern).map_err(|error| malformed(error.to_string()))? {
        let path = path.map_err(|error| Error::storage(uri, "list the folder", error.into()))?;
        if is_data(&path) {
            files.push(SourceFile {
                uri: path.to_string_lossy().into_owned(),
                path,
            });
        }
    }
    files.sort_by(|left, right| left.uri.cmp(&right.uri));
    Ok(files)
}

fn is_data(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with(['.', '_']));
    !hidden && path.is_file()
}

fn join(folder: &str, path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    format!("{}/{name}", folder.trim_end_matches('/'))
}
