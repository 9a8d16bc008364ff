//! Requests to one server: verified TLS, redirects within the server, and pauses that all requests share.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, IF_RANGE, LOCATION, RANGE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode, Url};

use super::faults::{Fault, Retries, refused};
use super::settings::FetchSettings;
use crate::error::{Error, Result};
use crate::task::Task;
use crate::waiting::AsyncRuntime;

const CONNECT: Duration = Duration::from_secs(30);
const MOST_REDIRECTS: usize = 5;

/// How often a pause looks whether to stop.
const MOMENT: Duration = Duration::from_millis(100);

/// A request.
#[derive(Debug, Clone)]
pub(super) struct HttpRequest<'r> {
    pub url: &'r Url,
    /// Only the header of the answer.
    pub head: bool,
    /// Whether the answer may be compressed for the way.
    pub gzip: bool,
    /// Where to begin, if the content is still that of this tag.
    pub from: u64,
    pub tag: Option<&'r str>,
}

impl<'r> HttpRequest<'r> {
    pub(super) fn get(url: &'r Url) -> Self {
        Self {
            url,
            head: false,
            gzip: false,
            from: 0,
            tag: None,
        }
    }
}

/// The connections to a server.
pub(super) struct HttpClient {
    client: Client,
    runtime: AsyncRuntime,
    task: Task,
    pub base: Url,
    attempts: u64,
    /// No request begins before this: one server is busy for all.
    resumes: Mutex<Instant>,
    /// Whether the server has ever answered.
    was_reached: AtomicBool,
    /// Whether another thread of this fetch has failed.
    stopped: AtomicBool,
}

impl HttpClient {
    pub(super) fn new(settings: &FetchSettings, base: &Url, task: &Task) -> Result<Self> {
        let client = Client::builder()
            .https_only(base.scheme() == "https")
            .redirect(Policy::none())
            .connect_timeout(CONNECT.min(settings.idle()))
            .read_timeout(settings.idle())
            .pool_max_idle_per_host(settings.parallel as usize)
            .user_agent(concat!("drugs_rs/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| {
                let remedy =
                    "install the certificates of the system (ca-certificates), or name them in SSL_CERT_FILE";
                let found = "TLS cannot be set up on this machine";
                refused(base, "connect", ErrorKind::NotConnected, found, remedy)
            })?;
        Ok(Self {
            client,
            runtime: AsyncRuntime::new("drugs_rs-fetch")?,
            task: task.clone(),
            base: base.clone(),
            attempts: settings.attempts,
            resumes: Mutex::new(Instant::now()),
            was_reached: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        })
    }

    /// The address of something below the server's own.
    pub(super) fn url(&self, below: &str) -> Result<Url> {
        self.base
            .join(below)
            .map_err(|error| Error::internal(format!("the address of `{below}`: {error}")))
    }

    pub(super) fn retries(&self) -> Retries {
        Retries::new(self.attempts)
    }

    /// Ends the requests of all threads.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn check(&self) -> Result<()> {
        self.task.check()?;
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        Ok(())
    }

    /// Waits before a request is sent again, or returns the error that ends it.
    pub(super) fn wait_after(&self, retries: &mut Retries, url: &Url, fault: Fault) -> Result<()> {
        let is_asked_for = matches!(&fault, Fault::Passing(fault) if fault.pause.is_some());
        let wait = retries.after(url, fault, self.was_reached.load(Ordering::Relaxed))?;
        self.task
            .note(|| format!("{}: again in {} ms", super::faults::shown(url), wait.as_millis()));
        let until = Instant::now() + wait;
        if is_asked_for {
            let mut resumes = self.resumes.lock().unwrap_or_else(PoisonError::into_inner);
            *resumes = until.max(*resumes);
        }
        self.sleep_until(until)
    }

    fn sleep_until(&self, until: Instant) -> Result<()> {
        loop {
            self.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(MOMENT));
        }
    }

    /// Sends a request once, and follows redirects. The answer has the status 200, 206 or 416.
    pub(super) fn send(&self, ask: &HttpRequest<'_>) -> Result<Response, Fault> {
        let mut url = ask.url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let resumes = *self.resumes.lock().unwrap_or_else(PoisonError::into_inner);
            self.sleep_until(resumes)?;
            let method = if ask.head { Method::HEAD } else { Method::GET };
            let encoding = if ask.gzip { "gzip" } else { "identity" };
            let mut request = self
                .client
                .request(method, url.clone())
                .header(ACCEPT_ENCODING, encoding);
            if ask.from > 0 {
                request = request.header(RANGE, format!("bytes={}-", ask.from));
                if let Some(tag) = ask.tag {
                    request = request.header(IF_RANGE, tag);
                }
            }
            // A request needs the runtime when it is made, not only while it is waited for.
            let sent = async move { request.send().await };
            let answer = self.runtime.wait(&self.task, sent)?;
            let answer = answer.map_err(|error| Fault::unanswered(ask.url, error))?;
            self.was_reached.store(true, Ordering::Relaxed);
            match answer.status() {
                StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                    return Ok(answer);
                }
                status if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) => {
                    url = redirected(&url, answer.headers())?;
                }
                status => return Err(Fault::of_status(ask.url, status, answer.headers())),
            }
        }
        let remedy = "check base_url (--base-url)";
        let found = format!("more than {MOST_REDIRECTS} redirects");
        Err(refused(ask.url, "fetch", ErrorKind::Other, found, remedy).into())
    }

    /// The next bytes of an answer; `None` at its end.
    pub(super) fn chunk(
        &self,
        url: &Url,
        answer: &mut Response,
    ) -> Result<Option<impl AsRef<[u8]> + use<>>, Fault> {
        self.check()?;
        let chunk = self.runtime.wait(&self.task, answer.chunk())?;
        let chunk = chunk.map_err(|error| Fault::unanswered(url, error))?;
        if let Some(chunk) = &chunk {
            self.task.count_bytes(chunk.len());
        }
        Ok(chunk)
    }

    /// Gets a page of at most `most` bytes and reads it; asks again as long as that may help.
    pub(super) fn page<T>(
        &self,
        ask: &HttpRequest<'_>,
        most: usize,
        read: impl Fn(&HeaderMap, Vec<u8>) -> Result<T, Fault>,
    ) -> Result<T> {
        let mut retries = self.retries();
        loop {
            let fault = match self
                .whole(ask, most)
                .and_then(|(headers, body)| read(&headers, body))
            {
                Ok(page) => return Ok(page),
                Err(fault) => fault,
            };
            self.wait_after(&mut retries, ask.url, fault)?;
        }
    }

    fn whole(&self, ask: &HttpRequest<'_>, most: usize) -> Result<(HeaderMap, Vec<u8>), Fault> {
        let mut answer = self.send(ask)?;
        if answer.status() != StatusCode::OK {
            return Err(Fault::broken(format!("the server answered {}", answer.status())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(ask.url, &mut answer)? {
            let chunk = chunk.as_ref();
            if body.len() + chunk.len() > most {
                let found = format!("a page of more than {most} bytes");
                let remedy = "check base_url (--base-url)";
                return Err(refused(ask.url, "fetch", ErrorKind::InvalidData, found, remedy).into());
            }
            body.extend_from_slice(chunk);
        }
        Ok((std::mem::take(answer.headers_mut()), body))
    }

    /// The size of a file, without its content.
    pub(super) fn size(&self, url: &Url) -> Result<u64> {
        let ask = HttpRequest {
            head: true,
            ..HttpRequest::get(url)
        };
        self.page(&ask, 0, |headers, _| {
            let length = headers.get(reqwest::header::CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
            length.ok_or_else(|| Fault::broken("an answer without Content-Length"))
        })
    }
}

/// Where a redirect leads: only to the same server, because whoever trusts one server need not trust another.
fn redirected(from: &Url, headers: &HeaderMap) -> Result<Url> {
    let refuse = |found: String| {
        let remedy = "if that is the right server, name it as base_url (--base-url)";
        Err(refused(
            from,
            "follow a redirect",
            ErrorKind::PermissionDenied,
            found,
            remedy,
        ))
    };
    let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let Some(to) = location.and_then(|location| from.join(location).ok()) else {
        return refuse("it names no place".to_owned());
    };
    let server = |url: &Url| match url.port() {
        Some(port) => format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default()),
        None => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
    };
    if to.origin() != from.origin() {
        return refuse(format!(
            "it leads from {} to {}, another server",
            server(from),
            server(&to)
        ));
    }
    Ok(to)
}
