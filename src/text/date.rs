//! Parses dates. A text in no accepted form is [`Parsed::Bad`]: flagged, never guessed.
//!
//! | form | example | precision |
//! |---|---|---|
//! | ISO day, with `-`, `/` or `.` | `2020-01-05`, `2020/1/5` | day |
//! | ISO date and time | `2020-01-05T10:30:00Z`, `2020-01-05 10:30` | day |
//! | ISO month | `2020-01` | month |
//! | year | `2020` | year |
//! | numeric day, month, year with `/`, `.` or `-` | `05/01/2020`, `05.01.2020` | day |
//! | day, month name, year | `1 January 2020`, `1-Jan-2020`, `1st January 2020` | day |
//! | month name, day, year | `January 1, 2020`, `January 1st, 2020` | day |
//! | month name, year | `March 2020` | month |
//! | year, month name, maybe day | `2020 Jan 5`, `2020 Jan` | day, month |
//! | a span, which counts from its beginning | `1975 Jan-Feb`, `1975 Jan/Feb`, `1983 Jan-Feb-Mar`, `1983 Jan/Feb/Mar`, `May-June 2001`, `2000 Jan 5-11`, `1998 Dec-1999 Jan`, `1998 Dec-1999`, `1977-1978 Dec-Jan`, `1975-1976` | as its beginning |
//! | a span of months with a day behind it | `2023 Jan-Feb 01`, `2023 Jan/Feb 01`, `2021 Jul-Aug-Sep 01`, `2023 Dec-2024 Jan 01` | month |
//! | season | `2021 Spring`, `Summer 2020`, `1979-1980 Fall`, `Winter 1976-1977`, `Spring-Summer 1979` | season |
//! | quarter | `2000 1st Quart`, `2nd Quarter 2000`, `1980 2d Quart` | season |
//!
//! A partial date is its first day: a season begins in March, June and September, and winter, which the year of the
//! date must hold, on 1 January; quarters begin in January, April, July and October. Numeric day and month are read
//! day-first unless the source says month-first; a date that the order makes impossible is bad, not swapped. Dashes and
//! blanks of any length are those of ASCII.

use chrono::NaiveDate;

use super::is_missing;
use crate::schema::DatePrecision;

/// The order of day and month in a source's numeric dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumericOrder {
    /// `02/01/2020` is the second of January.
    #[default]
    DayFirst,
    /// `02/01/2020` is the first of February.
    MonthFirst,
}

/// A parsed date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// Empty, or a word for a missing value.
    Missing,
    /// A text that is no date.
    Bad,
    /// The first day of the date, and its precision.
    Date(NaiveDate, DatePrecision),
}

/// Parses a date in any of the accepted forms.
pub fn parse(text: &str, order: NumericOrder) -> Parsed {
    if is_missing(text) {
        return Parsed::Missing;
    }
    reading(text, order)
        .and_then(|(year, month, day, precision)| {
            Some((NaiveDate::from_ymd_opt(year, month, day)?, precision))
        })
        .map_or(Parsed::Bad, |(date, precision)| Parsed::Date(date, precision))
}

/// Whether a text has one of the accepted forms, in either order. A day that its month does not have is bad, but it
/// still counts as the record's date, so that no other tag or column is used.
pub fn has_form(text: &str) -> bool {
    [NumericOrder::DayFirst, NumericOrder::MonthFirst]
        .into_iter()
        .filter_map(|order| reading(text, order))
        .any(|(_, month, day, _)| (1..=12).contains(&month) && day > 0)
}

/// The parts of a date as written, not yet checked against the calendar.
fn reading(text: &str, order: NumericOrder) -> Option<ReadDate> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    if !text.is_ascii() {
        let plain = in_ascii(text);
        return plain.is_ascii().then(|| reading(&plain, order))?;
    }
    let mut parts = DateParts::default();
    parts.split(text).then(|| read(parts.as_slice(), order))?
}

/// Replaces typographic dashes and blanks by ASCII; other letters stay unchanged.
fn in_ascii(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            letter if letter.is_whitespace() => ' ',
            letter => letter,
        })
        .collect()
}

type ReadDate = (i32, u32, u32, DatePrecision);

/// A date consists of numbers, words and the signs between them; blanks only separate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum DateToken {
    #[default]
    Nothing,
    /// A number of four digits.
    Year(i32),
    /// A number of one or two digits.
    Small(u32),
    /// `1st`, `22nd`, `2d`
    Ordinal(u32),
    Quarter,
    Month(u32),
    /// The month in which a season begins.
    Season(u32),
    Dash,
    Slash,
    Dot,
    Comma,
    /// A time of day after an ISO day: the rest of the text, already checked.
    Time,
}

/// A text with more parts than this is no date.
const MOST_PARTS: usize = 12;

#[derive(Default)]
struct DateParts {
    parts: [DateToken; MOST_PARTS],
    length: usize,
}

impl DateParts {
    fn as_slice(&self) -> &[DateToken] {
        &self.parts[..self.length]
    }

    fn split(&mut self, text: &str) -> bool {
        let mut rest = text;
        while let Some(first) = rest.bytes().next() {
            if self.is_iso_day() && matches!(first, b'T' | b't' | b' ') && is_time(&rest[1..]) {
                return self.push(DateToken::Time);
            }
            let (part, length) = match first {
                b' ' | b'\t' => {
                    rest = &rest[1..];
                    continue;
                }
                b'-' => (DateToken::Dash, 1),
                b'/' => (DateToken::Slash, 1),
                b'.' => (DateToken::Dot, 1),
                b',' => (DateToken::Comma, 1),
                b'0'..=b'9' => match number(rest) {
                    Some(found) => found,
                    None => return false,
                },
                _ => match word(rest) {
                    Some(found) => found,
                    None => return false,
                },
            };
            if !self.push(part) {
                return false;
            }
            rest = &rest[length..];
        }
        true
    }

    fn push(&mut self, part: DateToken) -> bool {
        let free = self.length < MOST_PARTS;
        if free {
            self.parts[self.length] = part;
            self.length += 1;
        }
        free
    }

    fn is_iso_day(&self) -> bool {
        matches!(
            self.as_slice(),
            [
                DateToken::Year(_),
                DateToken::Dash,
                DateToken::Small(_),
                DateToken::Dash,
                DateToken::Small(_)
            ]
        )
    }
}

fn read(parts: &[DateToken], order: NumericOrder) -> Option<ReadDate> {
    use DatePrecision as Precision;
    use DateToken::{Comma, Dash, Dot, Month, Ordinal, Quarter, Season, Slash, Small, Time, Year};
    Some(match *parts {
        // ISO
        [Year(year), Dash, Small(month), Dash, Small(day)]
        | [Year(year), Dash, Small(month), Dash, Small(day), Time]
        | [Year(year), Slash, Small(month), Slash, Small(day)]
        | [Year(year), Dot, Small(month), Dot, Small(day)] => (year, month, day, Precision::Day),
        [Year(year), Dash, Small(month)] => (year, month, 1, Precision::Month),
        [Year(year)] => (year, 1, 1, Precision::Year),
        // Numeric, in the order of the source
        [Small(first), Slash, Small(second), Slash, Year(year)]
        | [Small(first), Dot, Small(second), Dot, Year(year)]
        | [Small(first), Dash, Small(second), Dash, Year(year)] => {
            let (day, month) = match order {
                NumericOrder::DayFirst => (first, second),
                NumericOrder::MonthFirst => (second, first),
            };
            (year, month, day, Precision::Day)
        }
        // With the name of the month
        [Small(day) | Ordinal(day), Month(month), Year(year)]
        | [Small(day), Dash, Month(month), Dash, Year(year)]
        | [Month(month), Small(day) | Ordinal(day), Comma, Year(year)]
        | [Month(month), Small(day) | Ordinal(day), Year(year)]
        | [Year(year), Month(month), Small(day)]
        | [Year(year), Dash, Month(month), Dash, Small(day)] => (year, month, day, Precision::Day),
        [Month(month), Year(year)] | [Month(month), Comma, Year(year)] | [Year(year), Month(month)] => {
            (year, month, 1, Precision::Month)
        }
        // Seasons
        [Year(year), Season(month)] | [Season(month), Year(year)] => (year, month, 1, Precision::Season),
        [Year(year), Season(month), Dash | Slash, Season(_)]
        | [Season(month), Dash | Slash, Season(_), Year(year)] => (year, month, 1, Precision::Season),
        [Season(month), Year(first), Dash | Slash, Year(last)]
        | [Season(month), Year(first), Dash, Season(_), Year(last)]
            if first <= last =>
        {
            (first, month, 1, Precision::Season)
        }
        [Year(first), Season(month), Dash, Year(last), Season(_)] if first <= last => {
            (first, month, 1, Precision::Season)
        }
        // A winter that began in the year before, as journals count their volumes
        [Year(first), Dash, Year(last), Season(month)] if first <= last => {
            (first, month, 1, Precision::Season)
        }
        [Year(first), Dash, Year(last), Season(month), Dash, Season(_)] if first <= last => {
            (first, month, 1, Precision::Season)
        }
        [Year(year), Ordinal(quarter @ 1..=4), Quarter] | [Ordinal(quarter @ 1..=4), Quarter, Year(year)] => {
            (year, quarter * 3 - 2, 1, Precision::Season)
        }
        // Spans, from their beginning
        [Year(first), Dash, Year(last)] if first <= last => (first, 1, 1, Precision::Year),
        [Year(year), Month(month), Dash | Slash, Month(_)]
        | [Month(month), Dash | Slash, Month(_), Year(year)]
        // The day may belong to either month: bimonthly journals write 1 whenever they appear.
        | [Year(year), Month(month), Dash | Slash, Month(_), Small(1..=31)]
        | [Year(year), Month(month), Dash, Month(_), Dash, Month(_)]
        | [Year(year), Month(month), Dash, Month(_), Dash, Month(_), Small(1..=31)]
        | [Year(year), Month(month), Slash, Month(_), Slash, Month(_)]
        | [Year(year), Month(month), Slash, Month(_), Slash, Month(_), Small(1..=31)] => (year, month, 1, Precision::Month),
        [Year(first), Month(month), Dash | Slash, Year(last), Month(_)]
        | [Year(first), Month(month), Dash | Slash, Year(last), Month(_), Small(1..=31)]
        | [Year(first), Month(month), Dash, Year(last)]
        | [Year(first), Dash, Year(last), Month(month), Dash, Month(_)]
            if first <= last =>
        {
            (first, month, 1, Precision::Month)
        }
        [Year(year), Month(month), Small(day), Dash, Small(last)] if day <= last && last <= 31 => {
            (year, month, day, Precision::Day)
        }
        [
            Year(year),
            Month(month),
            Small(day),
            Dash,
            Month(_),
            Small(1..=31),
        ] => (year, month, day, Precision::Day),
        [
            Year(first),
            Month(month),
            Small(day),
            Dash,
            Year(last),
            Month(_),
            Small(1..=31),
        ] if first <= last => (first, month, day, Precision::Day),
        _ => return None,
    })
}

fn number(text: &str) -> Option<(DateToken, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let value: u32 = text[..digits].parse().ok()?;
    let ending = ordinal_ending(&text[digits..]);
    match digits {
        1 | 2 if ending > 0 => Some((DateToken::Ordinal(value), digits + ending)),
        1 | 2 => Some((DateToken::Small(value), digits)),
        // A year below 1000 is a typing error.
        4 if value >= 1000 => Some((DateToken::Year(i32::try_from(value).ok()?), digits)),
        _ => None,
    }
}

/// The length of the ending that makes a number an ordinal, 0 if there is none. PubMed writes `2d` and `3d`.
fn ordinal_ending(text: &str) -> usize {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let is_ending = ["st", "nd", "rd", "th", "d"]
        .iter()
        .any(|ending| text[..letters].eq_ignore_ascii_case(ending));
    if is_ending { letters } else { 0 }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

fn word(text: &str) -> Option<(DateToken, usize)> {
    let letters = text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let word = text[..letters].to_ascii_lowercase();
    let season = match word.as_str() {
        "spring" => Some(3),
        "summer" => Some(6),
        "autumn" | "fall" => Some(9),
        "winter" => Some(1),
        _ => None,
    };
    if matches!(word.as_str(), "quart" | "quarter") {
        return Some((DateToken::Quarter, letters));
    }
    if let Some(month) = season {
        return Some((DateToken::Season(month), letters));
    }
    let position = MONTHS.iter().position(|month| {
        *month == word || (month[..3] == word) || (word == "sept" && month.starts_with("sept"))
    })?;
    // The dot belongs to the abbreviation `Jan.`.
    let dot = usize::from(letters <= 4 && text[letters..].starts_with('.'));
    Some((DateToken::Month(u32::try_from(position).ok()? + 1), letters + dot))
}

/// `10:30`, `10:30:00`, `10:30:00.123`, each with `Z` or an offset.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let two = |at: usize, limit: u8| -> bool {
        matches!(bytes.get(at..at + 2), Some([high @ b'0'..=b'9', low @ b'0'..=b'9'])
            if (high - b'0') * 10 + (low - b'0') <= limit)
    };
    if !(two(0, 24) && bytes.get(2) == Some(&b':') && two(3, 59)) {
        return false;
    }
    // Only 24:00 itself may end a day.
    let midnight = bytes.starts_with(b"24");
    let mut at = 5;
    if bytes.get(at) == Some(&b':') {
        if !two(at + 1, 60) {
            return false;
        }
        at += 3;
        if matches!(bytes.get(at), Some(b'.' | b',')) {
            let digits = bytes[at + 1..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if digits == 0 {
                return false;
            }
            at += 1 + digits;
        }
    }
    if midnight && bytes[2..at].iter().any(|byte| matches!(byte, b'1'..=b'9')) {
        return false;
    }
    match &bytes[at..] {
        [] | [b'Z' | b'z'] | b" UTC" | b" GMT" => true,
        [b'+' | b'-', ..] => {
            let colon = bytes.get(at + 3) == Some(&b':');
            let minutes = at + 3 + usize::from(colon);
            two(at + 1, 14) && (bytes.len() == at + 3 || (two(minutes, 59) && bytes.len() == minutes + 2))
        }
        _ => false,
    }
}
