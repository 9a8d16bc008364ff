//! Rows to row groups: where one ends depends on the rows alone, so that the same rows are the same bytes of a file in whatever
//! frames they come.

use polars::prelude::DataFrame;

use crate::error::Result;
use crate::schema::{ColumnType, Table};

/// A row group has so many rows at most: enough to compress well, few enough to hold several, abstracts included.
pub(super) const MOST_ROWS: usize = 1 << 14;

/// And ends with the row with which its texts reach so many bytes, for a text may be a megabyte. Those that repeat do not count.
const MOST_TEXT: usize = 16 << 20;

/// Cuts the rows of one table.
pub(super) struct Groups {
    table: &'static Table,
    /// The rows of the group that is not full yet.
    rest: DataFrame,
    /// The bytes of their texts.
    text: usize,
}

impl Groups {
    pub(super) fn new(table: &'static Table) -> Self {
        Self {
            table,
            rest: table.empty(),
            text: 0,
        }
    }

    /// Adds the rows of a frame; gives the groups that they fill.
    pub(super) fn push(&mut self, frame: &DataFrame) -> Result<Vec<DataFrame>> {
        let lengths = self.lengths(frame)?;
        let mut full = Vec::new();
        let mut start = 0;
        for (row, length) in lengths.iter().enumerate() {
            self.text += length;
            let rows = self.rest.height() + row + 1 - start;
            if rows == MOST_ROWS || self.text >= MOST_TEXT {
                self.rest
                    .vstack_mut(&frame.slice(start as i64, row + 1 - start))?;
                full.extend(self.end());
                start = row + 1;
            }
        }
        if start < frame.height() {
            self.rest
                .vstack_mut(&frame.slice(start as i64, frame.height() - start))?;
        }
        Ok(full)
    }

    /// The rows of the last group; the next one begins with the next row.
    pub(super) fn end(&mut self) -> Option<DataFrame> {
        self.text = 0;
        (self.rest.height() > 0).then(|| std::mem::replace(&mut self.rest, self.table.empty()))
    }

    /// The bytes of the texts of each row.
    fn lengths(&self, frame: &DataFrame) -> Result<Vec<usize>> {
        let mut lengths = vec![0; frame.height()];
        for (column, of_table) in frame.columns().iter().zip(self.table.columns) {
            if of_table.column_type == ColumnType::Text && !of_table.repeats {
                for (length, text) in lengths.iter_mut().zip(column.str()?.iter()) {
                    *length += text.map_or(0, str::len);
                }
            }
        }
        Ok(lengths)
    }
}
