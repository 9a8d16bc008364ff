//! What the small JSON files of a lake hold.

use serde::{Deserialize, Serialize};

use crate::quality::FileTally;
use crate::schema::SourceTable;
use crate::tables::output_file::OutputFile;

/// One copied file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BronzeFile {
    /// Where it came from, as the caller named it.
    pub uri: String,
    /// Its name in the partition.
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
    pub media_type: String,
}

/// What a bronze partition holds: `_manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BronzeManifest {
    pub source: String,
    pub table: SourceTable,
    pub dt: String,
    pub files: Vec<BronzeFile>,
}

/// What a silver partition holds: `_manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilverManifest {
    pub table: String,
    pub dt: String,
    /// Digest of inputs, settings and version: equal fingerprints are equal partitions.
    pub fingerprint: String,
    pub outputs: Vec<OutputFile>,
    pub sources: Vec<FileTally>,
}

/// A date that is held back, and why: the file of its hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldDate {
    pub dt: String,
    pub reason: String,
}

/// What is needed of `gold/_manifest.json`.
#[derive(Deserialize)]
pub(crate) struct PublishedGold {
    pub outputs: Vec<OutputFile>,
}
