//! Shares such as `0.5%`, as settings name them: compared exactly, without floating point.

use std::fmt;

use crate::error::{Error, Result};

/// A share, in thousandths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

/// One percent.
const PERCENT: u64 = 1000;

impl Share {
    /// The whole.
    pub const WHOLE: u64 = 100 * PERCENT;

    /// Parses `50%` and `12.5%`, the value of an argument.
    pub fn parse(argument: &str, text: &str) -> Result<Self> {
        let share = text.strip_suffix('%').and_then(|number| {
            let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
            let is_number = |digits: &str, most: usize| {
                (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
            };
            if !is_number(whole, 6) || !is_number(part, 3) {
                return None;
            }
            format!("{whole}{part:0<3}").parse().ok()
        });
        share.map(Self).ok_or_else(|| {
            let expected = "a share such as 50%, with at most three decimals";
            Error::argument(argument, format!("`{text}`"), expected)
        })
    }

    /// In thousandths of a percent.
    pub fn thousandths(self) -> u64 {
        self.0
    }

    /// Whether a part of a whole is more than this share of it.
    pub fn is_exceeded(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(Self::WHOLE) > u128::from(whole) * u128::from(self.0)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}%", self.0 as f64 / PERCENT as f64)
    }
}

/// A part of a whole as a percentage for people: `0.4 %`, with more digits if it is small, and `0 %` only for none.
pub fn percentage(part: u64, whole: u64) -> String {
    if part == 0 {
        return "0 %".to_owned();
    }
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    match share {
        share if share >= 0.1 => format!("{share:.1} %"),
        share if share >= 0.001 => format!("{share:.3} %"),
        _ => "less than 0.001 %".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exceeded_by_the_first_row_above_it() -> Result<()> {
        for (share, part, whole, is_exceeded) in [
            ("2%", 2, 100, false),
            ("2%", 3, 100, true),
            ("0%", 0, 0, false),
            ("0%", 1, 0, true),
            ("0.5%", 5, 1000, false),
            ("0.5%", 6, 1000, true),
            ("100%", u64::MAX, u64::MAX, false),
        ] {
            let parsed = Share::parse("max_lost", share)?;
            assert_eq!(
                parsed.is_exceeded(part, whole),
                is_exceeded,
                "{share} {part} {whole}"
            );
        }
        assert!(Share::parse("max_lost", "2").is_err());
        Ok(())
    }

    #[test]
    fn no_part_is_shown_as_none() {
        assert_eq!(percentage(0, 7), "0 %");
        assert_eq!(percentage(1, 8), "12.5 %");
        assert_eq!(percentage(1, 10_000), "0.010 %");
        assert_eq!(percentage(1, 10_000_000), "less than 0.001 %");
    }
}
