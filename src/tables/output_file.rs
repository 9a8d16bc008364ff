//! A file of a lake as it was written: its size and its digest.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::storage::{Storage, damage, digest_of_file};
use crate::task::Task;

/// A file that a step wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    /// Relative to the lake.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    pub sha256: String,
}

impl OutputFile {
    /// Whether the lake still holds the file at its written size; does not read it.
    pub(crate) fn stands(&self, storage: &dyn Storage) -> Result<bool> {
        Ok(storage.size(&self.path)? == Some(self.bytes))
    }

    /// Whether the lake still holds the file with the bytes that were written; reads all of it.
    pub(crate) fn is_intact(&self, storage: &dyn Storage, task: &Task) -> Result<bool> {
        Ok(self.stands(storage)? && digest_of_file(storage, &self.path, task)? == self.sha256)
    }

    /// Fails where its bytes are not those that were written; reads all of it.
    pub(crate) fn check(&self, storage: &dyn Storage, task: &Task) -> Result<()> {
        let found = digest_of_file(storage, &self.path, task)?;
        if found == self.sha256 {
            return Ok(());
        }
        let uri = format!("{}/{}", storage.root(), self.path);
        Err(Error::storage(uri, "read", damage(&found, &self.sha256)))
    }
}
