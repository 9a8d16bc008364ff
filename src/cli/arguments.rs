//! The words of the command line. Flags have the names of the Python arguments.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, ColorChoice, Parser, Subcommand};
use clap_complete::Shell;

use super::answer::AnswerArguments;
use super::mentions::MentionFormat;
use super::publication_sources::PublicationSources;
use crate::choice::Choice;
use crate::error::Result;
use crate::formats::Encoding;
use crate::graph::AnswerSettings;
use crate::ingest::parallel_reader::OnBadFile;
use crate::lake::dt::Dt;
use crate::matcher::{Accents, Boundary};
use crate::schema::{DrugUnit, SourceTable};

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

/// Which drug is mentioned where and when: drug vocabularies, PubMed articles and clinical trials to one graph.
#[derive(Debug, Parser)]
#[command(name = "drugs-rs", version, after_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Show on stderr each step and file with its time, and the options that the environment sets; twice: the counts every second
    #[arg(long, short, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to colour messages and help; auto is on a terminal and without NO_COLOR
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_possible_values = false
    )]
    pub color: ColorChoice,
}

/// Reads the name of a value, with the names in the help, in completions and in the error for another one.
pub(super) fn choice<T: Choice + Send + Sync>() -> impl TypedValueParser<Value = T> {
    let values = T::CHOICES.iter().map(|choice| {
        let value = PossibleValue::new(choice.choice_name());
        match choice.meaning() {
            "" => value,
            meaning => value.help(meaning),
        }
    });
    PossibleValuesParser::new(values).try_map(|name| T::from_choice_name(&name))
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
    /// Find drugs in texts; exit code 1 without a mention
    #[command(after_help = MATCH_EXIT_CODES)]
    Match(MatchArguments),
    /// Say in one sentence why a drug is found in a text, or why it is not
    Explain(ExplainArguments),
    /// Answer a question about the graph of a lake
    Answer(AnswerArguments),
    /// Check a lake
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Make up sources of any size, with the truth about them
    Generate(Box<super::generate::GenerateArguments>),
    /// Print completions for a shell
    ///
    /// bash: drugs-rs completions bash > ~/.local/share/bash-completion/completions/drugs-rs;
    /// zsh: into a folder of $fpath, as _drugs-rs; fish: into ~/.config/fish/completions/drugs-rs.fish.
    Completions(CompletionsArguments),
    /// Print the man page, or that of a command
    Man(ManArguments),
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
    pub bytes: Bytes,
    /// Read 01/02/2020 as 2 January instead of 1 February
    #[arg(long, env = "DRUGS_RS_MONTH_FIRST")]
    pub month_first: bool,
    /// On an unreadable file: stop, or reject it and continue
    #[arg(long, value_name = "WHAT", value_parser = choice::<OnBadFile>(), default_value = "fail", env = "DRUGS_RS_ON_BAD_FILE")]
    pub on_bad_file: OnBadFile,
}

/// How the bytes of files are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(super) struct Bytes {
    /// The encoding of text that is neither UTF-8 nor UTF-16 with a byte order mark; without this such a file is an error
    #[arg(long, value_name = "NAME", value_parser = choice::<Encoding>(), ignore_case = true, env = "DRUGS_RS_ENCODING")]
    pub encoding: Option<Encoding>,
    /// Reject compressed files that expand more than N-fold, beyond 256 MiB (0 = no limit)
    #[arg(long, value_name = "N", default_value_t = 400, env = "DRUGS_RS_MAX_RATIO")]
    pub max_ratio: u64,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Matching")]
pub(super) struct Matching {
    /// Where a name may begin and end
    #[arg(long, value_parser = choice::<Boundary>(), default_value = "word", env = "DRUGS_RS_BOUNDARY")]
    pub boundary: Boundary,
    /// Names that are never a mention, one a line; replaces the shipped list and rules
    #[arg(long, value_name = "FILE", env = "DRUGS_RS_STOP_WORDS_FILE")]
    pub stop_words: Option<String>,
    /// Names that are never a mention either, one a line; adds to the shipped list
    #[arg(long, value_name = "FILE", env = "DRUGS_RS_EXTRA_STOP_WORDS_FILE")]
    pub extra_stop_words: Option<String>,
    /// Find every name of the vocabulary, everyday words too
    #[arg(long)]
    pub no_stop_words: bool,
    /// Find abbreviations that a text itself introduces, as in "doxorubicin (DOX)"
    #[arg(long, env = "DRUGS_RS_ABBREVIATIONS")]
    pub abbreviations: bool,
    /// Find "metformin hydrochloride" of the vocabulary where a text says "metformin"
    #[arg(long, env = "DRUGS_RS_SALTS")]
    pub salts: bool,
    /// Whether letters with an accent equal those without
    #[arg(long, value_parser = choice::<Accents>(), default_value = "fold", env = "DRUGS_RS_ACCENTS")]
    pub accents: Accents,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Counting")]
pub(super) struct GoldOptions {
    /// Search abstracts as well as titles
    #[arg(long, env = "DRUGS_RS_ABSTRACTS")]
    pub abstracts: bool,
    /// What counts as one drug
    #[arg(long, value_parser = choice::<DrugUnit>(), default_value = "substance", env = "DRUGS_RS_UNIT")]
    pub unit: DrugUnit,
    /// At most this many drugs in the lists of exclusive_drugs.json, together (0 = no limit)
    #[arg(long, value_name = "N", default_value_t = AnswerSettings::default().max_exclusive, env = "DRUGS_RS_MAX_EXCLUSIVE")]
    pub max_exclusive: u64,
}

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); repeatable
    #[arg(long, value_name = "PATH", required = true)]
    pub drugs: Vec<String>,
    #[command(flatten)]
    pub publications: PublicationSources,
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
    /// A drug vocabulary: file, folder, glob or URI, or @LIST (a file with one of them a line); repeatable
    #[arg(long, value_name = "PATH")]
    pub drugs: Vec<String>,
    #[command(flatten)]
    pub publications: PublicationSources,
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
    /// A table to clean; repeatable; by default all that bronze holds
    #[arg(long = "table", value_name = "TABLE", value_parser = choice::<SourceTable>())]
    pub tables: Vec<SourceTable>,
    #[command(flatten)]
    pub reading: Reading,
    /// Hold the date if a table changes: gold leaves it out until it is released
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

#[derive(Debug, Subcommand)]
pub(super) enum LakeCommand {
    /// Compare every file of the current state with the digest in its manifest; exit code 1 if one differs
    Verify(VerifyArguments),
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
    pub bytes: Bytes,
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
    pub bytes: Bytes,
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
