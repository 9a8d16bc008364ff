//! Tables: aligned for people, JSON and CSV for programs.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use clap::Args;
use polars::prelude::{AnyValue, Column, DataFrame};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::printing::{csv_field, not_printed, shown_cell};
use crate::choice::{Choice, parse_choices};
use crate::cli::options::choice;
use crate::error::Result;

/// How a table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum TableFormat {
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

/// How a table is printed.
#[derive(Debug, Args)]
pub(in crate::cli) struct PrintOptions {
    /// How to print the table: by default aligned on a terminal and NDJSON elsewhere
    #[arg(long, value_name = "FORMAT", value_parser = choice::<TableFormat>(), help_heading = "Output")]
    format: Option<TableFormat>,
    /// The same as --format json; errors and warnings are JSON lines on stderr
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    json: bool,
}

impl PrintOptions {
    /// The format that was asked for, or that of where the output goes.
    pub(in crate::cli) fn format(&self) -> TableFormat {
        self.format.unwrap_or_else(|| TableFormat::usual(self.json))
    }
}

impl TableFormat {
    /// The format that is used if none is asked for.
    pub(in crate::cli) fn usual(json: bool) -> Self {
        match json {
            true => Self::Json,
            false if io::stdout().is_terminal() => Self::Table,
            false => Self::Ndjson,
        }
    }
}

/// A table as text.
pub(in crate::cli) fn printed(table: &DataFrame, format: TableFormat) -> Result<Vec<u8>> {
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
    json_value(&column.get(row).unwrap_or(AnyValue::Null))
}

fn json_value(value: &AnyValue<'_>) -> Value {
    match value {
        AnyValue::Null => Value::Null,
        AnyValue::String(text) => Value::from(*text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::Int64(number) => Value::from(*number),
        AnyValue::Float64(number) => Value::from(*number),
        AnyValue::Boolean(is) => Value::from(*is),
        AnyValue::List(values) => values.rechunk().iter().map(|value| json_value(&value)).collect(),
        AnyValue::Struct(_, _, fields) => {
            let values = value._iter_struct_av();
            let named = fields.iter().zip(values);
            named
                .map(|(field, value)| (field.name.to_string(), json_value(&value)))
                .collect()
        }
        // Dates, which are written as ISO 8601.
        other => Value::from(other.to_string()),
    }
}

/// Prints a table with aligned columns, numbers to the right. `all` is the number of rows before it was shortened.
pub(in crate::cli) fn print_table<R: AsRef<[String]>>(text: &mut String, rows: &[R], all: usize) {
    let columns = rows.first().map_or(0, |row| row.as_ref().len());
    let width = |column: usize| {
        rows.iter()
            .map(|row| row.as_ref()[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row
            .as_ref()
            .iter()
            .zip(&widths)
            .map(|(cell, width)| {
                let number = !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
                if number {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            })
            .collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
    }
    let shown = rows.len().saturating_sub(1);
    if all > shown {
        let _ = writeln!(text, "  … and {} more", all - shown);
    }
}
