//! The values of Parquet's columns as the texts that CSV or JSON would hold, and how long those are.

use chrono::{DateTime, Datelike, NaiveDate};
use polars::prelude::{
    ArrowDataType, ChunkFullNull, ChunkedArray, DataType, Series, StringChunked, TimeUnit,
};

/// Whether values of a type can be a field.
pub(crate) fn is_accepted(column: &ArrowDataType, many: bool) -> bool {
    match column {
        ArrowDataType::LargeList(item) | ArrowDataType::List(item) => {
            many && matches!(
                item.dtype(),
                ArrowDataType::Utf8View | ArrowDataType::Utf8 | ArrowDataType::LargeUtf8
            )
        }
        ArrowDataType::Null
        | ArrowDataType::Utf8
        | ArrowDataType::LargeUtf8
        | ArrowDataType::Utf8View
        | ArrowDataType::Binary
        | ArrowDataType::LargeBinary
        | ArrowDataType::BinaryView
        | ArrowDataType::Int32
        | ArrowDataType::Int64
        | ArrowDataType::UInt32
        | ArrowDataType::UInt64
        | ArrowDataType::Float32
        | ArrowDataType::Float64
        | ArrowDataType::Date32
        | ArrowDataType::Timestamp(..) => true,
        _ => false,
    }
}

/// Adds what the texts of a column take to the bytes of their rows.
pub(crate) fn add_lengths(column: &Series, bytes: &mut [usize]) {
    if let Ok(texts) = column.str() {
        let lengths = texts.iter().map(|text| text.map_or(0, str::len));
        bytes
            .iter_mut()
            .zip(lengths)
            .for_each(|(bytes, more)| *bytes += more);
    } else if let Ok(texts) = column.binary() {
        let lengths = texts.iter().map(|text| text.map_or(0, <[u8]>::len));
        bytes
            .iter_mut()
            .zip(lengths)
            .for_each(|(bytes, more)| *bytes += more);
    } else if let Ok(lists) = column.list() {
        for (row, bytes) in bytes.iter_mut().enumerate() {
            let items = lists.get_as_series(row);
            let texts = items.as_ref().and_then(|items| items.str().ok());
            *bytes += texts.map_or(0, |texts| texts.iter().flatten().map(str::len).sum());
        }
    }
}

/// The values as CSV would write them; `None` for a type that no field accepts. The error is the index of a value that is
/// not UTF-8.
pub(crate) fn as_texts(series: &Series) -> Result<Option<StringChunked>, usize> {
    let name = series.name().clone();
    let collected =
        |values: Vec<Option<String>>| Some(StringChunked::from_iter(values).with_name(name.clone()));
    Ok(match series.dtype() {
        DataType::String => series.str().ok().cloned(),
        DataType::Null => Some(StringChunked::full_null(name, series.len())),
        DataType::Binary => {
            let Ok(bytes) = series.binary() else {
                return Ok(None);
            };
            let mut texts = Vec::with_capacity(bytes.len());
            for (place, value) in bytes.iter().enumerate() {
                let text = value.map(std::str::from_utf8).transpose().map_err(|_| place)?;
                texts.push(text.map(str::to_owned));
            }
            collected(texts)
        }
        DataType::Int32 => numbers(series.i32().ok().map(ChunkedArray::iter)).and_then(collected),
        DataType::Int64 => numbers(series.i64().ok().map(ChunkedArray::iter)).and_then(collected),
        DataType::UInt32 => numbers(series.u32().ok().map(ChunkedArray::iter)).and_then(collected),
        DataType::UInt64 => numbers(series.u64().ok().map(ChunkedArray::iter)).and_then(collected),
        DataType::Float32 => series
            .f32()
            .ok()
            .and_then(|values| collected(values.iter().map(|value| decimal(f64::from(value?))).collect())),
        DataType::Float64 => series
            .f64()
            .ok()
            .and_then(|values| collected(values.iter().map(|value| decimal(value?)).collect())),
        DataType::Date => series
            .date()
            .ok()
            .and_then(|days| collected(days.physical().iter().map(|day| Some(iso_day(day?))).collect())),
        DataType::Datetime(unit, _) => series.datetime().ok().and_then(|instants| {
            collected(
                instants
                    .physical()
                    .iter()
                    .map(|instant| Some(iso_instant(instant?, *unit)))
                    .collect(),
            )
        }),
        DataType::List(_) => series.list().ok().and_then(|lists| {
            let joined = (0..lists.len()).map(|row| {
                let items = lists.get_as_series(row)?;
                let texts: Vec<&str> = items.str().ok()?.iter().flatten().collect();
                Some(texts.join(" | "))
            });
            collected(joined.collect())
        }),
        _ => None,
    })
}

fn numbers<N: ToString>(values: Option<impl Iterator<Item = Option<N>>>) -> Option<Vec<Option<String>>> {
    Some(
        values?
            .map(|value| value.map(|number| number.to_string()))
            .collect(),
    )
}

/// A number as text, without a fraction if it is whole, because pandas turns ids with gaps into floats. `None` for NaN and
/// infinities.
fn decimal(number: f64) -> Option<String> {
    number.is_finite().then(|| number.to_string())
}

/// A day; one that no calendar has stays a number, which is a bad date.
fn iso_day(day: i32) -> String {
    NaiveDate::from_epoch_days(day)
        .filter(|date| (0..=9999).contains(&date.year()))
        .map_or_else(|| format!("day {day}"), |date| date.to_string())
}

fn iso_instant(instant: i64, unit: TimeUnit) -> String {
    let per_second = match unit {
        TimeUnit::Nanoseconds => 1_000_000_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Milliseconds => 1_000,
    };
    DateTime::from_timestamp(instant.div_euclid(per_second), 0).map_or_else(
        || format!("instant {instant}"),
        |instant| instant.naive_utc().to_string(),
    )
}
