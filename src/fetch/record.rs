//! `_fetched.json`: what a folder holds whole, so that it is neither fetched nor verified again.
//!
//! The record only saves work. A file that it does not know is verified; without it nothing is lost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::windows::StudyWindow;
use crate::error::{Error, Result};
use crate::storage::DownloadFolder;

const NAME: &str = "_fetched.json";
const VERSION: u32 = 1;

/// A file of PubMed that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordedFile {
    pub bytes: u64,
    pub md5: String,
    /// The date and the size that NLM's page gave; others mean that the file was published again.
    pub listed: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
pub(super) struct FetchRecord {
    version: u32,
    /// Files of PubMed by their paths.
    #[serde(default)]
    pub files: BTreeMap<String, RecordedFile>,
    /// The windows of ClinicalTrials.gov that are complete.
    #[serde(default)]
    pub windows: Vec<StudyWindow>,
    /// The window whose pages are being fetched.
    #[serde(default)]
    pub paging: Option<StudyWindow>,
}

impl FetchRecord {
    /// The record of a folder; an empty one if there is none that this version can use.
    pub(super) fn read(folder: &DownloadFolder) -> Result<Self> {
        let found = folder.read(NAME)?;
        let read = found.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        Ok(read
            .filter(|record| record.version == VERSION)
            .unwrap_or_default())
    }

    pub(super) fn write(&mut self, folder: &DownloadFolder) -> Result<()> {
        self.version = VERSION;
        let mut bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::internal(format!("the record as JSON: {error}")))?;
        bytes.push(b'\n');
        folder.put(NAME, &bytes)
    }
}
