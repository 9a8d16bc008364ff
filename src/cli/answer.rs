//! `drugs-rs answer`: any registered answer, with a flag for each option that one of them has.

use std::io::{self, IsTerminal};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use polars::prelude::{AnyValue, Column, DataFrame};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::options::choice;
use super::printing::{csv_field, not_printed, shown_cell};
use super::summary::print_table;
use crate::api::answers::read_graph;
use crate::choice::{Choice, parse_choices};
use crate::error::Result;
use crate::graph::{ANSWERS, AnswerOption, OptionValue, ask};
use crate::lake::open::existing_lake_for;
use crate::schema::DrugUnit;
use crate::task::Task;

/// How a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableFormat {
    Table,
    Json,
    Ndjson,
    Csv,
}

impl Choice for TableFormat {
    const CHOICES: &'static [Self] = &[Self::Table, Self::Json, Self::Ndjson, Self::Csv];

    fn choice_name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Table => "aligned columns",
            Self::Json => "a list of JSON objects",
            Self::Ndjson => "a JSON object a line",
            Self::Csv => "comma-separated values with a header",
        }
    }
}

parse_choices!(TableFormat);

#[derive(Debug, Args)]
#[command(after_help = answers_in_help())]
pub(super) struct AnswerArguments {
    /// The lake's root: a folder, gs://bucket/prefix or s3://bucket/prefix
    #[arg(value_name = "LAKE")]
    lake: String,
    /// The answer
    #[arg(value_name = "ANSWER")]
    name: String,
    #[command(flatten)]
    options: AnswerOptions,
    #[command(flatten)]
    print: PrintOptions,
}

/// How a table is printed.
#[derive(Debug, Args)]
pub(super) struct PrintOptions {
    /// How to print the table: by default aligned on a terminal and NDJSON elsewhere
    #[arg(long, value_name = "FORMAT", value_parser = choice::<TableFormat>(), help_heading = "Output")]
    format: Option<TableFormat>,
    /// The same as --format json; errors and warnings are JSON lines on stderr
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    json: bool,
}

impl PrintOptions {
    /// The format that was asked for, or that of where the output goes.
    pub(super) fn format(&self) -> TableFormat {
        self.format.unwrap_or_else(|| TableFormat::usual(self.json))
    }
}

impl TableFormat {
    /// The format that is used if none is asked for.
    pub(super) fn usual(json: bool) -> Self {
        match json {
            true => Self::Json,
            false if io::stdout().is_terminal() => Self::Table,
            false => Self::Ndjson,
        }
    }
}

/// The options that were given, by name with their values.
#[derive(Debug, Default)]
struct AnswerOptions(Vec<(String, String)>);

/// The options of all answers, each once.
fn options() -> Vec<&'static AnswerOption> {
    let mut options: Vec<&AnswerOption> = Vec::new();
    for option in ANSWERS.iter().flat_map(|answer| answer.options) {
        if !options.iter().any(|known| known.name == option.name) {
            options.push(option);
        }
    }
    options
}

impl Args for AnswerOptions {
    fn augment_args(command: Command) -> Command {
        options().into_iter().fold(command, |command, option| {
            let (placeholder, default) = match option.value {
                OptionValue::Drug => ("DRUG", String::new()),
                OptionValue::Number { default, .. } => ("N", format!(" [default: {default}]")),
                OptionValue::Unit => ("UNIT", " [default: substance]".to_owned()),
            };
            let flag = Arg::new(option.name)
                .long(option.flag)
                .value_name(placeholder)
                .help(format!("{}{default}", option.sentence));
            command.arg(match option.value {
                OptionValue::Unit => flag.env("DRUGS_RS_UNIT").value_parser(unit_names()),
                _ => flag,
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for AnswerOptions {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        let given = options().into_iter().filter_map(|option| {
            let value = matches.get_one::<String>(option.name)?;
            Some((option.name.to_owned(), value.clone()))
        });
        Ok(Self(given.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The names of units, as text: the answer parses its options itself.
fn unit_names() -> PossibleValuesParser {
    PossibleValuesParser::new(DrugUnit::CHOICES.iter().map(|unit| unit.choice_name()))
}

/// What can be asked, for the help.
fn answers_in_help() -> String {
    let lines = ANSWERS.iter().map(|answer| {
        let flags: Vec<String> = answer
            .options
            .iter()
            .map(|option| format!("--{}", option.flag))
            .collect();
        format!(
            "  {}: {} Options: {}",
            answer.name,
            answer.sentence,
            flags.join(", ")
        )
    });
    format!("Answers:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// The table of an answer as text.
pub(super) fn answer(arguments: &AnswerArguments, task: &Task) -> Result<Vec<u8>> {
    // A wrong name costs no reading of the graph.
    crate::graph::find_answer(&arguments.name)?;
    let graph = read_graph(existing_lake_for(&arguments.lake, task)?.as_ref())?;
    let table = ask(&graph, &arguments.name, &arguments.options.0, task)?;
    printed(&table, arguments.print.format())
}

/// A table as text.
pub(super) fn printed(table: &DataFrame, format: TableFormat) -> Result<Vec<u8>> {
    let names = || table.columns().iter().map(|column| column.name().to_string());
    let rows = 0..table.height();
    let mut text = match format {
        TableFormat::Table => {
            let mut cells: Vec<Vec<String>> = vec![names().collect()];
            cells.extend(rows.map(|row| texts(table, row).map(|text| shown_cell(&text)).collect()));
            let mut text = String::new();
            print_table(&mut text, &cells, table.height());
            text.into_bytes()
        }
        TableFormat::Csv => {
            let mut lines = vec![names().collect::<Vec<_>>().join(",")];
            lines.extend(rows.map(|row| {
                texts(table, row)
                    .map(|text| csv_field(&text))
                    .collect::<Vec<_>>()
                    .join(",")
            }));
            lines.join("\n").into_bytes()
        }
        TableFormat::Json => json(&rows.map(|row| RowObject(table, row)).collect::<Vec<_>>())?,
        TableFormat::Ndjson => {
            let mut lines = Vec::new();
            for row in rows {
                lines.extend(json(&RowObject(table, row))?);
                lines.push(b'\n');
            }
            lines
        }
    };
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    Ok(text)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| not_printed(&error.into()))
}

/// A row as a JSON object, with its keys in the order of the columns.
struct RowObject<'t>(&'t DataFrame, usize);

impl Serialize for RowObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Self(table, row) = self;
        let fields = table.columns().iter();
        serializer.collect_map(fields.map(|column| (column.name().as_str(), value(column, *row))))
    }
}

/// The values of a row as texts; nothing is the empty text.
fn texts(table: &DataFrame, row: usize) -> impl Iterator<Item = String> + '_ {
    table
        .columns()
        .iter()
        .map(move |column| match value(column, row) {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        })
}

fn value(column: &Column, row: usize) -> Value {
    match column.get(row).unwrap_or(AnyValue::Null) {
        AnyValue::Null => Value::Null,
        AnyValue::String(text) => Value::from(text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::Int64(number) => Value::from(number),
        AnyValue::Float64(number) => Value::from(number),
        AnyValue::Boolean(is) => Value::from(is),
        // Dates, which are written as ISO 8601.
        other => Value::from(other.to_string()),
    }
}
