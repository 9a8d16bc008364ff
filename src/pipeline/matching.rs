//! Matching texts outside of a lake: many at once, or the lines or a column of a file.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series, StringChunkedBuilder};
use rayon::prelude::*;

use crate::error::Result;
use crate::formats::{self, Encoding, Field, Fields, Input};
use crate::matcher::{CodePoints, Matcher};
use crate::task::Task;

/// Texts that one thread takes at a time.
const SLICE: usize = 2048;

/// The mentions of many texts: `row` is the number of the text from 0, `start` and `end` are code points.
pub fn find_many(matcher: &Matcher, texts: &[Option<&str>], task: &Task) -> Result<DataFrame> {
    let found: Vec<Found<'_>> = texts
        .par_chunks(SLICE)
        .enumerate()
        .map(|(number, slice)| {
            task.check()?;
            let mut found = Found::default();
            for (row, text) in slice.iter().enumerate() {
                if let Some(text) = text {
                    found.add(matcher, (number * SLICE + row) as u64, text);
                }
            }
            task.count_rows(slice.len());
            Ok(found)
        })
        .collect::<Result<_>>()?;
    let mentions = || found.iter().flat_map(|found| &found.mentions);
    let height = found.iter().map(|found| found.mentions.len()).sum();
    let number = |name: &str, value: &dyn Fn(&FoundMention<'_>) -> u64| {
        Series::new(name.into(), mentions().map(value).collect::<Vec<u64>>()).into_column()
    };
    let text = |name: &str, value: &dyn for<'f> Fn(&'f FoundMention<'_>) -> &'f str| {
        let mut column = StringChunkedBuilder::new(name.into(), height);
        mentions().for_each(|mention| column.append_value(value(mention)));
        column.finish().into_column()
    };
    let columns = vec![
        number("row", &|mention| mention.row),
        text("atccode", &|mention| &mention.mention.entry.atccode),
        text("drug", &|mention| &mention.mention.entry.drug),
        number("start", &|mention| mention.start),
        number("end", &|mention| mention.end),
        text("surface", &|mention| mention.surface),
        text("rule", &|mention| mention.mention.rule.name()),
    ];
    Ok(DataFrame::new(height, columns)?)
}

#[derive(Default)]
struct Found<'t> {
    mentions: Vec<FoundMention<'t>>,
}

struct FoundMention<'t> {
    row: u64,
    start: u64,
    end: u64,
    surface: &'t str,
    mention: crate::matcher::Mention<'t>,
}

impl<'t> Found<'t> {
    fn add(&mut self, matcher: &'t Matcher, row: u64, text: &'t str) {
        let mut points = CodePoints::new(text);
        for mention in matcher.find(text) {
            self.mentions.push(FoundMention {
                row,
                start: points.at(mention.start) as u64,
                end: points.at(mention.end) as u64,
                surface: &text[mention.start..mention.end],
                mention,
            });
        }
    }
}

/// Calls `each` with the mentions of a column of a file, batch by batch; `row` goes on from batch to batch.
pub fn match_column(
    matcher: &Matcher,
    input: Input,
    column: &str,
    task: &Task,
    mut each: impl FnMut(DataFrame) -> Result<()>,
) -> Result<()> {
    // The fields of a reader live as long as the process; this one is made once a command.
    let alias: &'static str = Box::leak(column.to_owned().into_boxed_str());
    let aliases: &'static [&'static str] = Box::leak(vec![alias].into_boxed_slice());
    let fields = Fields::new([Field {
        name: "text",
        aliases,
        required: true,
        many: false,
    }]);
    let mut reader = formats::open(input, &fields)?;
    let mut row = 0;
    while let Some(batch) = reader.next_batch(task)? {
        let texts: Vec<Option<&str>> = batch.frame.column("text")?.str()?.iter().collect();
        each(shifted(find_many(matcher, &texts, task)?, row)?)?;
        row += texts.len() as u64;
    }
    Ok(())
}

/// The same frame with `row` counted from `base`.
pub fn shifted(mut frame: DataFrame, base: u64) -> Result<DataFrame> {
    if base > 0 {
        let rows: Vec<u64> = frame
            .column("row")?
            .u64()?
            .into_no_null_iter()
            .map(|row| row + base)
            .collect();
        frame.with_column(Series::new("row".into(), rows).into_column())?;
    }
    Ok(frame)
}

/// An input that the caller opened, for [`match_column`].
pub fn open_input(uri: &str, bytes: Box<dyn std::io::Read + Send>, encoding: Encoding) -> Result<Input> {
    Input::new(uri, bytes, encoding)
}
