//! Checks every file of a lake's current state against the digest in its manifest.

use std::io::ErrorKind;

use serde::{Deserialize, Serialize};

use super::documents::{BronzeManifest, HeldDate, PublishedGold, SilverManifest};
use super::dt::Dt;
use super::partitions::delivered_dates;
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::schema::SourceTable;
use crate::storage::{Storage, digest_of_stream};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// At most this many files in the message; the report lists all.
const MOST_NAMED: usize = 5;

/// The result of checking all files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub lake: String,
    /// The number of manifests and of the files that they list.
    pub files: u64,
    pub bytes: u64,
    /// The files that differ from what was written, by path.
    pub damaged: Vec<Damage>,
}

/// A file that differs from what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// Relative to the lake.
    pub path: String,
    pub found: String,
    /// `None` for a manifest without a valid digest of its own.
    pub expected_sha256: Option<String>,
}

impl Verification {
    /// Fails if any file differs from what was written.
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

/// Reads and checks every file of the current state.
pub fn verify(storage: &dyn Storage, task: &Task) -> Result<Verification> {
    let mut looking = VerifyWalk {
        storage,
        task,
        found: Verification {
            lake: storage.root(),
            files: 0,
            bytes: 0,
            damaged: Vec::new(),
        },
    };
    looking.all()?;
    let mut found = looking.found;
    if found.files == 0 {
        return Err(Error::SourceNotFound {
            uri: storage.root(),
            expected: "the root of a lake, with `bronze`, `silver` or `gold` in it".to_owned(),
        });
    }
    found.damaged.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

/// A check of all files in progress.
struct VerifyWalk<'l> {
    storage: &'l dyn Storage,
    task: &'l Task,
    found: Verification,
}

impl VerifyWalk<'_> {
    fn all(&mut self) -> Result<()> {
        for source in self.storage.list(layout::BRONZE)? {
            for folder in self.partitions(&layout::bronze_source(&source))? {
                let files = self
                    .manifest_of::<BronzeManifest>(&folder)?
                    .map(|found| found.files);
                for file in files.unwrap_or_default() {
                    self.file(OutputFile {
                        path: format!("{folder}/{}", file.file),
                        rows: 0,
                        bytes: file.bytes,
                        sha256: file.sha256,
                    })?;
                }
            }
        }
        for table in SourceTable::ALL {
            for dt in delivered_dates(self.storage, table)? {
                let found = self.manifest::<SilverManifest>(layout::silver_manifest(table, dt))?;
                self.files(found.flatten().map(|found| found.outputs))?;
            }
        }
        for name in self.storage.list(layout::HELD)? {
            if let Some(dt) = layout::date_of_file(&name) {
                self.manifest::<HeldDate>(layout::held(dt))?;
            }
        }
        let gold = self.manifest::<PublishedGold>(layout::GOLD_MANIFEST.to_owned())?;
        if gold.is_none() && self.storage.size(layout::DRUG_GRAPH)?.is_some() {
            return Err(no_manifest(self.storage, layout::GOLD));
        }
        self.files(gold.flatten().map(|gold| gold.outputs))
    }

    fn partitions(&self, folder: &str) -> Result<Vec<String>> {
        let names = self.storage.list(folder)?.into_iter();
        let dates = names.filter(|name| Dt::of_folder(name).is_some());
        Ok(dates.map(|name| format!("{folder}/{name}")).collect())
    }

    /// The manifest of a partition, which must exist; `None` if it is damaged.
    fn manifest_of<M: for<'de> Deserialize<'de>>(&mut self, folder: &str) -> Result<Option<M>> {
        let found = self.manifest(format!("{folder}/{}", layout::MANIFEST))?;
        found.ok_or_else(|| no_manifest(self.storage, folder))
    }

    /// A manifest; `None` if there is none, `Some(None)` if it is damaged.
    fn manifest<M: for<'de> Deserialize<'de>>(&mut self, path: String) -> Result<Option<Option<M>>> {
        self.task.check()?;
        let fault = match self.storage.read(&path) {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => {
                self.found.bytes += bytes.len() as u64;
                manifest::parse(&bytes).map_err(manifest::ManifestFault::told)
            }
            Err(error) if is_other_bytes(&error) => Err(("other bytes".to_owned(), None)),
            Err(error) => return Err(error),
        };
        self.found.files += 1;
        let found = fault.map_err(|(found, expected_sha256)| {
            let found = format!("{found}; the files that it names were not looked at");
            self.found.damaged.push(Damage {
                path,
                found,
                expected_sha256,
            });
        });
        Ok(Some(found.ok()))
    }

    fn files(&mut self, outputs: Option<Vec<OutputFile>>) -> Result<()> {
        let mut outputs = outputs.unwrap_or_default().into_iter();
        outputs.try_for_each(|output| self.file(output))
    }

    fn file(&mut self, output: OutputFile) -> Result<()> {
        self.found.files += 1;
        self.found.bytes += output.bytes;
        if let Some(found) = fault(self.storage, &output, self.task)? {
            self.found.damaged.push(Damage {
                path: output.path,
                found,
                expected_sha256: Some(output.sha256),
            });
        }
        Ok(())
    }
}

fn no_manifest(storage: &dyn Storage, folder: &str) -> Error {
    Error::SourceNotFound {
        uri: format!("{}/{folder}/{}", storage.root(), layout::MANIFEST),
        expected: "the manifest of the files beside it; run the step that writes them again".to_owned(),
    }
}

/// What is wrong with a file; `None` if nothing is.
fn fault(storage: &dyn Storage, output: &OutputFile, task: &Task) -> Result<Option<String>> {
    task.check()?;
    let Some(size) = storage.size(&output.path)? else {
        return Ok(Some("no such file".to_owned()));
    };
    if size != output.bytes {
        return Ok(Some(format!("{size} bytes, and {} were written", output.bytes)));
    }
    match digest_of_stream(storage, &output.path, task) {
        Ok(digest) if digest == output.sha256 => Ok(None),
        Ok(digest) => Ok(Some(format!("other bytes, with the SHA-256 {digest}"))),
        Err(error) if is_other_bytes(&error) => Ok(Some("other bytes".to_owned())),
        Err(error) => Err(error),
    }
}

/// Whether the error is a wrong digest: a bucket lake checks digests itself when it reads small objects.
fn is_other_bytes(error: &Error) -> bool {
    matches!(error, Error::Storage { source, .. } if source.kind() == ErrorKind::InvalidData)
}
