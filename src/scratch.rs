//! Unnamed files for what is too large for memory and of no use to anybody else: gone when they are closed, whoever is
//! killed.

#![expect(
    clippy::disallowed_methods,
    reason = "with storage, this is where files are touched"
)]

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A new file in the folder for temporary files (`TMPDIR`), which this user alone can read.
pub(crate) fn unnamed() -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("drugs_rs-{}-{number}", std::process::id()));
        let opened = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        match opened {
            Ok(file) => {
                fs::remove_file(&path)?;
                return Ok(file);
            }
            // Left by a process of the same number that was killed between the two.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// The same file once more, with a place of its own in it.
#[cfg(feature = "cloud")]
pub(crate) fn reopened(file: &File) -> io::Result<File> {
    use std::os::fd::AsRawFd;
    match File::open(format!("/proc/self/fd/{}", file.as_raw_fd())) {
        Ok(file) => Ok(file),
        // Where there is no such file system, both share their place; whoever reads seeks first.
        Err(_) => file.try_clone(),
    }
}
