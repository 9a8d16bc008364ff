//! The environment variables about buckets. Each is checked before it is used: a value that would make the library
//! panic, or fail far from the cause, is rejected with the name of its variable. No message repeats a value.

use std::env;
use std::ffi::OsStr;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A variable that the library knows.
#[derive(Clone)]
pub(super) struct Setting<K> {
    pub name: String,
    pub key: K,
    pub value: String,
}

/// The form that a value must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueForm {
    /// A key or a token. It goes into a header, and a blank in it is a mistake of copying.
    Secret,
    /// `https://host:port/path`
    Url,
    /// A `Url` with an optional scheme; a user and a password are allowed.
    ProxyUrl,
    /// `host` or `host:port`
    Host,
    /// A label within a host name.
    Region,
    /// The `/path` part of a URL whose server is known.
    UrlPath,
    /// A path of this machine.
    File,
    /// A text of several lines.
    Lines,
    /// A name, a number, a word.
    Plain,
}

impl ValueForm {
    fn of(name: &str) -> Self {
        match name {
            _ if name.ends_with("_CERTIFICATE") || name == "GOOGLE_SERVICE_ACCOUNT_KEY" => Self::Lines,
            _ if name.ends_with("_FILE") || name.ends_with("_PATH") => Self::File,
            "SERVICE_ACCOUNT" | "GOOGLE_SERVICE_ACCOUNT" | "GOOGLE_APPLICATION_CREDENTIALS" => Self::File,
            _ if name.ends_with("PROXY_URL") => Self::ProxyUrl,
            _ if name.contains("_ENDPOINT") || name.ends_with("_BASE_URL") || name.ends_with("_FULL_URI") => {
                Self::Url
            }
            _ if name.ends_with("_RELATIVE_URI") => Self::UrlPath,
            _ if name.ends_with("_REGION") => Self::Region,
            _ if name.contains("TOKEN") || name.contains("_KEY") => Self::Secret,
            _ => Self::Plain,
        }
    }

    /// What is wrong with a value, and what is expected; `None` for a good one.
    fn fault(self, value: &str) -> Option<(&'static str, &'static str)> {
        if matches!(self, Self::Lines) {
            return None;
        }
        let fault = if value.contains(['\n', '\r']) {
            "a line end in it"
        } else if value.contains(char::is_control) {
            "a control character in it"
        } else if matches!(self, Self::File) {
            return None;
        } else if !value.is_ascii() {
            "a letter that is not ASCII in it"
        } else if value.contains(' ') && (!matches!(self, Self::Plain) || value.trim() != value) {
            "a blank in it"
        } else {
            return self.fault_of_shape(value);
        };
        Some((fault, self.expected()))
    }

    fn fault_of_shape(self, value: &str) -> Option<(&'static str, &'static str)> {
        let fault = match self {
            Self::Url | Self::ProxyUrl => url_fault(value, self == Self::ProxyUrl),
            Self::Host if !is_host(value) => Some("no host in it"),
            Self::Region if value.contains(':') || !is_host(value) => {
                Some("a character in it that no name of a host has")
            }
            Self::UrlPath if !value.starts_with('/') => Some("no `/` at its beginning"),
            _ => None,
        };
        fault.map(|fault| (fault, self.expected()))
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Secret => "the key or token alone, in one line",
            Self::Url => "a URL such as https://storage.example.com:9000, without a user in it",
            Self::ProxyUrl => "a URL such as http://proxy.example.com:3128",
            Self::Host => "a host or host:port such as 127.0.0.1:9023",
            Self::Region => "the name of a region such as us-east-1",
            Self::UrlPath => "a path such as /v2/credentials",
            Self::File => "the path of a file, in one line",
            Self::Lines | Self::Plain => "one word or number of ASCII letters, in one line",
        }
    }
}

fn url_fault(value: &str, is_proxy: bool) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    let (scheme, rest) = match lower.split_once("://") {
        Some(parts) => parts,
        None if is_proxy => ("http", lower.as_str()),
        None => return Some("no https:// or http:// at its beginning"),
    };
    if !(matches!(scheme, "http" | "https")
        || (is_proxy && matches!(scheme, "socks4" | "socks5" | "socks5h")))
    {
        return Some("another scheme than https:// or http://");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = match authority.rsplit_once('@') {
        Some((_, host)) if is_proxy => host,
        Some(_) => return Some("a user before the host"),
        None => authority,
    };
    (!is_host(host)).then_some("no usable host and port in it")
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((address, port)) if address.contains(':') => (address.replace(':', "."), port.strip_prefix(':')),
        Some(_) => return false,
        None => match text.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (text.to_owned(), None),
        },
    };
    let letters = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    !host.is_empty() && host.chars().all(letters) && port.is_none_or(is_port)
}

/// The value of a variable; a blank one counts as not set.
pub(super) fn checked(name: &str, value: &OsStr, form: ValueForm) -> Result<Option<String>> {
    let Some(text) = value.to_str() else {
        return Err(refused(name, "bytes that are not UTF-8", form.expected()));
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    match form.fault(text) {
        Some((found, expected)) => Err(refused(name, found, expected)),
        None => Ok(Some(text.to_owned())),
    }
}

/// The value of one variable.
pub(super) fn variable(name: &str, form: ValueForm) -> Result<Option<String>> {
    env::var_os(name).map_or(Ok(None), |value| checked(name, &value, form))
}

/// The variables that begin with `prefix` and that the library knows.
pub(super) fn settings<K: FromStr>(prefix: &str) -> Result<Vec<Setting<K>>> {
    let mut settings = Vec::new();
    for (name, value) in env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with(prefix)) else {
            continue;
        };
        let Ok(key) = name.to_ascii_lowercase().parse() else {
            continue;
        };
        if let Some(value) = checked(name, &value, ValueForm::of(name))? {
            let name = name.to_owned();
            settings.push(Setting { name, key, value });
        }
    }
    Ok(settings)
}

/// The error for a variable; it does not repeat the value.
pub(super) fn refused(name: &str, found: &str, expected: &str) -> Error {
    Error::argument(name, format!("{found} (the value is not shown)"), expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_used_is_refused_by_name() {
        for (name, value) in [
            ("AWS_SESSION_TOKEN", "hunter2\n"),
            ("AWS_SESSION_TOKEN", "hunter2é"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2 "),
            ("AWS_ACCESS_KEY_ID", "hunter2\u{1}"),
            ("AWS_ENDPOINT_URL", "hunter2:9000"),
            ("AWS_ENDPOINT_URL", "ftp://hunter2"),
            ("AWS_ENDPOINT_URL_S3", "http://hun ter2"),
            ("AWS_ENDPOINT_URL_STS", "http://key:hunter2@host"),
            ("AWS_METADATA_ENDPOINT", "http://"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://hunter2:99999/x"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "hunter2"),
            ("AWS_PROXY_URL", "http://user:hunter2@"),
            ("AWS_REGION", " hunter2"),
            ("AWS_REGION", "hunter2 b"),
            ("AWS_DEFAULT_REGION", "hunter2/b"),
            ("AWS_DEFAULT_REGION", "hunter2@b"),
            ("AWS_DEFAULT_REGION", "hunter2:80"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/hunter2\n"),
            ("GOOGLE_BASE_URL", "hunter2"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "hunter2\r\n"),
        ] {
            let told = match checked(name, OsStr::new(value), ValueForm::of(name)) {
                Err(error) => error.to_string(),
                Ok(found) => format!("{name} was taken: {found:?}"),
            };
            assert!(
                told.starts_with(&format!("{name}: ")) && !told.contains("hunter2"),
                "{told}"
            );
        }
    }

    #[test]
    fn usual_values_are_taken() {
        for (name, value) in [
            ("AWS_SECRET_ACCESS_KEY", "wJalr/K7MD+x="),
            ("AWS_ENDPOINT_URL", "HTTPS://minio.example.com:9000/"),
            ("AWS_ENDPOINT_URL", "http://[::1]:9000"),
            ("AWS_PROXY_URL", "http://me:secret@proxy:3128"),
            ("AWS_PROXY_URL", "proxy:3128"),
            ("AWS_USER_AGENT", "my tool 1.0"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_TIMEOUT", "30 seconds"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "/home/zoé/my key.json"),
            ("GOOGLE_SERVICE_ACCOUNT_KEY", "{\n}\n"),
        ] {
            let taken = checked(name, OsStr::new(value), ValueForm::of(name))
                .ok()
                .flatten();
            assert_eq!(taken.as_deref(), Some(value), "{name}");
        }
        assert_eq!(
            checked("AWS_REGION", OsStr::new(" "), ValueForm::Plain).ok(),
            Some(None)
        );
        assert!(is_host("localhost:4443") && !is_host("local host") && !is_host(":1") && !is_host("[1]:2"));
    }
}
