//! A row group that still takes rows. Its texts may become pages before it is full, which saves memory.
//!
//! As pages, texts take less than half the memory, and a piece that becomes a page at once is still in the processor's
//! cache. Where a page ends depends on the rows alone, as does the end of a row group (`row_groups.rs`).

use polars::prelude::{Column, DataFrame};
use polars_parquet::write::CompressedPage;
use rayon::prelude::*;

use super::pages::{Encoder, PAGE_BYTES};
use super::row_group::{RowGroup, add_counts};
use crate::error::Result;
use crate::row_frame::append;

/// The rows of one group up to now.
pub(crate) struct OpenRowGroup {
    rows: usize,
    columns: Vec<OpenColumn>,
    counts: Vec<u64>,
}

/// A column of it: its first rows as pages, those behind them that are enough for pages, and the rest.
#[derive(Default)]
struct OpenColumn {
    pages: Vec<CompressedPage>,
    full: Vec<Column>,
    rest: Option<Column>,
    /// The bytes of the texts of the rest.
    bytes: usize,
}

impl OpenColumn {
    fn append(&mut self, column: Column) -> Result<()> {
        match &mut self.rest {
            Some(rest) => {
                append(rest, &column)?;
            }
            None => self.rest = Some(column),
        }
        Ok(())
    }

    /// Adds the rows of a column of texts.
    fn append_texts(&mut self, column: &Column) -> Result<()> {
        let mut start = 0;
        for (row, text) in column.str()?.iter().enumerate() {
            self.bytes += text.map_or(0, str::len);
            if self.bytes >= PAGE_BYTES {
                self.append(column.slice(start as i64, row + 1 - start))?;
                self.full.extend(self.rest.take());
                self.bytes = 0;
                start = row + 1;
            }
        }
        if start < column.len() {
            self.append(column.slice(start as i64, column.len() - start))?;
        }
        Ok(())
    }

    /// Makes pages of what is enough for them.
    fn make_pages(&mut self, place: usize, encoder: &Encoder) -> Result<()> {
        let made: Vec<Vec<CompressedPage>> = std::mem::take(&mut self.full)
            .into_par_iter()
            .with_max_len(1)
            .map(|texts| encoder.page(place, &texts))
            .collect::<Result<_>>()?;
        self.pages.extend(made.into_iter().flatten());
        Ok(())
    }
}

impl OpenRowGroup {
    pub(crate) fn new(encoder: &Encoder) -> Self {
        let columns = encoder.table().columns.iter();
        Self {
            rows: 0,
            counts: Vec::new(),
            columns: columns.map(|_| OpenColumn::default()).collect(),
        }
    }

    /// All rows of a frame as one row group.
    pub(crate) fn of(frame: &DataFrame, encoder: &Encoder) -> Result<RowGroup> {
        let mut group = Self::new(encoder);
        group.push(frame, encoder)?;
        group.finish(encoder)
    }

    /// Adds the rows of a frame.
    pub(crate) fn push(&mut self, frame: &DataFrame, encoder: &Encoder) -> Result<()> {
        self.rows += frame.height();
        add_counts(&mut self.counts, &encoder.count(frame)?);
        let columns = frame.columns().iter().zip(encoder.table().columns);
        for (open, (column, of_table)) in self.columns.iter_mut().zip(columns) {
            if of_table.is_free_text() {
                open.append_texts(column)?;
            } else {
                open.append(column.clone())?;
            }
        }
        Ok(())
    }

    /// Makes pages of the texts that are enough for them, and holds these no longer.
    pub(crate) fn make_pages(&mut self, encoder: &Encoder) -> Result<()> {
        self.columns
            .par_iter_mut()
            .enumerate()
            .with_max_len(1)
            .try_for_each(|(place, column)| column.make_pages(place, encoder))
    }

    /// All of it.
    pub(crate) fn finish(self, encoder: &Encoder) -> Result<RowGroup> {
        let columns: Vec<Vec<Vec<CompressedPage>>> = self
            .columns
            .into_par_iter()
            .enumerate()
            .with_max_len(1)
            .map(|(place, mut column)| {
                column.make_pages(place, encoder)?;
                let rest = column.rest.take();
                if encoder.table().columns[place].is_free_text() {
                    if let Some(rest) = rest {
                        column.pages.extend(encoder.page(place, &rest)?);
                    }
                    return Ok(vec![column.pages]);
                }
                // Only free texts have pages before.
                rest.map_or_else(
                    || Ok(encoder.no_pages(place)),
                    |rest| encoder.column(place, &rest),
                )
            })
            .collect::<Result<_>>()?;
        Ok(RowGroup {
            rows: self.rows as u64,
            counts: self.counts,
            columns: columns.into_iter().flatten().collect(),
        })
    }
}
