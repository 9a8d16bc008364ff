//! Columns of lists of texts, and the frame of rejected rows.

use polars::prelude::{
    Column, DataFrame, IntoColumn, ListBuilderTrait, ListStringChunkedBuilder, NamedFrom, Series,
};

use crate::error::Result;
use crate::schema::{Flags, REJECTED, Rejected};

/// A column of lists of texts in the making.
pub(super) struct TextLists(ListStringChunkedBuilder);

impl TextLists {
    pub(super) fn new(name: &str, rows: usize) -> Self {
        Self(ListStringChunkedBuilder::new(name.into(), rows, rows))
    }

    pub(super) fn push<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        self.0.append_values_iter(texts);
    }

    pub(super) fn push_flags(&mut self, flags: Flags) {
        self.push(flags.iter().map(crate::schema::Flag::name));
    }

    pub(super) fn finish(mut self) -> Column {
        self.0.finish().into_column()
    }
}

/// A column that has the same text in every row.
pub(super) fn constant(name: &str, text: &str, rows: usize) -> Column {
    Column::new(name.into(), vec![text; rows])
}

/// Rejected rows of one source as the table [`REJECTED`].
pub(crate) fn rejected_frame(rejected: &[Rejected], uri: &str) -> Result<DataFrame> {
    let text = |name: &str, value: &dyn Fn(&Rejected) -> String| {
        Series::new(name.into(), rejected.iter().map(value).collect::<Vec<String>>()).into_column()
    };
    let rows: Vec<u64> = rejected.iter().map(|row| row.source_row).collect();
    let frame = DataFrame::new(
        rejected.len(),
        vec![
            text("reason", &|row| row.reason.name().to_owned()),
            text("message", &|row| row.message.clone()),
            text("raw", &|row| row.raw.clone()),
            constant("source_uri", uri, rejected.len()),
            Series::new("source_row".into(), rows).into_column(),
        ],
    )?;
    REJECTED.check(&frame)?;
    Ok(frame)
}
