//! A row group: its pages before they are in a file, and its place afterwards.

use std::ops::Range;

use polars_parquet::write::{CompressedPage, SchemaDescriptor, ThriftFileMetadata};

/// The pages of each column of a row group in its file; a column of structs is one for each of their fields.
#[derive(Debug)]
pub(crate) struct RowGroup {
    pub rows: u64,
    pub columns: Vec<Vec<CompressedPage>>,
    /// What the rules of the encoder counted in its rows; empty without rules.
    pub counts: Vec<u64>,
}

/// What its bytes in a file do not say of a column.
pub(crate) struct ColumnPlace {
    /// Where its first page begins, from the first byte of its row group.
    pub start: u64,
    /// How many rows begin in each page of data.
    pub page_rows: Vec<usize>,
}

impl RowGroup {
    /// The bytes of its pages of data; those of dictionaries are few.
    pub(crate) fn bytes(&self) -> usize {
        let bytes = |page: &CompressedPage| match page {
            CompressedPage::Data(page) => page.compressed_size(),
            CompressedPage::Dict(_) => 0,
        };
        self.columns.iter().flatten().map(bytes).sum()
    }
}

/// What all files of one table have in common.
pub(crate) struct Outline {
    pub schema: SchemaDescriptor,
    /// The footer of a file without rows.
    pub footer: ThriftFileMetadata,
}

/// Where a row group lies in a file, and what its bytes do not say.
pub(crate) struct RowGroupPlace {
    pub bytes: Range<u64>,
    pub rows: u64,
    pub columns: Vec<ColumnPlace>,
    /// Those of [`RowGroup::counts`].
    pub counts: Vec<u64>,
}

/// Adds counts to the sums before them.
pub(crate) fn add_counts(sums: &mut Vec<u64>, counts: &[u64]) {
    sums.resize(sums.len().max(counts.len()), 0);
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}
