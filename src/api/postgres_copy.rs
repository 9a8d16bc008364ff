//! Rows in the binary form of PostgreSQL's `COPY`, which the server stores without parsing text.
//!
//! The form is that of <https://www.postgresql.org/docs/current/sql-copy.html>: a header, then for each row the number of
//! its fields and for each field its length and its bytes, then a trailer.

use polars::prelude::{Column, DataFrame, DataType, StaticArray};
use polars_arrow::array::{Array, ListArray, PrimitiveArray, StructArray, Utf8ViewArray};
use serde_json::Value;

use crate::error::{Error, Result};

/// What the form begins with: its signature, no flags, no extension.
pub const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What the form ends with.
pub const COPY_TRAILER: &[u8] = &(-1_i16).to_be_bytes();

/// From 1970-01-01, where the core begins to count days, to 2000-01-01, where PostgreSQL does.
const DAYS: i32 = 10_957;

/// The type `text` in the server's catalogue.
const TEXT: i32 = 25;

/// The version of the binary form of `jsonb`, which is a text behind it.
const JSONB: u8 = 1;

/// What replaces the character NUL, which no text of PostgreSQL can hold.
const REPLACEMENT: &str = "\u{fffd}";

/// The length of a null.
const NULL: i32 = -1;

/// The values of a column, typed once and not for each row.
enum ColumnValues<'f> {
    Text(&'f Utf8ViewArray),
    Number(&'f PrimitiveArray<i64>),
    Date(&'f PrimitiveArray<i32>),
    TextList(&'f ListArray<i64>, &'f Utf8ViewArray),
    /// A list of structs, as `jsonb`.
    Json(&'f ListArray<i64>),
}

impl<'f> ColumnValues<'f> {
    /// Of a column in one chunk.
    fn of(column: &'f Column) -> Result<Self> {
        let series = column.as_materialized_series();
        let typed = series.chunks().first().and_then(|chunk| {
            let chunk = chunk.as_any();
            Some(match series.dtype() {
                DataType::String => Self::Text(chunk.downcast_ref()?),
                DataType::Int64 => Self::Number(chunk.downcast_ref()?),
                DataType::Date => Self::Date(chunk.downcast_ref()?),
                DataType::List(_) => {
                    let lists: &ListArray<i64> = chunk.downcast_ref()?;
                    match lists.values().as_any().downcast_ref() {
                        Some(texts) => Self::TextList(lists, texts),
                        None => Self::Json(lists),
                    }
                }
                _ => return None,
            })
        });
        typed.ok_or_else(|| {
            Error::internal(format!(
                "column {} has the type {}, which has no binary form",
                column.name(),
                column.dtype()
            ))
        })
    }

    /// Appends the length and the bytes of a value.
    fn append(&self, row: usize, to: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Text(texts) => append_text(texts.get(row), to)?,
            Self::Number(numbers) => match numbers.get(row) {
                Some(number) => append_bytes(&number.to_be_bytes(), to)?,
                None => to.extend_from_slice(&NULL.to_be_bytes()),
            },
            Self::Date(dates) => match dates.get(row) {
                Some(day) => append_bytes(&(day - DAYS).to_be_bytes(), to)?,
                None => to.extend_from_slice(&NULL.to_be_bytes()),
            },
            Self::TextList(lists, texts) => {
                if lists.is_null(row) {
                    to.extend_from_slice(&NULL.to_be_bytes());
                    return Ok(());
                }
                let (start, end) = lists.offsets().start_end(row);
                append_list(texts, start..end, to)?;
            }
            Self::Json(lists) => match json_value(*lists, row)? {
                Value::Null => to.extend_from_slice(&NULL.to_be_bytes()),
                value => append_bytes(&[&[JSONB], value.to_string().as_bytes()].concat(), to)?,
            },
        }
        Ok(())
    }
}

/// A value of nested lists, structs and texts.
fn json_value(array: &dyn Array, row: usize) -> Result<Value> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let any = array.as_any();
    if let Some(texts) = any.downcast_ref::<Utf8ViewArray>() {
        return Ok(texts.value(row).replace('\0', REPLACEMENT).into());
    }
    if let Some(lists) = any.downcast_ref::<ListArray<i64>>() {
        let (start, end) = lists.offsets().start_end(row);
        let items = (start..end).map(|place| json_value(&**lists.values(), place));
        return items.collect::<Result<Vec<_>>>().map(Value::Array);
    }
    if let Some(structs) = any.downcast_ref::<StructArray>() {
        let fields = structs.fields().iter().zip(structs.values());
        let fields = fields.map(|(field, values)| Ok((field.name.to_string(), json_value(&**values, row)?)));
        return fields.collect::<Result<_>>().map(Value::Object);
    }
    Err(Error::internal(
        "a list of something else than structs, lists and texts",
    ))
}

/// Appends the rows of a frame, whose columns are those of the table on the server, in order.
pub fn append_rows(mut frame: DataFrame, to: &mut Vec<u8>) -> Result<()> {
    frame.rechunk_mut();
    let columns = frame
        .columns()
        .iter()
        .map(ColumnValues::of)
        .collect::<Result<Vec<_>>>()?;
    let count = (columns.len() as i16).to_be_bytes();
    for row in 0..frame.height() {
        to.extend_from_slice(&count);
        for values in &columns {
            values.append(row, to)?;
        }
    }
    Ok(())
}

fn append_text(text: Option<&str>, to: &mut Vec<u8>) -> Result<()> {
    match text {
        None => to.extend_from_slice(&NULL.to_be_bytes()),
        Some(text) if text.contains('\0') => append_bytes(text.replace('\0', REPLACEMENT).as_bytes(), to)?,
        Some(text) => append_bytes(text.as_bytes(), to)?,
    }
    Ok(())
}

fn append_bytes(bytes: &[u8], to: &mut Vec<u8>) -> Result<()> {
    to.extend_from_slice(&length(bytes.len())?.to_be_bytes());
    to.extend_from_slice(bytes);
    Ok(())
}

/// A length as the form has it.
fn length(length: usize) -> Result<i32> {
    i32::try_from(length).map_err(|_| {
        Error::internal(format!(
            "a value of {length} bytes or items, and PostgreSQL stores at most 1 GB"
        ))
    })
}

/// Appends an array of one dimension that counts from 1; an empty one has no dimension.
fn append_list(texts: &Utf8ViewArray, places: std::ops::Range<usize>, to: &mut Vec<u8>) -> Result<()> {
    let length_at = to.len();
    to.extend_from_slice(&[0; 4]);
    let has_null = places.clone().any(|place| texts.is_null(place));
    let count = length(places.len())?;
    for word in [count.min(1), i32::from(has_null), TEXT] {
        to.extend_from_slice(&word.to_be_bytes());
    }
    if count > 0 {
        for word in [count, 1] {
            to.extend_from_slice(&word.to_be_bytes());
        }
    }
    for place in places {
        append_text(texts.get(place), to)?;
    }
    let bytes = length(to.len() - length_at - 4)?;
    to[length_at..length_at + 4].copy_from_slice(&bytes.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars::prelude::{IntoSeries, ListChunked, NamedFrom, Series};

    use super::*;

    fn bytes_of(columns: Vec<Column>) -> Result<Vec<u8>> {
        let height = columns.first().map_or(0, Column::len);
        let mut bytes = Vec::new();
        append_rows(DataFrame::new(height, columns)?, &mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn values_are_as_the_server_reads_them() -> Result<()> {
        let texts = Series::new("text".into(), [Some("aé"), None, Some("nul\0")]);
        let numbers = Series::new("number".into(), [Some(258_i64), None, Some(-1)]);
        let row = |first: &[u8], second: &[u8]| [&[0, 2][..], first, second].concat();
        let null = [0xff; 4];
        let expected = [
            row(
                &[0, 0, 0, 3, b'a', 0xc3, 0xa9],
                &[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2],
            ),
            row(&null, &null),
            row(
                &[&[0, 0, 0, 6][..], b"nul\xef\xbf\xbd"].concat(),
                &[&[0, 0, 0, 8][..], &[0xff; 8]].concat(),
            ),
        ];
        assert_eq!(bytes_of(vec![texts.into(), numbers.into()])?, expected.concat());
        Ok(())
    }

    #[test]
    fn dates_count_from_the_year_2000() -> Result<()> {
        let days = Series::new("date".into(), [10_957_i32, 10_956]);
        let dates = days.cast(&DataType::Date)?;
        let expected = [
            [0, 1, 0, 0, 0, 4, 0, 0, 0, 0],
            [0, 1, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff],
        ];
        assert_eq!(bytes_of(vec![dates.into()])?, expected.concat());
        Ok(())
    }

    #[test]
    fn lists_are_arrays_that_count_from_one() -> Result<()> {
        let lists = ListChunked::from_iter([
            Some(Series::new("".into(), ["b"])),
            Some(Series::new("".into(), Vec::<String>::new())),
        ]);
        let mut expected = vec![0, 1, 0, 0, 0, 25];
        expected.extend([
            0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, b'b',
        ]);
        expected.extend([0, 1, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 25]);
        let column: Column = lists.into_series().with_name("list".into()).into();
        assert_eq!(bytes_of(vec![column])?, expected);
        Ok(())
    }
}
