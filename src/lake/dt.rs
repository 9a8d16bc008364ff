//! The logical date of a partition.

use std::fmt;

use chrono::NaiveDate;

use crate::error::{Error, Result};
use crate::storage::uri::without_credentials;

/// A day, as written in `dt=` folders. Days are ordered by the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dt(NaiveDate);

impl Dt {
    /// Parses `2026-11-22` and rejects every other form: a partition is never guessed.
    pub fn parse(text: &str) -> Result<Self> {
        let shaped = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| {
                if matches!(at, 4 | 7) {
                    byte == b'-'
                } else {
                    byte.is_ascii_digit()
                }
            });
        let part = |from: usize, to: usize| text[from..to].parse::<u32>().ok();
        let date = if shaped {
            part(0, 4)
                .and_then(|year| i32::try_from(year).ok())
                .zip(part(5, 7).zip(part(8, 10)))
                .and_then(|(year, (month, day))| NaiveDate::from_ymd_opt(year, month, day))
        } else {
            None
        };
        date.map(Self).ok_or_else(|| {
            let found = format!("`{}`", without_credentials(text));
            Error::argument("dt", found, "an ISO date such as 2026-11-22")
        })
    }

    /// Its day.
    pub fn day(self) -> NaiveDate {
        self.0
    }

    /// The day this many days before; `None` before the beginning of the calendar.
    pub fn days_before(self, days: u32) -> Option<Self> {
        self.0
            .checked_sub_days(chrono::Days::new(u64::from(days)))
            .map(Self)
    }

    /// The date in a folder's name after `dt=`, if there is one.
    pub fn of_folder(name: &str) -> Option<Self> {
        Self::parse(name.strip_prefix("dt=")?).ok()
    }
}

/// The days from one to another, both among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DtRange {
    first: Dt,
    last: Dt,
}

impl DtRange {
    /// Parses `2024-01-01..2024-01-31`.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |found: &str, expected: &str| {
            let found = format!("`{}`{found}", without_credentials(text));
            Error::argument("dates", found, expected)
        };
        let days = text
            .split_once("..")
            .and_then(|(first, last)| Some((Dt::parse(first).ok()?, Dt::parse(last).ok()?)));
        let Some((first, last)) = days else {
            return Err(refuse("", "two ISO dates such as 2024-01-01..2024-01-31"));
        };
        if last < first {
            return Err(refuse(
                " ends before it begins",
                &format!("the earlier date first: {last}..{first}"),
            ));
        }
        Ok(Self { first, last })
    }

    /// The days in order.
    pub fn days(self) -> impl Iterator<Item = Dt> {
        let days = self.first.0.iter_days();
        days.take_while(move |day| *day <= self.last.0).map(Dt)
    }
}

/// The dates of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunDates {
    One(Dt),
    Each(DtRange),
}

impl fmt::Display for DtRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}..{}", self.first, self.last)
    }
}

impl fmt::Display for Dt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
