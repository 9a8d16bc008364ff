//! The logical date of a partition.

use std::fmt;

use chrono::NaiveDate;

use crate::error::{Error, Result};
use crate::storage::uri::without_credentials;

/// A day, as it stands in `dt=` folders. It orders as the calendar does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dt(NaiveDate);

impl Dt {
    /// Reads `2026-11-22`, and nothing else: a partition is never guessed.
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

    /// The date behind `dt=` in a folder's name, if it is one.
    pub fn of_folder(name: &str) -> Option<Self> {
        Self::parse(name.strip_prefix("dt=")?).ok()
    }
}

impl fmt::Display for Dt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
