//! Manifests: the small JSON files whose bytes are the state of a partition.
//!
//! A step that reads a partition passes the [`Version`] of its manifest to the commit, which fails if the partition was
//! replaced meanwhile. So no table mixes two deliveries.
//!
//! A manifest is checked against itself, because no other file holds its digest: its last field, `sha256`, is the
//! digest of all bytes of the file before that field's value. A manifest of an earlier version, without that field, is
//! not checked.

use std::io::{self, BufWriter, Write};

use serde::{Deserialize, Serialize, Serializer};

use super::documents::first_format;
use super::layout;
use crate::error::{Error, Refusal, Result};
use crate::schema::TABLE_FORMAT;
use crate::storage::{Digest256, HashingWriter, Storage, Transaction, sha256_hex};

/// A manifest's path and its bytes as they were read; `None` if it did not exist.
pub(crate) type Version = (String, Option<Vec<u8>>);

/// Why some bytes are not a valid manifest.
pub(crate) enum ManifestFault {
    /// Damaged: the digest of the bytes, and the digest in the last field.
    Damaged {
        found: String,
        written: String,
    },
    Unreadable(serde_json::Error),
    /// Of this format, which a newer version writes.
    Newer(u32),
}

impl ManifestFault {
    /// The message, and the digest that was expected.
    pub(crate) fn told(self) -> (String, Option<String>) {
        match self {
            Self::Damaged { found, written } => {
                (format!("other bytes, with the SHA-256 {found}"), Some(written))
            }
            Self::Unreadable(error) => (format!("no manifest: {error}"), None),
            Self::Newer(format) => (newer(format), None),
        }
    }

    fn into_error(self, storage: &dyn Storage, path: &str) -> Error {
        let uri = format!("{}/{path}", storage.root());
        match self {
            Self::Damaged { found, written } => {
                let refusal = Refusal {
                    found: format!(
                        "its bytes are not those that were written (SHA-256 {found}, and its last field says {written})"
                    ),
                    remedy: remedy(path),
                };
                Error::storage(uri, "read", io::Error::other(refusal))
            }
            Self::Unreadable(error) => {
                let place = format!("line {} column {}", error.line(), error.column());
                Error::format(uri, place, error.to_string(), remedy(path))
            }
            Self::Newer(format) => Error::format(uri, "the format", newer(format), "upgrade drugs_rs"),
        }
    }
}

fn newer(format: u32) -> String {
    format!("format {format} of a newer version; this one reads format {TABLE_FORMAT} and before")
}

fn remedy(path: &str) -> &'static str {
    if path == layout::GOLD_MANIFEST {
        // Without it, the date that gold had reached is unknown.
        "delete the folder `gold` and run the gold step with the latest dt; `drugs-rs lake verify` lists every file that differs"
    } else if path.starts_with(layout::HELD) {
        "hold or release that date again; `drugs-rs lake verify` lists every file that differs"
    } else {
        "run the step that writes it again for its date; `drugs-rs lake verify` lists every file that differs"
    }
}

/// The bytes before and after the digest in a manifest.
const BEFORE: &[u8] = b",\n  \"sha256\": ";
const BEHIND: &[u8] = b"\"\n}\n";

/// The length of a digest in hexadecimal with its first quotation mark.
const QUOTED: usize = 65;

/// The bytes that a manifest's digest covers, and the digest.
fn sealed(bytes: &[u8]) -> Option<(&[u8], &str)> {
    let rest = bytes.strip_suffix(BEHIND)?;
    let (content, digest) = rest.split_at(rest.len().checked_sub(QUOTED)?);
    let digest = std::str::from_utf8(digest.strip_prefix(b"\"")?).ok()?;
    content.ends_with(BEFORE).then_some((content, digest))
}

/// Parses the bytes of a manifest and checks its digest.
pub(crate) fn parse<M: for<'de> Deserialize<'de>>(bytes: &[u8]) -> std::result::Result<M, ManifestFault> {
    if let Some((content, written)) = sealed(bytes) {
        let found = sha256_hex(content);
        if found != written {
            let written = written.to_owned();
            return Err(ManifestFault::Damaged { found, written });
        }
    }
    #[derive(Deserialize)]
    struct ManifestHead {
        #[serde(default = "first_format")]
        format: u32,
    }
    match serde_json::from_slice::<ManifestHead>(bytes).map_err(ManifestFault::Unreadable)? {
        ManifestHead { format } if format > TABLE_FORMAT => Err(ManifestFault::Newer(format)),
        ManifestHead { .. } => serde_json::from_slice(bytes).map_err(ManifestFault::Unreadable),
    }
}

/// Reads a manifest and its version; `None` if there is none.
pub(crate) fn read<M: for<'de> Deserialize<'de>>(
    storage: &dyn Storage,
    path: String,
) -> Result<(Option<M>, Version)> {
    let Some(bytes) = storage.read(&path)? else {
        return Ok((None, (path, None)));
    };
    let manifest = parse(&bytes).map_err(|fault| fault.into_error(storage, &path))?;
    Ok((Some(manifest), (path, Some(bytes))))
}

/// Reads a manifest for the step that rewrites everything that it lists; `None` also if it is damaged. One of a newer
/// version is an error.
pub(crate) fn read_own<M: for<'de> Deserialize<'de>>(
    storage: &dyn Storage,
    path: String,
) -> Result<(Option<M>, Version)> {
    let bytes = storage.read(&path)?;
    let manifest = match bytes.as_deref().map(parse) {
        Some(Ok(manifest)) => Some(manifest),
        Some(Err(fault @ ManifestFault::Newer(_))) => return Err(fault.into_error(storage, &path)),
        Some(Err(_)) | None => None,
    };
    Ok((manifest, (path, bytes)))
}

/// The conflict for the first manifest that changed since it was read.
pub(crate) fn first_changed(storage: &dyn Storage, versions: &[Version]) -> Result<Option<Error>> {
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

/// A manifest with the digest of its other bytes.
#[derive(Serialize)]
struct Sealed<'m, M> {
    #[serde(flatten)]
    content: &'m M,
    #[serde(serialize_with = "so_far")]
    sha256: Digest256,
}

fn so_far<S: Serializer>(digest: &Digest256, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&digest.finish().1)
}

/// Writes a manifest; returns the digest of all its bytes.
fn write_to(out: impl Write + Send, manifest: &impl Serialize) -> io::Result<String> {
    let (mut out, sha256) = HashingWriter::new(out);
    let sealed = Sealed {
        content: manifest,
        sha256: sha256.clone(),
    };
    serde_json::to_writer_pretty(&mut out, &sealed)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(sha256.finish().1)
}

/// A manifest as the bytes of its file.
pub(crate) fn to_bytes(manifest: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_to(&mut bytes, manifest)
        .map_err(|error| Error::internal(format!("the manifest as JSON: {error}")))?;
    Ok(bytes)
}

/// Writes a manifest with the bytes that [`to_bytes`] returns, but without holding them in memory: it may list a
/// hundred thousand files. Returns the digest of all its bytes.
pub(crate) fn write(
    transaction: &mut dyn Transaction,
    path: &str,
    manifest: &impl Serialize,
) -> Result<String> {
    let file = transaction.create(path)?;
    let shown = transaction.shown(path);
    write_to(BufWriter::new(file), manifest).map_err(|error| Error::storage(shown, "write", error))
}

/// Writes a small file in one call.
pub(crate) fn write_bytes(transaction: &mut dyn Transaction, path: &str, bytes: &[u8]) -> Result<()> {
    let mut file = transaction.create(path)?;
    let shown = transaction.shown(path);
    file.write_all(bytes)
        .and_then(|()| file.flush())
        .map_err(|error| Error::storage(shown, "write", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::documents::HeldDate;

    fn held() -> HeldDate {
        HeldDate {
            dt: "2024-03-01".to_owned(),
            reason: "too poor".to_owned(),
        }
    }

    #[test]
    fn a_manifest_is_what_was_written_or_none() -> Result<()> {
        let whole = to_bytes(&held())?;
        assert!(sealed(&whole).is_some_and(|(_, digest)| digest.len() == 64));
        assert_eq!(parse::<HeldDate>(&whole).ok(), Some(held()));
        for place in 0..whole.len() {
            for bit in 0..8 {
                let mut other = whole.clone();
                other[place] ^= 1 << bit;
                // A last field of another name, for example, changes nothing that the manifest says.
                assert!(
                    parse::<HeldDate>(&other).map_or(true, |found| found == held()),
                    "{place} {bit}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn a_manifest_of_an_earlier_version_has_no_digest() -> serde_json::Result<()> {
        let mut plain = serde_json::to_vec_pretty(&held())?;
        plain.push(b'\n');
        assert_eq!(parse::<HeldDate>(&plain).ok(), Some(held()));
        Ok(())
    }
}
