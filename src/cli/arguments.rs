//! The words of the command line. Flags carry the names of the Python arguments.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::graph::AnswerSettings;

/// Which drug is mentioned where and when: drug vocabularies, PubMed articles and clinical trials to one graph.
#[derive(Debug, Parser)]
#[command(name = "drugs-rs", version, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
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
    /// Hold a date back: gold leaves it out until it is released
    Hold(HoldArguments),
    /// Let a date go that was held back
    Release(ReleaseArguments),
    /// Find drugs in texts: one NDJSON line a mention
    Match(MatchArguments),
    /// Say in one sentence why a drug is found in a text, or why it is not
    Explain(ExplainArguments),
    /// Look after a lake
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Make up sources of any size, with the truth about them
    Generate(Box<super::generate::GenerateArguments>),
}

#[derive(Debug, Args)]
pub(super) struct Lake {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(long, value_name = "FOLDER")]
    pub out: String,
    /// The logical date of this delivery, such as 2026-11-22
    #[arg(long, value_name = "DATE")]
    pub dt: String,
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Print the report as JSON instead of a summary
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub(super) struct Reading {
    #[command(flatten)]
    pub bytes: Bytes,
    /// Read 01/02/2020 as 2 January instead of 1 February
    #[arg(long)]
    pub month_first: bool,
    /// What a file that cannot be read as a whole does: fail the step, or be kept aside while the others go on
    #[arg(long, value_name = "WHAT", value_enum, default_value = "fail")]
    pub on_bad_file: OnBadFileName,
}

/// How the bytes of files are taken.
#[derive(Debug, Args)]
pub(super) struct Bytes {
    /// What text is that is neither UTF-8 nor UTF-16 with a byte order mark
    #[arg(long, value_name = "NAME", value_enum)]
    pub encoding: Option<EncodingName>,
    /// How many times its size a packed file may unpack to (beyond 256 MiB) before it is taken for a bomb; 0 is any number
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub max_ratio: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OnBadFileName {
    Fail,
    Reject,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum EncodingName {
    #[value(name = "windows-1252")]
    Windows1252,
    #[value(name = "utf-8")]
    Utf8,
}

#[derive(Debug, Args)]
pub(super) struct Matching {
    /// Where a name may begin and end
    #[arg(long, value_enum, default_value = "word")]
    pub boundary: BoundaryName,
    /// Names that are never a mention, one a line, instead of the shipped list and rules
    #[arg(long, value_name = "FILE", conflicts_with = "no_stop_words")]
    pub stop_words: Option<String>,
    /// Names that are never a mention either, one a line, besides the shipped list
    #[arg(long, value_name = "FILE")]
    pub extra_stop_words: Option<String>,
    /// Look for every name of the vocabulary, everyday words too
    #[arg(long)]
    pub no_stop_words: bool,
    /// Count abbreviations that a text itself introduces, as in "doxorubicin (DOX)"
    #[arg(long)]
    pub abbreviations: bool,
    /// Find "metformin hydrochloride" of the vocabulary where a text says "metformin"
    #[arg(long)]
    pub salts: bool,
    /// Whether accents tell letters apart
    #[arg(long, value_enum, default_value = "fold")]
    pub accents: AccentsName,
}

#[derive(Debug, Args)]
pub(super) struct GoldOptions {
    /// Search abstracts as well as titles
    #[arg(long)]
    pub abstracts: bool,
    /// What counts as one drug
    #[arg(long, value_enum, default_value = "substance")]
    pub unit: UnitName,
    /// How many drugs the lists of exclusive_drugs.json have at most, together (0 = no limit)
    #[arg(long, value_name = "N", default_value_t = AnswerSettings::default().max_exclusive)]
    pub max_exclusive: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum UnitName {
    /// all codes of one substance
    Substance,
    /// each code of the vocabulary
    Code,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum BoundaryName {
    /// whole words
    Word,
    /// plain substrings
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum AccentsName {
    /// é is e
    Fold,
    /// é is not e
    Keep,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); may be given several times
    #[arg(long, value_name = "PATH", required = true)]
    pub drugs: Vec<String>,
    /// PubMed articles, in the same way; may be given several times
    #[arg(long, value_name = "PATH")]
    pub pubmed: Vec<String>,
    /// Clinical trials, in the same way; may be given several times
    #[arg(long, value_name = "PATH")]
    pub clinical_trials: Vec<String>,
    #[command(flatten)]
    pub lake: Lake,
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
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); may be given several times
    #[arg(long, value_name = "PATH")]
    pub drugs: Vec<String>,
    /// PubMed articles, in the same way; may be given several times
    #[arg(long, value_name = "PATH")]
    pub pubmed: Vec<String>,
    /// Clinical trials, in the same way; may be given several times
    #[arg(long, value_name = "PATH")]
    pub clinical_trials: Vec<String>,
    /// The source's name in the lake, where one table has several sources
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub lake: Lake,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct SilverArguments {
    #[command(flatten)]
    pub lake: Lake,
    /// A table to clean; may be given several times; all that bronze holds by default
    #[arg(long = "table", value_name = "TABLE", value_parser = ["drugs", "pubmed", "clinical_trials"])]
    pub tables: Vec<String>,
    #[command(flatten)]
    pub reading: Reading,
    /// Hold the date back if a table changes: gold leaves it out until it is released
    #[arg(long)]
    pub hold: bool,
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
    /// Why, in a sentence: it stands in the lake, in gold's reports and in logs
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

#[derive(Debug, Subcommand)]
pub(super) enum LakeCommand {
    /// Hold every file of the current state against the digest in its manifest; exit code 1 where one differs
    Verify(VerifyArguments),
}

#[derive(Debug, Args)]
pub(super) struct VerifyArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE")]
    pub lake: String,
    #[command(flatten)]
    pub output: Output,
}

#[derive(Debug, Args)]
pub(super) struct MatchArguments {
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); may be given several times
    #[arg(long, value_name = "PATH", required = true)]
    pub vocabulary: Vec<String>,
    /// The column of FILE (CSV, JSON or NDJSON) that holds the texts; without it every line is a text
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// The file of texts; standard input without it or for `-`
    #[arg(value_name = "FILE")]
    pub file: Option<String>,
    #[command(flatten)]
    pub matching: Matching,
    #[command(flatten)]
    pub bytes: Bytes,
    /// Accepted for the sake of scripts: the output is JSON anyway
    #[arg(long, hide = true)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ExplainArguments {
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); may be given several times
    #[arg(long, value_name = "PATH", required = true)]
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
    pub bytes: Bytes,
    /// Print JSON with the keys `drug` and `explanation` instead of the sentence
    #[arg(long)]
    pub json: bool,
}

/// What the words of a command line came to.
#[derive(Debug)]
pub enum Invocation {
    /// Something to do.
    Command(ParsedCommand),
    /// Nothing more to do (help, version, a usage error): the exit code.
    Done(u8),
}

/// A command line that made sense.
#[derive(Debug)]
pub struct ParsedCommand(pub(super) Command);

impl ParsedCommand {
    /// Whether progress may be shown.
    pub fn progress(&self) -> bool {
        match &self.0 {
            Command::Run(run) => !run.output.quiet,
            Command::Bronze(bronze) => !bronze.output.quiet,
            Command::Silver(silver) => !silver.output.quiet,
            Command::Gold(gold) => !gold.output.quiet,
            Command::Generate(generate) => !generate.output.quiet,
            Command::Hold(_)
            | Command::Release(_)
            | Command::Lake(_)
            | Command::Match(_)
            | Command::Explain(_) => false,
        }
    }
}

/// Reads the words of a command line; help and usage errors are told at once.
pub fn parse(words: &[OsString]) -> Invocation {
    let name = OsString::from("drugs-rs");
    match Arguments::try_parse_from(std::iter::once(&name).chain(words)) {
        Ok(arguments) => Invocation::Command(ParsedCommand(arguments.command)),
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            let message = error.to_string();
            let told = super::told(&message, words);
            // A closed pipe is no reason to complain about not being able to complain.
            let _ = if told == message {
                error.print()
            } else {
                write!(io::stderr().lock(), "{told}")
            };
            Invocation::Done(code)
        }
    }
}
