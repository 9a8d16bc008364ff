//! Downloads what NLM publishes: the files of PubMed, and the studies of ClinicalTrials.gov.
//!
//! [`fetch`] looks at what the server has and what the folder holds, and downloads what is missing: to a folder of this
//! machine or a prefix of a bucket, each file whole under its name, or not there. A fetch that was killed goes on where it
//! was. Nothing is downloaded twice: what is there and recorded (`_fetched.json`) costs no request.
//!
//! - [`http`] sends requests: verified TLS, redirects, pauses and retries; [`faults`] says which answers are asked for
//!   again; [`download`] goes on with a partial file.
//! - [`pubmed`] mirrors NLM's folders: [`listing`] reads their pages, MD5 verifies each file.
//! - [`studies`] pages through the API of ClinicalTrials.gov; [`windows`] says which days are still missing.

mod download;
mod faults;
mod http;
mod listing;
mod pubmed;
mod record;
mod report;
mod settings;
mod studies;
mod windows;

use std::time::Instant;

pub use report::{FetchReport, FetchedFile, FileStatus};
pub use settings::{FetchSettings, FetchSource, PubmedPart, parse_day};

use crate::error::{Error, Result};
use crate::storage::DownloadFolder;
use crate::task::Task;
use http::HttpClient;
use record::FetchRecord;

/// Downloads what a source has and the folder `to` lacks.
pub fn fetch(source: FetchSource, to: &str, settings: &FetchSettings, task: &Task) -> Result<FetchReport> {
    let started = Instant::now();
    if to.trim().is_empty() {
        let expected = "a folder, gs://bucket/prefix or s3://bucket/prefix";
        return Err(Error::argument("to", "a blank path", expected));
    }
    let base = settings.checked(source)?;
    task.enter(source.stage());
    let folder = DownloadFolder::open(to, !settings.dry_run, task)?;
    let record = FetchRecord::read(&folder)?;
    let http = HttpClient::new(settings, &base, task)?;
    let mut report = FetchReport::new(source, to, &base, settings);
    let job = FetchJob {
        folder: &folder,
        http: &http,
        settings,
        task,
    };
    let done = match source {
        FetchSource::Pubmed => pubmed::mirror(&job, record, &mut report),
        FetchSource::ClinicalTrials => studies::collect(&job, record, &mut report),
    };
    report.seconds = started.elapsed().as_secs_f64();
    done.map(|()| report)
}

/// What both sources work with.
struct FetchJob<'j> {
    folder: &'j DownloadFolder,
    http: &'j HttpClient,
    settings: &'j FetchSettings,
    task: &'j Task,
}
