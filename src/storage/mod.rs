//! Bytes and where they live. Tables and formats are unknown here.
//!
//! - [`source`] finds and opens what a caller names: files, folders, globs.
//! - [`Storage`] is a lake: a root folder that is changed only by a
//!   [`Transaction`], whose [`Transaction::commit`] is one atomic operation.
//! - [`local`] is the lake on a disk, `bucket` the one in a bucket (with the feature `cloud`).
//!
//! **The commit protocol.** On a disk, a transaction writes into a staging folder of its own beside the lake's content. Commit
//! makes everything durable (fsync), takes the lake's lock, checks that nobody changed what the transaction set out to
//! replace, and exchanges the old state for the new with one rename. A process killed at any moment leaves the old
//! state or the new one, and at worst a staging folder that the next transaction removes. In a bucket the same is done
//! with new objects and one conditional put of the lake's state: see `bucket/transaction.rs`.

#![expect(
    clippy::disallowed_methods,
    reason = "storage is where files are touched, and nowhere else"
)]

#[cfg(feature = "cloud")]
mod bucket;
mod commit;
mod digests;
mod hash;
mod hidden;
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

    /// The bytes of a file, or nothing where there is none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>>;

    /// The size of a file in bytes, or nothing where there is none.
    fn size(&self, path: &str) -> Result<Option<u64>>;

    /// Opens a file that must exist, for reading at any place. In a bucket it is a temporary copy on this machine.
    fn open_file(&self, path: &str) -> Result<std::fs::File>;

    /// Opens a file that must exist, for reading from its beginning to its end.
    fn open_stream(&self, path: &str) -> Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.open_file(path)?))
    }

    /// The names directly below a folder, sorted; none where there is no such folder.
    fn list(&self, path: &str) -> Result<Vec<String>>;

    /// Starts a transaction that will replace `units`: files or whole folders.
    fn begin(&self, units: &[String]) -> Result<Box<dyn Transaction>>;

    /// Keeps other processes from running the same thing, until the guard is dropped.
    fn reserve(&self, name: &str, sharing: Sharing) -> Result<Reservation>;

    /// Replaces one small file at once, outside of any transaction (reports).
    fn put(&self, path: &str, bytes: &[u8]) -> Result<()>;
}

/// Whether others may hold the same reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Only one holder.
    Alone,
    /// Any number of holders, but none that wants it alone.
    Shared,
}

/// A set of changes that happens as a whole or not at all. Dropping it without a commit changes nothing.
pub trait Transaction: Send {
    /// Where a path of the new state will stand, for messages.
    fn shown(&self, path: &str) -> String;

    /// Creates a file of the new state. Its path must lie in one of the units.
    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>>;

    /// Takes over a file of the old state unchanged.
    fn keep(&mut self, path: &str) -> Result<()>;

    /// A scratch file of this transaction: written, read again, and gone with the transaction.
    fn scratch(&mut self, name: &str) -> Result<std::fs::File>;

    /// Tells that what stands in a scratch file now will most likely be adopted, so that it may begin to be made durable.
    fn write_back(&mut self, _scratch: &std::fs::File) {}

    /// Makes a file of the new state of a scratch file, which [`Transaction::scratch`] gave under `name` and which has so many
    /// bytes of this SHA-256. Its path must lie in one of the units.
    fn adopt(
        &mut self,
        name: &str,
        scratch: std::fs::File,
        path: &str,
        bytes: u64,
        sha256: &str,
    ) -> Result<()>;

    /// Makes the new state the state. `unchanged_since` names files whose bytes must still be what the caller read when
    /// it began (nothing where there was no file); otherwise another run came first and this is a conflict.
    fn commit(self: Box<Self>, unchanged_since: &[(String, Option<Vec<u8>>)]) -> Result<()>;
}
