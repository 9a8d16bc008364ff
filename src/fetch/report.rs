//! What a fetch did, or would do.

use chrono::NaiveDate;
use reqwest::Url;
use serde::Serialize;

use super::settings::{FetchSettings, FetchSource};
use crate::choice::Choice;
use crate::error::{Error, Result};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileStatus {
    /// It was downloaded.
    Fetched,
    /// It was there with another content, and was downloaded again.
    Replaced,
    /// It was there.
    Present,
    /// A dry run: it would be downloaded.
    Missing,
    /// A dry run: it is there, but nothing says that it is whole; its MD5 would be compared.
    Unverified,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FetchedFile {
    /// Relative to the folder.
    pub path: String,
    pub uri: String,
    pub bytes: u64,
    pub status: FileStatus,
}

/// The report of a fetch.
#[derive(Debug, Clone, Serialize)]
pub struct FetchReport {
    pub source: &'static str,
    pub to: String,
    pub base_url: String,
    pub dry_run: bool,
    pub since: Option<String>,
    pub until: Option<String>,
    /// How many files were downloaded, or would be.
    pub fetched: u64,
    /// How many files were there.
    pub present: u64,
    /// How many files are left, because of `limit`; for studies 1 if pages are left.
    pub left: u64,
    /// The bytes of the fetched files, also of parts that were there.
    pub bytes: u64,
    /// ClinicalTrials.gov: different studies in the files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub studies: Option<u64>,
    /// ClinicalTrials.gov: when the data of the server were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_timestamp: Option<String>,
    /// Whether there was nothing to do.
    pub unchanged: bool,
    pub files: Vec<FetchedFile>,
    pub warnings: Vec<String>,
    pub version: &'static str,
    pub seconds: f64,
}

impl FetchReport {
    pub(super) fn new(source: FetchSource, to: &str, base: &Url, settings: &FetchSettings) -> Self {
        Self {
            source: source.choice_name(),
            to: to.to_owned(),
            base_url: base.to_string(),
            dry_run: settings.dry_run,
            since: settings.since.as_ref().map(NaiveDate::to_string),
            until: settings.until.as_ref().map(NaiveDate::to_string),
            fetched: 0,
            present: 0,
            left: 0,
            bytes: 0,
            studies: None,
            data_timestamp: None,
            unchanged: true,
            files: Vec::new(),
            warnings: Vec::new(),
            version: env!("CARGO_PKG_VERSION"),
            seconds: 0.0,
        }
    }

    /// Adds a file to the list and the counts.
    pub(super) fn add(&mut self, file: FetchedFile) {
        match file.status {
            FileStatus::Present => self.present += 1,
            FileStatus::Unverified => self.unchanged = false,
            FileStatus::Fetched | FileStatus::Replaced | FileStatus::Missing => {
                self.fetched += 1;
                self.bytes += file.bytes;
                self.unchanged = false;
            }
        }
        self.files.push(file);
    }

    /// Begins again, after files were removed.
    pub(super) fn forget_files(&mut self) {
        self.files.clear();
        (self.fetched, self.present, self.bytes) = (0, 0, 0);
    }

    /// The report as JSON.
    pub fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self)
            .map_err(|error| Error::internal(format!("the report as JSON: {error}")))?;
        Ok(json + "\n")
    }
}
