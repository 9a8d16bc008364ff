//! Days as sources write them, and the true days.

use super::dice::Dice;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const SEASONS: [(&str, u64); 4] = [("Winter", 1), ("Spring", 3), ("Summer", 6), ("Autumn", 9)];
const BAD: [&str; 6] = [
    "31/02/2020",
    "25/13/2020",
    "yesterday",
    "00/00/0000",
    "2021-02-30",
    "not known",
];

/// The precision of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DatePrecisionGiven {
    Day,
    Month,
    Year,
    Season,
    /// Two months, `1975 Jan-Feb`.
    Months,
    /// Two years, `1975-1976`.
    Years,
}

/// The date of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::generate) enum Given {
    Missing,
    Bad(&'static str),
    Date(Date),
}

/// A date and the style in which it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::generate) struct Date {
    year: u64,
    month: u64,
    day: u64,
    part: DatePrecisionGiven,
    style: u64,
}

impl Date {
    /// Another random date, of another day.
    pub(in crate::generate) fn another(&self, dice: &mut Dice) -> Self {
        let mut other = Self::draw(dice, false);
        if other.truth() == self.truth() {
            other.year += 1;
        }
        other
    }

    /// A random date: a whole day in most records, a less exact one in the others.
    pub(in crate::generate) fn draw(dice: &mut Dice, exact: bool) -> Self {
        let part = match dice.below(100) {
            _ if exact => DatePrecisionGiven::Day,
            0..=84 => DatePrecisionGiven::Day,
            85..=91 => DatePrecisionGiven::Month,
            92..=94 => DatePrecisionGiven::Year,
            95..=96 => DatePrecisionGiven::Season,
            97..=98 => DatePrecisionGiven::Months,
            _ => DatePrecisionGiven::Years,
        };
        let month = 1 + dice.below(12);
        Self {
            year: 1985 + dice.below(40),
            month: if part == DatePrecisionGiven::Months {
                month.min(11)
            } else {
                month
            },
            day: 1 + dice.below(28),
            part,
            style: dice.next(),
        }
    }

    /// The same day in another style.
    pub(in crate::generate) fn restyled(&self, dice: &mut Dice) -> Self {
        Self {
            style: dice.next(),
            ..self.clone()
        }
    }

    fn season(&self) -> (&'static str, u64) {
        SEASONS[(self.month % 4) as usize]
    }

    /// The true day of the date.
    fn truth(&self) -> String {
        let (month, day) = match self.part {
            DatePrecisionGiven::Day => (self.month, self.day),
            DatePrecisionGiven::Month | DatePrecisionGiven::Months => (self.month, 1),
            DatePrecisionGiven::Season => (self.season().1, 1),
            DatePrecisionGiven::Year | DatePrecisionGiven::Years => (1, 1),
        };
        format!("{}-{month:02}-{day:02}", self.year)
    }

    fn month_name(&self) -> &'static str {
        MONTHS[self.month as usize - 1]
    }

    fn short_month(&self) -> &'static str {
        &self.month_name()[..3]
    }

    /// The date in the style of tables and registries.
    fn text(&self) -> String {
        let Self { year, month, day, .. } = self;
        match (self.part, self.style % 7) {
            (DatePrecisionGiven::Day, 0 | 1) => format!("{year}-{month:02}-{day:02}"),
            (DatePrecisionGiven::Day, 2) => format!("{day:02}/{month:02}/{year}"),
            (DatePrecisionGiven::Day, 3) => format!("{day:02}.{month:02}.{year}"),
            (DatePrecisionGiven::Day, 4) => format!("{day} {} {year}", self.month_name()),
            (DatePrecisionGiven::Day, 5) => format!("{} {day}, {year}", self.month_name()),
            (DatePrecisionGiven::Day, _) => format!("{year}-{month:02}-{day:02}T10:30:00"),
            (DatePrecisionGiven::Month, 0..=3) => format!("{year}-{month:02}"),
            (DatePrecisionGiven::Month, _) => format!("{} {year}", self.month_name()),
            _ => self.tagged(),
        }
    }

    /// The date in the style of MEDLINE.
    fn tagged(&self) -> String {
        let year = self.year;
        match self.part {
            DatePrecisionGiven::Day => format!("{year} {} {}", self.short_month(), self.day),
            DatePrecisionGiven::Month => format!("{year} {}", self.short_month()),
            DatePrecisionGiven::Year => year.to_string(),
            DatePrecisionGiven::Season => format!("{year} {}", self.season().0),
            DatePrecisionGiven::Months => format!(
                "{year} {}-{}",
                self.short_month(),
                &MONTHS[self.month as usize][..3]
            ),
            DatePrecisionGiven::Years => format!("{year}-{}", year + 1),
        }
    }

    /// The date in the style of PubMed's XML.
    fn elements(&self) -> String {
        let year = self.year;
        let month = if self.style.is_multiple_of(2) {
            self.short_month().to_owned()
        } else {
            format!("{:02}", self.month)
        };
        match self.part {
            DatePrecisionGiven::Day => format!(
                "<Year>{year}</Year><Month>{month}</Month><Day>{:02}</Day>",
                self.day
            ),
            DatePrecisionGiven::Month => format!("<Year>{year}</Year><Month>{month}</Month>"),
            DatePrecisionGiven::Year => format!("<Year>{year}</Year>"),
            DatePrecisionGiven::Season => format!("<Year>{year}</Year><Season>{}</Season>", self.season().0),
            DatePrecisionGiven::Months | DatePrecisionGiven::Years => {
                format!("<MedlineDate>{}</MedlineDate>", self.tagged())
            }
        }
    }
}

impl Given {
    pub(in crate::generate) fn bad(dice: &mut Dice) -> Self {
        Self::Bad(dice.pick(&BAD))
    }

    /// The true day of the date; `None` if it is missing or bad.
    pub(in crate::generate) fn truth(&self) -> Option<String> {
        match self {
            Self::Date(date) => Some(date.truth()),
            Self::Missing | Self::Bad(_) => None,
        }
    }

    pub(in crate::generate) fn text(&self) -> String {
        self.written(Date::text)
    }

    pub(in crate::generate) fn tagged(&self) -> String {
        self.written(Date::tagged)
    }

    pub(in crate::generate) fn elements(&self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Bad(text) => format!("<MedlineDate>{text}</MedlineDate>"),
            Self::Date(date) => date.elements(),
        }
    }

    /// The year, which PubMed's old export also has in the column with the journal.
    pub(in crate::generate) fn year(&self) -> Option<u64> {
        match self {
            Self::Date(date) => Some(date.year),
            Self::Missing | Self::Bad(_) => None,
        }
    }

    fn written(&self, write: impl Fn(&Date) -> String) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Bad(text) => (*text).to_owned(),
            Self::Date(date) => write(date),
        }
    }
}
