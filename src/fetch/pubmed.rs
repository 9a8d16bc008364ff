//! Mirrors NLM's folders of PubMed: lists them, downloads the files that are missing, several at a time, and verifies each
//! by its MD5 before it gets its name.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use md5::{Digest, Md5};
use reqwest::Url;

use super::FetchJob;
use super::download::download;
use super::faults::{Fault, refused, shown};
use super::http::HttpRequest;
use super::listing::{ListedFile, listed_files, md5_in, number_of};
use super::record::{FetchRecord, RecordedFile};
use super::report::{FetchReport, FetchedFile, FileStatus};
use crate::error::{Error, Result};
use crate::task::Task;

const LARGEST_LISTING: usize = 16 << 20;
const LARGEST_MD5: usize = 1 << 16;

/// Bytes that are hashed at once.
const PIECE: usize = 1 << 18;

/// Downloads of a file whose MD5 differs.
const MOST_ROUNDS: u32 = 3;

/// How often the record is written while files come. A file that it lacks is verified by the next fetch.
const RECORDED: Duration = Duration::from_secs(5);

/// Downloads the files that the settings choose and the folder lacks.
pub(super) fn mirror(job: &FetchJob<'_>, record: FetchRecord, report: &mut FetchReport) -> Result<()> {
    let mut wanted = Vec::new();
    for folder in job.settings.part.folders() {
        wanted.extend(chosen(job, folder, &record, report)?);
    }
    let mut to_do = Vec::new();
    for file in wanted {
        match file.state {
            FileState::Whole => report.add(file.reported(job, file.bytes, FileStatus::Present)),
            _ => to_do.push(file),
        }
    }
    if let Some(limit) = job.settings.limit {
        let kept = usize::try_from(limit).unwrap_or(usize::MAX).min(to_do.len());
        report.left = (to_do.len() - kept) as u64;
        to_do.truncate(kept);
    }
    let done = if job.settings.dry_run {
        in_parallel(job, &to_do, |file| {
            let status = match file.state {
                FileState::Unknown => FileStatus::Unverified,
                _ => FileStatus::Missing,
            };
            Ok(file.reported(job, job.http.size(&file.url)?, status))
        })
    } else {
        let keeper = RecordKeeper::new(job, record);
        let done = in_parallel(job, &to_do, |file| fetch_file(job, file, &keeper));
        // Also after an error: what is whole is not verified again.
        let recorded = keeper.finish();
        done.and_then(|done| recorded.map(|()| done))
    };
    done?.into_iter().for_each(|file| report.add(file));
    report.files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(())
}

/// What the folder has of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    Absent,
    /// It is there, but the record does not know it, or NLM lists it with another date or size.
    Unknown,
    Whole,
}

#[derive(Debug)]
struct WantedFile {
    listed: ListedFile,
    url: Url,
    path: String,
    state: FileState,
    /// Of a whole file.
    bytes: u64,
    /// Hidden files in its folder that may be parts of it.
    partials: Vec<String>,
}

impl WantedFile {
    fn reported(&self, job: &FetchJob<'_>, bytes: u64, status: FileStatus) -> FetchedFile {
        FetchedFile {
            path: self.path.clone(),
            uri: job.folder.uri(&self.path),
            bytes,
            status,
        }
    }
}

/// The files of one of NLM's folders that the settings choose.
fn chosen(
    job: &FetchJob<'_>,
    folder: &str,
    record: &FetchRecord,
    report: &mut FetchReport,
) -> Result<Vec<WantedFile>> {
    let url = job.http.url(&format!("{folder}/"))?;
    let (files, links) = job
        .http
        .page(&HttpRequest::get(&url), LARGEST_LISTING, |_, body| {
            Ok(listed_files(&String::from_utf8_lossy(&body)))
        })?;
    // Just after a new baseline there are no updates.
    if files.is_empty() && (links == 0 || folder == "baseline") {
        return Err(Error::format(
            shown(&url),
            "the page",
            format!("no file of PubMed among {links} links"),
            "expected a list of files such as pubmed26n0001.xml.gz: check base_url (--base-url)",
        ));
    }
    let standing = job.folder.sizes(folder)?;
    warn_of_unlisted(folder, &files, &standing, report);
    let mut wanted = Vec::new();
    let mut early = 0;
    for listed in files {
        if !is_chosen(job, &listed, &url)? {
            continue;
        }
        if !listed.has_md5 {
            early += 1;
            continue;
        }
        let path = format!("{folder}/{}", listed.name);
        let state = match (standing.get(&listed.name), record.files.get(&path)) {
            (None, _) => FileState::Absent,
            (Some(bytes), Some(known)) if known.bytes == *bytes && known.listed == listed.listed => {
                FileState::Whole
            }
            (Some(_), _) => FileState::Unknown,
        };
        let start = format!(".{}.", listed.name);
        wanted.push(WantedFile {
            url: job.http.url(&path)?,
            bytes: standing.get(&listed.name).copied().unwrap_or_default(),
            partials: standing
                .keys()
                .filter(|name| name.starts_with(&start))
                .cloned()
                .collect(),
            listed,
            path,
            state,
        });
    }
    if early > 0 {
        report.warnings.push(format!(
            "{}: {early} files are listed without their MD5, as while they are published; the next fetch takes them",
            shown(&url)
        ));
    }
    Ok(wanted)
}

fn is_chosen(job: &FetchJob<'_>, file: &ListedFile, page: &Url) -> Result<bool> {
    let settings = job.settings;
    if settings.first.is_some_and(|first| file.number < first) {
        return Ok(false);
    }
    if settings.since.is_none() && settings.until.is_none() {
        return Ok(true);
    }
    let Some(day) = file.day else {
        return Err(Error::format(
            shown(page),
            "the page",
            format!("no date beside `{}`", file.name),
            "this server lists no dates: choose files by their number (first) instead of since and until",
        ));
    };
    Ok(settings.since.is_none_or(|since| day >= since) && settings.until.is_none_or(|until| day <= until))
}

/// Each December a new baseline replaces all files, under new names.
fn warn_of_unlisted(
    folder: &str,
    files: &[ListedFile],
    standing: &BTreeMap<String, u64>,
    report: &mut FetchReport,
) {
    let is_listed = |name: &String| files.iter().any(|file| file.name == *name);
    let mut unlisted = standing
        .keys()
        .filter(|name| number_of(name).is_some() && !is_listed(name));
    if let Some(example) = unlisted.next() {
        let count = 1 + unlisted.count();
        report.warnings.push(format!(
            "{folder} holds {count} files that NLM does not list any more, such as {example}: a new baseline replaces \
             them; remove them, or read the files of the new year alone"
        ));
    }
}

/// Does something with each file, several at a time, and returns the results in order. Where one file alone is bad, the
/// others are still done; the first error is returned.
fn in_parallel<T: Send>(
    job: &FetchJob<'_>,
    files: &[WantedFile],
    each: impl Fn(&WantedFile) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<BTreeMap<usize, Result<T>>> = Mutex::default();
    let worker = || {
        while job.http.check().is_ok() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(number) else { return };
            let result = each(file);
            if result.as_ref().is_err_and(|error| !is_of_one_file(error)) {
                job.http.stop();
            }
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(number, result);
        }
    };
    let threads = (job.settings.parallel as usize).min(files.len());
    let is_lost = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                std::thread::Builder::new()
                    .name("drugs_rs-fetch".to_owned())
                    .spawn_scoped(scope, worker)
            })
            .collect();
        let mut is_lost = false;
        for worker in workers {
            is_lost |= worker.is_ok_and(|worker| worker.join().is_err());
        }
        is_lost
    });
    job.task.check()?;
    if is_lost {
        return Err(Error::internal("a thread that fetches files panicked"));
    }
    let results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut done = Vec::with_capacity(results.len());
    let mut failed = None;
    for result in results.into_values() {
        match result {
            Ok(result) => done.push(result),
            // Whoever was stopped by another thread has no cause of its own.
            Err(Error::Cancelled) => {}
            Err(error) => failed = Some(failed.unwrap_or(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None if done.len() < files.len() => Err(Error::storage(
            "this process",
            "start a thread",
            ErrorKind::WouldBlock.into(),
        )),
        None => Ok(done),
    }
}

/// Whether only one file is at fault: it is gone, or its MD5 differs.
fn is_of_one_file(error: &Error) -> bool {
    match error {
        Error::SourceNotFound { .. } | Error::Format { .. } => true,
        Error::Storage { action, .. } => *action == VERIFY,
        _ => false,
    }
}

const VERIFY: &str = "verify the download";

/// Downloads and verifies a file, or only verifies it if it is there.
fn fetch_file(job: &FetchJob<'_>, file: &WantedFile, keeper: &RecordKeeper<'_>) -> Result<FetchedFile> {
    let mut md5 = published_md5(job, file)?;
    if file.state == FileState::Unknown
        && let Some(stream) = job.folder.open_stream(&file.path)?
        && md5_of(stream, &job.folder.uri(&file.path), job.task)? == md5
    {
        keeper.add(file, file.bytes, md5)?;
        return Ok(file.reported(job, file.bytes, FileStatus::Present));
    }
    let mut round = 1;
    loop {
        let mut partial = job.folder.partial(&file.path, &md5, &file.partials)?;
        download(job.http, &file.url, &mut partial)?;
        let found = md5_of(partial.reader(), &file.path, job.task)?;
        if found != md5 {
            // NLM may have published the file again while it was read, and its MD5 with it.
            md5 = published_md5(job, file)?;
        }
        if found == md5 {
            let bytes = partial.bytes();
            job.folder.finish(partial, &file.path)?;
            keeper.add(file, bytes, md5)?;
            job.task.note(|| format!("fetched {}, {bytes} bytes", file.path));
            let status = match file.state {
                FileState::Absent => FileStatus::Fetched,
                _ => FileStatus::Replaced,
            };
            return Ok(file.reported(job, bytes, status));
        }
        partial.discard()?;
        if round == MOST_ROUNDS {
            let found =
                format!("its MD5 is {found}, and NLM's says {md5}; it was downloaded {MOST_ROUNDS} times");
            let remedy = "it may be being published: start again later; what is fetched stays";
            return Err(refused(&file.url, VERIFY, ErrorKind::InvalidData, found, remedy));
        }
        round += 1;
    }
}

/// The MD5 that NLM publishes beside a file.
fn published_md5(job: &FetchJob<'_>, file: &WantedFile) -> Result<String> {
    let url = job.http.url(&format!("{}.md5", file.path))?;
    job.http.page(&HttpRequest::get(&url), LARGEST_MD5, |_, body| {
        let text = String::from_utf8_lossy(&body);
        md5_in(&text, &file.listed.name).ok_or_else(|| {
            Fault::Final(Error::format(
                shown(&url),
                "the file",
                "no MD5 of this file",
                format!("expected `MD5({})= ` and 32 hexadecimal digits", file.listed.name),
            ))
        })
    })
}

fn md5_of(from: impl Read, shown: &str, task: &Task) -> Result<String> {
    let mut digest = Md5::new();
    let failed = |_, error| Error::storage(shown, "read", error);
    task.read_pieces(from, PIECE, failed, |piece| {
        digest.update(piece);
        Ok(())
    })?;
    let digest = digest.finalize();
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The record while files come.
struct RecordKeeper<'j> {
    job: &'j FetchJob<'j>,
    kept: Mutex<KeptRecord>,
}

struct KeptRecord {
    record: FetchRecord,
    written: Instant,
    is_written: bool,
}

impl<'j> RecordKeeper<'j> {
    fn new(job: &'j FetchJob<'j>, record: FetchRecord) -> Self {
        Self {
            job,
            kept: Mutex::new(KeptRecord {
                record,
                written: Instant::now(),
                is_written: true,
            }),
        }
    }

    fn add(&self, file: &WantedFile, bytes: u64, md5: String) -> Result<()> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = RecordedFile {
            bytes,
            md5,
            listed: file.listed.listed.clone(),
        };
        kept.record.files.insert(file.path.clone(), recorded);
        kept.is_written = false;
        if kept.written.elapsed() >= RECORDED {
            kept.record.write(self.job.folder)?;
            kept.written = Instant::now();
            kept.is_written = true;
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        let mut kept = self.kept.into_inner().unwrap_or_else(PoisonError::into_inner);
        if kept.is_written {
            return Ok(());
        }
        kept.record.write(self.job.folder)
    }
}
