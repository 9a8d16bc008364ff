//! Computes digests of a lake's files, to compare them with those of the manifest.

use std::io::{self, Read};

use super::{Digest256, Storage};
use crate::error::{Error, Refusal, Result};
use crate::task::Task;

/// Bytes that are hashed at once.
const PIECE: usize = 1 << 20;

const REMEDY: &str = "delete the file and run the step that writes it again for its date; `drugs-rs lake verify` lists every file \
                      that differs";

/// The source of an error about a file that differs from what was written.
pub fn damage(found: &str, expected: &str) -> io::Error {
    let found = format!(
        "its bytes are not those that were written (SHA-256 {found}, and the manifest says {expected})"
    );
    // Not `InvalidData`, which readers take for a fault of the source.
    io::Error::other(Refusal {
        found,
        remedy: REMEDY,
    })
}

pub fn digest_of_stream(storage: &dyn Storage, path: &str, task: &Task) -> Result<String> {
    digest_of(storage.open_stream(path)?, storage, path, task)
}

/// The SHA-256 of a table that is read in pieces later. In a bucket, the copy that is hashed is the one that is read.
pub fn digest_of_file(storage: &dyn Storage, path: &str, task: &Task) -> Result<String> {
    digest_of(Box::new(storage.open_file(path)?), storage, path, task)
}

fn digest_of(file: Box<dyn Read + Send>, storage: &dyn Storage, path: &str, task: &Task) -> Result<String> {
    let failed = |_, error| Error::storage(format!("{}/{path}", storage.root()), "read", error);
    let digest = Digest256::default();
    task.read_pieces(file, PIECE, failed, |piece| {
        digest.add(piece);
        Ok(())
    })?;
    Ok(digest.finish().1)
}
