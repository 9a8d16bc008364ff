//! The options of the command line. They have the names of the Python arguments.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand};
use clap_complete::Shell;

use super::commands::answer::AnswerArguments;
use super::commands::diff::DiffArguments;
use super::commands::evidence::EvidenceArguments;
#[cfg(feature = "cloud")]
use super::commands::fetch::FetchArguments;
use super::commands::gaps::GapsArguments;
use super::commands::generate::GenerateArguments;
use super::commands::lake_explain::LakeExplainArguments;
use super::commands::lake_history::HistoryArguments;
use super::commands::lake_quality::QualityArguments;
use super::commands::rejected::{RejectedArguments, ReplayArguments};
use super::options::matching::Matching;
use super::options::publication_sources::PublicationSources;
use super::options::{
    GoldOptions, InputOptions, Lake, MentionFormat, Output, Reading, RunLake, SnapshotOptions, choice,
};
use super::output::table::PrintOptions;
use crate::lake::WantedState;
use crate::schema::{PublicationKind, SCHEMA_FORMS, SourceTable};

const EXIT_CODES: &str = "\
Exit codes:
  0        done
  1        bad input, a failed check, storage, a conflict; `match`: also no mention
  2        wrong usage
  130, 143 ended by Ctrl-C, by SIGTERM

An option on the command line overrides its environment variable; an empty variable counts as not set.";

const MATCH_EXIT_CODES: &str = "\
Exit codes:
  0  at least one mention
  1  no mention, with nothing on stderr but warnings; or an error, with `error:` on stderr
  2  wrong usage (for grep 2 is any error)";

const DIFF_EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  more was lost than --max-lost allows, after what changed is printed; or an error
  2  wrong usage";

const LOAD_TARGETS: &str = "\
Targets:
  duckdb:FILE                 a database file, which is created if it is not there
  postgresql://HOST/DATABASE  a server; ?schema=NAME for another schema than `drugs`. Without a password in the
                              address, PGPASSWORD, PGPASSFILE or ~/.pgpass has it
  bigquery://PROJECT/DATASET  with the default credentials of Google Cloud

Each needs its extra: pip install drugs-rs[duckdb], drugs-rs[postgres] or drugs-rs[bigquery].";

/// Which drug is mentioned where and when: drug vocabularies, PubMed articles and clinical trials to one graph.
#[derive(Debug, Parser)]
#[command(name = "drugs-rs", version, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Show steps, files and times on stderr; -vv: also the counts every second
    ///
    /// The first lines name the options that environment variables set.
    #[arg(long, short, global = true, action = ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// When to colour messages and help; auto: on a terminal, unless NO_COLOR is set
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// All steps: sources to bronze, silver and gold
    Run(Box<RunArguments>),
    /// Copy sources byte for byte into the lake, with a manifest
    Bronze(BronzeArguments),
    /// Clean a bronze partition into tables of drugs and publications
    Silver(SilverArguments),
    /// Find the mentions and write the graph and the answers
    Gold(GoldArguments),
    /// Hold a date: gold leaves it out until it is released
    Hold(HoldArguments),
    /// Release a held date: the next gold includes it
    Release(ReleaseArguments),
    /// Show the rejected rows of a date, or write them to a file to correct them
    Rejected(RejectedArguments),
    /// Take corrected rows back into the lake, in place of the rejected ones
    Replay(ReplayArguments),
    /// Find drugs in texts; exit code 1 without a mention
    #[command(after_help = MATCH_EXIT_CODES)]
    Match(MatchArguments),
    /// Say in one sentence why a drug is found in a text, or why it is not
    Explain(ExplainArguments),
    /// Answer a question about the graph of a lake
    Answer(AnswerArguments),
    /// Say what changed between two states of a lake: every gained and lost mention with its cause
    #[command(after_help = DIFF_EXIT_CODES)]
    Diff(DiffArguments),
    /// Show what says that a publication mentions a drug: text, rule, vocabulary, source, and when the pair came and went
    Evidence(EvidenceArguments),
    /// List names in publications that are probably drugs and that the vocabulary lacks, the most probable ones first
    Gaps(GapsArguments),
    /// Print the tables of a lake in the language of another tool
    Schema(SchemaArguments),
    /// Look into a lake: tables, files, status, history; check it
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Load the tables of a lake into DuckDB, PostgreSQL or BigQuery: what has changed since the last load
    #[command(after_help = LOAD_TARGETS)]
    Load(LoadArguments),
    /// Fetch PubMed's files or the studies of ClinicalTrials.gov: what is missing, verified
    #[cfg(feature = "cloud")]
    Fetch(Box<FetchArguments>),
    /// Generate made-up sources of any size, with the truth about them
    Generate(Box<GenerateArguments>),
    /// Print completions for a shell
    ///
    /// bash: drugs-rs completions bash > ~/.local/share/bash-completion/completions/drugs-rs;
    /// zsh: into a folder of $fpath, as _drugs-rs; fish: into ~/.config/fish/completions/drugs-rs.fish.
    Completions(CompletionsArguments),
    /// Print the man page, or that of a command
    Man(ManArguments),
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); repeatable; without it, the
    /// newest one of the lake
    #[arg(long, value_name = "PATH")]
    pub drugs: Vec<String>,
    #[command(flatten)]
    pub publications: PublicationSources,
    #[command(flatten)]
    pub snapshot: SnapshotOptions,
    #[command(flatten)]
    pub lake: RunLake,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub matching: Matching,
    #[command(flatten)]
    pub gold: GoldOptions,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct BronzeArguments {
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); repeatable
    #[arg(long, value_name = "PATH")]
    pub drugs: Vec<String>,
    #[command(flatten)]
    pub publications: PublicationSources,
    /// The source's name in the lake, where one table has several sources
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub snapshot: SnapshotOptions,
    #[command(flatten)]
    pub lake: Lake,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct SilverArguments {
    #[command(flatten)]
    pub lake: Lake,
    /// A table to clean; repeatable; by default all that bronze holds
    #[arg(long = "table", value_name = "TABLE", value_parser = choice::<SourceTable>())]
    pub tables: Vec<SourceTable>,
    /// Hold the date if a table changes: gold leaves it out until it is released
    #[arg(long)]
    pub hold: bool,
    #[command(flatten)]
    pub reading: Reading,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct GoldArguments {
    #[command(flatten)]
    pub lake: Lake,
    #[command(flatten)]
    pub matching: Matching,
    #[command(flatten)]
    pub gold: GoldOptions,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct HoldArguments {
    #[command(flatten)]
    pub lake: Lake,
    /// Why, in a sentence: shown in the lake, in gold's reports and in logs
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub reason: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct ReleaseArguments {
    #[command(flatten)]
    pub lake: Lake,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
    /// The table, as `drugs-rs lake tables` names it; by default all
    #[arg(value_name = "TABLE")]
    pub table: Option<String>,
    /// The language
    #[arg(long, value_name = "FORMAT", value_parser = schema_forms(), default_value = "markdown")]
    pub format: String,
}

fn schema_forms() -> PossibleValuesParser {
    let values = SCHEMA_FORMS
        .iter()
        .map(|form| PossibleValue::new(form.name).help(form.sentence));
    PossibleValuesParser::new(values)
}

#[derive(Debug, Subcommand)]
pub(super) enum LakeCommand {
    /// List the tables with their rows, files and meaning
    Tables(LakeTableArguments),
    /// List the files with the current rows of a table, readable by any Parquet reader
    Files(FilesArguments),
    /// Show each delivered partition: its rows, the rejected share, and whether its date is held
    Status(LakeTableArguments),
    /// List the runs that changed the lake
    History(HistoryArguments),
    /// List the states of gold that can be read
    States(StatesArguments),
    /// Drop dates, or one publication, and make gold again without them
    Drop(DropArguments),
    /// Put the index files of old dates together, so that a run of gold opens fewer files
    Compact(CompactArguments),
    /// Give up earlier states, and remove the files that only they need
    Vacuum(VacuumArguments),
    /// Say why a drug is mentioned in a publication, or why it is not, with the vocabulary and the settings of gold
    Explain(LakeExplainArguments),
    /// Count the rows of every table that break a rule of a data contract, and measure its objectives; exit code 1 if a rule
    /// of severity `error` is broken or an objective is missed
    Quality(QualityArguments),
    /// Compare every file of the current state with the digest in its manifest; exit code 1 if one differs
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub(super) struct LakeTableArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    pub lake: String,
    /// The lake in an earlier state: its number, or a date for the newest state that holds nothing after it
    #[arg(long, value_name = "STATE")]
    pub state: Option<WantedState>,
    #[command(flatten)]
    pub print: PrintOptions,
}

#[derive(Debug, Args)]
pub(super) struct FilesArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE")]
    pub lake: String,
    /// The table, as `drugs-rs lake tables` names it
    #[arg(value_name = "TABLE")]
    pub table: String,
    /// Only files of this date; repeatable
    #[arg(long = "dt", value_name = "DATE")]
    pub dates: Vec<String>,
    /// Only files of this kind of publication; repeatable
    #[arg(long = "kind", value_name = "KIND", value_parser = choice::<PublicationKind>())]
    pub kinds: Vec<PublicationKind>,
    /// The lake in an earlier state: its number, or a date for the newest state that holds nothing after it
    #[arg(long, value_name = "STATE")]
    pub state: Option<WantedState>,
    #[command(flatten)]
    pub print: PrintOptions,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false, args = ["before", "dt", "publication_id"])]
pub(super) struct DropArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    pub lake: String,
    /// Drop all dates before this one
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
    /// Drop this date
    #[arg(long, value_name = "DATE")]
    pub dt: Option<String>,
    /// Drop every row of this publication
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub publication_id: Option<String>,
    /// List what would be dropped, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub print: PrintOptions,
}

#[derive(Debug, Args)]
pub(super) struct StatesArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    pub lake: String,
    #[command(flatten)]
    pub print: PrintOptions,
}

#[derive(Debug, Args)]
pub(super) struct CompactArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    pub lake: String,
    /// Only dates that are this many days older than the date that gold has reached
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub older_than_days: u32,
    #[command(flatten)]
    pub print: PrintOptions,
}

#[derive(Debug, Args)]
pub(super) struct VacuumArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    pub lake: String,
    /// How long earlier states are kept: a number of days or of states, such as `10 states`
    #[arg(long, value_name = "TIME", default_value = "30 days", env = "DRUGS_RS_KEEP")]
    pub keep: String,
    /// List what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub print: PrintOptions,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE", env = "DRUGS_RS_OUT")]
    pub lake: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct LoadArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE")]
    pub lake: String,
    /// Where to load: duckdb:FILE, postgresql://HOST/DATABASE or bigquery://PROJECT/DATASET
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// A table to load, as `drugs-rs lake tables` names it; repeatable; by default all
    #[arg(long = "table", value_name = "TABLE")]
    pub tables: Vec<String>,
    /// Print what would be loaded, with rows and bytes, and change nothing
    #[arg(long)]
    pub plan: bool,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct MatchArguments {
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); repeatable
    #[arg(long, value_name = "PATH", required = true, env = "DRUGS_RS_VOCABULARY")]
    pub vocabulary: Vec<String>,
    /// The column of FILE (CSV, JSON or NDJSON) with the texts; without this option each line is a text
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// The file of texts; `-` or none: standard input
    #[arg(value_name = "FILE")]
    pub file: Option<String>,
    #[command(flatten)]
    pub matching: Matching,
    #[command(flatten)]
    pub bytes: InputOptions,
    /// How to print mentions: by default a table on a terminal and NDJSON elsewhere
    #[arg(long, value_name = "FORMAT", value_parser = choice::<MentionFormat>(), help_heading = "Output")]
    pub format: Option<MentionFormat>,
    /// Print NDJSON; errors and warnings are JSON lines on stderr
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub json: bool,
    /// Print no mentions and stop at the first: the exit code says whether there is one
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); repeatable
    #[arg(long, value_name = "PATH", required = true, env = "DRUGS_RS_VOCABULARY")]
    pub vocabulary: Vec<String>,
    /// The text; `-` reads standard input, all of it as one text
    #[arg(value_name = "TEXT")]
    pub text: String,
    /// The drug: one of its names, or its code as the vocabulary writes it
    #[arg(value_name = "DRUG")]
    pub drug: String,
    #[command(flatten)]
    pub matching: Matching,
    #[command(flatten)]
    pub bytes: InputOptions,
    /// Print JSON with the keys `drug` and `explanation` instead of the sentence; errors are JSON lines on stderr
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_parser = PossibleValuesParser::new(["bash", "zsh", "fish"]).try_map(|name| name.parse::<Shell>()))]
    pub shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// A command, such as `gold` or `lake verify`
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write a page for each command into this folder, which must exist, instead of printing one
    #[arg(long, value_name = "FOLDER", conflicts_with = "command")]
    pub out: Option<String>,
}
