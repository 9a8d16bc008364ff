//! What is fetched, from where, and how politely.

use std::time::Duration;

use chrono::NaiveDate;
use reqwest::Url;

use crate::choice::{Choice, parse_choices};
use crate::error::{Error, Result};
use crate::storage::uri::{has_credentials, without_credentials};

/// Requests at a time: NLM asks for few.
const MOST_PARALLEL: u64 = 8;
const MOST_ATTEMPTS: u64 = 20;
const LONGEST_TIMEOUT: u64 = 3600;

/// Who publishes the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchSource {
    Pubmed,
    ClinicalTrials,
}

impl FetchSource {
    /// The stage in progress and logs.
    pub(super) fn stage(self) -> &'static str {
        match self {
            Self::Pubmed => "fetch pubmed",
            Self::ClinicalTrials => "fetch clinicaltrials",
        }
    }

    /// Where the source is published.
    pub fn home(self) -> &'static str {
        match self {
            Self::Pubmed => "https://ftp.ncbi.nlm.nih.gov/pubmed/",
            Self::ClinicalTrials => "https://clinicaltrials.gov/api/v2/",
        }
    }
}

impl Choice for FetchSource {
    const CHOICES: &'static [Self] = &[Self::Pubmed, Self::ClinicalTrials];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Pubmed => "pubmed",
            Self::ClinicalTrials => "clinicaltrials",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Pubmed => "NLM's baseline and update files",
            Self::ClinicalTrials => "studies of ClinicalTrials.gov, by its API",
        }
    }
}

/// Which files of PubMed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PubmedPart {
    #[default]
    All,
    Baseline,
    Updates,
}

impl PubmedPart {
    /// NLM's folders.
    pub(super) fn folders(self) -> &'static [&'static str] {
        match self {
            Self::All => &["baseline", "updatefiles"],
            Self::Baseline => &["baseline"],
            Self::Updates => &["updatefiles"],
        }
    }
}

impl Choice for PubmedPart {
    const CHOICES: &'static [Self] = &[Self::All, Self::Baseline, Self::Updates];

    fn choice_name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Baseline => "baseline",
            Self::Updates => "updates",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::All => "both",
            Self::Baseline => "everything, as of each December",
            Self::Updates => "new, changed and deleted records of each day since then",
        }
    }
}

parse_choices!(FetchSource, PubmedPart);

/// The settings of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchSettings {
    /// Files of PubMed to fetch; another value than the default is an error for other sources.
    pub part: PubmedPart,
    /// PubMed: files that NLM listed on this day or later. ClinicalTrials.gov: studies updated on this day or later.
    pub since: Option<NaiveDate>,
    /// The last of these days.
    pub until: Option<NaiveDate>,
    /// PubMed: files from this number on.
    pub first: Option<u64>,
    /// At most this many files in this run.
    pub limit: Option<u64>,
    /// Another server, such as a mirror.
    pub base_url: Option<String>,
    /// Files of PubMed that are downloaded at a time.
    pub parallel: u64,
    /// How often a request is sent before it fails.
    pub attempts: u64,
    /// Seconds without a byte before a connection counts as broken.
    pub timeout: u64,
    /// Only list what would be fetched.
    pub dry_run: bool,
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            part: PubmedPart::default(),
            since: None,
            until: None,
            first: None,
            limit: None,
            base_url: None,
            parallel: 3,
            attempts: 8,
            timeout: 60,
            dry_run: false,
        }
    }
}

impl FetchSettings {
    /// Checks the settings, and returns the address of the server, which ends with a slash.
    pub(super) fn checked(&self, source: FetchSource) -> Result<Url> {
        within("parallel", self.parallel, MOST_PARALLEL)?;
        within("attempts", self.attempts, MOST_ATTEMPTS)?;
        within("timeout", self.timeout, LONGEST_TIMEOUT)?;
        if self.limit == Some(0) {
            return Err(Error::argument("limit", "0", "at least one file, or no limit"));
        }
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since > until
        {
            let found = format!("{since}, after the last day {until}");
            return Err(Error::argument("since", found, "a day that is not after `until`"));
        }
        if source != FetchSource::Pubmed {
            let of_pubmed = |argument: &str| {
                let expected = "it only with pubmed; studies are chosen by since and until";
                Error::argument(argument, "a setting of pubmed for clinicaltrials", expected)
            };
            if self.part != PubmedPart::default() {
                return Err(of_pubmed("part"));
            }
            if self.first.is_some() {
                return Err(of_pubmed("first"));
            }
        }
        base_of(self.base_url.as_deref().unwrap_or(source.home()))
    }

    pub(super) fn idle(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

fn within(argument: &str, found: u64, most: u64) -> Result<()> {
    if (1..=most).contains(&found) {
        return Ok(());
    }
    let expected = format!("a number from 1 to {most}");
    Err(Error::argument(argument, found.to_string(), expected))
}

/// Reads the address of a server.
fn base_of(text: &str) -> Result<Url> {
    let refused = |found: String, expected: &str| Err(Error::argument("base_url", found, expected));
    let example = "an address such as https://ftp.ncbi.nlm.nih.gov/pubmed/";
    let parsed = Url::parse(text);
    // The colons of IPv6 are no password.
    let is_plain_ipv6 = parsed.as_ref().is_ok_and(|url| {
        let is_ipv6 = url.host_str().is_some_and(|host| host.starts_with('['));
        is_ipv6 && url.username().is_empty() && url.password().is_none()
    });
    if has_credentials(text) && !is_plain_ipv6 {
        let found = format!("credentials in `{}`", without_credentials(text));
        return refused(found, "an address without them, because logs and reports show it");
    }
    let Ok(mut url) = parsed else {
        return refused(format!("`{text}` is no address"), example);
    };
    let Some(host) = url.host_str() else {
        return refused(format!("`{text}` has no host"), example);
    };
    let is_loopback = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        "http" => {
            let found = format!("`{text}` has no TLS, so anybody on the way could change what is fetched");
            return refused(
                found,
                "https://; http:// is for servers on this machine (127.0.0.1, localhost)",
            );
        }
        other => return refused(format!("the scheme `{other}`"), example),
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused(format!("`{}` has a query", without_credentials(text)), example);
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// A day, `2026-11-22`.
pub fn parse_day(argument: &str, text: &str) -> Result<NaiveDate> {
    day_of(text).ok_or_else(|| {
        let found = format!("`{}`", without_credentials(text));
        Error::argument(argument, found, "an ISO date such as 2026-11-22")
    })
}

/// A day in ISO form; `None` for any other text.
pub(super) fn day_of(text: &str) -> Option<NaiveDate> {
    let is_shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !is_shaped {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let year = i32::try_from(part(0, 4)?).ok()?;
    NaiveDate::from_ymd_opt(year, part(5, 7)?, part(8, 10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_encrypted_or_on_this_machine() {
        for (text, wanted) in [
            (
                "https://mirror.example.com/pubmed",
                Ok("https://mirror.example.com/pubmed/"),
            ),
            ("http://127.0.0.1:8080/x/", Ok("http://127.0.0.1:8080/x/")),
            ("http://[::1]:8080", Ok("http://[::1]:8080/")),
            ("http://localhost", Ok("http://localhost/")),
            ("http://mirror.example.com/", Err("has no TLS")),
            ("http://127.0.0.1.example.com/", Err("has no TLS")),
            ("ftp://ftp.ncbi.nlm.nih.gov/", Err("the scheme `ftp`")),
            ("ncbi", Err("is no address")),
            ("https://host/x?token=1", Err("has a query")),
        ] {
            let told = base_of(text).map_or_else(|error| error.to_string(), |url| url.to_string());
            match wanted {
                Ok(wanted) => assert_eq!(told, wanted),
                Err(wanted) => assert!(told.contains(wanted), "{told}"),
            }
        }
        for text in [
            "https://me:hunter2@host/",
            "https://hunter2@host/",
            "http://me:hunter2@127.0.0.1/",
            "http://me:hunter2@[::1]:80/",
        ] {
            let told = base_of(text).map_or_else(|error| error.to_string(), |url| url.to_string());
            assert!(
                told.contains("credentials") && !told.contains("hunter2"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_day_is_an_iso_date() {
        assert_eq!(day_of("2026-02-28"), NaiveDate::from_ymd_opt(2026, 2, 28));
        for text in [
            "2026-02-29",
            "2026-2-28",
            "28/02/2026",
            "2026-02-28T",
            "２026-02-8",
            "",
        ] {
            assert_eq!(day_of(text), None, "{text}");
        }
    }
}
