//! The states of gold: a record for each, and the files that later states replaced, as long as they are kept.
//!
//! A file that a commit replaces is not copied, but gets another name: `states/kept/<number>/<its digest>`, with the number
//! of the state that replaced it. So it is needed by earlier states alone, and when those are given up the whole folder is.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::documents::HeldDate;
use super::manifest::Version;
use super::{layout, manifest};
use crate::error::{Error, Result};
use crate::storage::{Storage, Transaction, sha256_hex};
use crate::tables::output_file::OutputFile;

/// How long earlier states are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepStates {
    /// Those that were the newest at some time in the last days.
    Days(u32),
    /// This number of them beside the newest.
    Number(u32),
}

impl Default for KeepStates {
    fn default() -> Self {
        Self::Days(30)
    }
}

impl FromStr for KeepStates {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wanted = || {
            let expected = "a number of days or of states, such as `30 days` or `10 states`";
            Error::argument("keep", format!("`{text}`"), expected)
        };
        let text = text.trim();
        let digits = text.len()
            - text
                .trim_start_matches(|letter: char| letter.is_ascii_digit())
                .len();
        let (number, unit) = text.split_at(digits);
        let number = number.parse().map_err(|_| wanted())?;
        match unit.trim().to_ascii_lowercase().as_str() {
            "day" | "days" | "d" => Ok(Self::Days(number)),
            "state" | "states" => Ok(Self::Number(number)),
            _ => Err(wanted()),
        }
    }
}

/// What gold was after one commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateRecord {
    /// Counts the states of the lake from 1.
    pub state: u64,
    /// By the clock of the machine, in UTC: `2026-11-22T06:00:00.000Z`.
    pub committed_at: String,
    pub run_id: String,
    pub version: String,
    /// The tables hold the partitions up to this date.
    pub as_of: String,
    pub publications: u64,
    pub mentions: u64,
    pub pairs: u64,
    /// The dates that were held.
    #[serde(default)]
    pub held: Vec<HeldDate>,
    /// For each table with a snapshot, the date of the newest one: the state leaves out the dates before it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub snapshots: BTreeMap<String, String>,
    /// The digest of the manifest of gold.
    pub gold: String,
    /// The manifests of the silver partitions that were there, with their digests. Held ones are among them.
    pub silver: BTreeMap<String, String>,
}

/// The numbers of the states that have a record, in order.
pub(crate) fn state_numbers(storage: &dyn Storage) -> Result<Vec<u64>> {
    let names = storage.list(layout::STATES)?;
    let mut numbers: Vec<u64> = names
        .iter()
        .filter_map(|name| layout::state_of_file(name))
        .collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The record of a state; `None` if there is none.
pub(crate) fn read_state(storage: &dyn Storage, number: u64) -> Result<Option<StateRecord>> {
    Ok(manifest::read(storage, layout::state(number))?.0)
}

/// All states with a record, the first one first.
pub fn states(storage: &dyn Storage) -> Result<Vec<StateRecord>> {
    let mut records = Vec::new();
    for number in state_numbers(storage)? {
        records.extend(read_state(storage, number)?);
    }
    Ok(records)
}

/// What silver replaces is kept with the number of this many states after the newest: that many runs of gold may end while one
/// of silver is at work, and need what it replaces.
const AHEAD: u64 = 16;

/// The number under which silver keeps what it replaces; `None` in a lake without states.
pub(crate) fn number_for_silver(storage: &dyn Storage) -> Result<Option<u64>> {
    Ok(state_numbers(storage)?.pop().map(|last| last + AHEAD))
}

/// Keeps files that a transaction replaces: those of `before` that are not in `after`.
pub(crate) fn keep_replaced(
    transaction: &mut dyn Transaction,
    number: u64,
    before: &[OutputFile],
    after: &[OutputFile],
) -> Result<()> {
    let after: BTreeMap<&str, &str> = after
        .iter()
        .map(|file| (file.path.as_str(), file.sha256.as_str()))
        .collect();
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    for file in before.iter().filter(|file| layout::is_kept(&file.path)) {
        // A manifest from somebody else may hold anything.
        if is_digest(&file.sha256) && after.get(file.path.as_str()) != Some(&file.sha256.as_str()) {
            let kept = layout::kept_file(number, &file.path, &file.sha256);
            transaction.keep(&file.path, &kept)?;
        }
    }
    Ok(())
}

/// Keeps a manifest that a transaction replaces.
pub(crate) fn keep_manifest(transaction: &mut dyn Transaction, number: u64, before: &Version) -> Result<()> {
    match &before.1 {
        Some(bytes) => {
            let kept = layout::kept_file(number, &before.0, &sha256_hex(bytes));
            transaction.keep(&before.0, &kept)
        }
        None => Ok(()),
    }
}

/// Writes the record of a new state into a transaction.
pub(crate) fn write_state(transaction: &mut dyn Transaction, record: &StateRecord) -> Result<()> {
    let path = layout::state(record.state);
    transaction.replace(&path)?;
    manifest::write(transaction, &path, record).map(|_| ())
}

/// The time of now as records have it.
pub(crate) fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The files of states that are given up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expired {
    /// The states that cannot be read any more.
    pub states: Vec<u64>,
    /// Records and folders of kept files.
    pub paths: Vec<String>,
    /// Whether the state before the newest is kept.
    pub keeps_last: bool,
}

/// What is given up where states are kept like this. The newest state stays; `newer` says that a state comes after those with a
/// record.
pub(crate) fn expired(storage: &dyn Storage, keep: KeepStates, newer: bool) -> Result<Expired> {
    let numbers = state_numbers(storage)?;
    // What was replaced is kept for the states before the one that replaced it.
    let earlier = if newer {
        &numbers[..]
    } else {
        &numbers[..numbers.len().saturating_sub(1)]
    };
    let mut gone = match keep {
        KeepStates::Number(number) => earlier.len().saturating_sub(number as usize),
        KeepStates::Days(days) => {
            let age = chrono::Duration::try_days(i64::from(days));
            // A time before all times: everything is kept.
            let since = age
                .and_then(|age| Utc::now().checked_sub_signed(age))
                .unwrap_or_default();
            let mut gone = 0;
            for next in 1..=earlier.len() {
                // A state is needed as long as its successor is young.
                let Some(successor) = numbers.get(next) else {
                    gone += usize::from(days == 0);
                    break;
                };
                let record = read_state(storage, *successor)?;
                let at = record.and_then(|record| DateTime::parse_from_rfc3339(&record.committed_at).ok());
                if at.is_some_and(|at| at >= since) {
                    break;
                }
                gone = next;
            }
            gone
        }
    };
    gone = gone.min(earlier.len());
    let states = earlier[..gone].to_vec();
    let mut paths: Vec<String> = states.iter().map(|number| layout::state(*number)).collect();
    let newest = numbers.last().map_or(0, |last| last + u64::from(newer));
    let first = earlier.get(gone).copied();
    for name in storage.list(layout::KEPT)? {
        // What a state replaced is needed by those before it.
        let replaced_by = name.parse::<u64>();
        if replaced_by.is_ok_and(|number| number <= first.unwrap_or(newest)) {
            paths.push(format!("{}/{name}", layout::KEPT));
        }
    }
    let keeps_last = first.is_some();
    Ok(Expired {
        states,
        paths,
        keeps_last,
    })
}

/// Gives up the states that are not to be kept; returns what is given up, and does nothing else for a dry run.
pub fn vacuum(storage: &dyn Storage, keep: KeepStates, dry_run: bool) -> Result<Expired> {
    // One of a newer version is an error.
    let (_, version) = manifest::read_own::<serde_json::Value>(storage, layout::GOLD_MANIFEST.to_owned())?;
    let expired = expired(storage, keep, false)?;
    if !dry_run && !expired.paths.is_empty() {
        let transaction = storage.begin(&expired.paths)?;
        transaction.commit(&[version])?;
    }
    Ok(expired)
}
