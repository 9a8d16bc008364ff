//! Unnamed files for what is too large for memory and of no use to anybody else: gone when they are closed, whoever is
//! killed.

#![expect(
    clippy::disallowed_methods,
    reason = "with storage, this is where files are touched"
)]

use std::fs::File;
use std::io;

/// A new file in the folder for temporary files (`TMPDIR`), which nobody else can open.
pub(crate) fn unnamed() -> io::Result<File> {
    tempfile::tempfile()
}

/// The same file once more, with a place of its own in it.
#[cfg(feature = "cloud")]
pub(crate) fn reopened(file: &File) -> io::Result<File> {
    use std::os::fd::AsRawFd;
    match File::open(format!("/proc/self/fd/{}", file.as_raw_fd())) {
        Ok(file) => Ok(file),
        // Without `/proc`, both handles share one position, so every reader must seek first.
        Err(_) => file.try_clone(),
    }
}
