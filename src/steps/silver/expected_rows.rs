//! How many rows a delivery may have: compared with the delivery that it replaces, and with those of the dates before it.

use std::fmt;

use crate::error::{Error, Result};
use crate::share::Share;

/// The number of deliveries before a date whose median is taken.
pub(super) const MOST_DELIVERIES: usize = 7;

/// The median of fewer deliveries is not compared.
const LEAST_DELIVERIES: usize = 3;

/// By which share the rows of a delivery may differ from the expected number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedRows(Share);

impl ExpectedRows {
    /// Parses `50%` and `12.5%`.
    pub fn parse(text: &str) -> Result<Self> {
        Share::parse("expect_rows", text).map(Self)
    }

    /// Fails if a delivery has far fewer rows than the one that it replaces, or if their number is far from the median of
    /// the deliveries before it.
    pub(super) fn check(self, uri: &str, rows: u64, replaced: Option<u64>, before: Vec<u64>) -> Result<()> {
        if let Some(replaced) = replaced {
            let bounds = self.bounds(2 * u128::from(replaced));
            if u128::from(rows) < bounds.0 {
                let expected = format!("the delivery that it replaces has {replaced}");
                return Err(self.refuse(uri, rows, &expected, &format!("{} or more", bounds.0)));
            }
        }
        if before.len() < LEAST_DELIVERIES {
            return Ok(());
        }
        let deliveries = before.len();
        let twice = twice_the_median(before);
        let (least, most) = self.bounds(twice);
        if (least..=most).contains(&u128::from(rows)) {
            return Ok(());
        }
        let half = if twice.is_multiple_of(2) { "" } else { ".5" };
        let expected = format!(
            "the median of the {deliveries} deliveries before it is {}{half}",
            twice / 2
        );
        Err(self.refuse(uri, rows, &expected, &format!("{least} to {most}")))
    }

    /// The least and the most rows where twice as many are expected.
    fn bounds(self, twice: u128) -> (u128, u128) {
        let (whole, share) = (u128::from(Share::WHOLE), u128::from(self.0.thousandths()));
        let least = (twice * whole.saturating_sub(share)).div_ceil(2 * whole);
        (least, twice * (whole + share) / (2 * whole))
    }

    fn refuse(self, uri: &str, rows: u64, expected: &str, allowed: &str) -> Error {
        Error::RowCount {
            uri: uri.to_owned(),
            found: format!("{rows} kept rows, and {expected}: expect_rows={self} allows {allowed}"),
        }
    }
}

impl fmt::Display for ExpectedRows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A whole number also for an even count, whose median lies between two.
fn twice_the_median(mut counts: Vec<u64>) -> u128 {
    counts.sort_unstable();
    let middle = counts.len() / 2;
    u128::from(counts[middle]) + u128::from(counts[(counts.len() - 1) / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_or_refused() -> Result<()> {
        for (text, shown) in [
            ("50%", "50%"),
            ("0%", "0%"),
            ("12.5%", "12.5%"),
            ("33.333%", "33.333%"),
            ("007%", "7%"),
            ("250%", "250%"),
        ] {
            assert_eq!(ExpectedRows::parse(text)?.to_string(), shown);
        }
        for text in [
            "", "%", "50", "0.5", "50 %", " 50%", "50%%", "-50%", "+50%", "1e2%", "inf%", "NaN%", ".5%",
            "5.%", "1.2345%", "1.2.3%", "٥%", "9999999%",
        ] {
            assert!(ExpectedRows::parse(text).is_err(), "{text}");
        }
        Ok(())
    }

    #[test]
    fn bounds_are_exact() -> Result<()> {
        for (share, replaced, before, least, most) in [
            ("50%", Some(1000), vec![], 500, u64::MAX),
            ("50%", None, vec![1000; 2], 0, u64::MAX),
            ("50%", None, vec![1000; 3], 500, 1500),
            ("33.3%", None, vec![1000; 7], 667, 1333),
            ("0%", Some(3), vec![3; 3], 3, 3),
            ("10%", None, vec![1, 10, 10, 1000], 9, 11),
            // The median is 2.5.
            ("20%", None, vec![2, 2, 3, 3], 2, 3),
            ("100%", Some(9), vec![9; 3], 0, 18),
            ("400%", Some(9), vec![9; 3], 0, 45),
            ("50%", None, vec![0; 7], 0, 0),
            ("50%", Some(u64::MAX), vec![], u64::MAX / 2 + 1, u64::MAX),
        ] {
            let share = ExpectedRows::parse(share)?;
            let passes = |rows| share.check("x", rows, replaced, before.clone()).is_ok();
            assert!(passes(least) && passes(most), "{share} {replaced:?} {before:?}");
            assert!(
                !least.checked_sub(1).is_some_and(passes),
                "{share} {replaced:?} {before:?}"
            );
            assert!(
                !most.checked_add(1).is_some_and(passes),
                "{share} {replaced:?} {before:?}"
            );
        }
        Ok(())
    }
}
