//! Pages through the studies of ClinicalTrials.gov's API, and writes each page as a file.
//!
//! A page is a file of the API's own JSON, compressed, which the readers take as it is. Its `nextPageToken` says where a
//! later process goes on, as long as the server's data are the same. At the end, as many different studies must have come
//! as the server counts.

use std::collections::{BTreeMap, HashSet};
use std::io::{ErrorKind, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use reqwest::Url;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use serde::Deserialize;

use super::FetchJob;
use super::faults::{Fault, refused, shown};
use super::http::HttpRequest;
use super::record::FetchRecord;
use super::report::{FetchReport, FetchedFile, FileStatus};
use super::windows::{StudyWindow, day_of_timestamp, missing_days};
use crate::error::{Error, Result};

/// The largest page that the API gives.
const PAGE: u64 = 1000;

const LARGEST_PAGE: usize = 512 << 20;
const LARGEST_VERSION: usize = 1 << 16;

/// A page, of which only names and counts are read here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StudyPage {
    total_count: Option<u64>,
    next_page_token: Option<String>,
    studies: Vec<PagedStudy>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PagedStudy {
    protocol_section: ProtocolSection,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProtocolSection {
    identification_module: IdentificationModule,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdentificationModule {
    nct_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerVersion {
    data_timestamp: String,
}

/// Fetches the studies that the settings choose and the folder lacks.
pub(super) fn collect(job: &FetchJob<'_>, mut record: FetchRecord, report: &mut FetchReport) -> Result<()> {
    let mut timestamp = data_timestamp(job)?;
    let standing = job.folder.sizes("")?;
    // A window that lost a page is fetched again.
    record
        .windows
        .retain(|window| window.page_names().all(|name| standing.contains_key(&name)));
    let mut rounds = 0;
    loop {
        report.data_timestamp = Some(timestamp.clone());
        let Some(mut window) = next_window(job, &record, &standing, &timestamp, report)? else {
            return Ok(());
        };
        if job.settings.dry_run {
            return foresee(job, &window, report);
        }
        let found = match page_through(job, &mut record, &mut window, report) {
            // A token that the server does not know any more; without one it may answer.
            Err(Error::Storage { source, .. })
                if source.kind() == ErrorKind::InvalidInput && window.pages > 0 && rounds == 0 =>
            {
                None
            }
            found => Some(found?),
        };
        match found {
            Some(PagedStudies::Left) => {
                report.left = 1;
                return Ok(());
            }
            Some(PagedStudies::All) => {
                record.paging = None;
                record.windows.retain(|other| !other.is_over(&window));
                report.studies = Some(report.studies.unwrap_or_default() + window.studies);
                record.windows.push(window);
                return record.write(job.folder);
            }
            Some(PagedStudies::Differ {
                came,
                different,
                counted,
            }) => {
                let now = data_timestamp(job)?;
                let is_new = now != timestamp;
                discard(job, &window)?;
                record.paging = None;
                record.write(job.folder)?;
                if !is_new || rounds > 0 {
                    let found = format!(
                        "{came} studies came, {different} different ones, but the server counts {counted}{}",
                        if is_new {
                            "; its data changed meanwhile"
                        } else {
                            ""
                        }
                    );
                    let remedy = "no page of these days is kept; start again";
                    return Err(refused(
                        &job.http.url("studies")?,
                        "count the studies",
                        ErrorKind::Other,
                        found,
                        remedy,
                    ));
                }
                timestamp = now;
            }
            None => discard(job, &window)?,
        }
        rounds += 1;
        report.forget_files();
    }
}

/// The window of the days that are missing, and in the report those that are there; `None` if nothing is missing.
fn next_window(
    job: &FetchJob<'_>,
    record: &FetchRecord,
    standing: &BTreeMap<String, u64>,
    timestamp: &str,
    report: &mut FetchReport,
) -> Result<Option<StudyWindow>> {
    let since = job.settings.since.map(|day| day.to_string());
    let until = match (job.settings.until, day_of_timestamp(timestamp)) {
        (Some(until), _) => until.to_string(),
        (None, Some(day)) => day.to_string(),
        (None, None) => return Err(not_a_version(&job.http.url("version")?, timestamp)),
    };
    report.until = Some(until.clone());
    report.studies = Some(0);
    // The server has no studies of these days yet.
    if since.as_deref().is_some_and(|since| since > until.as_str()) {
        return Ok(None);
    }
    let missing = missing_days(&record.windows, since.as_deref(), &until, timestamp);
    for window in missing.held {
        report.studies = Some(report.studies.unwrap_or_default() + window.studies);
        for name in window.page_names() {
            let bytes = standing.get(&name).copied().unwrap_or_default();
            report.add(file(job, name, bytes, FileStatus::Present));
        }
    }
    Ok(missing.from.map(|from| StudyWindow::new(from, &until, timestamp)))
}

fn file(job: &FetchJob<'_>, path: String, bytes: u64, status: FileStatus) -> FetchedFile {
    FetchedFile {
        uri: job.folder.uri(&path),
        path,
        bytes,
        status,
    }
}

/// A dry run: how many pages would come. How large they are only the server knows.
fn foresee(job: &FetchJob<'_>, window: &StudyWindow, report: &mut FetchReport) -> Result<()> {
    let url = page_url(job, window, None, 1)?;
    let (page, _) = get_page(job, &url)?;
    let studies = page.total_count.unwrap_or_default();
    report.studies = Some(report.studies.unwrap_or_default() + studies);
    let pages = studies.div_ceil(PAGE);
    let kept = job.settings.limit.unwrap_or(pages).min(pages);
    report.left = u64::from(kept < pages);
    for number in 1..=kept {
        report.add(file(job, window.page_name(number), 0, FileStatus::Missing));
    }
    Ok(())
}

/// How paging through a window ended.
enum PagedStudies {
    All,
    /// The limit of files was reached.
    Left,
    /// Other studies came than the server counts.
    Differ {
        came: u64,
        different: u64,
        counted: u64,
    },
}

fn page_through(
    job: &FetchJob<'_>,
    record: &mut FetchRecord,
    window: &mut StudyWindow,
    report: &mut FetchReport,
) -> Result<PagedStudies> {
    let mut seen = SeenStudies::default();
    let mut token = None;
    let goes_on = record
        .paging
        .as_ref()
        .is_some_and(|paging| paging.is_over(window) && paging.data_timestamp == window.data_timestamp);
    if goes_on {
        while let Some(bytes) = job.folder.read(&window.page_name(window.pages + 1))? {
            let Some(page) = read_page(&unpacked(&bytes, LARGEST_PAGE)) else {
                break;
            };
            window.pages += 1;
            token = seen.add(page);
            let name = window.page_name(window.pages);
            report.add(file(job, name, bytes.len() as u64, FileStatus::Present));
            if token.is_none() {
                break;
            }
        }
    } else {
        if let Some(paging) = &record.paging {
            discard(job, paging)?;
        }
        discard(job, window)?;
        record.paging = Some(window.clone());
        record.write(job.folder)?;
    }
    let mut new = 0;
    while window.pages == 0 || token.is_some() {
        if job.settings.limit.is_some_and(|limit| new >= limit) {
            return Ok(PagedStudies::Left);
        }
        let url = page_url(job, window, token.as_deref(), PAGE)?;
        let (page, text) = get_page(job, &url)?;
        if page.studies.is_empty() && page.next_page_token.is_none() && window.pages == 0 {
            // Nothing was posted in these days: there is no file.
            seen.add(page);
            break;
        }
        job.task.count_rows(page.studies.len());
        window.pages += 1;
        new += 1;
        let name = window.page_name(window.pages);
        let bytes = packed(&text)?;
        job.folder.put(&name, &bytes)?;
        token = seen.add(page);
        job.task
            .note(|| format!("fetched {name}, {} studies so far", seen.came));
        report.add(file(job, name, bytes.len() as u64, FileStatus::Fetched));
    }
    Ok(seen.ended(window))
}

/// The studies of the pages of a window.
#[derive(Debug, Default)]
struct SeenStudies {
    came: u64,
    different: HashSet<String>,
    /// As the first page says.
    counted: u64,
}

impl SeenStudies {
    /// Counts the studies of a page, and returns the token of the next one.
    fn add(&mut self, page: StudyPage) -> Option<String> {
        self.came += page.studies.len() as u64;
        let ids = page
            .studies
            .into_iter()
            .map(|study| study.protocol_section.identification_module.nct_id);
        self.different.extend(ids);
        self.counted = page.total_count.unwrap_or(self.counted);
        page.next_page_token.filter(|token| !token.is_empty())
    }

    fn ended(self, window: &mut StudyWindow) -> PagedStudies {
        let different = self.different.len() as u64;
        window.studies = different;
        if self.came == different && different == self.counted {
            return PagedStudies::All;
        }
        PagedStudies::Differ {
            came: self.came,
            different,
            counted: self.counted,
        }
    }
}

/// Removes the pages of a window.
fn discard(job: &FetchJob<'_>, window: &StudyWindow) -> Result<()> {
    let start = window.start_of_names();
    for name in job.folder.sizes("")?.into_keys() {
        if name
            .strip_prefix(&start)
            .is_some_and(|rest| rest.ends_with(".json.gz"))
        {
            job.folder.remove(&name)?;
        }
    }
    Ok(())
}

fn page_url(job: &FetchJob<'_>, window: &StudyWindow, token: Option<&str>, size: u64) -> Result<Url> {
    let mut url = job.http.url("studies")?;
    let since = window.since.as_deref().unwrap_or("MIN");
    let days = format!("AREA[LastUpdatePostDate]RANGE[{since},{}]", window.until);
    let mut query = url.query_pairs_mut();
    query
        .append_pair("format", "json")
        .append_pair("filter.advanced", &days)
        .append_pair("pageSize", &size.to_string());
    match token {
        Some(token) => query.append_pair("pageToken", token),
        None => query.append_pair("countTotal", "true"),
    };
    drop(query);
    Ok(url)
}

/// Gets a page: what is read of it, and its text.
fn get_page(job: &FetchJob<'_>, url: &Url) -> Result<(StudyPage, Vec<u8>)> {
    let ask = HttpRequest {
        gzip: true,
        ..HttpRequest::get(url)
    };
    job.http.page(&ask, LARGEST_PAGE, |headers, body| {
        let text = if is_gzip(headers) {
            unpacked(&body, LARGEST_PAGE)
        } else {
            body
        };
        let page = read_page(&text).ok_or_else(|| Fault::broken("what came is no page of studies"))?;
        Ok((page, text))
    })
}

fn read_page(text: &[u8]) -> Option<StudyPage> {
    serde_json::from_slice(text).ok()
}

fn is_gzip(headers: &HeaderMap) -> bool {
    let encoding = headers
        .get(CONTENT_ENCODING)
        .and_then(|encoding| encoding.to_str().ok());
    encoding.is_some_and(|encoding| encoding.trim().ends_with("gzip"))
}

/// Decompresses a page. What is broken or too long ends early, and is no page then.
fn unpacked(bytes: &[u8], most: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let read = MultiGzDecoder::new(bytes)
        .take(most as u64)
        .read_to_end(&mut text);
    if read.is_err() {
        text.clear();
    }
    text
}

/// A page as its file: the same text gives the same bytes, whatever compressed it on the way.
fn packed(text: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(text)
        .and_then(|()| encoder.finish())
        .map_err(|error| Error::internal(format!("a page as gzip: {error}")))
}

/// When the server's data were made.
fn data_timestamp(job: &FetchJob<'_>) -> Result<String> {
    let url = job.http.url("version")?;
    job.http
        .page(&HttpRequest::get(&url), LARGEST_VERSION, |_, body| {
            let version: Option<ServerVersion> = serde_json::from_slice(&body).ok();
            let timestamp = version.map(|version| version.data_timestamp).unwrap_or_default();
            match day_of_timestamp(&timestamp) {
                Some(_) => Ok(timestamp),
                None => Err(Fault::Final(not_a_version(&url, &timestamp))),
            }
        })
}

fn not_a_version(url: &Url, timestamp: &str) -> Error {
    Error::format(
        shown(url),
        "the answer",
        format!("`{timestamp}` where the time of the data should be"),
        "expected JSON with a dataTimestamp such as 2026-01-09T09:00:05: check base_url (--base-url)",
    )
}
