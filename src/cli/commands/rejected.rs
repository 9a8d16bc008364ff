//! `drugs-rs rejected` and `drugs-rs replay`: the rejected rows of a date, out of a lake and back corrected.

use std::fmt::Write as _;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::api::rejected_rows::{RejectedRequest, rejected_rows, write_rejected};
use crate::cli::options::{InputOptions, Output};
use crate::cli::outcome::Outcome;
use crate::cli::output::table::{PrintOptions, printed};
use crate::cli::settings::reading;
use crate::error::Result;
use crate::lake::dt::Dt;
use crate::lake::existing_lake_for;
use crate::lake::report::to_json;
use crate::schema::Reason;
use crate::steps::replay::{ReplayReport, ReplaySettings, replay};
use crate::task::Task;

#[derive(Debug, Args)]
pub(in crate::cli) struct RejectedArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    lake: String,
    /// The logical date of the delivery, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    dt: String,
    /// Only the rows with this reason
    #[arg(long, conflicts_with = "corrected", value_name = "REASON", value_parser = PossibleValuesParser::new(Reason::ALL.map(Reason::name)))]
    reason: Option<String>,
    /// Write the rows as CSV to this file or object, to correct them and pass the file to `replay`
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    /// Replace the file if it exists
    #[arg(long, requires = "out")]
    overwrite: bool,
    /// Show the corrections of the date instead: those that hold, and stale ones, which meet no rejected row any more
    #[arg(long)]
    corrected: bool,
    #[command(flatten)]
    print: PrintOptions,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReplayArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    lake: String,
    /// The file of corrected rows, as `rejected --out` writes it: CSV, JSON, NDJSON or Parquet
    #[arg(value_name = "FILE")]
    file: String,
    /// Take the corrections of the file's rows out of the lake again
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    reading: InputOptions,
    #[command(flatten)]
    output: Output,
}

/// The rejected rows as text, or in a file.
pub(in crate::cli) fn rejected(arguments: &RejectedArguments, task: &Task) -> Result<Outcome> {
    let dt = Dt::parse(&arguments.dt)?;
    let lake = existing_lake_for(&arguments.lake, task)?;
    let request = RejectedRequest {
        reason: arguments.reason.as_deref(),
        corrected: arguments.corrected,
    };
    let rows = rejected_rows(lake.as_ref(), dt, request, task)?;
    let Some(path) = &arguments.out else {
        return Ok(Outcome::of_text(printed(&rows, arguments.print.format())?));
    };
    write_rejected(&rows, path, arguments.overwrite, task)?;
    let count = rows.height();
    let plural = if count == 1 { "" } else { "s" };
    let kind = if arguments.corrected {
        "corrected"
    } else {
        "rejected"
    };
    Ok(Outcome::of_text(format!(
        "{count} {kind} row{plural} of dt={dt} written to {path}\n"
    )))
}

/// Takes corrected rows back.
pub(in crate::cli) fn replayed(arguments: &ReplayArguments, task: &Task) -> Result<Outcome> {
    let lake = existing_lake_for(&arguments.lake, task)?;
    let settings = ReplaySettings {
        reading: reading(&arguments.reading),
        withdraw: arguments.withdraw,
    };
    let report = replay(lake.as_ref(), &arguments.file, settings, task)?;
    let text = if arguments.output.json {
        format!("{}\n", to_json(&report)?.trim_end())
    } else if arguments.output.quiet {
        String::new()
    } else {
        summary(&report)
    };
    // Programs see it by the exit code, with --quiet too.
    Ok(Outcome::of_text(text).with_failure(report.check().err()))
}

fn summary(report: &ReplayReport) -> String {
    let counts = [
        (report.resolved, "resolved"),
        (report.changed, "changed"),
        (report.already_resolved, "resolved before"),
        (report.withdrawn, "withdrawn"),
        (report.still_rejected.len() as u64, "still rejected"),
    ];
    let counts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let mut text = match counts.is_empty() {
        true => "no rows".to_owned(),
        false => counts.join(", "),
    };
    // Writing into a string cannot fail.
    let _ = writeln!(text, "; rejected rows left: {}", report.open);
    for row in &report.still_rejected {
        let _ = writeln!(
            text,
            "{}: row {}: {}: {} (row {} of {})",
            row.file, row.row, row.reason, row.message, row.source_row, row.source_uri
        );
    }
    for row in &report.stale {
        let _ = writeln!(
            text,
            "stale: row {} of {} ({} dt={}) is not rejected any more; `replay --withdraw` takes its correction out",
            row.source_row, row.source_uri, row.table, row.dt
        );
    }
    text.push_str(match report.unchanged {
        true => "nothing to do: the lake is as it was\n",
        false => "run gold to take the rows into the graph\n",
    });
    text
}
