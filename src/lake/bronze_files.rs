//! The files of bronze that silver reads, checked against the digests of their manifests.
//!
//! A file that is read sequentially is hashed while it is read; one that is read in pieces is hashed before. If the
//! bytes differ from those that bronze copied, the damage is reported and not the reader's error.

use std::io::{self, Read};

use super::documents::{BronzeFile, BronzeManifest, SnapshotClaim};
use super::dt::Dt;
use super::manifest::Version;
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::formats::{Input, PARQUET_TYPE, ReadOptions};
use crate::schema::SourceTable;
use crate::storage::{Digest256, Storage, damage, digest_of_file};
use crate::task::Task;

/// A file of bronze and its path in the lake.
pub(crate) struct InputFile {
    pub path: String,
    pub file: BronzeFile,
}

/// The bronze partitions of a table at `dt`, sorted by source, each with the version of its manifest.
fn manifests(storage: &dyn Storage, table: SourceTable, dt: Dt) -> Result<Vec<(BronzeManifest, Version)>> {
    let mut found = Vec::new();
    for source in storage.list(layout::BRONZE)? {
        let path = format!("{}/{}", layout::bronze(&source, dt), layout::MANIFEST);
        let (manifest, version) = manifest::read::<BronzeManifest>(storage, path)?;
        if let Some(manifest) = manifest.filter(|manifest| manifest.table == table) {
            found.push((manifest, version));
        }
    }
    Ok(found)
}

/// What bronze has of a table at one date.
pub(crate) struct BronzeInputs {
    pub files: Vec<InputFile>,
    /// The rows that people corrected, which are no source.
    pub corrections: Option<InputFile>,
    /// The versions of the manifests that name the files.
    pub versions: Vec<Version>,
    /// If one of the sources is a snapshot, the date is.
    pub snapshot: Option<SnapshotClaim>,
}

/// The files of a table at `dt`.
pub(crate) fn find_inputs(storage: &dyn Storage, table: SourceTable, dt: Dt) -> Result<BronzeInputs> {
    let mut inputs = Vec::new();
    let mut versions = Vec::new();
    let mut snapshot = None;
    let mut corrections = Vec::new();
    for (manifest, version) in manifests(storage, table, dt)? {
        versions.push(version);
        snapshot = snapshot.or(manifest.snapshot);
        let folder = layout::bronze(&manifest.source, dt);
        let files = manifest.files.into_iter().map(|file| InputFile {
            path: format!("{folder}/{}", file.file),
            file,
        });
        if manifest.corrections {
            corrections.extend(files);
        } else {
            inputs.extend(files);
        }
    }
    Ok(BronzeInputs {
        files: inputs,
        corrections: corrections.pop(),
        versions,
        snapshot,
    })
}

impl InputFile {
    fn uri(&self, storage: &dyn Storage) -> String {
        format!("{}/{}", storage.root(), self.path)
    }

    fn check_size(&self, storage: &dyn Storage) -> Result<()> {
        // Silver must read exactly what bronze copied; a copy that was truncated at the end of a line would pass as
        // whole.
        let (size, copied) = (storage.size(&self.path)?, self.file.bytes);
        if size.is_some_and(|size| size != copied) {
            return Err(Error::format(
                self.uri(storage),
                format!("byte {}", size.unwrap_or_default()),
                format!(
                    "the copy ends here, and bronze copied {copied} bytes of {}",
                    self.file.uri
                ),
                "run the bronze step of that dt again",
            ));
        }
        Ok(())
    }

    /// Compares the whole file with its digest.
    pub(crate) fn check(&self, storage: &dyn Storage, task: &Task) -> Result<()> {
        self.check_size(storage)?;
        let found = digest_of_file(storage, &self.path, task)?;
        if found == self.file.sha256 {
            return Ok(());
        }
        Err(Error::storage(
            self.uri(storage),
            "read",
            damage(&found, &self.file.sha256),
        ))
    }

    /// Opens the file under the name of its source.
    pub(crate) fn open(&self, storage: &dyn Storage, reading: ReadOptions, task: &Task) -> Result<Input> {
        self.check_size(storage)?;
        let opened = if self.file.media_type == PARQUET_TYPE {
            // Parquet is read from its end, so the file is checked before.
            self.check(storage, task)?;
            Input::of_file(&self.file.uri, storage.open_file(&self.path)?, reading)
        } else {
            let checked = Checked {
                inner: storage.open_stream(&self.path)?,
                digest: Digest256::default(),
                bytes: self.file.bytes,
                sha256: self.file.sha256.clone(),
            };
            Input::new(&self.file.uri, Box::new(checked), reading)
        };
        Ok(opened?.under(task))
    }
}

/// A reader that returns the last bytes only if the digest of all bytes is right.
struct Checked {
    inner: Box<dyn Read + Send>,
    digest: Digest256,
    bytes: u64,
    sha256: String,
}

impl Read for Checked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.add(&buffer[..read]);
        let at_end = self.digest.bytes() >= self.bytes || (read == 0 && !buffer.is_empty());
        if at_end {
            let (_, found) = self.digest.finish();
            if found != self.sha256 {
                return Err(damage(&found, &self.sha256));
            }
        }
        Ok(read)
    }
}

/// Whether damage of a file may have caused an error. This includes errors that look internal, and the error of
/// [`Checked`], which a reader reports with the name of the source.
pub(crate) fn may_be_damage(error: &Error) -> bool {
    let told = matches!(error, Error::Storage { source, .. } if source.kind() == io::ErrorKind::Other);
    told || error.is_of_a_file() || matches!(error, Error::Internal { .. } | Error::Conservation { .. })
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, ErrorKind};

    use super::*;
    use crate::storage::sha256_hex;

    fn read(bytes: &[u8], written: &[u8]) -> io::Result<Vec<u8>> {
        let mut checked = Checked {
            inner: Box::new(Cursor::new(bytes.to_vec())),
            digest: Digest256::default(),
            bytes: written.len() as u64,
            sha256: sha256_hex(written),
        };
        let mut all = Vec::new();
        checked.read_to_end(&mut all).map(|_| all)
    }

    #[test]
    fn bytes_that_were_not_written_do_not_pass() {
        assert_eq!(read(b"abc", b"abc").ok().as_deref(), Some(&b"abc"[..]));
        assert_eq!(read(b"", b"").ok().as_deref(), Some(&b""[..]));
        for other in [&b"abd"[..], b"ab", b"abcd"] {
            let error = read(other, b"abc")
                .err()
                .map(|error| (error.kind(), error.to_string()));
            assert!(
                error.is_some_and(|(kind, text)| kind == ErrorKind::Other && text.contains("SHA-256")),
                "{other:?}"
            );
        }
    }
}
