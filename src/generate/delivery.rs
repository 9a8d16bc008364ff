//! A world in deliveries: each has its share of the records, and corrects records of the deliveries before it.
//!
//! A delivery is a function of the settings, like a record: it is made without the others.

use std::ops::Range;

use super::dirt::Dirt;
use super::random::dice::Dice;
use crate::error::{Error, Result};

/// Draws of a correction's record before it is left out, because a record that was not kept cannot be corrected.
const TRIES: u64 = 64;

const MOST_DELIVERIES: u64 = 1_000_000;

/// The delivery of a world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Delivery {
    /// From 1 on.
    pub number: u64,
    pub of: u64,
    /// Corrections, as a share of the delivery's new records.
    pub changed: f64,
}

impl Delivery {
    /// The delivery that the arguments name; `None` for the whole world.
    pub fn from_arguments(delivery: Option<u64>, of: Option<u64>, changed: f64) -> Result<Option<Self>> {
        if !(0.0..=1.0).contains(&changed) {
            let found = changed.to_string();
            return Err(Error::argument("changed", found, "a share from 0 to 1"));
        }
        let (number, of) = match (delivery, of) {
            (Some(number), Some(of)) => (number, of),
            (Some(number), None) => {
                let found = format!("{number} without `of`");
                return Err(Error::argument("delivery", found, "the number of deliveries too"));
            }
            (None, Some(of)) => {
                let found = format!("{of} without `delivery`");
                return Err(Error::argument("of", found, "the number of a delivery too"));
            }
            (None, None) if changed > 0.0 => {
                let found = format!("{changed} without `delivery` and `of`");
                let expected = "a delivery, which corrects those before it";
                return Err(Error::argument("changed", found, expected));
            }
            (None, None) => return Ok(None),
        };
        for (argument, value, most) in [("of", of, MOST_DELIVERIES), ("delivery", number, of)] {
            if !(1..=most).contains(&value) {
                let expected = format!("a number from 1 to {most}");
                return Err(Error::argument(argument, value.to_string(), expected));
            }
        }
        Ok(Some(Self { number, of, changed }))
    }

    /// The numbers of its new records, of a table with this many in all deliveries.
    pub(super) fn numbers(&self, records: u64) -> Range<u64> {
        let end = |delivery: u64| part(records, delivery, self.of);
        end(self.number - 1)..end(self.number)
    }

    /// How many records of earlier deliveries it corrects, at most.
    pub(super) fn corrections(&self, records: u64) -> u64 {
        let Range { start, end } = self.numbers(records);
        (((end - start) as f64 * self.changed).round() as u64).min(start)
    }

    /// The number of the record that a correction is about, of a table with this many in all deliveries. No two
    /// corrections of a delivery are about the same record.
    pub(super) fn corrected(
        &self,
        records: u64,
        correction: u64,
        dice: &mut Dice,
        is_correctable: impl Fn(u64) -> bool,
    ) -> Option<u64> {
        let earlier = self.numbers(records).start;
        let corrections = self.corrections(records);
        // Each draws from a part of its own.
        let start = part(earlier, correction, corrections);
        let length = part(earlier, correction + 1, corrections) - start;
        let first = dice.below(length);
        let mut numbers = (0..length.min(TRIES)).map(|place| start + (first + place) % length);
        numbers.find(|number| is_correctable(*number))
    }

    /// What separates the random numbers of its corrections from all others.
    pub(super) fn stream(&self, table: u64) -> u64 {
        (self.number << 8) | 0x80 | table
    }
}

/// Where a part of `whole` begins that is cut into `parts`.
fn part(whole: u64, number: u64, parts: u64) -> u64 {
    (u128::from(whole) * u128::from(number) / u128::from(parts)) as u64
}

/// Whether a record with this dirt is kept under an id that its source names.
pub(super) fn is_correctable(dirt: Option<Dirt>) -> bool {
    !matches!(
        dirt,
        Some(Dirt::BlankTitle | Dirt::MalformedRow | Dirt::MissingId | Dirt::Deleted)
    )
}

/// What a correction changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Changes {
    pub title: bool,
    pub date: bool,
    pub journal: bool,
}

impl Changes {
    /// At least one change, of a journal only if the table has several.
    pub(super) fn draw(dice: &mut Dice, has_journals: bool) -> Self {
        let bits = 1 + dice.below(if has_journals { 7 } else { 3 });
        Self {
            title: bits & 1 > 0,
            date: bits & 2 > 0,
            journal: bits & 4 > 0,
        }
    }

    /// The names of the changed columns.
    pub(super) fn names(self) -> Vec<&'static str> {
        [
            (self.title, "title"),
            (self.date, "date"),
            (self.journal, "journal"),
        ]
        .into_iter()
        .filter_map(|(is_changed, name)| is_changed.then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_cut_a_world_without_a_gap_and_correct_what_was_delivered() {
        for (records, of) in [
            (0, 1),
            (1, 3),
            (7, 7),
            (10, 3),
            (1000, 7),
            (9_999_999_999, 1_000_000),
        ] {
            let mut end = 0;
            for number in [1, 2, 3, 4, 5, 6, 7].into_iter().filter(|number| *number <= of) {
                for changed in [0.0, 0.01, 0.5, 1.0] {
                    let delivery = Delivery { number, of, changed };
                    let numbers = delivery.numbers(records);
                    assert_eq!(numbers.start, if changed > 0.0 { numbers.start } else { end });
                    assert!(delivery.corrections(records) <= numbers.start);
                    end = numbers.end;
                }
            }
            assert!(of > 7 || end == records);
        }
        for (number, changed) in [(2, 1.0), (5, 0.3), (7, 1.0)] {
            let delivery = Delivery {
                number,
                of: 7,
                changed,
            };
            let count = delivery.corrections(1000);
            let corrected: Vec<u64> = (0..count)
                .filter_map(|correction| {
                    let dice = &mut Dice::new(1, delivery.stream(1), correction);
                    delivery.corrected(1000, correction, dice, |number| number % 3 > 0)
                })
                .collect();
            assert!(corrected.is_sorted_by(|left, right| left < right), "each once");
            assert!(
                corrected
                    .iter()
                    .all(|number| *number < delivery.numbers(1000).start && number % 3 > 0)
            );
            assert!(corrected.len() as u64 > count / 2);
        }
    }

    #[test]
    fn a_world_without_a_kept_record_has_no_correction() {
        let delivery = Delivery {
            number: 2,
            of: 2,
            changed: 1.0,
        };
        let dice = &mut Dice::new(1, 2, 3);
        assert_eq!(delivery.corrected(10_000_000_000, 3, dice, |_| false), None);
    }

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        for (delivery, of, changed, told) in [
            (
                Some(0),
                Some(3),
                0.0,
                "delivery: 0; expected a number from 1 to 3",
            ),
            (
                Some(4),
                Some(3),
                0.0,
                "delivery: 4; expected a number from 1 to 3",
            ),
            (
                Some(1),
                Some(0),
                0.0,
                "of: 0; expected a number from 1 to 1000000",
            ),
            (Some(1), None, 0.0, "delivery: 1 without `of`; expected"),
            (None, Some(3), 0.0, "of: 3 without `delivery`; expected"),
            (
                None,
                None,
                0.1,
                "changed: 0.1 without `delivery` and `of`; expected",
            ),
            (
                Some(1),
                Some(3),
                1.1,
                "changed: 1.1; expected a share from 0 to 1",
            ),
            (
                Some(1),
                Some(3),
                -0.1,
                "changed: -0.1; expected a share from 0 to 1",
            ),
            (
                Some(1),
                Some(3),
                f64::NAN,
                "changed: NaN; expected a share from 0 to 1",
            ),
        ] {
            let refused = Delivery::from_arguments(delivery, of, changed);
            let refused = refused.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.starts_with(told), "{refused}");
        }
    }
}
