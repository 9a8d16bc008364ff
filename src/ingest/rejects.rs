//! Rejected rows and deletion notices on the way to their tables; those of a rejected file are dropped.
//!
//! A file may turn out to be unreadable at its very end, so its rows wait until then: in memory up to a bound, then in
//! a scratch file ([`SpillBuffer`]). The stored rows and their bytes do not depend on that.

use polars::prelude::DataFrame;

use crate::error::{Error, Result};
use crate::formats::Deletion;
use crate::quality::FileTally;
use crate::row_frame::RowFrame;
use crate::schema::{DELETED, Reason, Rejected};
use crate::silver::rejected_frame;
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::spill_buffer::SpillBuffer;
use crate::tables::table_writer::TableWriter;

/// Stores rejected rows.
pub(crate) trait RejectSink {
    fn keep(&mut self, rejected: DataFrame) -> Result<()>;
}

/// Stores them as frames, for callers that return them.
impl RejectSink for Vec<DataFrame> {
    fn keep(&mut self, rejected: DataFrame) -> Result<()> {
        self.push(rejected);
        Ok(())
    }
}

/// Stores them in the file of a partition.
impl RejectSink for TableWriter {
    fn keep(&mut self, rejected: DataFrame) -> Result<()> {
        self.write(&rejected)
    }
}

/// The rejected rows of several files.
pub(crate) struct Rejects<K> {
    kept: K,
    /// The rows of the current file; `None` if an unreadable file fails the whole step.
    waiting: Option<SpillBuffer>,
}

impl<K: RejectSink> Rejects<K> {
    pub(crate) fn new(kept: K, waiting: Option<SpillBuffer>) -> Self {
        Self { kept, waiting }
    }

    /// Adds rejected rows of the current file.
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

    /// Stores the rejected rows of the current file, which was read completely.
    pub(crate) fn settle(&mut self) -> Result<()> {
        match &mut self.waiting {
            Some(waiting) => waiting.drain(|frame| self.kept.keep(frame)),
            None => Ok(()),
        }
    }

    /// Replaces the rejected rows of the current file by one row for the whole file.
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

    /// The sink with all rejected rows.
    pub(crate) fn finish(self) -> K {
        self.kept
    }
}

/// Counts a file that cannot be read, or not to its end, and returns its rejected row.
pub(crate) fn bad_file(tally: &mut FileTally, error: &Error) -> Result<DataFrame> {
    tally.rows_in += 1;
    tally.reject(Reason::BadFile);
    // The report must not hold contents of rows; the rejected row has the whole message.
    tally.notes.push(error.without_contents());
    let row = Rejected {
        reason: Reason::BadFile,
        message: error.to_string(),
        raw: String::new(),
        source_row: 0,
    };
    rejected_frame(&[row], &tally.uri)
}

/// The deletion notices of a partition; their file exists only if there are some.
pub(crate) struct Deleted {
    path: String,
    writer: Option<TableWriter>,
    /// The notices of the current file.
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

    /// Adds notices of the current file.
    pub(crate) fn add(&mut self, deletions: &[Deletion], uri: &str) -> Result<()> {
        if deletions.is_empty() {
            return Ok(());
        }
        self.waiting.push(deleted_frame(deletions, uri)?)
    }

    /// Drops the notices of the current file, which was rejected.
    pub(crate) fn drop_file(&mut self) {
        self.waiting.clear();
    }

    /// Writes the notices of the current file, which was read completely.
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
    RowFrame::of(deletions)
        .column("publication_id", |deletion| deletion.publication_id.as_str())
        .column("source_uri", |_| uri)
        .count("source_row", |deletion| deletion.source_row)
        .finish()
}
