//! `drugs-rs diff`: what changed between two states of a lake, and a gate for losses.

use clap::Args;

use crate::api::diff::{DiffRequest, LakeDiff, lake_diff};
use crate::choice::{Choice, parse_choices};
use crate::cli::options::choice;
use crate::cli::outcome::Outcome;
use crate::cli::output::table::{TableFormat, printed};
use crate::error::Result;
use crate::lake::WantedState;
use crate::lake::report::to_json;
use crate::share::Share;
use crate::task::Task;

/// How a comparison is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum DiffFormat {
    Text,
    Json,
    Ndjson,
    Csv,
}

impl Choice for DiffFormat {
    const CHOICES: &'static [Self] = &[Self::Text, Self::Json, Self::Ndjson, Self::Csv];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Text => "counts by cause and substance, the vocabulary, and examples",
            Self::Json => "one JSON object: the counts, the vocabulary, and all mentions that changed",
            Self::Ndjson => "a JSON object for each mention that changed, one a line",
            Self::Csv => "the mentions that changed, as comma-separated values with a header",
        }
    }
}

parse_choices!(DiffFormat);

#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    lake: String,
    /// The earlier state: its number, or a date for the newest state that holds nothing after it; by default the one
    /// before --to
    #[arg(long, value_name = "STATE")]
    from: Option<WantedState>,
    /// The later state; by default the newest
    #[arg(long, value_name = "STATE")]
    to: Option<WantedState>,
    /// Exit with 1 if more than this share of the pairs of the earlier state was lost, such as 0.5%
    #[arg(long, value_name = "SHARE")]
    max_lost: Option<String>,
    /// How to print what changed
    #[arg(long, value_name = "FORMAT", value_parser = choice::<DiffFormat>(), default_value = "text", help_heading = "Output")]
    format: DiffFormat,
    /// The same as --format json; errors and warnings are JSON lines on stderr
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    json: bool,
    /// Print only errors
    #[arg(long, short, help_heading = "Output")]
    quiet: bool,
}

/// Compares two states; a loss above the bound is a failure, but the result is printed too.
pub(in crate::cli) fn diff(arguments: &DiffArguments, task: &Task) -> Result<Outcome> {
    let bound = arguments.max_lost.as_deref();
    let bound = bound.map(|share| Share::parse("max_lost", share)).transpose()?;
    let request = DiffRequest {
        from: arguments.from,
        to: arguments.to,
    };
    let found = lake_diff(&arguments.lake, request, task)?;
    let format = if arguments.json {
        DiffFormat::Json
    } else {
        arguments.format
    };
    let text = if arguments.quiet {
        Vec::new()
    } else {
        written(&found, format)?
    };
    let failure = bound.and_then(|bound| found.check(bound).err());
    Ok(Outcome::of_text(text).with_failure(failure))
}

fn written(found: &LakeDiff, format: DiffFormat) -> Result<Vec<u8>> {
    Ok(match format {
        DiffFormat::Text => found.summary().to_text().into_bytes(),
        DiffFormat::Ndjson => rows(found, TableFormat::Ndjson)?,
        DiffFormat::Csv => printed(&found.read_all()?, TableFormat::Csv)?,
        DiffFormat::Json => {
            let mut text = to_json(found.summary())?
                .trim_end()
                .trim_end_matches('}')
                .trim_end()
                .to_owned();
            text.push_str(",\n\"mention_changes\": [\n");
            let rows = String::from_utf8_lossy(&rows(found, TableFormat::Ndjson)?).into_owned();
            text.push_str(&rows.trim_end().replace('\n', ",\n"));
            text.push_str("\n]\n}\n");
            text.into_bytes()
        }
    })
}

/// The mentions that changed, frame by frame.
fn rows(found: &LakeDiff, format: TableFormat) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut number = 0;
    while let Some(frame) = found.frame(number)? {
        text.extend(printed(&frame, format)?);
        number += 1;
    }
    Ok(text)
}
