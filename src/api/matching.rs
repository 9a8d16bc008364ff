//! Matching texts outside of a lake: many at once, or the lines or a column of files.

use std::io::Read;

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series, StringChunkedBuilder};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::formats;
use crate::formats::{Encoding, Field, Fields, Input, RawBatch, ReadOptions, TextLines};
use crate::ingest::sources::open_source_or_empty;
use crate::matcher::{CodePoints, Finder, Matcher, Mention};
use crate::storage::source::{SourceFile, expand};
use crate::storage::write_file;
use crate::task::{Patient, Task};

/// Texts that one thread takes at a time.
const SLICE: usize = 2048;

/// As much of a file is read to see whether it is a saved matcher.
const BEGINNING: u64 = 1 << 12;

/// Standard input that is one text is no longer than this; it may never end.
const LONGEST_TEXT: usize = 64 << 20;

/// The mentions of many texts: `row` is the number of the text from 0, `start` and `end` are code points.
pub fn find_many(matcher: &Matcher, texts: &[Option<&str>], task: &Task) -> Result<DataFrame> {
    find_numbered(matcher, texts, task, |place| place as u64)
}

/// Like [`find_many`], but `number_of` maps the place of a text to its `row`.
fn find_numbered(
    matcher: &Matcher,
    texts: &[Option<&str>],
    task: &Task,
    number_of: impl Fn(usize) -> u64 + Sync,
) -> Result<DataFrame> {
    let found: Vec<Vec<TextMention<'_>>> = texts
        .par_chunks(SLICE)
        .enumerate()
        .map(|(slice_number, slice)| {
            task.check()?;
            let mut found = Vec::new();
            let mut finder = matcher.finder_under(task);
            for (place, text) in slice.iter().enumerate() {
                if let Some(text) = text {
                    add(
                        &mut found,
                        &mut finder,
                        number_of(slice_number * SLICE + place),
                        text,
                    );
                }
            }
            task.check()?;
            task.count_rows(slice.len());
            Ok(found)
        })
        .collect::<Result<_>>()?;
    let height = found.iter().map(Vec::len).sum();
    let text = |name: &str| StringChunkedBuilder::new(name.into(), height);
    let (mut codes, mut drugs) = (text("atccode"), text("drug"));
    let (mut surfaces, mut rules) = (text("surface"), text("rule"));
    // Signed, for callers compute with them.
    let number = || Vec::<i64>::with_capacity(height);
    let (mut rows, mut starts, mut ends) = (number(), number(), number());
    let mut labels: Vec<(&str, &str)> = Vec::new();
    for found in &found {
        // Where codes and drugs lie in memory is asked for a slice of mentions first: such looks wait for nothing but
        // each other, while copying letters is a guess for the processor at every text.
        labels.clear();
        labels.extend(
            found
                .iter()
                .map(|found| (found.mention.atccode(), found.mention.drug())),
        );
        for (found, (code, drug)) in found.iter().zip(&labels) {
            rows.push(found.row as i64);
            codes.append_value(code);
            drugs.append_value(drug);
            starts.push(found.start as i64);
            ends.push(found.end as i64);
            surfaces.append_value(found.surface);
            rules.append_value(found.mention.rule.name());
        }
    }
    let columns = vec![
        Series::new("row".into(), rows).into_column(),
        codes.finish().into_column(),
        drugs.finish().into_column(),
        Series::new("start".into(), starts).into_column(),
        Series::new("end".into(), ends).into_column(),
        surfaces.finish().into_column(),
        rules.finish().into_column(),
    ];
    Ok(DataFrame::new(height, columns)?)
}

/// A mention in one of many texts.
struct TextMention<'t> {
    row: u64,
    start: u64,
    end: u64,
    surface: &'t str,
    mention: Mention<'t>,
}

fn add<'t>(found: &mut Vec<TextMention<'t>>, finder: &mut Finder<'t>, row: u64, text: &'t str) {
    // Most texts mention nothing, and then nothing is asked about their letters.
    let mut points = None;
    finder.each(text, |mention| {
        let points = points.get_or_insert_with(|| CodePoints::new(text));
        found.push(TextMention {
            row,
            start: points.at(mention.start) as u64,
            end: points.at(mention.end) as u64,
            surface: &text[mention.start..mention.end],
            mention,
        });
    });
}

/// Writes a matcher to a file, whole or not at all.
pub fn save(matcher: &Matcher, path: &str, task: &Task) -> Result<()> {
    write_file(path, &matcher.to_bytes()?, task)
}

/// Reads a matcher that [`save`] wrote.
pub fn load(path: &str, task: &Task) -> Result<Matcher> {
    let expected = "a saved matcher";
    let files = expand(path, expected, task)?;
    let [file] = files.as_slice() else {
        let found = format!("{} files", files.len());
        return Err(Error::argument(
            path.to_owned(),
            found,
            "the path of one saved matcher",
        ));
    };
    let failed = |error| Error::storage(&file.uri, "read the saved matcher", error);
    let mut bytes = Vec::with_capacity(usize::try_from(file.size()?).unwrap_or(0));
    let mut from = file.open()?;
    // A pipe or a device may never end; what does not begin as a matcher is not read to its end.
    (&mut from)
        .take(BEGINNING)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if Matcher::is_saved(&bytes) {
        from.read_to_end(&mut bytes).map_err(failed)?;
    }
    Matcher::from_bytes(&bytes, &file.uri)
}

/// Rows of a file that could not be read, and so not searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassedOver {
    pub rows: u64,
    /// What was wrong with the first of them.
    pub first: String,
}

/// Files of texts, with rows counted on from file to file.
#[derive(Debug)]
pub struct TextFiles {
    /// `None` is standard input.
    files: Vec<Option<SourceFile>>,
    reading: ReadOptions,
}

impl TextFiles {
    /// The files that a path, folder or glob names; standard input without one or for `-`.
    pub fn find(uri: Option<&str>, reading: impl Into<ReadOptions>, task: &Task) -> Result<Self> {
        let files = match uri {
            None | Some("-") => vec![None],
            Some(uri) => expand(uri, "a file of texts", task)?
                .into_iter()
                .map(Some)
                .collect(),
        };
        Ok(Self {
            files,
            reading: reading.into(),
        })
    }

    fn open(&self, file: Option<&SourceFile>, task: &Task) -> Result<(String, Option<Input>)> {
        let Some(file) = file else {
            let uri = "standard input".to_owned();
            let input = Input::open_or_empty(&uri, Box::new(Patient(std::io::stdin())), self.reading)?
                .map(|input| input.under(task));
            return Ok((uri, input));
        };
        Ok((file.uri.clone(), open_source_or_empty(file, self.reading, task)?))
    }

    /// Calls `each` with the mentions of the lines, batch by batch. An empty input has no lines.
    pub fn match_lines(
        &self,
        matcher: &Matcher,
        task: &Task,
        mut each: impl FnMut(&DataFrame) -> Result<()>,
    ) -> Result<()> {
        let mut row = 0;
        for file in &self.files {
            let (_, Some(input)) = self.open(file.as_ref(), task)? else {
                continue;
            };
            let mut lines = TextLines::new(input.single()?);
            while let Some(texts) = lines.next_batch(task)? {
                let texts: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
                each(&find_numbered(matcher, &texts, task, |place| row + place as u64)?)?;
                row += texts.len() as u64;
            }
        }
        Ok(())
    }

    /// Calls `each` with the mentions of a column, batch by batch, and `skipped` with the rows of a file that could not be
    /// read; they count as rows all the same.
    pub fn match_column(
        &self,
        matcher: &Matcher,
        column: &str,
        task: &Task,
        mut each: impl FnMut(&DataFrame) -> Result<()>,
        mut skipped: impl FnMut(&str, &PassedOver),
    ) -> Result<()> {
        // The fields of a reader live as long as the process; this one is made once a command.
        let alias: &'static str = Box::leak(column.to_owned().into_boxed_str());
        let aliases: &'static [&'static str] = Box::leak(vec![alias].into_boxed_slice());
        let fields = Fields::new([Field::required("text", aliases)]);
        let mut base = 0;
        for file in &self.files {
            let (uri, Some(input)) = self.open(file.as_ref(), task)? else {
                return Err(Error::format(
                    "input",
                    "byte 0",
                    "an empty file",
                    "expected CSV, JSON or NDJSON",
                ));
            };
            let mut passed_over = PassedOver::default();
            let mut reader = formats::open(input, &fields)?;
            while let Some(batch) = reader.next_batch(task)? {
                let rows = row_numbers(&batch, base)?;
                let texts: Vec<Option<&str>> = batch.frame.column("text")?.str()?.iter().collect();
                each(&find_numbered(matcher, &texts, task, |place| rows[place])?)?;
                base += (texts.len() + batch.rejected.len()) as u64;
                passed_over.rows += batch.rejected.len() as u64;
                if let Some(first) = batch.rejected.first().filter(|_| passed_over.first.is_empty()) {
                    passed_over.first.clone_from(&first.message);
                }
            }
            if passed_over.rows > 0 {
                skipped(&uri, &passed_over);
            }
        }
        Ok(())
    }
}

/// The numbers of the rows of a batch, with those counted that could not be read.
fn row_numbers(batch: &RawBatch, base: u64) -> Result<Vec<u64>> {
    let mut unread = batch
        .rejected
        .iter()
        .map(|row| row.source_row)
        .collect::<Vec<u64>>();
    unread.sort_unstable();
    let places = batch.frame.column("source_row")?.u64()?.into_no_null_iter();
    Ok((base..)
        .zip(places)
        .map(|(row, source_row)| row + unread.partition_point(|before| *before < source_row) as u64)
        .collect())
}

/// All of standard input as one text, without the line end at its end.
pub fn read_standard_input(reading: impl Into<ReadOptions>, task: &Task) -> Result<String> {
    let Some(input) = Input::open_or_empty("standard input", Box::new(Patient(std::io::stdin())), reading)?
    else {
        return Ok(String::new());
    };
    let mut lines = TextLines::new(input.single()?);
    let mut text = Vec::new();
    let mut bytes = 0;
    while let Some(batch) = lines.next_batch(task)? {
        bytes += batch.iter().map(|line| line.len() + 1).sum::<usize>();
        text.extend(batch);
        if bytes > LONGEST_TEXT {
            return Err(Error::format(
                "standard input",
                format!("line {}", text.len()),
                format!("a text of more than {LONGEST_TEXT} bytes"),
                "give one title or abstract",
            ));
        }
    }
    Ok(text.join("\n"))
}

/// The names in a file of stop words: one a line, without blank lines and lines that begin with `#`.
pub fn read_stop_words(uri: &str, task: &Task) -> Result<Vec<String>> {
    let mut words = Vec::new();
    for file in expand(uri, "a file of stop words, one a line", task)? {
        let Some(input) = Input::open_or_empty(&file.uri, file.open()?, Encoding::Utf8)? else {
            continue;
        };
        let mut lines = TextLines::new(input.single()?);
        while let Some(batch) = lines.next_batch(task)? {
            words.extend(
                batch
                    .into_iter()
                    .filter(|line| !line.trim().is_empty() && !line.starts_with('#')),
            );
        }
    }
    Ok(words)
}
