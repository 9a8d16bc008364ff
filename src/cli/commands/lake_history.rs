//! `drugs-rs lake history`: the runs that changed a lake as a table, or the last ones as metrics.

use clap::Args;

use crate::api::lake_tables::lake_history;
use crate::api::metrics::lake_metrics;
use crate::choice::{Choice, parse_choices};
use crate::cli::options::choice;
use crate::cli::output::table::{TableFormat, printed};
use crate::error::Result;
use crate::lake::existing_lake_for;
use crate::task::Task;

/// How the history is printed.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) enum HistoryFormat {
    Table(TableFormat),
    OpenMetrics,
}

impl Choice for HistoryFormat {
    const CHOICES: &'static [Self] = &[
        Self::Table(TableFormat::Table),
        Self::Table(TableFormat::Json),
        Self::Table(TableFormat::Ndjson),
        Self::Table(TableFormat::Csv),
        Self::OpenMetrics,
    ];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Table(format) => format.choice_name(),
            Self::OpenMetrics => "openmetrics",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Table(format) => format.meaning(),
            Self::OpenMetrics => "the last run of each step and the state of the lake, for Prometheus",
        }
    }
}

parse_choices!(HistoryFormat);

#[derive(Debug, Args)]
pub(in crate::cli) struct HistoryArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    lake: String,
    /// How to print the runs: by default as an aligned table without their settings on a terminal, and as NDJSON elsewhere
    #[arg(long, value_name = "FORMAT", value_parser = choice::<HistoryFormat>(), help_heading = "Output")]
    format: Option<HistoryFormat>,
    /// The same as --format json; errors and warnings are JSON lines on stderr
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    json: bool,
}

/// The history of a lake as text.
pub(in crate::cli) fn history(arguments: &HistoryArguments, task: &Task) -> Result<Vec<u8>> {
    let lake = existing_lake_for(&arguments.lake, task)?;
    let usual = || HistoryFormat::Table(TableFormat::usual(arguments.json));
    match arguments.format.unwrap_or_else(usual) {
        // Each run has a long list of settings: for programs, and too wide for a terminal.
        HistoryFormat::Table(TableFormat::Table) => {
            let history = lake_history(lake.as_ref())?.drop("settings")?;
            printed(&history, TableFormat::Table)
        }
        HistoryFormat::Table(format) => printed(&lake_history(lake.as_ref())?, format),
        HistoryFormat::OpenMetrics => Ok(lake_metrics(lake.as_ref())?.into_bytes()),
    }
}
