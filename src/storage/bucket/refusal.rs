//! A server's answer as an error for people: the status, the server's message and a remedy. Never a secret.
//!
//! The library's error may repeat what it sent. So an error here holds only the status, the code and message of the
//! server's answer, and the innermost cause of a lost connection. From these, every secret of the environment is
//! removed.

use std::io::{self, ErrorKind};

use object_store::Error as StoreError;
use object_store::client::{HttpError, HttpErrorKind};

use crate::error::{Error, Refusal};

/// Variables whose values never appear in a message.
const SECRETS: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_PROXY_URL",
    "AWS_PROXY_URL",
];

/// Characters of a server's message that an error repeats.
const MOST: usize = 300;

/// A storage error about `uri` while doing `action`.
pub(super) fn storage(uri: &str, action: &'static str, answer: &StoreError) -> Error {
    Error::storage(uri, action, io_error(answer))
}

/// An I/O error for a reader of the object.
pub(super) fn io_error(answer: &StoreError) -> io::Error {
    let (kind, remedy) = verdict(answer);
    let found = told(answer);
    io::Error::new(kind, Refusal { found, remedy })
}

/// An error with our own message and remedy.
pub(super) fn of_our_own(kind: ErrorKind, found: impl Into<String>, remedy: &'static str) -> io::Error {
    let found = found.into();
    io::Error::new(kind, Refusal { found, remedy })
}

/// Whether there is no such object in an existing bucket.
pub(super) fn is_missing_object(answer: &StoreError) -> bool {
    matches!(answer, StoreError::NotFound { .. }) && !is_missing_bucket(answer)
}

/// Whether there is no such bucket. Servers say so only in the body of an answer, which a HEAD request has not.
pub(super) fn is_missing_bucket(answer: &StoreError) -> bool {
    let text = answer.to_string();
    matches!(answer, StoreError::NotFound { .. } | StoreError::Generic { .. })
        && (text.contains("NoSuchBucket") || text.contains("specified bucket does not exist"))
}

/// Whether another writer was first: the condition of a put did not hold.
pub(super) fn is_lost_race(answer: &StoreError) -> bool {
    matches!(
        answer,
        StoreError::Precondition { .. } | StoreError::AlreadyExists { .. }
    )
}

/// Why a request may be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server has a fault of its own, or too many requests.
    Busy,
    /// An answer that broke off.
    BrokenOff,
    /// No answer.
    Unreached,
    /// A proper answer: a retry would not change it.
    None,
}

/// Statuses that pass. Other faults of a server (501) are final.
const BUSY: [&str; 6] = ["408", "429", "500", "502", "503", "504"];

/// Why there is no proper answer.
pub(super) fn trouble(answer: &StoreError) -> Trouble {
    if !matches!(answer, StoreError::Generic { .. }) || is_whole(answer) {
        return Trouble::None;
    }
    match status(&answer.to_string()) {
        Some((status, _)) if BUSY.iter().any(|busy| status.starts_with(busy)) => Trouble::Busy,
        Some(_) => Trouble::None,
        None if is_bare_redirect(&answer.to_string()) => Trouble::None,
        None if is_unreached(answer) => Trouble::Unreached,
        None => Trouble::BrokenOff,
    }
}

fn is_unreached(answer: &StoreError) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(answer);
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<HttpError>() {
            return error.kind() == HttpErrorKind::Connect;
        }
        cause = inner.source();
    }
    false
}

fn is_bare_redirect(text: &str) -> bool {
    text.contains("Received redirect without LOCATION")
}

/// Whether the answer was lost, so that the request may or may not have been executed. A busy server was retried
/// before.
pub(super) fn is_unclear(answer: &StoreError) -> bool {
    matches!(trouble(answer), Trouble::BrokenOff | Trouble::Unreached)
}

/// Whether the server refused without a cause, as it does when the answer has no body.
pub(super) fn is_unexplained(answer: &StoreError) -> bool {
    status(&answer.to_string())
        .is_some_and(|(status, body)| status.starts_with('4') && body.trim().is_empty())
        && !matches!(answer, StoreError::NotFound { .. })
}

/// The remedy for a refusal whose cause the server names by a code.
pub(super) fn remedy_of_cause(answer: &StoreError) -> Option<&'static str> {
    let text = answer.to_string();
    let (_, body) = status(&text)?;
    let code = between(body, "<Code>", "</Code>").unwrap_or_default();
    Some(match code {
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            "the session token has expired: renew the credentials (AWS_SESSION_TOKEN with its AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY), and start again; the old state is untouched"
        }
        "InvalidToken" | "InvalidClientTokenId" => {
            "the session token does not belong to the key: set AWS_SESSION_TOKEN, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of \
             one answer, or none of a token; the old state is untouched"
        }
        "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => {
            "the clock of this machine differs from the server's: set the clock (NTP), and start again; the old state is \
             untouched"
        }
        "InvalidAccessKeyId" => {
            "the server does not know the key: check AWS_ACCESS_KEY_ID, and that AWS_ENDPOINT_URL is the server that gave it; \
             the old state is untouched"
        }
        "SignatureDoesNotMatch" => {
            "the secret is not that of the key: check AWS_SECRET_ACCESS_KEY and AWS_ACCESS_KEY_ID; the old state is untouched"
        }
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => {
            "the bucket is in another region: set AWS_REGION to it; the old state is untouched"
        }
        "UserProjectMissing" | "UserProjectAccountProblem" | "AccountProblem" | "AccountDisabled" => {
            "the server requires a payment: check the billing of the project or account; the old state is untouched"
        }
        _ if body.contains("invalid_grant") => {
            "the key or the login was revoked or has expired, or the clock of this machine is wrong: set the clock (NTP), or \
             renew the key or run `gcloud auth application-default login`; the old state is untouched"
        }
        _ => return None,
    })
}

const NO_BUCKET: &str =
    "correct the name of the bucket, or create the bucket: drugs_rs creates none; the old state is untouched";

/// Whether the server refused with this status. For a list, the library's error has no kind.
fn is_refused(answer: &StoreError, status_code: &str) -> bool {
    status(&answer.to_string()).is_some_and(|(status, _)| status.starts_with(status_code))
        || match answer {
            StoreError::PermissionDenied { .. } => status_code == "403",
            StoreError::Unauthenticated { .. } => status_code == "401",
            _ => false,
        }
}

fn verdict(answer: &StoreError) -> (ErrorKind, &'static str) {
    if let Some(remedy) = remedy_of_cause(answer) {
        return (ErrorKind::PermissionDenied, remedy);
    }
    match answer {
        _ if is_missing_bucket(answer) => (ErrorKind::NotFound, NO_BUCKET),
        StoreError::NotFound { .. } => (
            ErrorKind::NotFound,
            "it was there when it was listed: start again when nothing else writes to the bucket; the old state is untouched",
        ),
        _ if is_refused(answer, "403") => (
            ErrorKind::PermissionDenied,
            "grant the identity that runs this the right to get, list, create and delete objects in the bucket \
             (docs/operations.md, Buckets); the old state is untouched",
        ),
        _ if is_refused(answer, "401") => (
            ErrorKind::PermissionDenied,
            "the credentials are missing, expired or of another project: renew them (docs/operations.md, Buckets); the old \
             state is untouched",
        ),
        StoreError::Precondition { .. }
        | StoreError::AlreadyExists { .. }
        | StoreError::NotModified { .. } => (
            ErrorKind::Other,
            "somebody replaced it meanwhile: start again; the old state is untouched",
        ),
        StoreError::InvalidPath { .. } => (
            ErrorKind::InvalidInput,
            "an object there has a name with empty parts, `.` or `..` between its slashes: rename it, or name a prefix \
             without such objects",
        ),
        _ if is_whole(answer) => (
            // Not `InvalidData`, which readers take for a fault of the file.
            ErrorKind::Other,
            "Google's server does so with objects stored with `Content-Encoding: gzip`: store the file without it; packed files \
             are read as they are",
        ),
        _ => match status(&answer.to_string()) {
            Some((status, _)) if status.starts_with('3') || status.starts_with("400") => (
                ErrorKind::InvalidInput,
                "check the region (AWS_REGION), the endpoint and the credentials of the environment; the old state is untouched",
            ),
            Some(_) => (
                ErrorKind::Other,
                "the server kept failing: try again later; the old state is untouched",
            ),
            None => (
                ErrorKind::NotConnected,
                "check the network, the proxy and the endpoint of the environment (STORAGE_EMULATOR_HOST, AWS_ENDPOINT_URL); \
                 the old state is untouched",
            ),
        },
    }
}

/// Whether a server sent a whole object where a piece was requested.
fn is_whole(answer: &StoreError) -> bool {
    answer.to_string().contains("non-partial response")
}

/// What happened, in one line.
fn told(answer: &StoreError) -> String {
    let text = answer.to_string();
    let told = if let Some((status, body)) = status(&text) {
        let words = words_of(&without_secrets(body.to_owned()));
        if words.is_empty() {
            format!("the server answered {status}")
        } else {
            format!("the server answered {status} ({words})")
        }
    } else if is_bare_redirect(&text) {
        "the server redirected the request without a location, as it does when the region is wrong".to_owned()
    } else if is_whole(answer) {
        "the server sent the whole object instead of the requested piece".to_owned()
    } else if matches!(answer, StoreError::NotFound { .. }) {
        "the object is gone".to_owned()
    } else if matches!(answer, StoreError::InvalidPath { .. }) {
        "an object's name is not usable".to_owned()
    } else if matches!(
        answer,
        StoreError::Precondition { .. } | StoreError::AlreadyExists { .. }
    ) {
        "it has changed meanwhile".to_owned()
    } else {
        format!("no usable answer from the server: {}", innermost(answer))
    };
    without_secrets(told)
}

/// The status ("403 Forbidden") and what follows it.
fn status(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("non-2xx status code: ")?;
    Some(
        rest.split_once(": ")
            .unwrap_or((rest.trim_end_matches([':', ' ']), "")),
    )
}

/// The code and the message inside an answer in XML or JSON.
fn words_of(body: &str) -> String {
    let code = between(body, "<Code>", "</Code>");
    let message = between(body, "<Message>", "</Message>").or_else(|| {
        let (_, rest) = body.split_once("\"message\"")?;
        rest.split('"').nth(1)
    });
    let words: Vec<&str> = code.into_iter().chain(message).collect();
    words.join(": ").chars().take(MOST).collect()
}

fn between<'b>(body: &'b str, start: &str, end: &str) -> Option<&'b str> {
    let (_, rest) = body.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner.trim())
}

fn innermost(answer: &StoreError) -> String {
    let mut cause: &dyn std::error::Error = answer;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    // A URL may hold a token; the rest of the message says what kind of failure it is.
    let kept: Vec<&str> = text
        .split_whitespace()
        .map(|word| if word.contains("://") { "(a URL)" } else { word })
        .collect();
    kept.join(" ").chars().take(MOST).collect()
}

/// A text without any secret of the environment.
pub(super) fn without_secrets(mut text: String) -> String {
    for name in SECRETS {
        let Ok(value) = std::env::var(name) else { continue };
        if value.len() >= 4 {
            text = text.replace(&value, "***");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(text: &'static str) -> StoreError {
        StoreError::PermissionDenied {
            path: "x".to_owned(),
            source: text.into(),
        }
    }

    #[test]
    fn the_servers_words_are_told_and_the_rest_is_not() {
        let answer = denied(
            "Error performing GET https://host/b?list-type=2 in 1ms - Server returned non-2xx status code: 403 Forbidden: \
             <Error><Code>AccessDenied</Code><Message>No access</Message><StringToSign>secret</StringToSign></Error>",
        );
        let error = storage("gs://b/x", "read", &answer).to_string();
        assert!(
            error.contains(
                "gs://b/x: cannot read: the server answered 403 Forbidden (AccessDenied: No access)"
            ),
            "{error}"
        );
        assert!(!error.contains("secret") && error.contains("grant"), "{error}");
        let json = denied(
            "Server returned non-2xx status code: 403 Forbidden: {\"error\": {\"message\": \"Nope\"}}",
        );
        assert!(storage("u", "read", &json).to_string().contains("(Nope)"));
        let bare = denied("Server returned non-2xx status code: 403 Forbidden: ");
        assert!(storage("u", "read", &bare).to_string().contains("403 Forbidden;"));
    }

    #[test]
    fn the_cause_of_a_refusal_is_told_with_what_to_do() {
        for (code, remedy) in [
            ("ExpiredToken", "AWS_SESSION_TOKEN"),
            ("RequestTimeTooSkewed", "clock"),
            ("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
            ("InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"),
            ("AuthorizationHeaderMalformed", "AWS_REGION"),
        ] {
            let text = format!(
                "Server returned non-2xx status code: 403 Forbidden: <Error><Code>{code}</Code></Error>"
            );
            let source = text.clone().into();
            let path = "x".to_owned();
            let told = storage("u", "read", &StoreError::PermissionDenied { path, source }).to_string();
            assert!(told.contains(remedy) && !told.contains("grant"), "{told}");
            let source = text.into();
            let told = storage("u", "read", &StoreError::Generic { store: "S3", source }).to_string();
            assert!(told.contains(remedy), "{told}");
        }
    }

    #[test]
    fn an_answer_that_was_lost_is_unclear_and_a_refusal_is_not() {
        let generic = |text: &'static str| StoreError::Generic {
            store: "S3",
            source: text.into(),
        };
        assert!(is_unclear(&generic("connection reset")));
        let busy = generic("Server returned non-2xx status code: 503 Service Unavailable: ");
        assert_eq!((trouble(&busy), is_unclear(&busy)), (Trouble::Busy, false));
        assert!(!is_unclear(&generic(
            "Server returned non-2xx status code: 400 Bad Request: "
        )));
        assert!(!is_unclear(&denied(
            "Server returned non-2xx status code: 403 Forbidden: "
        )));
    }
}
