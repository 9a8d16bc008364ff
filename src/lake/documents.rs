//! The contents of a lake's small JSON files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::quality::FileTally;
use crate::quality::contracts::RuleResult;
use crate::schema::SourceTable;
use crate::tables::output_file::OutputFile;

/// The format of manifests that do not name it.
pub(crate) fn first_format() -> u32 {
    1
}

/// One copied file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BronzeFile {
    /// The origin, as the caller named it.
    pub uri: String,
    /// Its name in the partition.
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
    pub media_type: String,
}

/// A bronze partition's `_manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BronzeManifest {
    pub source: String,
    pub table: SourceTable,
    pub dt: String,
    pub files: Vec<BronzeFile>,
    /// Says that the delivery is a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotClaim>,
    /// Says that the file has corrected rows, each for a row that silver rejected.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrections: bool,
}

/// The claim that a delivery replaces all earlier ones of its kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotClaim {
    /// The largest share of the publications before it that it may lack, such as `2%`.
    pub max_absent: String,
}

/// A copied file that a silver partition was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceCopy {
    /// The origin, as rows name it in `source_uri`.
    pub uri: String,
    /// Relative to the lake.
    pub path: String,
    pub sha256: String,
}

/// A silver partition's `_manifest.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SilverManifest {
    /// The format of the tables.
    #[serde(default = "first_format")]
    pub format: u32,
    pub table: String,
    pub dt: String,
    /// Digest of inputs, settings and version: equal fingerprints are equal partitions.
    pub fingerprint: String,
    pub outputs: Vec<OutputFile>,
    pub sources: Vec<FileTally>,
    /// The copies in bronze that it was made from. Earlier versions of drugs_rs did not record them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<SourceCopy>,
    /// Whether the partition replaces all earlier ones of its kind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub snapshot: bool,
    /// Of a snapshot: how many publications of earlier dates it lacked when it was cleaned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<u64>,
    /// The ids of the corrections that met no rejected row when it was cleaned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_corrections: Vec<String>,
    /// The fingerprint of the partition before publications were dropped from it; it is not cleaned again as long as its
    /// inputs and settings are those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleaned_as: Option<String>,
    /// The digest of the contract that the rows were checked against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// What its rules found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quality: Vec<RuleResult>,
}

impl SilverManifest {
    /// The fingerprint of the inputs and settings that it was cleaned with.
    pub fn inputs_fingerprint(&self) -> &str {
        self.cleaned_as.as_deref().unwrap_or(&self.fingerprint)
    }
}

/// A held date and its reason: the content of its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldDate {
    pub dt: String,
    pub reason: String,
}

/// The used part of `gold/_manifest.json`.
#[derive(Deserialize)]
pub(crate) struct PublishedGold {
    pub outputs: Vec<OutputFile>,
    /// The settings of the run, as its report has them.
    #[serde(default)]
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// The used numbers of `gold/_manifest.json`.
#[derive(Deserialize)]
pub(crate) struct ReachedDate {
    /// The date that the current tables have reached.
    pub as_of: String,
}
