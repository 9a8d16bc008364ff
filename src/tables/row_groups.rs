//! Rows to row groups: where one ends depends on the rows alone, so that the same rows are the same bytes of a file in whatever
//! frames they come.

use std::sync::Arc;

use polars::prelude::DataFrame;

use super::open_row_group::OpenRowGroup;
use super::pages::Encoder;
use super::row_group::RowGroup;
use crate::error::Result;
use crate::row_frame::stack;

/// The most rows of a row group: enough to compress well, few enough to hold several in memory, abstracts included.
pub(crate) const MOST_ROWS: usize = 1 << 14;

/// A row group also ends with the row that brings its texts to 16 MiB, because a text may take a megabyte. Only columns of
/// free text count.
const MOST_TEXT: usize = 16 << 20;

/// A whole row group.
pub(crate) enum WholeGroup {
    Frame(DataFrame),
    Pages(RowGroup),
}

impl WholeGroup {
    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Frame(frame) => frame.estimated_size(),
            Self::Pages(group) => group.bytes(),
        }
    }
}

/// In which form a row group is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupForm {
    /// The larger one, and the quicker one where rows change later.
    Frame,
    /// As a file holds it: encoded and compressed.
    Pages,
}

/// Cuts the rows of one table.
pub(crate) struct RowGroupCutter {
    encoder: Arc<Encoder>,
    open: Option<Open>,
    rows: usize,
    /// The bytes of their texts.
    text: usize,
}

/// The group that is not full yet.
enum Open {
    Frame(DataFrame),
    Pages(OpenRowGroup),
}

impl RowGroupCutter {
    pub(crate) fn new(encoder: Arc<Encoder>) -> Self {
        Self {
            encoder,
            open: None,
            rows: 0,
            text: 0,
        }
    }

    /// Adds the rows of a frame; gives the groups that they fill. `form` is asked when a group begins.
    pub(crate) fn push(
        &mut self,
        frame: &DataFrame,
        form: impl Fn() -> GroupForm,
    ) -> Result<Vec<WholeGroup>> {
        let lengths = self.lengths(frame)?;
        let mut full = Vec::new();
        let mut start = 0;
        for (row, length) in lengths.iter().enumerate() {
            self.text += length;
            self.rows += 1;
            if self.rows == MOST_ROWS || self.text >= MOST_TEXT {
                self.add(&frame.slice(start as i64, row + 1 - start), &form)?;
                full.extend(self.end()?);
                start = row + 1;
            }
        }
        if start < frame.height() {
            self.add(&frame.slice(start as i64, frame.height() - start), &form)?;
        }
        Ok(full)
    }

    /// Makes what it holds smaller, as far as that is final.
    pub(crate) fn make_pages(&mut self) -> Result<()> {
        match &mut self.open {
            Some(Open::Pages(group)) => group.make_pages(&self.encoder),
            _ => Ok(()),
        }
    }

    /// The rows of the last group; the next one begins with the next row.
    pub(crate) fn end(&mut self) -> Result<Option<WholeGroup>> {
        (self.rows, self.text) = (0, 0);
        Ok(match self.open.take() {
            Some(Open::Frame(frame)) => Some(WholeGroup::Frame(frame)),
            Some(Open::Pages(group)) => Some(WholeGroup::Pages(group.finish(&self.encoder)?)),
            None => None,
        })
    }

    fn add(&mut self, rows: &DataFrame, form: impl Fn() -> GroupForm) -> Result<()> {
        let open = self.open.get_or_insert_with(|| match form() {
            GroupForm::Frame => Open::Frame(self.encoder.table().empty()),
            GroupForm::Pages => Open::Pages(OpenRowGroup::new(&self.encoder)),
        });
        match open {
            Open::Frame(frame) => {
                stack(frame, rows)?;
            }
            Open::Pages(group) => group.push(rows, &self.encoder)?,
        }
        Ok(())
    }

    /// The bytes of the texts of each row.
    fn lengths(&self, frame: &DataFrame) -> Result<Vec<usize>> {
        let mut lengths = vec![0; frame.height()];
        for (column, of_table) in frame.columns().iter().zip(self.encoder.table().columns) {
            if of_table.is_free_text() {
                for (length, text) in lengths.iter_mut().zip(column.str()?.iter()) {
                    *length += text.map_or(0, str::len);
                }
            }
        }
        Ok(lengths)
    }
}
