//! Answers that are not what was asked for: which of them are asked for again, when, and the error of one that is final.

use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{StatusCode, Url};

use crate::error::{Error, Refusal};

/// A server that asks for a longer pause gets it: the fetch ends, and a later one goes on.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(120);

const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A connection that brought this much was no failed attempt.
const PROGRESS: u64 = 1 << 20;

/// Attempts to reach a server that has never answered: its name may be wrong.
const MOST_UNREACHED: u64 = 3;

const GOES_ON: &str = "start again, and it goes on: what is fetched stays";

/// Why there is no usable answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// Asking again changes nothing.
    Final(Error),
    /// It may pass.
    Passing(PassingFault),
}

#[derive(Debug)]
pub(super) struct PassingFault {
    pub found: String,
    pub kind: ErrorKind,
    /// The pause that the server asks for.
    pub pause: Option<Duration>,
    pub is_unreached: bool,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Fault {
    /// An answer that broke off, or is not what it should be.
    pub(super) fn broken(found: impl Into<String>) -> Self {
        Self::Passing(PassingFault {
            found: found.into(),
            kind: ErrorKind::ConnectionReset,
            pause: None,
            is_unreached: false,
        })
    }

    /// No answer.
    pub(super) fn unanswered(url: &Url, error: reqwest::Error) -> Self {
        let is_unreached = error.is_connect();
        let found = innermost(&error.without_url());
        if found.contains("certificate") {
            let remedy = "the server cannot prove who it is: correct the address, or add the certificate of its authority to those \
                          of this system; the check cannot be switched off";
            return Self::Final(refused(
                url,
                "connect",
                ErrorKind::PermissionDenied,
                found,
                remedy,
            ));
        }
        Self::Passing(PassingFault {
            found: format!("no usable answer from the server: {found}"),
            kind: if is_unreached {
                ErrorKind::NotConnected
            } else {
                ErrorKind::ConnectionReset
            },
            pause: None,
            is_unreached,
        })
    }

    /// An answer without what was asked for.
    pub(super) fn of_status(url: &Url, status: StatusCode, headers: &HeaderMap) -> Self {
        let found = format!("the server answered {status}");
        match status.as_u16() {
            404 | 410 => Self::Final(Error::SourceNotFound {
                uri: shown(url),
                expected: format!(
                    "a file or page there ({found}): check base_url (--base-url); a file may have been withdrawn since it was \
                     listed"
                ),
            }),
            408 | 429 | 500 | 502 | 503 | 504 => Self::Passing(PassingFault {
                found,
                kind: ErrorKind::ResourceBusy,
                pause: pause_of(headers, SystemTime::now()),
                is_unreached: false,
            }),
            code => {
                let remedy = "check base_url (--base-url), and whether the server is open to this machine";
                let kind = if code == 400 {
                    ErrorKind::InvalidInput
                } else {
                    ErrorKind::PermissionDenied
                };
                Self::Final(refused(url, "fetch", kind, found, remedy))
            }
        }
    }
}

/// A storage error about an address: what was found, and what to do.
pub(super) fn refused(
    url: &Url,
    action: &'static str,
    kind: ErrorKind,
    found: impl Into<String>,
    remedy: &'static str,
) -> Error {
    let found = found.into();
    Error::storage(
        shown(url),
        action,
        io::Error::new(kind, Refusal { found, remedy }),
    )
}

/// An address for messages, without its query.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The pause that an answer asks for: seconds, or a date.
fn pause_of(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number has are a very long time.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let then: SystemTime = DateTime::parse_from_rfc2822(text).ok()?.into();
    Some(then.duration_since(now).unwrap_or_default())
}

/// The attempts of one request, or of one file.
#[derive(Debug)]
pub(super) struct Retries {
    attempts: u64,
    made: u64,
    wait: Duration,
}

impl Retries {
    pub(super) fn new(attempts: u64) -> Self {
        Self {
            attempts,
            made: 0,
            wait: FIRST_WAIT,
        }
    }

    /// Forgets the failed attempts, if a connection brought enough.
    pub(super) fn brought(&mut self, bytes: u64) {
        if bytes >= PROGRESS {
            *self = Self::new(self.attempts);
        }
    }

    /// How long to wait before the next attempt, or the error that ends the request.
    pub(super) fn after(&mut self, url: &Url, fault: Fault, was_reached: bool) -> Result<Duration, Error> {
        let fault = match fault {
            Fault::Final(error) => return Err(error),
            Fault::Passing(fault) => fault,
        };
        self.made += 1;
        if let Some(pause) = fault.pause.filter(|pause| *pause > LONGEST_PAUSE) {
            let found = format!("{} and asks to wait {} seconds", fault.found, pause.as_secs());
            let remedy = "start again after that time, and it goes on: what is fetched stays";
            return Err(refused(url, "fetch", fault.kind, found, remedy));
        }
        let most = if fault.is_unreached && !was_reached {
            self.attempts.min(MOST_UNREACHED)
        } else {
            self.attempts
        };
        if self.made >= most {
            let found = format!("{}, at attempt {} of {most}", fault.found, self.made);
            return Err(refused(url, "fetch", fault.kind, found, GOES_ON));
        }
        let wait = self.wait.max(fault.pause.unwrap_or_default());
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn a_pause_is_in_seconds_or_until_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_470);
        for (text, seconds) in [
            ("7", Some(7)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(10)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]);
            assert_eq!(
                pause_of(&headers, now).map(|pause| pause.as_secs()),
                seconds,
                "{text}"
            );
        }
    }

    #[test]
    fn attempts_end_and_progress_renews_them() -> Result<(), Box<dyn std::error::Error>> {
        let url = Url::parse("https://host/a?secret=1")?;
        let mut retries = Retries::new(3);
        let mut waits = Vec::new();
        let told = loop {
            match retries.after(&url, Fault::broken("cut"), true) {
                Ok(wait) => waits.push(wait.as_millis()),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(waits, [250, 500]);
        assert_eq!(
            told,
            format!("https://host/a: cannot fetch: cut, at attempt 3 of 3; {GOES_ON}")
        );
        retries.brought(PROGRESS - 1);
        assert!(retries.after(&url, Fault::broken("cut"), true).is_err());
        retries.brought(PROGRESS);
        assert!(retries.after(&url, Fault::broken("cut"), true).is_ok());
        Ok(())
    }
}
