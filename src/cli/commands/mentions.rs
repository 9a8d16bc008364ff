//! `drugs-rs match`: mentions as NDJSON, CSV or a table.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, StdoutLock, Write};

use polars::prelude::DataFrame;
use serde::Serialize;

use crate::api::matching::{PassedOver, TextFiles};
use crate::api::source_lists::Lists;
use crate::cli::arguments::MatchArguments;
use crate::cli::options::MentionFormat;
use crate::cli::outcome::Outcome;
use crate::cli::output::printing::{csv_field, not_printed, shown_cell};
use crate::cli::output::voice::Voice;
use crate::cli::settings::{entries, reading};
use crate::error::{Error, Result};
use crate::matcher::Matcher;
use crate::task::{Patient, Task};

/// Prints the mentions. Without one the exit code is 1, as with grep.
pub(in crate::cli) fn match_texts(
    arguments: &MatchArguments,
    voice: &Voice,
    lists: &mut Lists,
    task: &Task,
) -> Result<Outcome> {
    let reading = reading(&arguments.bytes);
    let standard_input = matches!(arguments.file.as_deref(), None | Some("-"));
    let entries = entries(&arguments.vocabulary, reading, standard_input, lists, task)?;
    let matcher = Matcher::build(&entries, &arguments.matching.settings(task)?, task)?;
    let files = TextFiles::find(arguments.file.as_deref(), reading, task)?;
    let mut printer = Printer::new(arguments);
    let print = |mentions: &DataFrame| printer.print(mentions);
    let searched = match &arguments.column {
        Some(column) => files.match_column(&matcher, column, task, print, |uri, passed_over| {
            let PassedOver { rows, first } = passed_over;
            voice.warn(&format!(
                "{uri}: {rows} rows could not be read and were not searched; the first: {first}"
            ));
        }),
        None => files.match_lines(&matcher, task, print),
    };
    match searched {
        // The printer needs no more mentions.
        Err(Error::Cancelled) if printer.is_done => {}
        other => other?,
    }
    printer.finish()?;
    Ok(Outcome::of_exit_code(u8::from(!printer.has_printed)))
}

/// Prints batches of mentions.
struct Printer {
    /// `None` if only the exit code is wanted.
    format: Option<MentionFormat>,
    out: io::BufWriter<Patient<StdoutLock<'static>>>,
    widths: Option<Widths>,
    has_printed: bool,
    /// Whether further mentions would change nothing.
    is_done: bool,
}

impl Printer {
    fn new(arguments: &MatchArguments) -> Self {
        let format = match arguments.format {
            _ if arguments.quiet => None,
            _ if arguments.json => Some(MentionFormat::Ndjson),
            Some(format) => Some(format),
            None if io::stdout().is_terminal() => Some(MentionFormat::Table),
            None => Some(MentionFormat::Ndjson),
        };
        Self {
            format,
            out: io::BufWriter::new(Patient(io::stdout().lock())),
            widths: None,
            has_printed: false,
            is_done: false,
        }
    }

    /// Prints a batch; `Cancelled` together with `is_done` ends the search.
    fn print(&mut self, mentions: &DataFrame) -> Result<()> {
        let rows = rows_of(mentions)?;
        let written = match self.format {
            None => Ok(()),
            Some(MentionFormat::Ndjson) => self.print_ndjson(&rows),
            Some(MentionFormat::Csv) => self.print_csv(&rows),
            Some(MentionFormat::Table) => self.print_table(&rows),
        };
        self.has_printed |= !rows.is_empty();
        self.is_done = self.has_printed && self.format.is_none();
        self.note_closed(written)?;
        if self.is_done {
            Err(Error::Cancelled)
        } else {
            Ok(())
        }
    }

    fn finish(&mut self) -> Result<()> {
        let header = match self.format {
            // A CSV file has a header even without mentions, because other programs expect it.
            Some(MentionFormat::Csv) if !self.has_printed => self.out.write_all(CSV_HEADER),
            _ => Ok(()),
        };
        let flushed = header.and_then(|()| self.out.flush());
        self.note_closed(flushed)
    }

    /// Treats a closed pipe as done: its reader has all it wanted.
    fn note_closed(&mut self, written: io::Result<()>) -> Result<()> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_done = true;
                Ok(())
            }
            other => other.map_err(|error| not_printed(&error)),
        }
    }

    fn print_ndjson(&mut self, rows: &[MentionRow<'_>]) -> io::Result<()> {
        for row in rows {
            serde_json::to_writer(&mut self.out, row)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn print_csv(&mut self, rows: &[MentionRow<'_>]) -> io::Result<()> {
        if !self.has_printed && !rows.is_empty() {
            self.out.write_all(CSV_HEADER)?;
        }
        for row in rows {
            let MentionRow {
                row,
                atccode,
                drug,
                start,
                end,
                surface,
                rule,
            } = row;
            let [atccode, drug, surface] = [atccode, drug, surface].map(|text| csv_field(text));
            writeln!(self.out, "{row},{atccode},{drug},{start},{end},{surface},{rule}")?;
        }
        Ok(())
    }

    fn print_table(&mut self, rows: &[MentionRow<'_>]) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let is_first = self.widths.is_none();
        let widths = self.widths.get_or_insert_default();
        widths.grow(rows, terminal_width());
        if is_first {
            let header = widths.line(&HEADER.map(str::to_owned));
            self.out.write_all(header.as_bytes())?;
        }
        for row in rows {
            let line = widths.line(&row.cells());
            self.out.write_all(line.as_bytes())?;
        }
        Ok(())
    }
}

const CSV_HEADER: &[u8] = b"row,atccode,drug,start,end,surface,rule\n";

/// A mention in the printed form.
#[derive(Debug, Serialize)]
struct MentionRow<'m> {
    row: i64,
    atccode: &'m str,
    drug: &'m str,
    start: i64,
    end: i64,
    surface: &'m str,
    rule: &'m str,
}

impl MentionRow<'_> {
    fn cells(&self) -> [String; COLUMNS] {
        [
            self.row.to_string(),
            format!("{}-{}", self.start, self.end),
            shown_cell(self.atccode),
            shown_cell(self.drug),
            shown_cell(self.surface),
            self.rule.to_owned(),
        ]
    }
}

fn rows_of(mentions: &DataFrame) -> Result<Vec<MentionRow<'_>>> {
    let number = |name: &str| mentions.column(name).and_then(|column| column.i64());
    let text = |name: &str| mentions.column(name).and_then(|column| column.str());
    let (rows, starts, ends) = (number("row")?, number("start")?, number("end")?);
    let (codes, drugs, surfaces, rules) = (text("atccode")?, text("drug")?, text("surface")?, text("rule")?);
    let row = |place: usize| MentionRow {
        row: rows.get(place).unwrap_or_default(),
        atccode: codes.get(place).unwrap_or_default(),
        drug: drugs.get(place).unwrap_or_default(),
        start: starts.get(place).unwrap_or_default(),
        end: ends.get(place).unwrap_or_default(),
        surface: surfaces.get(place).unwrap_or_default(),
        rule: rules.get(place).unwrap_or_default(),
    };
    Ok((0..mentions.height()).map(row).collect())
}

const COLUMNS: usize = 6;
const DRUG: usize = 3;
const FOUND: usize = 4;
const GAP: &str = "  ";

/// The width of a table if no terminal reports one.
const WIDTH: usize = 80;

fn terminal_width() -> usize {
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns
        .or_else(terminal)
        .filter(|width| *width > 0)
        .unwrap_or(WIDTH)
}

const HEADER: [&str; COLUMNS] = ["row", "place", "code", "drug", "found", "rule"];

/// The widths of the columns. They grow from batch to batch, because rows are printed as they come.
#[derive(Debug)]
struct Widths {
    /// The widest cell of each column.
    needed: [usize; COLUMNS],
    /// The printed width of each column.
    given: [usize; COLUMNS],
}

impl Default for Widths {
    fn default() -> Self {
        let needed = HEADER.map(str::len);
        Self {
            needed,
            given: needed,
        }
    }
}

impl Widths {
    /// The columns of the drug and the found text keep at least this width.
    const LEAST: usize = 12;

    fn grow(&mut self, rows: &[MentionRow<'_>], terminal: usize) {
        for row in rows {
            for (width, cell) in self.needed.iter_mut().zip(row.cells()) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let (drug, found) = (self.needed[DRUG], self.needed[FOUND]);
        let gaps = GAP.len() * (COLUMNS - 1);
        let others = self.needed.iter().sum::<usize>() - drug - found;
        let left = terminal.saturating_sub(others + gaps);
        self.given = self.needed;
        // One of the two columns may use the space that the other does not need.
        self.given[DRUG] = drug
            .min((left / 2).max(left.saturating_sub(found)))
            .max(drug.min(Self::LEAST));
        self.given[FOUND] = found
            .min(left.saturating_sub(self.given[DRUG]))
            .max(found.min(Self::LEAST));
    }

    fn line(&self, cells: &[String; COLUMNS]) -> String {
        let mut line = String::new();
        for (number, (cell, width)) in cells.iter().zip(self.given).enumerate() {
            let is_number = number == 0;
            let cell = if matches!(number, DRUG | FOUND) {
                cut(cell, width)
            } else {
                cell.clone()
            };
            let gap = if number == 0 { "" } else { GAP };
            let _ = if is_number {
                write!(line, "{gap}{cell:>width$}")
            } else {
                write!(line, "{gap}{cell:<width$}")
            };
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
