//! A frame with one row for each of some values, built column by column.

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
