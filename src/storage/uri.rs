//! Locations: a path of this machine, or an object in a bucket.
//!
//! A parsed URI holds no credentials, and no message about a rejected URI repeats them.

use std::path::PathBuf;

use super::home::path_with_home;
use crate::error::{Error, Result};

/// A location that a caller named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A path of this machine.
    Local(PathBuf),
    /// An object, or the objects below a prefix.
    Bucket(BucketUri),
}

/// The kind of bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Google Cloud Storage.
    Gs,
    /// Amazon S3 and compatible stores.
    S3,
}

impl Scheme {
    /// The scheme as written in a URI.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gs => "gs",
            Self::S3 => "s3",
        }
    }
}

/// `gs://bucket/key` or `s3://bucket/key`. The key is used as written; nothing in it is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUri {
    scheme: Scheme,
    bucket: String,
    key: String,
}

impl BucketUri {
    /// The kind of bucket.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The part after the bucket, without the slash between them.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// `gs://bucket`
    pub fn root(&self) -> String {
        format!("{}://{}", self.scheme.name(), self.bucket)
    }
}

impl Location {
    /// Reads a path or URI. A path may begin with `~` or `~user`.
    pub fn parse(uri: &str) -> Result<Self> {
        if has_credentials(uri) {
            return Err(Error::argument(
                without_credentials(uri),
                "credentials or a signature in the URI, which would appear in every log and report",
                "a URI without them, such as s3://bucket/key or gs://bucket/key: credentials come from the environment \
                 (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS)",
            ));
        }
        // `pathlib.Path("gs://bucket/key")` has one slash, and would be a local folder of an odd name.
        for scheme in [Scheme::Gs, Scheme::S3] {
            let rest = uri
                .strip_prefix(scheme.name())
                .and_then(|rest| rest.strip_prefix(":/"));
            if let Some(rest) = rest.filter(|rest| !rest.starts_with('/')) {
                return Err(Error::argument(
                    without_credentials(uri),
                    "a URI with one slash, as a pathlib.Path makes it",
                    format!("{}://{rest}, given as a string", scheme.name()),
                ));
            }
        }
        let Some((scheme, rest)) = uri.split_once("://") else {
            return Ok(Self::Local(path_with_home(uri)));
        };
        let scheme = match scheme {
            "file" => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                return Ok(Self::Local(PathBuf::from(path)));
            }
            "gs" => Scheme::Gs,
            "s3" => Scheme::S3,
            other => {
                return Err(Error::argument(
                    without_credentials(uri),
                    format!("the scheme `{other}://` is not supported"),
                    "a local path or a URI that begins with file://, gs:// or s3://",
                ));
            }
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
        if bucket.is_empty() || !bucket.chars().all(fits) {
            return Err(Error::argument(
                without_credentials(uri),
                "no bucket name after the scheme",
                format!(
                    "{}://bucket/key; credentials come from the environment, never from a URI",
                    scheme.name()
                ),
            ));
        }
        Ok(Self::Bucket(BucketUri {
            scheme,
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        }))
    }
}

/// Marks of a signed URL, in lower case: anyone who has such a URL has the access that it grants.
const SIGNATURES: [&str; 4] = ["x-amz-", "x-goog-", "signature=", "sig="];

/// The text before a scheme, the scheme, and the rest.
type UriParts<'t> = (&'t str, &'t str, &'t str);

/// The URIs in a text, found by their schemes, whatever comes before them and however many slashes a `pathlib.Path` has
/// left. A scheme of one letter is a drive or a folder.
fn uris(text: &str) -> impl Iterator<Item = UriParts<'_>> {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '.' | '-');
    text.match_indices(':').filter_map(move |(colon, _)| {
        let word = text[..colon].trim_end_matches(letters).len();
        let scheme = text[word..colon].trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
        let (before, rest) = (&text[..colon - scheme.len()], &text[colon + 1..]);
        let slashes = rest.starts_with("//")
            || matches!(scheme, "gs" | "s3")
            // After other folders, one slash may end the name of a folder.
            || (rest.starts_with('/')
                && (before.trim().is_empty() || matches!(scheme, "http" | "https" | "s3a" | "s3n")));
        (scheme.len() > 1 && slashes).then(|| (before, scheme, rest.trim_start_matches('/')))
    })
}

/// The end of the credentials at the beginning of a rest. A secret may itself hold `/`, `?` and `@`.
fn end_of_credentials(scheme: &str, rest: &str) -> Option<usize> {
    let host = rest.split('/').next().unwrap_or(rest);
    let is_key = matches!(scheme, "gs" | "s3" | "file") && !host.contains([':', '@']);
    if let Some(at) = rest.rfind('@').filter(|_| !is_key) {
        return Some(at + 1);
    }
    let (_, port) = host.split_once(':')?;
    // A user and a password without the `@host`.
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    (!is_port).then_some(rest.len())
}

fn tells_secrets((_, scheme, rest): &UriParts<'_>) -> bool {
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    let query = query.to_ascii_lowercase();
    end_of_credentials(scheme, rest).is_some() || SIGNATURES.iter().any(|sign| query.contains(sign))
}

/// Whether a URI holds a user, a password, a key or a signature.
pub fn has_credentials(uri: &str) -> bool {
    uris(uri).any(|parts| tells_secrets(&parts))
}

/// A URI for messages, without anything that may be a user, a password or a signature.
pub fn without_credentials(uri: &str) -> String {
    let Some((before, scheme, rest)) = uris(uri).find(tells_secrets).or_else(|| uris(uri).next()) else {
        return uri.to_owned();
    };
    let rest = &rest[end_of_credentials(scheme, rest).unwrap_or_default()..];
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    format!("{before}{scheme}://{}", if rest.is_empty() { "…" } else { rest })
}

/// The path of a URI that must be local.
pub fn local_path(uri: &str) -> Result<PathBuf> {
    match Location::parse(uri)? {
        Location::Local(path) => Ok(path),
        Location::Bucket(place) => Err(Error::argument(
            uri.to_owned(),
            format!("the scheme `{}://` is not supported here", place.scheme.name()),
            "a local path or a file:// URI, or a build with the feature `cloud`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(uri: &str) -> String {
        Location::parse(uri).map_or_else(|error| error.to_string(), |place| format!("{place:?}"))
    }

    #[test]
    fn buckets_and_keys_are_taken_as_they_stand() {
        for (uri, bucket, key) in [
            ("gs://b", "b", ""),
            ("gs://b/", "b", ""),
            ("s3://my.bucket-1/in/a b%20*.csv", "my.bucket-1", "in/a b%20*.csv"),
        ] {
            match Location::parse(uri) {
                Ok(Location::Bucket(found)) => assert_eq!((found.bucket(), found.key()), (bucket, key)),
                other => assert_eq!(format!("{other:?}"), uri),
            }
        }
        assert_eq!(
            Location::parse("file:///x/y").ok(),
            Some(Location::Local("/x/y".into()))
        );
        assert_eq!(
            Location::parse("a:b/c").ok(),
            Some(Location::Local("a:b/c".into()))
        );
        assert_eq!(
            Location::parse("a:b/c").ok(),
            Some(Location::Local("a:b/c".into()))
        );
        // A URI has no `~`.
        assert_eq!(
            Location::parse("file:///~/y").ok(),
            Some(Location::Local("/~/y".into()))
        );
    }

    #[test]
    fn no_message_repeats_credentials() {
        for uri in [
            "s3://KEY:hunter2@bucket/x",
            "s3:/KEY:hunter2@bucket/x",
            "s3:KEY:hunter2@bucket/x",
            "s3://KEY:hun/hunter2@bucket/x",
            "s3:/KEY:hun/hunter2@bucket/x",
            "s3://KEY:hun@hunter2/hun@bucket/x",
            "s3://KEY:hunter2/bucket",
            " s3a://KEY:hun/hunter2@bucket/x",
            "gs://bucket/x?X-Goog-Signature=hunter2",
            "file://KEY:hun/hunter2@bucket/x",
            "https:/me:hunter2@host/x",
            "https://me:hun/hunter2@host/x",
            "https://me:hun?hunter2@host/x",
            "https://hun/hunter2@host/x",
            "https://me:hunter2@host/x?sig=hunter2",
            "https://host/x?X-Goog-Signature=hunter2",
            "gs://b?key=hunter2",
            "gs:///hunter",
            "./s3://KEY:hunter2@bucket/x",
            "../s3://KEY:hun/hunter2@bucket/x",
            "@s3://KEY:hunter2@bucket/x",
            "@https://me:hunter2@host/x",
            "/srv/data/s3:/KEY:hunter2@bucket/x",
            "/srv/data/https:/me:hunter2@host/x",
            "gs://bucket/s3://KEY:hunter2@bucket/x",
            "a:b c: s3://KEY:hunter2@bucket/x",
        ] {
            let told = refused(uri);
            assert!(!told.contains("hunter2"), "{told}");
            assert!(told.contains("expected"), "{told}");
        }
    }

    #[test]
    fn what_is_no_credential_stays() {
        for uri in [
            "gs://bucket/mails/me@home: notes.csv",
            "s3://bucket/in/?[ab].csv",
            "c:/data/me@home.csv",
            "data/a:b@c.csv",
            "data/notes:/me@home.csv",
            "data/2026-01-01T10:/me@home.csv",
            "file:///data/me@home.csv",
        ] {
            assert!(Location::parse(uri).is_ok() && !has_credentials(uri), "{uri}");
        }
        assert_eq!(without_credentials("https://host:8080/x"), "https://host:8080/x");
        assert_eq!(without_credentials("s3:/KEY:a/b@bucket/x"), "s3://bucket/x");
        assert_eq!(without_credentials("./s3://KEY:a@bucket/x"), "./s3://bucket/x");
    }

    #[test]
    fn a_uri_that_lost_a_slash_is_told() {
        let told = refused("gs:/bucket/x");
        assert!(
            told.contains("pathlib") && told.contains("gs://bucket/x"),
            "{told}"
        );
    }
}
