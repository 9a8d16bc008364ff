//! Every file of a lake's current state, held against the digest in its manifest.

use std::io::{ErrorKind, Read};

use serde::{Deserialize, Serialize};

use super::bronze::BronzeManifest;
use super::dt::Dt;
use super::layout;
use super::manifest;
use super::report::Output;
use super::silver::SilverManifest;
use crate::error::{Error, Result};
use crate::schema::SourceTable;
use crate::storage::{Digest256, Storage};
use crate::task::Task;

/// The bytes that are hashed at once.
const PIECE: usize = 1 << 20;

/// The most files that a message names; the report names all.
const MOST_NAMED: usize = 5;

/// What a look at all files found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub lake: String,
    /// How many files the manifests name.
    pub files: u64,
    pub bytes: u64,
    /// The files that are not as they were written, by their paths.
    pub damaged: Vec<Damage>,
}

/// A file that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Relative to the lake.
    pub path: String,
    pub found: String,
    pub expected_sha256: String,
}

impl Verification {
    /// Fails where a file is not as it was written.
    pub fn check(&self) -> Result<()> {
        if self.damaged.is_empty() {
            return Ok(());
        }
        let named: Vec<&str> = self.damaged.iter().map(|damage| damage.path.as_str()).collect();
        let mut listed = named[..named.len().min(MOST_NAMED)].join(", ");
        if named.len() > MOST_NAMED {
            listed.push_str(&format!(" and {} more", named.len() - MOST_NAMED));
        }
        Err(Error::format(
            &self.lake,
            format!("{} of {} files", self.damaged.len(), self.files),
            format!("not as they were written: {listed}"),
            "delete each of them and run the step that writes it again for its date: bronze, then silver, then gold",
        ))
    }
}

/// What is needed of `gold/_manifest.json`.
#[derive(Deserialize)]
pub(super) struct Published {
    pub outputs: Vec<Output>,
}

/// Reads every file of the current state.
pub fn verify(storage: &dyn Storage, task: &Task) -> Result<Verification> {
    let mut found = Verification {
        lake: storage.root(),
        files: 0,
        bytes: 0,
        damaged: Vec::new(),
    };
    for output in stored(storage)? {
        found.files += 1;
        found.bytes += output.bytes;
        if let Some(fault) = fault(storage, &output, task)? {
            found.damaged.push(Damage {
                path: output.path,
                found: fault,
                expected_sha256: output.sha256,
            });
        }
    }
    found.damaged.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

/// The files that the manifests name.
fn stored(storage: &dyn Storage) -> Result<Vec<Output>> {
    let mut stored = Vec::new();
    let partitions = |folder: String| -> Result<Vec<String>> {
        let names = storage.list(&folder)?.into_iter();
        let dates = names.filter(|name| Dt::of_folder(name).is_some());
        Ok(dates.map(|name| format!("{folder}/{name}")).collect())
    };
    for source in storage.list(layout::BRONZE)? {
        for folder in partitions(layout::bronze_source(&source))? {
            let (manifest, _) =
                manifest::read::<BronzeManifest>(storage, format!("{folder}/{}", layout::MANIFEST))?;
            let files = manifest.ok_or_else(|| no_manifest(storage, &folder))?.files;
            stored.extend(files.into_iter().map(|file| Output {
                path: format!("{folder}/{}", file.file),
                rows: 0,
                bytes: file.bytes,
                sha256: file.sha256,
            }));
        }
    }
    for table in SourceTable::ALL {
        for folder in partitions(layout::silver_table(table))? {
            let (manifest, _) =
                manifest::read::<SilverManifest>(storage, format!("{folder}/{}", layout::MANIFEST))?;
            stored.extend(manifest.ok_or_else(|| no_manifest(storage, &folder))?.outputs);
        }
    }
    let (gold, _) = manifest::read::<Published>(storage, layout::GOLD_MANIFEST.to_owned())?;
    stored.extend(gold.map(|gold| gold.outputs).unwrap_or_default());
    Ok(stored)
}

fn no_manifest(storage: &dyn Storage, folder: &str) -> Error {
    Error::SourceNotFound {
        uri: format!("{}/{folder}/{}", storage.root(), layout::MANIFEST),
        expected: "the manifest of a partition; run the step that writes it again".to_owned(),
    }
}

/// What is wrong with a file.
fn fault(storage: &dyn Storage, output: &Output, task: &Task) -> Result<Option<String>> {
    task.check()?;
    let Some(size) = storage.size(&output.path)? else {
        return Ok(Some("no such file".to_owned()));
    };
    if size != output.bytes {
        return Ok(Some(format!("{size} bytes, and {} were written", output.bytes)));
    }
    match digest(storage, &output.path, task) {
        Ok(digest) if digest == output.sha256 => Ok(None),
        Ok(digest) => Ok(Some(format!("other bytes, with the SHA-256 {digest}"))),
        // A lake in a bucket looks at digests itself where it reads small objects.
        Err(Error::Storage { source, .. }) if source.kind() == ErrorKind::InvalidData => {
            Ok(Some("other bytes".to_owned()))
        }
        Err(error) => Err(error),
    }
}

fn digest(storage: &dyn Storage, path: &str, task: &Task) -> Result<String> {
    digest_of(storage.open_stream(path)?, storage, path, task)
}

/// The SHA-256 of a table that is read in pieces later. In a bucket the copy that is read then is the one that is hashed.
pub(super) fn digest_of_table(storage: &dyn Storage, path: &str, task: &Task) -> Result<String> {
    digest_of(Box::new(storage.open_file(path)?), storage, path, task)
}

fn digest_of(
    mut file: Box<dyn Read + Send>,
    storage: &dyn Storage,
    path: &str,
    task: &Task,
) -> Result<String> {
    let failed = |error| Error::storage(format!("{}/{path}", storage.root()), "read", error);
    let digest = Digest256::default();
    let mut piece = vec![0; PIECE];
    loop {
        task.check()?;
        match file.read(&mut piece) {
            Ok(0) => return Ok(digest.finish().1),
            Ok(read) => digest.add(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}
