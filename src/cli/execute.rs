//! Doing what the command line says.

use std::io::{self, BufRead, BufReader, Read, Write};

use polars::prelude::DataFrame;
use serde::Serialize;

use super::arguments::{
    BoundaryName, Command, EncodingName, MatchArguments, Matching, Output, ParsedCommand, Reading,
};
use super::summary;
use crate::error::{Error, Result};
use crate::formats::{Encoding, Input};
use crate::matcher::{Boundary, Matcher, Settings, StopWords};
use crate::pipeline::bronze::{BronzeSource, bronze};
use crate::pipeline::gold::{GoldSettings, gold};
use crate::pipeline::matching::{find_many, match_column, shifted};
use crate::pipeline::silver::{SilverSettings, silver};
use crate::pipeline::vocabulary::read_vocabulary;
use crate::pipeline::{Dt, StepReport, existing_lake, open_lake, run};
use crate::schema::SourceTable;
use crate::storage::source;
use crate::task::Task;
use crate::text::date::NumericOrder;

/// Lines of plain text that are matched at a time.
const LINES: usize = 1 << 14;

/// Does what a command says and prints its result.
pub fn execute(command: &ParsedCommand, task: &Task) -> Result<()> {
    let (report, output) = match &command.0 {
        Command::Run(arguments) => {
            let sources = sources(&arguments.drugs, &arguments.pubmed, &arguments.clinical_trials);
            let gold = gold_settings(&arguments.matching, arguments.abstracts)?;
            let dt = Dt::parse(&arguments.lake.dt)?;
            let lake = open_lake(&arguments.lake.out)?;
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
            let mut sources = sources(&arguments.drugs, &arguments.pubmed, &arguments.clinical_trials);
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
                bronze(open_lake(&arguments.lake.out)?.as_ref(), &sources, dt, task)?,
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
            let lake = existing_lake(&arguments.lake.out)?;
            let report = silver(
                lake.as_ref(),
                tables,
                dt,
                silver_settings(&arguments.reading),
                task,
            )?;
            (report, &arguments.output)
        }
        Command::Gold(arguments) => {
            let settings = gold_settings(&arguments.matching, arguments.abstracts)?;
            let dt = Dt::parse(&arguments.lake.dt)?;
            (
                gold(existing_lake(&arguments.lake.out)?.as_ref(), dt, &settings, task)?,
                &arguments.output,
            )
        }
        Command::Match(arguments) => return match_texts(arguments, task),
    };
    print_report(&report, output)
}

fn sources(drugs: &[String], pubmed: &[String], clinical_trials: &[String]) -> Vec<BronzeSource> {
    let given = SourceTable::ALL.into_iter().zip([drugs, pubmed, clinical_trials]);
    given
        .filter(|(_, uris)| !uris.is_empty())
        .map(|(table, uris)| BronzeSource::new(table, uris.to_vec()))
        .collect()
}

fn encoding(name: Option<EncodingName>) -> Encoding {
    match name {
        Some(EncodingName::Windows1252) => Encoding::Windows1252,
        Some(EncodingName::Utf8) | None => Encoding::Utf8,
    }
}

fn silver_settings(reading: &Reading) -> SilverSettings {
    let order = if reading.month_first {
        NumericOrder::MonthFirst
    } else {
        NumericOrder::DayFirst
    };
    SilverSettings {
        encoding: encoding(reading.encoding),
        order,
    }
}

fn gold_settings(matching: &Matching, abstracts: bool) -> Result<GoldSettings> {
    Ok(GoldSettings {
        matcher: matcher_settings(matching)?,
        abstracts,
    })
}

fn matcher_settings(matching: &Matching) -> Result<Settings> {
    let boundary = match matching.boundary {
        BoundaryName::Word => Boundary::Word,
        BoundaryName::None => Boundary::None,
    };
    let stop_words = match &matching.stop_words {
        _ if matching.no_stop_words => StopWords::none(),
        None => StopWords::default(),
        Some(file) => {
            let mut words = String::new();
            for found in source::expand(file, "a file of stop words, one a line")? {
                found
                    .open()?
                    .read_to_string(&mut words)
                    .map_err(|error| Error::storage(file, "read the stop words", error))?;
            }
            StopWords::of(
                words
                    .lines()
                    .filter(|line| !line.trim().is_empty() && !line.starts_with('#')),
            )
        }
    };
    Ok(Settings {
        boundary,
        stop_words,
        ..Settings::default()
    })
}

fn print_report(report: &StepReport, output: &Output) -> Result<()> {
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
        other => other.map_err(|error| Error::storage("standard output", "write", error)),
    }
}

fn match_texts(arguments: &MatchArguments, task: &Task) -> Result<()> {
    let encoding = encoding(arguments.encoding);
    let entries = read_vocabulary(&arguments.vocabulary, encoding, task)?;
    let matcher = Matcher::new(entries, &matcher_settings(&arguments.matching)?);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let files: Vec<(String, Box<dyn Read + Send>)> = match arguments.file.as_deref() {
        None | Some("-") => vec![("standard input".to_owned(), Box::new(io::stdin()))],
        Some(file) => source::expand(file, "a file of texts")?
            .into_iter()
            .map(|found| Ok((found.uri.clone(), found.open()?)))
            .collect::<Result<_>>()?,
    };
    for (uri, bytes) in files {
        match &arguments.column {
            Some(column) => {
                let input = Input::new(uri, bytes, encoding)?;
                match_column(&matcher, input, column, task, |mentions| {
                    print_mentions(&mut out, &mentions)
                })?;
            }
            None => match_lines(&matcher, &uri, bytes, task, &mut out)?,
        }
    }
    printed(out.flush())
}

/// Every line is a text; rows count from 0.
fn match_lines(
    matcher: &Matcher,
    uri: &str,
    bytes: Box<dyn Read + Send>,
    task: &Task,
    out: &mut impl Write,
) -> Result<()> {
    let mut reader = BufReader::with_capacity(1 << 18, bytes);
    let (mut row, mut byte) = (0_u64, 0_u64);
    loop {
        task.check()?;
        let mut lines = Vec::with_capacity(LINES);
        let mut line = Vec::new();
        while lines.len() < LINES {
            line.clear();
            let read = reader
                .read_until(b'\n', &mut line)
                .map_err(|error| Error::storage(uri, "read the texts", error))?;
            if read == 0 {
                break;
            }
            while matches!(line.last(), Some(b'\n' | b'\r')) {
                line.pop();
            }
            let text = String::from_utf8(line.clone()).map_err(|error| Error::Encoding {
                uri: uri.to_owned(),
                byte: byte + error.utf8_error().valid_up_to() as u64,
                found: "not valid UTF-8".to_owned(),
                remedy: "save the texts as UTF-8".to_owned(),
            })?;
            byte += read as u64;
            lines.push(text);
        }
        if lines.is_empty() {
            return Ok(());
        }
        let texts: Vec<Option<&str>> = lines.iter().map(|line| Some(line.as_str())).collect();
        print_mentions(out, &shifted(find_many(matcher, &texts, task)?, row)?)?;
        row += lines.len() as u64;
    }
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
