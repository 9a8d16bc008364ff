//! Groups of options that several commands have.

pub(super) mod matching;
pub(super) mod publication_sources;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::choice::{Choice, parse_choices};
use crate::error::Result;
use crate::formats::Encoding;
use crate::graph::AnswerSettings;
use crate::lake::dt::{Dt, DtRange, RunDates};
use crate::schema::{DrugUnit, GraphOutput, PublicationStatus, SearchedField};
use crate::steps::bronze::{BronzeSource, as_snapshots};
use crate::steps::silver::OnBadFile;

/// Reads the name of a value, with the names in the help, in completions and in the error for another one.
pub(super) fn choice<T: Choice + Send + Sync>() -> impl TypedValueParser<Value = T> {
    let words = T::CHOICES
        .iter()
        .map(|choice| (choice.choice_name(), choice.meaning()));
    words_with_meanings(words).try_map(|name| T::from_choice_name(&name))
}

/// Reads one of a few words, each with its meaning in the help.
fn words_with_meanings(
    words: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> PossibleValuesParser {
    PossibleValuesParser::new(words.into_iter().map(|(word, meaning)| {
        let value = PossibleValue::new(word);
        if meaning.is_empty() {
            value
        } else {
            value.help(meaning)
        }
    }))
}

#[derive(Debug, Args)]
pub(super) struct Lake {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(long, value_name = "FOLDER", env = "DRUGS_RS_OUT")]
    pub out: String,
    /// The logical date of this delivery, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    dt: String,
}

impl Lake {
    /// The date, or the error that Python raises for another text.
    pub(super) fn dt(&self) -> Result<Dt> {
        Dt::parse(&self.dt)
    }
}

/// Whether a delivery is a snapshot.
#[derive(Debug, Args)]
#[command(next_help_heading = "Snapshot")]
pub(super) struct SnapshotOptions {
    /// The delivery replaces all earlier ones of its kind: a publication that it lacks is gone
    #[arg(long)]
    snapshot: bool,
    /// Fail before silver is committed if a snapshot lacks more than this share of the publications before it
    #[arg(long, value_name = "SHARE", default_value = "2%")]
    max_absent: String,
}

impl SnapshotOptions {
    /// The sources, as snapshots if they are.
    pub(super) fn apply(&self, sources: Vec<BronzeSource>) -> Result<Vec<BronzeSource>> {
        as_snapshots(sources, self.snapshot, &self.max_absent)
    }
}

/// The lake and the dates of a run.
#[derive(Debug, Args)]
pub(super) struct RunLake {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(long, value_name = "FOLDER", env = "DRUGS_RS_OUT")]
    pub out: String,
    /// The logical date of this delivery, such as 2026-11-22
    #[arg(long, value_name = "DATE", required_unless_present = "dates")]
    dt: Option<String>,
    /// Instead of --dt: run each of these dates in order, with {dt} in the names of sources as the date; skip a date
    /// without sources
    #[arg(long, value_name = "FIRST..LAST", conflicts_with = "dt")]
    dates: Option<String>,
}

impl RunLake {
    /// The dates, or the error that Python raises for another text.
    pub(super) fn dates(&self) -> Result<RunDates> {
        match (&self.dates, &self.dt) {
            (Some(dates), _) => DtRange::parse(dates).map(RunDates::Each),
            (None, dt) => Dt::parse(dt.as_deref().unwrap_or_default()).map(RunDates::One),
        }
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct Output {
    /// Print the report as JSON; errors and warnings are JSON lines on stderr
    #[arg(long)]
    pub json: bool,
    /// Print only errors
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(super) struct Reading {
    #[command(flatten)]
    pub bytes: InputOptions,
    /// Read 01/02/2020 as 2 January instead of 1 February
    #[arg(long, env = "DRUGS_RS_MONTH_FIRST")]
    pub month_first: bool,
    /// On an unreadable file: stop, or reject it and continue
    #[arg(long, value_name = "WHAT", value_parser = choice::<OnBadFile>(), default_value = "fail", env = "DRUGS_RS_ON_BAD_FILE")]
    pub on_bad_file: OnBadFile,
    /// Fail before silver is committed if the kept rows of a table differ by more than this share, such as 50%, from the
    /// median of its last 7 deliveries, or if a delivery shrinks by more
    #[arg(long, value_name = "SHARE", env = "DRUGS_RS_EXPECT_ROWS")]
    pub expect_rows: Option<String>,
    /// Check the tables against a data contract before silver is committed: `default`, which comes with the program, or the
    /// file or URI of one in the Open Data Contract Standard; `none` for none
    #[arg(long, value_name = "CONTRACT", env = "DRUGS_RS_CONTRACT")]
    pub contract: Option<String>,
}

/// How the bytes of files are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(super) struct InputOptions {
    /// The encoding of text that is neither UTF-8 nor UTF-16 with a byte order mark; without this such a file is an error
    #[arg(long, value_name = "NAME", value_parser = choice::<Encoding>(), ignore_case = true, env = "DRUGS_RS_ENCODING")]
    pub encoding: Option<Encoding>,
    /// Reject compressed files that expand more than N-fold, beyond 256 MiB (0 = no limit)
    #[arg(long, value_name = "N", default_value_t = 400, env = "DRUGS_RS_MAX_RATIO")]
    pub max_ratio: u64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Counting")]
pub(super) struct GoldOptions {
    /// The fields of publications to search
    #[arg(long, value_name = "FIELDS", value_parser = choice::<SearchedField>(), value_delimiter = ',', default_value = "title", env = "DRUGS_RS_FIELDS")]
    pub fields: Vec<SearchedField>,
    /// Search abstracts too: the same as `abstract` among the fields
    #[arg(long, env = "DRUGS_RS_ABSTRACTS")]
    pub abstracts: bool,
    /// Do not search publications of these statuses; they stay in the tables and in the graph
    #[arg(long, value_name = "STATUSES", value_parser = choice::<PublicationStatus>(), value_delimiter = ',', env = "DRUGS_RS_EXCLUDE_STATUS")]
    pub exclude_status: Vec<PublicationStatus>,
    /// What counts as one drug
    #[arg(long, value_parser = choice::<DrugUnit>(), default_value = "substance", env = "DRUGS_RS_UNIT")]
    pub unit: DrugUnit,
    /// At most this many drugs in the lists of exclusive_drugs.json, together (0 = no limit)
    #[arg(long, value_name = "N", default_value_t = AnswerSettings::default().max_exclusive, env = "DRUGS_RS_MAX_EXCLUSIVE")]
    pub max_exclusive: u64,
    /// Whether to write drug_graph.json; nothing else in the lake depends on it
    #[arg(long, value_parser = choice::<GraphOutput>(), default_value = "json", env = "DRUGS_RS_GRAPH")]
    pub graph: GraphOutput,
    /// How long earlier states of the tables can be read: a number of days or of states, such as `10 states`
    #[arg(long, value_name = "TIME", default_value = "30 days", env = "DRUGS_RS_KEEP")]
    pub keep: String,
    /// Say what would be computed, and why, and change nothing
    #[arg(long)]
    pub explain_plan: bool,
}

/// How mentions are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MentionFormat {
    Table,
    Ndjson,
    Csv,
}

impl Choice for MentionFormat {
    const CHOICES: &'static [Self] = &[Self::Table, Self::Ndjson, Self::Csv];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Table => "aligned columns that fit the terminal; long values are cut",
            Self::Ndjson => "a JSON object a line",
            Self::Csv => "comma-separated values with a header",
        }
    }
}

parse_choices!(MentionFormat);
