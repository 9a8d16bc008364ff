//! `drugs-rs rejected` and `drugs-rs replay`: the rejected rows of a date, out of a lake and back corrected.

use std::fmt::Write as _;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::api::rejected_rows::{rejected_rows, write_rejected};
use crate::cli::options::Output;
use crate::cli::outcome::Outcome;
use crate::cli::output::table::{PrintOptions, printed};
use crate::error::Result;
use crate::lake::dt::Dt;
use crate::lake::existing_lake_for;
use crate::lake::report::to_json;
use crate::schema::Reason;
use crate::steps::replay::{ReplayReport, replay};
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
    #[arg(long, value_name = "REASON", value_parser = PossibleValuesParser::new(Reason::ALL.map(Reason::name)))]
    reason: Option<String>,
    /// Write the rows as CSV to this file or object, to correct them and pass the file to `replay`
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
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
    #[command(flatten)]
    output: Output,
}

/// The rejected rows as text, or in a file.
pub(in crate::cli) fn rejected(arguments: &RejectedArguments, task: &Task) -> Result<Outcome> {
    let dt = Dt::parse(&arguments.dt)?;
    let lake = existing_lake_for(&arguments.lake, task)?;
    let rows = rejected_rows(lake.as_ref(), dt, arguments.reason.as_deref(), task)?;
    let Some(path) = &arguments.out else {
        return Ok(Outcome::of_text(printed(&rows, arguments.print.format())?));
    };
    write_rejected(&rows, path, task)?;
    let count = rows.height();
    let plural = if count == 1 { "" } else { "s" };
    Ok(Outcome::of_text(format!(
        "{count} rejected row{plural} of dt={dt} written to {path}\n"
    )))
}

/// Takes corrected rows back.
pub(in crate::cli) fn replayed(arguments: &ReplayArguments, task: &Task) -> Result<Outcome> {
    let lake = existing_lake_for(&arguments.lake, task)?;
    let report = replay(lake.as_ref(), &arguments.file, task)?;
    let text = if arguments.output.json {
        format!("{}\n", to_json(&report)?.trim_end())
    } else if arguments.output.quiet {
        String::new()
    } else {
        summary(&report)
    };
    Ok(Outcome::of_text(text))
}

fn summary(report: &ReplayReport) -> String {
    let mut text = format!(
        "{} rows: {} resolved, {} changed, {} resolved before, {} repeated, {} still rejected; {} rejected rows open\n",
        report.rows,
        report.resolved,
        report.changed,
        report.already_resolved,
        report.repeated,
        report.still_rejected.len(),
        report.open
    );
    for row in &report.still_rejected {
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "{}: row {}: {}: {} (row {} of {})",
            row.file, row.row, row.reason, row.message, row.source_row, row.source_uri
        );
    }
    text.push_str(match report.unchanged {
        true => "nothing to do: the lake has these rows\n",
        false => "run gold to take them into the graph\n",
    });
    text
}
