//! Writes one file that a caller named, outside of a lake.

#[cfg(feature = "cloud")]
use super::replace_object;
use super::uri::Location;
use super::{LocalStorage, Storage, WriteTarget, write_target};
use crate::error::{Error, Result};
use crate::task::Task;

/// Writes one file whole or not at all: by the commit protocol in its folder, which must exist, or as one object.
pub fn write_file(path: &str, bytes: &[u8], task: &Task) -> Result<()> {
    let path = match Location::parse(path)? {
        Location::Local(path) => path,
        #[cfg(feature = "cloud")]
        Location::Bucket(uri) => return replace_object(&uri, bytes, task),
        #[cfg(not(feature = "cloud"))]
        Location::Bucket(_) => super::uri::local_path(path)?,
    };
    task.check()?;
    let path = write_target(&path, WriteTarget::File)?;
    let parent = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = parent.map_or_else(|| ".".into(), ToOwned::to_owned);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    if !folder.is_dir() {
        let found = std::io::ErrorKind::NotFound.into();
        return Err(Error::storage(
            path.display(),
            "write, because there is no such folder",
            found,
        ));
    }
    LocalStorage::existing(folder)?.plain().put(&name, bytes)
}
