//! Doing what the command line says.

use std::io::{self, Write};

use polars::prelude::DataFrame;
use serde::Serialize;

use super::arguments::{
    AccentsName, BoundaryName, Bytes, Command, EncodingName, ExplainArguments, GoldOptions, LakeCommand,
    MatchArguments, Matching, OnBadFileName, Output, ParsedCommand, Reading, UnitName, VerifyArguments,
};
use super::summary;
use crate::api::matching::{PassedOver, TextFiles, read_standard_input, read_stop_words};
use crate::api::source_lists::Lists;
use crate::api::vocabulary::read_vocabulary;
use crate::error::{Error, Refusal, Result, shown};
use crate::formats::{self, Encoding, MostRatio};
use crate::graph::AnswerSettings;
use crate::ingest::parallel_reader::OnBadFile;
use crate::lake::dt::Dt;
use crate::lake::holds::{hold, release};
use crate::lake::open::{existing_lake_for, open_lake_for};
use crate::lake::report::{StepReport, to_json};
use crate::lake::verify::verify;
use crate::matcher::{Accents, Boundary, Matcher, Settings, StopWords, VocabularyEntry};
use crate::schema::{DrugUnit, SourceTable};
use crate::steps::bronze::{BronzeSource, bronze};
use crate::steps::gold::{GoldSettings, gold};
use crate::steps::run;
use crate::steps::silver::{SilverSettings, silver};
use crate::task::Task;
use crate::text::date::NumericOrder;

/// Does what a command says and prints its result.
pub fn execute(command: &ParsedCommand, task: &Task) -> Result<()> {
    let mut lists = Lists::default();
    done(&command.0, &mut lists, task).map_err(|error| lists.place(error))
}

fn done(command: &Command, lists: &mut Lists, task: &Task) -> Result<()> {
    let (report, output) = match command {
        Command::Run(arguments) => {
            let words = [&arguments.drugs, &arguments.pubmed, &arguments.clinical_trials];
            let sources = sources(words, lists, task)?;
            let gold = gold_settings(&arguments.matching, &arguments.gold, task)?;
            let dt = Dt::parse(&arguments.lake.dt)?;
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
            let words = [&arguments.drugs, &arguments.pubmed, &arguments.clinical_trials];
            let mut sources = sources(words, lists, task)?;
            match (sources.as_mut_slice(), &arguments.name) {
                ([], _) => {
                    let expected = "at least one of --drugs, --pubmed and --clinical-trials";
                    return Err(Error::argument("bronze", "no source", expected));
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
            let dt = Dt::parse(&arguments.lake.dt)?;
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
            let tables: Vec<SourceTable> = arguments
                .tables
                .iter()
                .filter_map(|name| SourceTable::from_name(name))
                .collect();
            let tables = (!tables.is_empty()).then_some(tables.as_slice());
            let dt = Dt::parse(&arguments.lake.dt)?;
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            let settings = SilverSettings {
                hold: arguments.hold,
                ..silver_settings(&arguments.reading)
            };
            let report = silver(lake.as_ref(), tables, dt, settings, task)?;
            (report, &arguments.output)
        }
        Command::Gold(arguments) => {
            let settings = gold_settings(&arguments.matching, &arguments.gold, task)?;
            let dt = Dt::parse(&arguments.lake.dt)?;
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
            let dt = Dt::parse(&arguments.lake.dt)?;
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            (
                hold(lake.as_ref(), dt, &arguments.reason, task)?,
                &arguments.output,
            )
        }
        Command::Release(arguments) => {
            let dt = Dt::parse(&arguments.lake.dt)?;
            let lake = existing_lake_for(&arguments.lake.out, task)?;
            (release(lake.as_ref(), dt, task)?, &arguments.output)
        }
        Command::Lake(LakeCommand::Verify(arguments)) => return verify_lake(arguments, task),
        Command::Match(arguments) => return match_texts(arguments, lists, task),
        Command::Explain(arguments) => return explain(arguments, lists, task),
        Command::Generate(arguments) => {
            let text = super::generate::made(arguments, task)?;
            return printed(io::stdout().lock().write_all(text.as_bytes()));
        }
    };
    print_report(&report, output)
}

/// The sources that were given, in the order of the tables.
fn sources(words: [&Vec<String>; 3], lists: &mut Lists, task: &Task) -> Result<Vec<BronzeSource>> {
    let given = SourceTable::ALL.into_iter().zip(words);
    given
        .filter(|(_, words)| !words.is_empty())
        .map(|(table, words)| Ok(BronzeSource::new(table, lists.names(words, task)?)))
        .collect()
}

/// The entries of the vocabularies, where standard input may be wanted for the texts.
fn entries(
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

fn reading(bytes: &Bytes) -> formats::ReadOptions {
    formats::ReadOptions {
        encoding: match bytes.encoding {
            Some(EncodingName::Windows1252) => Encoding::Windows1252,
            Some(EncodingName::Utf8) | None => Encoding::Utf8,
        },
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
        on_bad_file: match words.on_bad_file {
            OnBadFileName::Fail => OnBadFile::Fail,
            OnBadFileName::Reject => OnBadFile::Reject,
        },
        most_ratio,
        ..SilverSettings::default()
    }
}

fn gold_settings(matching: &Matching, options: &GoldOptions, task: &Task) -> Result<GoldSettings> {
    Ok(GoldSettings {
        matcher: matcher_settings(matching, task)?,
        abstracts: options.abstracts,
        answers: AnswerSettings {
            unit: match options.unit {
                UnitName::Substance => DrugUnit::Substance,
                UnitName::Code => DrugUnit::Code,
            },
            max_exclusive: options.max_exclusive,
        },
        ..GoldSettings::default()
    })
}

fn matcher_settings(matching: &Matching, task: &Task) -> Result<Settings> {
    let boundary = match matching.boundary {
        BoundaryName::Word => Boundary::Word,
        BoundaryName::None => Boundary::None,
    };
    let stop_words = match &matching.stop_words {
        _ if matching.no_stop_words => StopWords::none(),
        None => StopWords::default(),
        Some(file) => StopWords::of(read_stop_words(file, task)?),
    };
    let stop_words = match &matching.extra_stop_words {
        Some(file) => stop_words.with(read_stop_words(file, task)?),
        None => stop_words,
    };
    let accents = match matching.accents {
        AccentsName::Fold => Accents::Fold,
        AccentsName::Keep => Accents::Keep,
    };
    Ok(Settings {
        boundary,
        accents,
        abbreviations: matching.abbreviations,
        salts: matching.salts,
        stop_words,
    })
}

fn print_report(report: &StepReport, output: &Output) -> Result<()> {
    if !output.quiet {
        report.warnings().iter().for_each(|warning| super::warn(warning));
    }
    let text = if output.json {
        report.to_json()?
    } else if output.quiet {
        return Ok(());
    } else {
        summary::of(report)?
    };
    printed(io::stdout().lock().write_all(text.as_bytes()))
}

/// A reader that closed its end of the pipe has what it wanted.
fn printed(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| not_printed(&error)),
    }
}

/// The error for what could not be printed: it is no state that was left as it was.
fn not_printed(error: &io::Error) -> Error {
    let refusal = Refusal {
        found: error.to_string(),
        remedy: "what was made before stands; print to a place that takes it",
    };
    Error::storage("standard output", "write", io::Error::new(error.kind(), refusal))
}

/// Prints what differs, and fails where something does.
fn verify_lake(arguments: &VerifyArguments, task: &Task) -> Result<()> {
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
    printed(io::stdout().lock().write_all(text.as_bytes()))?;
    found.check()
}

fn match_texts(arguments: &MatchArguments, lists: &mut Lists, task: &Task) -> Result<()> {
    let reading = reading(&arguments.bytes);
    let standard_input = matches!(arguments.file.as_deref(), None | Some("-"));
    let entries = entries(&arguments.vocabulary, reading, standard_input, lists, task)?;
    let matcher = Matcher::build(&entries, &matcher_settings(&arguments.matching, task)?, task)?;
    let files = TextFiles::find(arguments.file.as_deref(), reading, task)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let print = |mentions: &DataFrame| print_mentions(&mut out, mentions);
    match &arguments.column {
        Some(column) => files.match_column(&matcher, column, task, print, |uri, passed_over| {
            let PassedOver { rows, first } = passed_over;
            super::warn(&format!(
                "{uri}: {rows} rows could not be read and were not searched; the first: {first}"
            ));
        })?,
        None => files.match_lines(&matcher, task, print)?,
    }
    printed(out.flush())
}

#[derive(Serialize)]
struct Explanation<'e> {
    drug: &'e str,
    explanation: &'e str,
}

fn explain(arguments: &ExplainArguments, lists: &mut Lists, task: &Task) -> Result<()> {
    let reading = reading(&arguments.bytes);
    let standard_input = arguments.text == "-";
    let entries = entries(&arguments.vocabulary, reading, standard_input, lists, task)?;
    let matcher = Matcher::build(&entries, &matcher_settings(&arguments.matching, task)?, task)?;
    let text = match arguments.text.as_str() {
        "-" => read_standard_input(reading, task)?,
        text => text.to_owned(),
    };
    let drug = arguments.drug.as_str();
    // The usage is right and the vocabulary lacks the drug: a matter of the input, told by the exit code 1.
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
    printed(io::stdout().lock().write_all(line.as_bytes()))
}

#[derive(Serialize)]
struct MentionLine<'l> {
    row: u64,
    atccode: &'l str,
    drug: &'l str,
    start: u64,
    end: u64,
    surface: &'l str,
    rule: &'l str,
}

fn print_mentions(out: &mut impl Write, mentions: &DataFrame) -> Result<()> {
    let number = |name: &str| mentions.column(name).and_then(|column| column.u64().cloned());
    let text = |name: &str| mentions.column(name).and_then(|column| column.str().cloned());
    let (rows, starts, ends) = (number("row")?, number("start")?, number("end")?);
    let (codes, drugs, surfaces, rules) = (text("atccode")?, text("drug")?, text("surface")?, text("rule")?);
    for place in 0..mentions.height() {
        let line = MentionLine {
            row: rows.get(place).unwrap_or_default(),
            atccode: codes.get(place).unwrap_or_default(),
            drug: drugs.get(place).unwrap_or_default(),
            start: starts.get(place).unwrap_or_default(),
            end: ends.get(place).unwrap_or_default(),
            surface: surfaces.get(place).unwrap_or_default(),
            rule: rules.get(place).unwrap_or_default(),
        };
        let written = serde_json::to_writer(&mut *out, &line).map_err(io::Error::from);
        printed(written.and_then(|()| out.write_all(b"\n")))?;
    }
    Ok(())
}
