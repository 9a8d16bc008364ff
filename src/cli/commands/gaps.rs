//! `drugs-rs gaps`: probable drugs that the vocabulary of a lake lacks.

use clap::Args;

use crate::api::gaps::{GapRequest, gaps_page, vocabulary_gaps};
use crate::choice::{Choice, parse_choices};
use crate::cli::options::choice;
use crate::cli::output::table::{TableFormat, printed};
use crate::error::Result;
use crate::gaps::GapRule;
use crate::lake::{LakeAddress, WantedState};
use crate::task::Task;

/// How gaps are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum GapsFormat {
    Text,
    Json,
    Ndjson,
    Csv,
}

impl Choice for GapsFormat {
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
            Self::Text => "a line for each name and one for an example",
            Self::Json => "a list of JSON objects",
            Self::Ndjson => "a JSON object for each name, one a line",
            Self::Csv => "comma-separated values with a header",
        }
    }
}

parse_choices!(GapsFormat);

#[derive(Debug, Args)]
pub(in crate::cli) struct GapsArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    lake: String,
    /// The lake in an earlier state: its number, or a date for the newest state that holds nothing after it
    #[arg(long, value_name = "STATE")]
    state: Option<WantedState>,
    /// Look with these rules only; repeat the option or separate them with commas
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = choice::<GapRule>())]
    rules: Vec<GapRule>,
    /// Leave out names that are in fewer publications
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    min_publications: u64,
    /// Print at most this many names; 0 is all
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    /// How to print the names
    #[arg(long, value_name = "FORMAT", value_parser = choice::<GapsFormat>(), default_value = "text", help_heading = "Output")]
    format: GapsFormat,
    /// The same as --format json; errors are JSON lines on stderr
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    json: bool,
}

/// The gaps as text.
pub(in crate::cli) fn gaps(arguments: &GapsArguments, task: &Task) -> Result<Vec<u8>> {
    let lake = LakeAddress {
        root: arguments.lake.clone(),
        state: arguments.state,
    };
    let mut request = GapRequest {
        min_publications: arguments.min_publications,
        limit: Some(arguments.limit).filter(|limit| *limit > 0),
        ..GapRequest::default()
    };
    if !arguments.rules.is_empty() {
        request.rules = arguments.rules.iter().copied().collect();
    }
    let found = vocabulary_gaps(&lake, &request, task)?;
    let format = if arguments.json {
        GapsFormat::Json
    } else {
        arguments.format
    };
    match format {
        GapsFormat::Text => Ok(gaps_page(&found)?.into_bytes()),
        GapsFormat::Json => printed(&found, TableFormat::Json),
        GapsFormat::Ndjson => printed(&found, TableFormat::Ndjson),
        GapsFormat::Csv => printed(&found, TableFormat::Csv),
    }
}
