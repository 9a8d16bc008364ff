//! Manifests: the small JSON files whose bytes are the state of a partition.
//!
//! Whoever reads a partition keeps the [`Version`] of its manifest and hands it to the commit, which refuses when
//! somebody replaced the partition in between. So no table is ever made from the halves of two deliveries.

use std::io::{BufWriter, Write};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::storage::{Storage, Transaction};

/// A manifest's path and its bytes as they were read; nothing where there was none.
pub(super) type Version = (String, Option<Vec<u8>>);

/// Reads a manifest, nothing where there is none, and its version.
pub(super) fn read<M: for<'de> Deserialize<'de>>(
    storage: &dyn Storage,
    path: String,
) -> Result<(Option<M>, Version)> {
    let Some(bytes) = storage.read(&path)? else {
        return Ok((None, (path, None)));
    };
    let manifest = serde_json::from_slice(&bytes).map_err(|error| {
        let uri = format!("{}/{path}", storage.root());
        let place = format!("line {} column {}", error.line(), error.column());
        Error::format(uri, place, error.to_string(), "run the step that writes it again")
    })?;
    Ok((Some(manifest), (path, Some(bytes))))
}

/// The conflict of the first of some manifests that is not as it was read.
pub(super) fn first_changed(storage: &dyn Storage, versions: &[Version]) -> Result<Option<Error>> {
    for (path, before) in versions {
        if storage.read(path)? != *before {
            return Ok(Some(Error::Conflict {
                path: format!("{}/{path}", storage.root()),
                found: "another run replaced it with different content meanwhile".to_owned(),
            }));
        }
    }
    Ok(None)
}

/// A manifest as the bytes of its file.
pub(super) fn to_bytes(manifest: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(manifest).map_err(|error| Error::Internal {
        message: format!("the manifest as JSON: {error}"),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes a manifest as [`to_bytes`] gives it, without holding those bytes: it may name a hundred thousand files.
pub(super) fn write(transaction: &mut dyn Transaction, path: &str, manifest: &impl Serialize) -> Result<()> {
    let file = transaction.create(path)?;
    let shown = transaction.shown(path);
    let mut file = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, manifest)
        .map_err(std::io::Error::from)
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.flush())
        .map_err(|error| Error::storage(shown, "write", error))
}

/// Writes all of a small file.
pub(super) fn write_bytes(transaction: &mut dyn Transaction, path: &str, bytes: &[u8]) -> Result<()> {
    let mut file = transaction.create(path)?;
    let shown = transaction.shown(path);
    file.write_all(bytes)
        .and_then(|()| file.flush())
        .map_err(|error| Error::storage(shown, "write", error))
}
