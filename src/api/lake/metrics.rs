//! The last runs and the state of a lake as OpenMetrics, the text that Prometheus reads.
//!
//! Every series has the label `lake`, so that the files of several lakes can lie in one folder of a collector. Names that
//! change with every run are labels of `_info` series alone: the other series stay the same from run to run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveTime};

use super::lake_tables::lake_tables;
use crate::error::{Error, Result};
use crate::lake::holds::HeldDates;
use crate::lake::layout;
use crate::lake::report::{RunRecord, read_history};
use crate::lake::table_files::current_date;
use crate::storage::Storage;

/// A count of a run: the name of its series without the prefix, what it is, and its value.
type RunCount = (&'static str, &'static str, fn(&RunRecord) -> Option<u64>);

/// The counts of a run, under the names of the columns of the history.
const RUN_COUNTS: [RunCount; 7] = [
    ("rows_in", "Rows of the sources that the run read.", |run| {
        Some(run.rows_in)
    }),
    ("rows_kept", "Rows that the run kept.", |run| Some(run.rows_kept)),
    (
        "rows_merged",
        "Rows that the run merged into another row.",
        |run| Some(run.rows_merged),
    ),
    ("rows_rejected", "Rows that the run rejected.", |run| {
        Some(run.rows_rejected)
    }),
    (
        "publications",
        "Publications of the graph after the run.",
        |run| run.publications,
    ),
    (
        "mentions",
        "Places in texts that name a drug, after the run.",
        |run| run.mentions,
    ),
    (
        "pairs",
        "Pairs of a drug and a publication after the run.",
        |run| run.pairs,
    ),
];

/// The last run of each step, the rows of each table, and the held dates, as the text of OpenMetrics 1.0.
pub fn lake_metrics(storage: &dyn Storage) -> Result<String> {
    let mut page = Page {
        text: String::new(),
        lake: storage.root(),
    };
    let history = read_history(storage)?;
    // The newest run comes last, and so replaces the others of its step.
    let last: BTreeMap<&str, &RunRecord> = history.iter().map(|run| (run.step.as_str(), run)).collect();
    write_runs(&mut page, &last, storage)?;
    write_state(&mut page, storage)?;
    page.text.push_str("# EOF\n");
    Ok(page.text)
}

fn write_runs(page: &mut Page, last: &BTreeMap<&str, &RunRecord>, storage: &dyn Storage) -> Result<()> {
    let mut info = page.family(
        "last_run",
        MetricType::Info,
        "The last run of each step that changed the lake. A run that finds everything up to date is none.",
    );
    for (step, run) in last {
        let labels = [
            ("step", *step),
            ("run_id", &run.run_id),
            ("dt", &run.dt),
            ("version", &run.version),
        ];
        info.sample(&labels, 1);
    }
    let mut started = page.family(
        "last_run_started_timestamp_seconds",
        MetricType::Gauge("seconds"),
        "When the last run of each step that changed the lake began.",
    );
    for (step, run) in last {
        let at = DateTime::parse_from_rfc3339(&run.started_at).map_err(|error| {
            let uri = format!("{}/{}", storage.root(), layout::HISTORY);
            let found = format!("started_at is no time: {error}");
            Error::format(
                uri,
                format!("the run {}", run.run_id),
                found,
                "remove this record of a run",
            )
        })?;
        let millis = at.timestamp_millis();
        let (seconds, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
        started.sample(&[("step", step)], format!("{seconds}.{rest:03}"));
    }
    let mut seconds = page.family(
        "last_run_seconds",
        MetricType::Gauge("seconds"),
        "How long the last run of each step that changed the lake took.",
    );
    for (step, run) in last {
        seconds.sample(&[("step", step)], run.seconds);
    }
    for (name, help, count) in RUN_COUNTS {
        let mut counts = page.family(&format!("last_run_{name}"), MetricType::Gauge(""), help);
        for (step, run) in last {
            if let Some(count) = count(run) {
                counts.sample(&[("step", step)], count);
            }
        }
    }
    Ok(())
}

fn write_state(page: &mut Page, storage: &dyn Storage) -> Result<()> {
    let reached = current_date(storage)?.and_then(|dt| dt.parse::<NaiveDate>().ok());
    let mut as_of = page.family(
        "as_of_timestamp_seconds",
        MetricType::Gauge("seconds"),
        "The logical date that gold has reached, as its midnight in UTC.",
    );
    if let Some(date) = reached {
        as_of.sample(&[], date.and_time(NaiveTime::MIN).and_utc().timestamp());
    }
    let tables = lake_tables(storage)?;
    for (column, unit, help) in [
        ("rows", "", "Rows of each table in the current state."),
        (
            "bytes",
            "bytes",
            "Bytes of the files of each table in the current state.",
        ),
        ("files", "", "Files of each table in the current state."),
    ] {
        let mut family = page.family(&format!("table_{column}"), MetricType::Gauge(unit), help);
        let values = tables.column(column)?.i64()?;
        for (table, value) in tables.column("table")?.str()?.iter().zip(values.iter()) {
            family.sample(&[("table", table.unwrap_or_default())], value.unwrap_or_default());
        }
    }
    let held = HeldDates::read(storage)?.among(|_| true);
    let mut count = page.family(
        "held_dates",
        MetricType::Gauge(""),
        "How many dates are held back from gold.",
    );
    count.sample(&[], held.len());
    let mut dates = page.family(
        "held_date",
        MetricType::Info,
        "A date that is held back, and why.",
    );
    for date in &held {
        dates.sample(&[("dt", &date.dt), ("reason", &date.reason)], 1);
    }
    Ok(())
}

/// The kind of a family of series; a gauge may have a unit.
#[derive(Clone, Copy)]
enum MetricType {
    Gauge(&'static str),
    Info,
}

/// The text so far.
struct Page {
    text: String,
    lake: String,
}

impl Page {
    /// Begins a family: its name, kind, unit and meaning.
    fn family(&mut self, name: &str, kind: MetricType, help: &str) -> Family<'_> {
        let name = format!("drugs_rs_{name}");
        let (word, unit) = match kind {
            MetricType::Gauge(unit) => ("gauge", unit),
            MetricType::Info => ("info", ""),
        };
        let mut head = format!("# TYPE {name} {word}\n");
        if !unit.is_empty() {
            head.push_str(&format!("# UNIT {name} {unit}\n"));
        }
        self.text
            .push_str(&format!("{head}# HELP {name} {}\n", escaped(help)));
        let series = match kind {
            MetricType::Gauge(_) => name,
            MetricType::Info => format!("{name}_info"),
        };
        Family { page: self, series }
    }
}

/// A family whose samples are being written.
struct Family<'p> {
    page: &'p mut Page,
    series: String,
}

impl Family<'_> {
    fn sample(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let Page { text, lake } = &mut *self.page;
        let lake = [("lake", lake.as_str())];
        let labels = lake.iter().chain(labels);
        let labels = labels.map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels: Vec<String> = labels.collect();
        // Writing into a String does not fail.
        let _ = writeln!(text, "{}{{{}}} {value}", self.series, labels.join(","));
    }
}

/// A text with the three signs escaped that OpenMetrics escapes; every other letter is written as it is.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
