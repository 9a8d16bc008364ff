//! Bytes and where they are stored. This module does not know tables or formats.
//!
//! - [`source`] expands and opens what a caller names: files, folders, globs.
//! - [`Storage`] is a lake: a root folder that only a [`Transaction`] changes; [`Transaction::commit`] is atomic.
//! - [`local`] is the lake on a disk, `bucket` the one in a bucket (with the feature `cloud`).
//!
//! **The commit protocol.** On a disk, a transaction writes into its own staging folder beside the lake's content. The
//! commit makes everything durable (fsync), takes the lake's lock, checks that nobody has changed what the transaction
//! replaces, writes a journal if more than one unit changes, and renames each unit into place: its cost is that of the
//! change. A process killed at any moment leaves the old state, or a journal from which the next opener finishes the new
//! one, and at worst a staging folder that the next transaction removes. In a bucket, new objects and one conditional
//! put of the lake's state do the same: see `bucket/transaction.rs`.

#![expect(
    clippy::disallowed_methods,
    reason = "storage is where files are touched, and nowhere else"
)]

#[cfg(feature = "cloud")]
mod bucket;
mod commit;
mod digests;
#[cfg(feature = "cloud")]
mod download_folder;
mod hash;
mod hidden;
pub mod home;
mod inside;
pub mod local;
mod lock;
mod one_file;
mod reservation;
pub mod source;
mod staging;
pub mod uri;
mod write_back;

use std::io::{Read, Write};

#[cfg(feature = "cloud")]
pub use bucket::{BucketLake, SpecialPaths, replace_object};
pub use digests::{damage, digest_of_file, digest_of_stream};
#[cfg(feature = "cloud")]
pub(crate) use download_folder::{DownloadFolder, PartialFile};
pub use hash::{Digest256, HashingWriter, sha256_hex};
pub use inside::{WriteTarget, write_target};
pub use local::LocalStorage;
pub use one_file::write_file;
pub use reservation::Reservation;

use crate::error::Result;

/// A lake's root. Paths are relative, with `/` between their parts.
pub trait Storage: Send + Sync {
    /// The root, for messages.
    fn root(&self) -> String;

    /// The URI or path under which other programs open an existing file.
    fn uri(&self, path: &str) -> Result<String>;

    /// The bytes of a file; `None` if there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>>;

    /// The size of a file in bytes; `None` if there is none.
    fn size(&self, path: &str) -> Result<Option<u64>>;

    /// Opens an existing file for random access. In a bucket this is a temporary copy on this machine.
    fn open_file(&self, path: &str) -> Result<std::fs::File>;

    /// Opens an existing file for sequential reading.
    fn open_stream(&self, path: &str) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.open_file(path)?))
    }

    /// The names directly below a folder, sorted; empty if there is no such folder.
    fn list(&self, path: &str) -> Result<Vec<String>>;

    /// Starts a transaction that will replace `units`: files or whole folders.
    fn begin(&self, units: &[String]) -> Result<Box<dyn Transaction>>;

    /// Reserves a name until the guard is dropped; an error if another process holds it. A bucket has no reservations:
    /// it only loads the newest state, and the commit detects conflicts.
    fn reserve(&self, name: &str, sharing: Sharing) -> Result<Reservation>;

    /// Replaces one small file at once, outside of any transaction (reports).
    fn put(&self, path: &str, bytes: &[u8]) -> Result<()>;
}

/// Whether others may hold the same reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Only one holder.
    Alone,
    /// Any number of shared holders, but no exclusive one.
    Shared,
}

/// A set of changes that is applied whole or not at all. Dropping it without a commit changes nothing.
pub trait Transaction: Send {
    /// The final location of a path of the new state, for messages.
    fn shown(&self, path: &str) -> String;

    /// Creates a file of the new state. Its path must lie in one of the units.
    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>>;

    /// Adds a unit. Without a new file below it, the commit removes what is there.
    fn replace(&mut self, unit: &str) -> Result<()>;

    /// Lets the file at `path`, which the commit replaces or removes, stay as `kept`; without a copy. There may be none at
    /// `path`.
    fn keep(&mut self, path: &str, kept: &str) -> Result<()>;

    /// A scratch file of this transaction, for writing and reading; it is removed with the transaction.
    fn scratch(&mut self, name: &str) -> Result<std::fs::File>;

    /// Announces that the current content of a scratch file will most likely be adopted, so that it can be made durable
    /// early.
    fn write_back(&mut self, _scratch: &std::fs::File) {}

    /// Turns a scratch file, which [`Transaction::scratch`] returned for `name`, into a file of the new state. It has
    /// `bytes` bytes with this SHA-256. Its path must lie in one of the units.
    fn adopt(
        &mut self,
        name: &str,
        scratch: std::fs::File,
        path: &str,
        bytes: u64,
        sha256: &str,
    ) -> Result<()>;

    /// Makes the new state current. `unchanged_since` names files whose bytes must still be those that the caller read
    /// when it began (`None` for a file that did not exist); otherwise another run was first, and this is a conflict.
    fn commit(self: Box<Self>, unchanged_since: &[(String, Option<Vec<u8>>)]) -> Result<()>;
}
