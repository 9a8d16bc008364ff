//! Columns of lists of texts, and the frame of rejected rows.

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, PlSmallStr, Series, StringChunked};
use polars_arrow::array::{MutableBinaryViewArray, Utf8ViewArray};

use super::struct_lists::{ListEnds, list_of};
use crate::error::Result;
use crate::row_frame::RowFrame;
use crate::schema::{Flags, REJECTED, Reason, Rejected};

/// Builds a column of lists of texts.
pub(super) struct TextLists {
    name: PlSmallStr,
    texts: MutableBinaryViewArray<str>,
    ends: ListEnds,
}

impl TextLists {
    pub(super) fn new(name: &str, rows: usize) -> Self {
        Self {
            name: name.into(),
            texts: MutableBinaryViewArray::new(),
            ends: ListEnds::with_capacity(rows),
        }
    }

    pub(super) fn push<T: AsRef<str>>(&mut self, texts: impl Iterator<Item = T>) -> Result<()> {
        texts.for_each(|text| self.texts.push_value(text));
        self.ends.end_at(self.texts.len())
    }

    pub(super) fn push_flags(&mut self, flags: Flags) -> Result<()> {
        self.push(flags.iter().map(crate::schema::Flag::name))
    }

    /// Adds rows with empty lists.
    pub(super) fn push_blank(&mut self, rows: usize) {
        self.ends.extend_blank(rows);
    }

    pub(super) fn finish(self) -> Result<Column> {
        let texts: Utf8ViewArray = self.texts.into();
        Ok(Series::try_from((self.name, list_of(texts.boxed(), self.ends)))?.into_column())
    }
}

/// The column of the places of rows in their sources.
pub(super) fn source_rows(rows: Vec<u64>) -> Column {
    let rows: Vec<i64> = rows.into_iter().map(u64::cast_signed).collect();
    Series::new("source_row".into(), rows).into_column()
}

/// A column that has the same text in every row.
pub(crate) fn constant(name: &str, text: &str, rows: usize) -> Column {
    let mut runs = TextRuns::new(name);
    runs.push(text, rows);
    runs.finish()
}

/// Builds a column from runs of rows with the same text; each run holds its text once.
pub(super) struct TextRuns {
    name: PlSmallStr,
    texts: MutableBinaryViewArray<str>,
}

impl TextRuns {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            texts: MutableBinaryViewArray::new(),
        }
    }

    /// Adds `rows` rows with the same text.
    pub(super) fn push(&mut self, text: &str, rows: usize) {
        if rows > 0 {
            self.texts.extend_constant(rows, Some(text));
        }
    }

    pub(super) fn finish(self) -> Column {
        let texts: Utf8ViewArray = self.texts.into();
        StringChunked::with_chunk(self.name, texts).into_column()
    }
}

/// Why a row with a NUL byte is no row.
pub(super) fn nul_byte(row: u64, column: &str) -> (Reason, String) {
    let message = format!("row {row}: a NUL byte in `{column}`; deliver it without");
    (Reason::NulByte, message)
}

/// Rejected rows of one source as the table [`REJECTED`].
pub(crate) fn rejected_frame(rejected: &[Rejected], uri: &str) -> Result<DataFrame> {
    let frame = RowFrame::of(rejected)
        .column("reason", |row| row.reason.name())
        .column("message", |row| row.message.as_str())
        .column("raw", |row| row.raw.as_str())
        .with(constant("source_uri", uri, rejected.len()))
        .count("source_row", |row| row.source_row)
        .finish()?;
    REJECTED.check(&frame)?;
    Ok(frame)
}
