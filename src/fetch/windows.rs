//! Windows of days: which studies a folder has by the days of their last update, and which days are still missing.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::settings::day_of;

/// The studies whose last update was posted in these days, as the server had them at one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StudyWindow {
    /// The first day; `None` is the beginning.
    pub since: Option<String>,
    pub until: String,
    /// When the server's data were made.
    pub data_timestamp: String,
    pub pages: u64,
    pub studies: u64,
}

impl StudyWindow {
    pub(super) fn new(since: Option<String>, until: &str, data_timestamp: &str) -> Self {
        Self {
            since,
            until: until.to_owned(),
            data_timestamp: data_timestamp.to_owned(),
            pages: 0,
            studies: 0,
        }
    }

    /// The beginning of the names of its pages. Names are in the order of the last day, so that of several files with
    /// one study the newest is the last.
    pub(super) fn start_of_names(&self) -> String {
        let since = self.since.as_deref().unwrap_or("first");
        format!("studies-{}-from-{since}-", self.until)
    }

    pub(super) fn page_name(&self, number: u64) -> String {
        format!("{}{number:05}.json.gz", self.start_of_names())
    }

    pub(super) fn page_names(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.pages).map(|number| self.page_name(number))
    }

    /// Whether both have the same days.
    pub(super) fn is_over(&self, other: &Self) -> bool {
        self.since == other.since && self.until == other.until
    }

    /// The first day that it does not have for sure: on its last day, more may be posted after it was fetched.
    fn next_day(&self) -> String {
        let until = day_of(&self.until);
        let after = until.and_then(|until| until.checked_add_days(Days::new(1)));
        match (self.data_timestamp.get(..10), after) {
            (Some(made), Some(after)) if made > self.until.as_str() => after.to_string(),
            _ => self.until.clone(),
        }
    }
}

/// What is missing of a window.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MissingDays<'w> {
    /// The windows that hold the days before.
    pub held: Vec<&'w StudyWindow>,
    /// The first missing day, `None` for the beginning; nothing is missing without one.
    pub from: Option<Option<String>>,
}

/// Which days of a window the complete windows of a folder lack, as of data with this timestamp.
pub(super) fn missing_days<'w>(
    complete: &'w [StudyWindow],
    since: Option<&str>,
    until: &str,
    data_timestamp: &str,
) -> MissingDays<'w> {
    let mut held: Vec<&StudyWindow> = Vec::new();
    let mut from = since.map(str::to_owned);
    loop {
        if let Some(last) = held.last() {
            let is_closed = last.next_day() > last.until || last.data_timestamp == data_timestamp;
            if last.until.as_str() > until || (last.until == until && is_closed) {
                return MissingDays { held, from: None };
            }
        }
        let begins_in_time = |window: &&StudyWindow| match (&window.since, &from) {
            (None, _) => true,
            (Some(first), Some(from)) => first <= from,
            (Some(_), None) => false,
        };
        let reaches_further = |window: &&StudyWindow| match held.last() {
            Some(last) => window.until > last.until,
            None => from.as_ref().is_none_or(|from| window.until >= *from),
        };
        let next = complete
            .iter()
            .filter(begins_in_time)
            .filter(reaches_further)
            .max_by(|left, right| left.until.cmp(&right.until));
        let Some(next) = next else {
            return MissingDays {
                held,
                from: Some(from),
            };
        };
        from = Some(next.next_day());
        held.push(next);
    }
}

/// The day of a timestamp, such as `2026-01-09T09:00:05`.
pub(super) fn day_of_timestamp(timestamp: &str) -> Option<NaiveDate> {
    day_of(timestamp.get(..10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(since: &str, until: &str, made: &str) -> StudyWindow {
        let since = (!since.is_empty()).then(|| since.to_owned());
        StudyWindow::new(since, until, made)
    }

    #[test]
    fn only_missing_days_are_asked_for() {
        let first = window("", "2026-01-09", "2026-01-09T09:00:00");
        let second = window("2026-01-09", "2026-01-12", "2026-01-12T09:00:00");
        let closed = window("2026-01-01", "2026-01-05", "2026-01-09T09:00:00");
        let now = "2026-01-14T09:00:00";
        let all = [first.clone(), second.clone()];
        for (complete, since, until, made, held, from) in [
            (&[][..], None, "2026-01-14", now, 0, Some(None)),
            (
                &[],
                Some("2026-01-01"),
                "2026-01-14",
                now,
                0,
                Some(Some("2026-01-01")),
            ),
            // The last day of a window may have grown.
            (&all[..1], None, "2026-01-14", now, 1, Some(Some("2026-01-09"))),
            (&all, None, "2026-01-14", now, 2, Some(Some("2026-01-12"))),
            (
                &all,
                Some("2026-01-10"),
                "2026-01-14",
                now,
                1,
                Some(Some("2026-01-12")),
            ),
            (
                &all,
                Some("2026-01-13"),
                "2026-01-14",
                now,
                0,
                Some(Some("2026-01-13")),
            ),
            // What is there.
            (&all, None, "2026-01-12", "2026-01-12T09:00:00", 2, None),
            (&all, Some("2026-01-02"), "2026-01-03", now, 1, None),
            (
                &all,
                None,
                "2026-01-12",
                "2026-01-12T21:00:00",
                2,
                Some(Some("2026-01-12")),
            ),
            // A window that was fetched after its last day.
            (
                std::slice::from_ref(&closed),
                Some("2026-01-01"),
                "2026-01-05",
                now,
                1,
                None,
            ),
            (
                std::slice::from_ref(&closed),
                Some("2026-01-02"),
                "2026-01-14",
                now,
                1,
                Some(Some("2026-01-06")),
            ),
            // It does not have the days before.
            (
                std::slice::from_ref(&closed),
                None,
                "2026-01-05",
                now,
                0,
                Some(None),
            ),
        ] {
            let found = missing_days(complete, since, until, made);
            let wanted = from.map(|from: Option<&str>| from.map(str::to_owned));
            assert_eq!(
                (found.held.len(), found.from),
                (held, wanted),
                "{since:?} {until} {made}"
            );
        }
    }

    #[test]
    fn names_are_in_the_order_of_the_last_day() {
        let names = [
            window("", "2026-01-09", "").page_name(2),
            window("2020-01-01", "2026-01-12", "").page_name(1),
            window("2026-01-12", "2026-01-14", "").page_name(1),
        ];
        assert_eq!(names[0], "studies-2026-01-09-from-first-00002.json.gz");
        assert!(names.is_sorted());
    }
}
