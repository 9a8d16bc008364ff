//! Rejected rows and notices of deletion on their way to where they are kept; those of a bad file never get there.
//!
//! A file may turn out to be bad at its very end, so what it gives waits until then: in memory up to a bound, then on a scratch
//! file ([`SpillBuffer`]). What is kept, and its bytes, do not depend on that.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use crate::error::{Error, Result};
use crate::formats::Deletion;
use crate::quality::FileTally;
use crate::schema::{DELETED, Reason, Rejected};
use crate::silver::rejected_frame;
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::spill_buffer::SpillBuffer;
use crate::tables::table_writer::TableWriter;

/// Where rejected rows are kept.
pub(crate) trait RejectSink {
    fn keep(&mut self, rejected: DataFrame) -> Result<()>;
}

/// As frames, for who asked for them.
impl RejectSink for Vec<DataFrame> {
    fn keep(&mut self, rejected: DataFrame) -> Result<()> {
        self.push(rejected);
        Ok(())
    }
}

/// In the file of a partition.
impl RejectSink for TableWriter {
    fn keep(&mut self, rejected: DataFrame) -> Result<()> {
        self.write(&rejected)
    }
}

/// The rejected rows of several files, one after the other.
pub(crate) struct Rejects<K> {
    kept: K,
    /// Those of the file that is being read; nothing where a bad file ends everything anyway.
    waiting: Option<SpillBuffer>,
}

impl<K: RejectSink> Rejects<K> {
    pub(crate) fn new(kept: K, waiting: Option<SpillBuffer>) -> Self {
        Self { kept, waiting }
    }

    /// Adds rejected rows of the file that is being read.
    pub(crate) fn add(&mut self, rejected: &[Rejected], uri: &str) -> Result<()> {
        if rejected.is_empty() {
            return Ok(());
        }
        let frame = rejected_frame(rejected, uri)?;
        match &mut self.waiting {
            Some(waiting) => waiting.push(frame),
            None => self.kept.keep(frame),
        }
    }

    /// The file is read to its end: its rejected rows are kept.
    pub(crate) fn settle(&mut self) -> Result<()> {
        match &mut self.waiting {
            Some(waiting) => waiting.drain(|frame| self.kept.keep(frame)),
            None => Ok(()),
        }
    }

    /// The file is bad: it is one rejected row, whatever was read of it before.
    pub(crate) fn reject_file(&mut self, tally: &mut FileTally, error: &Error) -> Result<()> {
        if let Some(waiting) = &mut self.waiting {
            waiting.clear();
        }
        *tally = FileTally {
            uri: std::mem::take(&mut tally.uri),
            table: std::mem::take(&mut tally.table),
            bytes: tally.bytes,
            ..FileTally::default()
        };
        self.kept.keep(bad_file(tally, error)?)
    }

    /// Where the rows are kept, with all of them.
    pub(crate) fn finish(self) -> K {
        self.kept
    }
}

/// The row that a file is which cannot be read, or not to its end; it is counted.
pub(crate) fn bad_file(tally: &mut FileTally, error: &Error) -> Result<DataFrame> {
    tally.rows_in += 1;
    tally.reject(Reason::BadFile);
    // Notes stand in the report, which holds no contents of rows; the whole message stands with the rejected file.
    tally.notes.push(error.without_contents());
    let row = Rejected {
        reason: Reason::BadFile,
        message: error.to_string(),
        raw: String::new(),
        source_row: 0,
    };
    rejected_frame(&[row], &tally.uri)
}

/// The notices of deletion of a partition; their file is there only where there are some.
pub(crate) struct Deleted {
    path: String,
    writer: Option<TableWriter>,
    /// The notices of the file that is being read.
    waiting: SpillBuffer,
}

impl Deleted {
    pub(crate) fn new(path: String, waiting: SpillBuffer) -> Self {
        Self {
            path,
            writer: None,
            waiting,
        }
    }

    /// Adds notices of the file that is being read.
    pub(crate) fn add(&mut self, deletions: &[Deletion], uri: &str) -> Result<()> {
        if deletions.is_empty() {
            return Ok(());
        }
        self.waiting.push(deleted_frame(deletions, uri)?)
    }

    /// The file is bad: it deletes nothing.
    pub(crate) fn drop_file(&mut self) {
        self.waiting.clear();
    }

    /// The file is read to its end: its notices are written.
    pub(crate) fn settle(&mut self, transaction: &mut dyn Transaction) -> Result<()> {
        let Self {
            path,
            writer,
            waiting,
        } = self;
        waiting.drain(|frame| {
            let writer = match writer {
                Some(writer) => writer,
                None => writer.insert(TableWriter::create(transaction, path.clone(), &DELETED)?),
            };
            writer.write(&frame)
        })
    }

    pub(crate) fn finish(self) -> Result<Option<OutputFile>> {
        self.writer.map(TableWriter::finish).transpose()
    }
}

fn deleted_frame(deletions: &[Deletion], uri: &str) -> Result<DataFrame> {
    let ids: Vec<&str> = deletions
        .iter()
        .map(|deletion| deletion.publication_id.as_str())
        .collect();
    let rows: Vec<u64> = deletions.iter().map(|deletion| deletion.source_row).collect();
    let columns = vec![
        Series::new("publication_id".into(), ids).into_column(),
        Series::new("source_uri".into(), vec![uri; deletions.len()]).into_column(),
        Series::new("source_row".into(), rows).into_column(),
    ];
    Ok(DataFrame::new(deletions.len(), columns)?)
}
