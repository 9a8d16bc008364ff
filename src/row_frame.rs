//! Frames with one row for each of some values, built column by column, and frames below each other.

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};

use crate::error::Result;

/// Builds the frame.
pub(crate) struct RowFrame<'r, R> {
    rows: &'r [R],
    columns: Vec<Column>,
}

impl<'r, R> RowFrame<'r, R> {
    pub(crate) fn of(rows: &'r [R]) -> Self {
        Self {
            rows,
            columns: Vec::new(),
        }
    }

    /// Adds a column: its value in each row.
    pub(crate) fn column<V>(mut self, name: &str, value: impl Fn(&'r R) -> V) -> Self
    where
        Series: NamedFrom<Vec<V>, [V]>,
    {
        let values: Vec<V> = self.rows.iter().map(value).collect();
        self.columns.push(Series::new(name.into(), values).into_column());
        self
    }

    /// Adds a column of counts, which are signed, for engines compute with them.
    pub(crate) fn count(self, name: &str, value: impl Fn(&'r R) -> u64) -> Self {
        self.column(name, |row| value(row).cast_signed())
    }

    /// Adds a column that is built already.
    pub(crate) fn with(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }

    pub(crate) fn finish(self) -> Result<DataFrame> {
        Ok(DataFrame::new(self.rows.len(), self.columns)?)
    }
}

/// Adds the rows of a frame with the same columns. A column with one value in all its rows, as most sources leave several,
/// stays that value and its number of rows.
pub(crate) fn stack(above: &mut DataFrame, below: &DataFrame) -> Result<()> {
    let height = above.height() + below.height();
    let mut columns = std::mem::take(above).into_columns();
    for (column, more) in columns.iter_mut().zip(below.columns()) {
        append(column, more)?;
    }
    *above = DataFrame::new(height, columns)?;
    Ok(())
}

/// Adds the rows of a column, as [`stack`] does.
pub(crate) fn append(column: &mut Column, more: &Column) -> Result<()> {
    match (&*column, more) {
        (Column::Scalar(one), Column::Scalar(another)) if one.scalar() == another.scalar() => {
            let rows = one.len() + another.len();
            *column = Column::new_scalar(column.name().clone(), one.scalar().clone(), rows);
        }
        _ => {
            column.append(more)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars::prelude::DataType;

    use super::*;

    #[test]
    fn one_value_in_all_rows_stays_one_value() -> Result<()> {
        let missing = |rows| Column::full_null("a".into(), rows, &DataType::String);
        let texts = |texts: &[Option<&str>]| Series::new("a".into(), texts).into_column();
        for (above, below, is_one) in [
            (missing(2), missing(3), true),
            (missing(0), missing(1), true),
            (missing(1), missing(0), true),
            (missing(2), texts(&[Some("x")]), false),
            (texts(&[Some("x")]), missing(2), false),
            (texts(&[None]), texts(&[Some("y")]), false),
        ] {
            let height = above.len() + below.len();
            let mut plain = above.clone();
            plain.append(&below)?;
            let mut frame = DataFrame::new(above.len(), vec![above])?;
            stack(&mut frame, &DataFrame::new(below.len(), vec![below])?)?;
            assert_eq!(frame.height(), height);
            assert!(frame.columns()[0].equals_missing(&plain));
            assert_eq!(matches!(frame.columns()[0], Column::Scalar(_)), is_one);
        }
        Ok(())
    }
}
