//! Frames to Parquet files and back, a bounded number of rows at a time.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;

use polars::io::parquet::write::KeyValueMetadata;
use polars::prelude::{CompatLevel, DataFrame, Schema, SchemaExt};
use polars_parquet::write::schema_to_metadata_key;

use super::output_file::OutputFile;
use super::pages::Encoder;
use super::row_group::{RowGroup, RowGroupPlace, add_counts};
use super::row_groups::{GroupForm, RowGroupCutter, WholeGroup};
use super::stored_groups::StoredGroups;
use super::table_file::TableFile;
use super::table_reader::TableReader;
use crate::error::{Error, Result};
use crate::schema::Table;
use crate::storage::{Digest256, HashingWriter, Storage, Transaction};

/// Writes the frames of one table into one file of a transaction.
pub(crate) struct TableWriter {
    table: &'static Table,
    path: String,
    file: TableFile<HashingWriter<Box<dyn Write + Send>>>,
    digest: Digest256,
    groups: RowGroupCutter,
    rows: u64,
    counts: Vec<u64>,
}

impl TableWriter {
    pub(crate) fn create(
        transaction: &mut dyn Transaction,
        path: String,
        table: &'static Table,
    ) -> Result<Self> {
        Self::encoded(transaction, path, Arc::new(Encoder::new(table)?))
    }

    /// Like [`TableWriter::create`], with the encoder of the table.
    pub(crate) fn encoded(
        transaction: &mut dyn Transaction,
        path: String,
        encoder: Arc<Encoder>,
    ) -> Result<Self> {
        let file = transaction.create(&path)?;
        Self::over(file, transaction.shown(&path), path, encoder)
    }

    /// Writes into `file` the table that will be published at `path`; messages call it `shown`.
    pub(crate) fn over(
        file: Box<dyn Write + Send>,
        shown: String,
        path: String,
        encoder: Arc<Encoder>,
    ) -> Result<Self> {
        let (file, digest) = HashingWriter::new(file);
        Ok(Self {
            table: encoder.table(),
            path,
            file: encoder.file(file, shown)?,
            digest,
            groups: RowGroupCutter::new(encoder),
            rows: 0,
            counts: Vec::new(),
        })
    }

    /// Adds the rows of a frame.
    pub(crate) fn write(&mut self, frame: &DataFrame) -> Result<()> {
        self.table.check(frame)?;
        for group in self.groups.push(frame, || GroupForm::Pages)? {
            self.put_whole(&group)?;
        }
        self.rows += frame.height() as u64;
        Ok(())
    }

    /// Lets a new row group begin with the next row.
    pub(crate) fn end_group(&mut self) -> Result<()> {
        match self.groups.end()? {
            Some(group) => self.put_whole(&group),
            None => Ok(()),
        }
    }

    /// Adds a row group as it is; tells where it stands.
    pub(crate) fn write_group(&mut self, group: &RowGroup) -> Result<RowGroupPlace> {
        self.end_group()?;
        self.rows += group.rows;
        add_counts(&mut self.counts, &group.counts);
        self.file.add(group)
    }

    /// Copies row groups of another file of the table, as they are.
    pub(crate) fn copy_groups(&mut self, from: &StoredGroups, groups: Range<usize>) -> Result<()> {
        self.end_group()?;
        for group in groups {
            self.rows += self.file.copy(from, group)?;
        }
        Ok(())
    }

    /// How many row groups were written; those of the last rows are not, until their group ends.
    pub(crate) fn groups(&self) -> usize {
        self.file.groups()
    }

    fn put_whole(&mut self, group: &WholeGroup) -> Result<()> {
        match group {
            WholeGroup::Pages(group) => {
                add_counts(&mut self.counts, &group.counts);
                self.file.add(group).map(|_| ())
            }
            WholeGroup::Frame(_) => Err(Error::internal("a row group of a file that is no pages")),
        }
    }

    /// Writes the rest and the footer.
    pub(crate) fn finish(self) -> Result<OutputFile> {
        Ok(self.finish_counting()?.0)
    }

    /// Like [`TableWriter::finish`], and returns what the rules of the encoder counted, without copied row groups.
    pub(crate) fn finish_counting(mut self) -> Result<(OutputFile, Vec<u64>)> {
        self.end_group()?;
        self.file.finish()?;
        let (bytes, sha256) = self.digest.finish();
        let output = OutputFile {
            path: self.path,
            rows: self.rows,
            bytes,
            sha256,
        };
        Ok((output, self.counts))
    }
}

/// Has a Parquet file tell its readers of types that all of them can work with. polars' own are views, which pyarrow reads,
/// but neither filters nor gives to pandas.
pub(crate) fn common_types(schema: &Schema) -> KeyValueMetadata {
    KeyValueMetadata::Static(vec![schema_to_metadata_key(
        &schema.to_arrow(CompatLevel::oldest()),
    )])
}

/// Calls `each` for every row group of a Parquet file with some of these rows, in order, with just the named columns: the
/// rows of it that are among these, and the frame of those, if they are wanted.
pub(crate) fn read_row_groups(
    open: impl FnOnce() -> Result<File>,
    path: &str,
    columns: &[String],
    rows: Range<u64>,
    wanted: impl Fn(&Range<u64>) -> bool,
    mut each: impl FnMut(Range<u64>, Option<DataFrame>) -> Result<()>,
) -> Result<()> {
    let mut reader = TableReader::open(open()?, path)?;
    let mut first = 0;
    while let Some(height) = reader.height() {
        let end = first + height;
        let part = rows.start.max(first)..rows.end.min(end);
        if part.start < part.end {
            let mut frame = None;
            if wanted(&part) {
                let whole = reader.peek(Some(columns))?;
                let length = (part.end - part.start) as usize;
                frame = whole.map(|whole| whole.slice((part.start - first) as i64, length));
            }
            each(part, frame)?;
        }
        if end >= rows.end {
            break;
        }
        first = end;
        reader.skip();
    }
    Ok(())
}

/// Calls `each` with the frames of a Parquet file of a lake, in order, with just the named columns (all when none are named).
pub(crate) fn read_frames(
    storage: &dyn Storage,
    path: &str,
    columns: Option<&[&str]>,
    mut each: impl FnMut(DataFrame) -> Result<()>,
) -> Result<()> {
    let columns: Option<Vec<String>> =
        columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
    let mut reader = TableReader::open(storage.open_file(path)?, path)?;
    while let Some(frame) = reader.peek(columns.as_deref())? {
        each(frame)?;
        reader.skip();
    }
    Ok(())
}
