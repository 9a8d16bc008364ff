//! Downloads one file, and goes on where an earlier attempt or process has stopped.
//!
//! A part is kept only if the server says that the rest belongs to it: a file that changed meanwhile is sent whole
//! (`If-Range`), and begins again. What an earlier process left has no tag; the MD5 of the whole file decides.

use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, LAST_MODIFIED};
use reqwest::{Response, StatusCode, Url};

use super::faults::{Fault, refused};
use super::http::{HttpClient, HttpRequest};
use crate::error::Result;
use crate::storage::PartialFile;

/// PubMed's files have less than a hundredth of it. A server that never ends must not fill the disk.
const MOST_BYTES: u64 = 8 << 30;

/// Downloads a file, or what is missing of it. What it is made of is not checked.
pub(super) fn download(http: &HttpClient, url: &Url, partial: &mut PartialFile) -> Result<()> {
    let mut retries = http.retries();
    let mut tag = None;
    loop {
        let before = partial.bytes();
        let fault = match attempt(http, url, partial, &mut tag) {
            Ok(()) => return Ok(()),
            Err(fault) => fault,
        };
        retries.brought(partial.bytes().saturating_sub(before));
        http.wait_after(&mut retries, url, fault)?;
    }
}

fn attempt(
    http: &HttpClient,
    url: &Url,
    partial: &mut PartialFile,
    tag: &mut Option<String>,
) -> Result<(), Fault> {
    let from = partial.bytes();
    let ask = HttpRequest {
        from,
        tag: tag.as_deref(),
        ..HttpRequest::get(url)
    };
    let mut answer = http.send(&ask)?;
    let found_tag = tag_of(answer.headers());
    let whole = match answer.status() {
        StatusCode::PARTIAL_CONTENT => {
            let range = range_of(answer.headers());
            let is_wanted = matches!(range, Some((Some(start), _)) if start == from)
                && (tag.is_none() || *tag == found_tag);
            if !is_wanted {
                partial.restart()?;
                return Err(Fault::broken(
                    "the server sent another range than the requested one",
                ));
            }
            range.and_then(|(_, whole)| whole)
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            if matches!(range_of(answer.headers()), Some((None, Some(whole))) if whole == from) {
                return Ok(());
            }
            partial.restart()?;
            return Err(Fault::broken("the file is shorter than what is there of it"));
        }
        _ => {
            // The first request, a server without ranges, or a file that has changed.
            partial.restart()?;
            answer.content_length()
        }
    };
    *tag = found_tag;
    receive(http, url, partial, &mut answer)?;
    match whole {
        Some(whole) if whole != partial.bytes() => Err(Fault::broken(format!(
            "{} of {whole} bytes came",
            partial.bytes()
        ))),
        _ => Ok(()),
    }
}

fn receive(
    http: &HttpClient,
    url: &Url,
    partial: &mut PartialFile,
    answer: &mut Response,
) -> Result<(), Fault> {
    while let Some(chunk) = http.chunk(url, answer)? {
        let chunk = chunk.as_ref();
        if partial.bytes() + chunk.len() as u64 > MOST_BYTES {
            let found = format!("a file of more than {MOST_BYTES} bytes");
            let remedy = "check base_url (--base-url)";
            return Err(refused(url, "fetch", std::io::ErrorKind::InvalidData, found, remedy).into());
        }
        partial.append(chunk)?;
    }
    Ok(())
}

/// What names this content: a tag that says the same of equal bytes alone, or the time of its last change.
fn tag_of(headers: &HeaderMap) -> Option<String> {
    let text = |name| Some(headers.get(name)?.to_str().ok()?.to_owned());
    text(ETAG)
        .filter(|tag| !tag.starts_with("W/"))
        .or_else(|| text(LAST_MODIFIED))
}

/// The start of a range and the size of the whole file: `bytes 5-9/10`, `bytes */10`.
fn range_of(headers: &HeaderMap) -> Option<(Option<u64>, Option<u64>)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (range, whole) = text.strip_prefix("bytes ")?.split_once('/')?;
    let whole = whole.trim().parse().ok();
    if range.trim() == "*" {
        return Some((None, whole));
    }
    let (start, _) = range.split_once('-')?;
    Some((Some(start.trim().parse().ok()?), whole))
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn ranges_are_read_as_servers_write_them() {
        for (text, wanted) in [
            ("bytes 5-9/10", Some((Some(5), Some(10)))),
            ("bytes 5-9/*", Some((Some(5), None))),
            ("bytes */10", Some((None, Some(10)))),
            ("bytes x-9/10", None),
            ("items 5-9/10", None),
            ("bytes 5", None),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_RANGE, HeaderValue::from_static(text))]);
            assert_eq!(range_of(&headers), wanted, "{text}");
        }
    }
}
