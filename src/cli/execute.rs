//! Doing what the command line says.

use std::io::{self, Write};

use serde::Serialize;

use super::answer::answer;
use super::arguments::{
    Bytes, Command, ExplainArguments, GoldOptions, LakeCommand, Matching, Output, Reading, VerifyArguments,
};
use super::mentions::match_texts;
use super::parse::ParsedCommand;
use super::publication_sources::PublicationSources;
use super::voice::Voice;
use super::{manual, summary};
use crate::api::matching::{read_standard_input, read_stop_words};
use crate::api::source_lists::Lists;
use crate::api::vocabulary::read_vocabulary;
use crate::error::{Error, Refusal, Result, shown};
use crate::formats::{self, MostRatio};
use crate::graph::AnswerSettings;
use crate::lake::holds::{hold, release};
use crate::lake::open::{existing_lake_for, open_lake_for};
use crate::lake::report::{StepReport, to_json};
use crate::lake::verify::verify;
use crate::matcher::{Matcher, Settings, StopWords, VocabularyEntry};
use crate::schema::SourceTable;
use crate::steps::bronze::{BronzeSource, bronze};
use crate::steps::gold::{GoldSettings, gold};
use crate::steps::run;
use crate::steps::silver::{SilverSettings, silver};
use crate::task::{Patient, Task};
use crate::text::date::NumericOrder;

/// What a command came to. It is printed when the progress bar is gone.
#[derive(Debug, Default)]
#[must_use]
pub struct Outcome {
    warnings: Vec<String>,
    text: Vec<u8>,
    /// Why the command fails although it has something to print.
    failure: Option<Error>,
    exit_code: u8,
}

impl Outcome {
    fn of_text(text: impl Into<Vec<u8>>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// The outcome of a command that has printed everything itself.
    pub(super) fn of_exit_code(exit_code: u8) -> Self {
        Self {
            exit_code,
            ..Self::default()
        }
    }

    /// Prints the warnings and the result, and gives the exit code.
    pub fn print(self, command: &ParsedCommand) -> Result<u8> {
        self.warnings
            .iter()
            .for_each(|warning| command.voice.warn(warning));
        printed(Patient(io::stdout().lock()).write_all(&self.text))?;
        self.failure.map_or(Ok(self.exit_code), Err)
    }
}

/// Does what a command says.
pub fn execute(command: &ParsedCommand, task: &Task) -> Result<Outcome> {
    let mut lists = Lists::default();
    done(&command.command, &command.voice, &mut lists, task).map_err(|error| lists.place(error))
}

fn done(command: &Command, voice: &Voice, lists: &mut Lists, task: &Task) -> Result<Outcome> {
    let (report, output) = match command {
        Command::Run(arguments) => {
            let dt = arguments.lake.dt()?;
            let sources = sources(&arguments.drugs, &arguments.publications, lists, task)?;
            let gold = gold_settings(&arguments.matching, &arguments.gold, task)?;
            let lake = open_lake_for(&arguments.lake.out, task)?;
            let report = run::run(
                lake.as_ref(),
                &sources,
                dt,
                silver_settings(&arguments.reading),
                &gold,
                task,
            )?;
            (report, &arguments.output)
        }
        Command::Bronze(arguments) => {
            let dt = arguments.lake.dt()?;
            let mut sources = sources(&arguments.drugs, &arguments.publications, lists, task)?;
            match (sources.as_mut_slice(), &arguments.name) {
                ([], _) => {
                    let expected = format!("at least one of {}", SourceTable::names("--").replace('_', "-"));
                    return Err(Error::argument("bronze", "no source", &expected));
                }
                ([source], Some(name)) => source.name.clone_from(name),
                (_, Some(name)) => {
                    let expected = "a name only where one source is given";
                    return Err(Error::argument(
                        "--name",
                        format!("`{name}` for several sources"),
                        expected,
                    ));
                }
                (_, None) => {}
            }
            (
                bronze(
                    open_lake_for(&arguments.lake.out, task)?.as_ref(),
                    &sources,
                    dt,
                    task,
                )?,
                &arguments.output,
            )
        }
        Command::Silver(arguments) => {
            let dt = arguments.lake.dt()?;
            let tables = (!arguments.tables.is_empty()).then_some(arguments.tables.as_slice());
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            let settings = SilverSettings {
                hold: arguments.hold,
                ..silver_settings(&arguments.reading)
            };
            let report = silver(lake.as_ref(), tables, dt, settings, task)?;
            (report, &arguments.output)
        }
        Command::Gold(arguments) => {
            let dt = arguments.lake.dt()?;
            let settings = gold_settings(&arguments.matching, &arguments.gold, task)?;
            (
                gold(
                    existing_lake_for(&arguments.lake.out, task)?.as_ref(),
                    dt,
                    &settings,
                    task,
                )?,
                &arguments.output,
            )
        }
        Command::Hold(arguments) => {
            let dt = arguments.lake.dt()?;
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            (
                hold(lake.as_ref(), dt, &arguments.reason, task)?,
                &arguments.output,
            )
        }
        Command::Release(arguments) => {
            let dt = arguments.lake.dt()?;
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            (release(lake.as_ref(), dt, task)?, &arguments.output)
        }
        Command::Answer(arguments) => return Ok(Outcome::of_text(answer(arguments, task)?)),
        Command::Lake(LakeCommand::Verify(arguments)) => return verify_lake(arguments, task),
        Command::Match(arguments) => return match_texts(arguments, voice, lists, task),
        Command::Explain(arguments) => return explain(arguments, lists, task),
        Command::Generate(arguments) => {
            return Ok(Outcome::of_text(super::generate::made(arguments, task)?));
        }
        Command::Completions(arguments) => return Ok(Outcome::of_text(manual::completions(arguments))),
        Command::Man(arguments) => return Ok(Outcome::of_text(manual::man(arguments, task)?)),
    };
    outcome_of(&report, output)
}

/// The sources that were given, in the order of the tables.
fn sources(
    drugs: &[String],
    publications: &PublicationSources,
    lists: &mut Lists,
    task: &Task,
) -> Result<Vec<BronzeSource>> {
    let given = SourceTable::ALL.map(|table| {
        let words = table
            .publication_kind()
            .map_or(drugs, |kind| publications.of(kind));
        (table, words)
    });
    given
        .into_iter()
        .filter(|(_, words)| !words.is_empty())
        .map(|(table, words)| Ok(BronzeSource::new(table, lists.names(words, task)?)))
        .collect()
}

/// The entries of the vocabularies. Standard input cannot be a list of them and the texts.
pub(super) fn entries(
    words: &[String],
    reading: formats::ReadOptions,
    texts_from_standard_input: bool,
    lists: &mut Lists,
    task: &Task,
) -> Result<Vec<VocabularyEntry>> {
    let uris = lists.names(words, task)?;
    if texts_from_standard_input && lists.took_standard_input() {
        return Err(Error::argument(
            "--vocabulary",
            "a list on standard input, where the texts are to come from",
            "a list in a file",
        ));
    }
    read_vocabulary(&uris, reading, task)
}

pub(super) fn reading(bytes: &Bytes) -> formats::ReadOptions {
    formats::ReadOptions {
        encoding: bytes.encoding.unwrap_or_default(),
        most_ratio: MostRatio(bytes.max_ratio),
    }
}

fn silver_settings(words: &Reading) -> SilverSettings {
    let order = if words.month_first {
        NumericOrder::MonthFirst
    } else {
        NumericOrder::DayFirst
    };
    let formats::ReadOptions { encoding, most_ratio } = reading(&words.bytes);
    SilverSettings {
        encoding,
        order,
        on_bad_file: words.on_bad_file,
        most_ratio,
        ..SilverSettings::default()
    }
}

fn gold_settings(matching: &Matching, options: &GoldOptions, task: &Task) -> Result<GoldSettings> {
    Ok(GoldSettings {
        matcher: matcher_settings(matching, task)?,
        abstracts: options.abstracts,
        answers: AnswerSettings {
            unit: options.unit,
            max_exclusive: options.max_exclusive,
        },
        ..GoldSettings::default()
    })
}

pub(super) fn matcher_settings(matching: &Matching, task: &Task) -> Result<Settings> {
    let stop_words = match &matching.stop_words {
        _ if matching.no_stop_words => StopWords::none(),
        None => StopWords::default(),
        Some(file) => StopWords::of(read_stop_words(file, task)?),
    };
    let stop_words = match &matching.extra_stop_words {
        Some(file) => stop_words.with(read_stop_words(file, task)?),
        None => stop_words,
    };
    Ok(Settings {
        boundary: matching.boundary,
        accents: matching.accents,
        abbreviations: matching.abbreviations,
        salts: matching.salts,
        stop_words,
    })
}

fn outcome_of(report: &StepReport, output: &Output) -> Result<Outcome> {
    let text = if output.json {
        report.to_json()?
    } else if output.quiet {
        String::new()
    } else {
        summary::of(report)?
    };
    Ok(Outcome {
        warnings: if output.quiet {
            Vec::new()
        } else {
            report.warnings()
        },
        ..Outcome::of_text(text)
    })
}

/// A reader that closed its end of the pipe has what it wanted.
pub(super) fn printed(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| not_printed(&error)),
    }
}

/// The error for what could not be printed: unlike with other errors, the work itself is done.
pub(super) fn not_printed(error: &io::Error) -> Error {
    let refusal = Refusal {
        found: error.to_string(),
        remedy: "what was made before stands; print to a place that takes it",
    };
    Error::storage("standard output", "write", io::Error::new(error.kind(), refusal))
}

/// What differs, which is a failure too.
fn verify_lake(arguments: &VerifyArguments, task: &Task) -> Result<Outcome> {
    let found = verify(existing_lake_for(&arguments.lake, task)?.as_ref(), task)?;
    let text = if arguments.output.json {
        format!("{}\n", to_json(&found)?)
    } else if arguments.output.quiet {
        String::new()
    } else if found.damaged.is_empty() {
        format!(
            "{} files with {} bytes are as they were written\n",
            found.files, found.bytes
        )
    } else {
        let lines = found.damaged.iter();
        lines
            .map(|damage| format!("{}: {}\n", damage.path, damage.found))
            .collect()
    };
    Ok(Outcome {
        failure: found.check().err(),
        ..Outcome::of_text(text)
    })
}

#[derive(Serialize)]
struct Explanation<'e> {
    drug: &'e str,
    explanation: &'e str,
}

fn explain(arguments: &ExplainArguments, lists: &mut Lists, task: &Task) -> Result<Outcome> {
    let reading = reading(&arguments.bytes);
    let standard_input = arguments.text == "-";
    let entries = entries(&arguments.vocabulary, reading, standard_input, lists, task)?;
    let matcher = Matcher::build(&entries, &matcher_settings(&arguments.matching, task)?, task)?;
    let text = match arguments.text.as_str() {
        "-" => read_standard_input(reading, task)?,
        text => text.to_owned(),
    };
    let drug = arguments.drug.as_str();
    // The usage is right and the vocabulary lacks the drug: bad input, with the exit code 1.
    let explanation = matcher.explain(&text, drug).map_err(|error| match error {
        Error::Argument { .. } => Error::SourceNotFound {
            uri: format!("`{}` in {}", shown(drug), arguments.vocabulary.join(", ")),
            expected: "a name of the vocabulary, or a code as it is written there".to_owned(),
        },
        other => other,
    })?;
    let mut line = if arguments.json {
        let explanation = Explanation {
            drug,
            explanation: &explanation,
        };
        serde_json::to_string(&explanation).map_err(|error| not_printed(&error.into()))?
    } else {
        explanation
    };
    line.push('\n');
    Ok(Outcome::of_text(line))
}
