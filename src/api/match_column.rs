//! Matching a column of texts: one answer for each text, in one thread and without a pool.
//!
//! This is what an expression of polars calls on threads of its own, so nothing here may start any: it would be one pool
//! more in the process, and one that hangs in a forked child.

use polars::prelude::{
    BooleanChunked, CompatLevel, DataType, Field, IntoSeries, NamedFrom, Series, StringChunked,
    StringChunkedBuilder, StructChunked, UInt32Chunked,
};
use polars_arrow::array::ListArray;
use polars_arrow::bitmap::Bitmap;
use polars_arrow::offset::OffsetsBuffer;

use crate::error::Result;
use crate::matcher::{CodePoints, Matcher};
use crate::task::Task;

/// Texts between two checks for a signal.
const CHECKED: usize = 1024;

/// The type of [`mentions`]: a list of structs with the fields of a mention.
pub fn mentions_type() -> DataType {
    DataType::List(Box::new(mention_type()))
}

fn mention_type() -> DataType {
    let text = |name: &str| Field::new(name.into(), DataType::String);
    let number = |name: &str| Field::new(name.into(), DataType::Int64);
    DataType::Struct(vec![
        text("atccode"),
        text("drug"),
        number("start"),
        number("end"),
        text("surface"),
        text("rule"),
    ])
}

/// The mentions of each text: an empty list where there is none, null for null. `start` and `end` are code points.
pub fn mentions(matcher: &Matcher, texts: &StringChunked, task: &Task) -> Result<Series> {
    let mut finder = matcher.finder();
    let column = |name: &str| StringChunkedBuilder::new(name.into(), texts.len());
    let (mut codes, mut drugs) = (column("atccode"), column("drug"));
    let (mut surfaces, mut rules) = (column("surface"), column("rule"));
    let (mut starts, mut ends) = (Vec::<i64>::new(), Vec::<i64>::new());
    let mut offsets = Vec::with_capacity(texts.len() + 1);
    offsets.push(0_i64);
    for (row, text) in texts.iter().enumerate() {
        if row % CHECKED == 0 {
            task.check()?;
        }
        if let Some(text) = text {
            let mut points = CodePoints::new(text);
            finder.each(text, |mention| {
                codes.append_value(mention.atccode());
                drugs.append_value(mention.drug());
                starts.push(points.at(mention.start) as i64);
                ends.push(points.at(mention.end) as i64);
                surfaces.append_value(&text[mention.start..mention.end]);
                rules.append_value(mention.rule.name());
            });
        }
        offsets.push(starts.len() as i64);
    }
    let height = starts.len();
    let fields = [
        codes.finish().into_series(),
        drugs.finish().into_series(),
        Series::new("start".into(), starts),
        Series::new("end".into(), ends),
        surfaces.finish().into_series(),
        rules.finish().into_series(),
    ];
    let structs = StructChunked::from_series("".into(), height, fields.iter())?.into_series();
    let valid: Bitmap = texts.iter().map(|text| text.is_some()).collect();
    let data_type = mentions_type();
    let lists = ListArray::<i64>::try_new(
        data_type.to_physical().to_arrow(CompatLevel::newest()),
        OffsetsBuffer::try_from(offsets)?,
        structs.chunks()[0].clone(),
        Some(valid),
    )?;
    Ok(Series::from_chunk_and_dtype(
        texts.name().clone(),
        Box::new(lists),
        &data_type,
    )?)
}

/// The number of mentions of each text; null for null.
pub fn counts(matcher: &Matcher, texts: &StringChunked) -> Result<Series> {
    let mut finder = matcher.finder();
    let counts: UInt32Chunked = texts
        .iter()
        .map(|text| {
            text.map(|text| {
                let mut count = 0;
                finder.each(text, |_| count += 1);
                count
            })
        })
        .collect();
    Ok(counts.with_name(texts.name().clone()).into_series())
}

/// Whether each text has a mention; null for null.
pub fn any(matcher: &Matcher, texts: &StringChunked) -> Result<Series> {
    let mut finder = matcher.finder();
    let any: BooleanChunked = texts
        .iter()
        .map(|text| {
            text.map(|text| {
                let mut any = false;
                finder.each(text, |_| any = true);
                any
            })
        })
        .collect();
    Ok(any.with_name(texts.name().clone()).into_series())
}
