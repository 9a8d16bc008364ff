//! A server's answer as an error for people: the status, the server's own words, what to do. Never a secret.
//!
//! What a store's library says about a failure may repeat what it sent. So nothing of it is passed on but the status, the
//! code and message inside the server's answer, and the innermost cause of a lost connection; and from those is taken out
//! whatever stands in the environment as a secret.

use std::io::{self, ErrorKind};

use object_store::Error as Answer;

use crate::error::{Error, Refusal};

/// Variables whose values are never told.
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

/// More of a server's message tells nobody more.
const MOST: usize = 300;

/// A storage error about `uri` while doing `action`.
pub(super) fn storage(uri: &str, action: &'static str, answer: &Answer) -> Error {
    Error::storage(uri, action, io_error(answer))
}

/// The same as an error of reading.
pub(super) fn io_error(answer: &Answer) -> io::Error {
    let (kind, remedy) = verdict(answer);
    let found = told(answer);
    io::Error::new(kind, Refusal { found, remedy })
}

/// An error with words of our own.
pub(super) fn of_our_own(kind: ErrorKind, found: impl Into<String>, remedy: &'static str) -> io::Error {
    let found = found.into();
    io::Error::new(kind, Refusal { found, remedy })
}

/// Whether there is no such object, in a bucket that is there.
pub(super) fn is_missing_object(answer: &Answer) -> bool {
    matches!(answer, Answer::NotFound { .. }) && !is_missing_bucket(answer)
}

/// Whether there is no such bucket. Servers say so in the body of an answer, and not to a question without one.
pub(super) fn is_missing_bucket(answer: &Answer) -> bool {
    let text = answer.to_string();
    matches!(answer, Answer::NotFound { .. } | Answer::Generic { .. })
        && (text.contains("NoSuchBucket") || text.contains("specified bucket does not exist"))
}

/// Whether somebody else was quicker: the condition of a put did not hold.
pub(super) fn is_lost_race(answer: &Answer) -> bool {
    matches!(answer, Answer::Precondition { .. } | Answer::AlreadyExists { .. })
}

/// Whether the answer was lost, so that nobody knows whether the request was done: no status at all, or one of the
/// server's own troubles.
pub(super) fn is_unclear(answer: &Answer) -> bool {
    matches!(answer, Answer::Generic { .. })
        && !is_whole(answer)
        && status(&answer.to_string())
            .is_none_or(|(status, _)| status.starts_with('5') || status.starts_with("429"))
}

const NO_BUCKET: &str =
    "correct the name of the bucket, or create the bucket: drugs_rs creates none; the old state is untouched";

fn verdict(answer: &Answer) -> (ErrorKind, &'static str) {
    match answer {
        _ if is_missing_bucket(answer) => (ErrorKind::NotFound, NO_BUCKET),
        Answer::NotFound { .. } => (
            ErrorKind::NotFound,
            "it was there when it was listed: start again when nothing else writes to the bucket; the old state is untouched",
        ),
        Answer::PermissionDenied { .. } => (
            ErrorKind::PermissionDenied,
            "grant the identity that runs this the right to get, list, create and delete objects in the bucket \
             (docs/operations.md, Buckets); the old state is untouched",
        ),
        Answer::Unauthenticated { .. } => (
            ErrorKind::PermissionDenied,
            "the credentials are missing, expired or of another project: renew them (docs/operations.md, Buckets); the old \
             state is untouched",
        ),
        Answer::Precondition { .. } | Answer::AlreadyExists { .. } | Answer::NotModified { .. } => (
            ErrorKind::Other,
            "somebody replaced it meanwhile: start again; the old state is untouched",
        ),
        Answer::InvalidPath { .. } => (
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

/// Whether a server gave a whole object where a piece was asked for.
fn is_whole(answer: &Answer) -> bool {
    answer.to_string().contains("non-partial response")
}

/// What happened, in a line.
fn told(answer: &Answer) -> String {
    let text = answer.to_string();
    let told = if let Some((status, body)) = status(&text) {
        let words = words_of(&without_secrets(body.to_owned()));
        if words.is_empty() {
            format!("the server answered {status}")
        } else {
            format!("the server answered {status} ({words})")
        }
    } else if text.contains("Received redirect without LOCATION") {
        "the server sent us elsewhere without saying where, as it does when the region is wrong".to_owned()
    } else if is_whole(answer) {
        "the server gave the whole object where a piece of it was asked for".to_owned()
    } else if matches!(answer, Answer::NotFound { .. }) {
        "the object is gone".to_owned()
    } else if matches!(answer, Answer::InvalidPath { .. }) {
        "an object's name is not usable".to_owned()
    } else if matches!(answer, Answer::Precondition { .. } | Answer::AlreadyExists { .. }) {
        "it is not what it was".to_owned()
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
    let between = |start: &str, end: &str| {
        let (_, rest) = body.split_once(start)?;
        rest.split_once(end).map(|(inner, _)| inner.trim())
    };
    let code = between("<Code>", "</Code>");
    let message = between("<Message>", "</Message>").or_else(|| {
        let (_, rest) = body.split_once("\"message\"")?;
        rest.split('"').nth(1)
    });
    let words: Vec<&str> = code.into_iter().chain(message).collect();
    words.join(": ").chars().take(MOST).collect()
}

fn innermost(answer: &Answer) -> String {
    let mut cause: &dyn std::error::Error = answer;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    // A URL may hold a token; what remains is the kind of trouble.
    let kept: Vec<&str> = text
        .split_whitespace()
        .map(|word| if word.contains("://") { "(a URL)" } else { word })
        .collect();
    kept.join(" ").chars().take(MOST).collect()
}

/// A text without anything that stands in the environment as a secret.
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

    fn denied(text: &'static str) -> Answer {
        Answer::PermissionDenied {
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
    fn an_answer_that_was_lost_is_unclear_and_a_refusal_is_not() {
        let generic = |text: &'static str| Answer::Generic {
            store: "S3",
            source: text.into(),
        };
        assert!(is_unclear(&generic("connection reset")));
        assert!(is_unclear(&generic(
            "Server returned non-2xx status code: 503 Service Unavailable: "
        )));
        assert!(!is_unclear(&generic(
            "Server returned non-2xx status code: 400 Bad Request: "
        )));
        assert!(!is_unclear(&denied(
            "Server returned non-2xx status code: 403 Forbidden: "
        )));
    }
}
