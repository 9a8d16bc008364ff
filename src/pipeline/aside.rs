//! Rejected rows and notices of deletion on their way to their files; those of a bad file never get there.

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};

use super::dt::Dt;
use super::frames::TableWriter;
use super::lanes::OnBadFile;
use super::layout;
use super::report::Output;
use crate::error::{Error, Result};
use crate::formats::Deletion;
use crate::quality::FileTally;
use crate::schema::{DELETED, REJECTED, Reason, Rejected, SourceTable};
use crate::silver::rejected_frame;
use crate::storage::Transaction;

/// The rejected rows of a partition on their way to their file.
pub(super) struct Aside {
    writer: TableWriter,
    /// The rejected rows of a file that may still turn out to be bad.
    waiting: Option<Vec<(Vec<Rejected>, String)>>,
}

impl Aside {
    pub(super) fn create(
        table: SourceTable,
        dt: Dt,
        on_bad_file: OnBadFile,
        transaction: &mut dyn Transaction,
    ) -> Result<Self> {
        let waits = on_bad_file == OnBadFile::Reject;
        Ok(Self {
            writer: TableWriter::create(transaction, layout::rejected(table, dt), &REJECTED)?,
            waiting: waits.then(Vec::new),
        })
    }

    pub(super) fn add(&mut self, rejected: Vec<Rejected>, uri: &str, tally: &mut FileTally) -> Result<()> {
        rejected.iter().for_each(|row| tally.reject(row.reason));
        match &mut self.waiting {
            Some(waiting) if !rejected.is_empty() => {
                waiting.push((rejected, uri.to_owned()));
                Ok(())
            }
            _ => self.write(&rejected, uri),
        }
    }

    /// The file is read to its end: its rejected rows are written.
    pub(super) fn settle(&mut self) -> Result<()> {
        let waiting = self.waiting.as_mut().map(std::mem::take).unwrap_or_default();
        waiting
            .iter()
            .try_for_each(|(rejected, uri)| self.write(rejected, uri))
    }

    /// The file is bad: it is one rejected row, whatever was read of it before.
    pub(super) fn reject_file(&mut self, tally: &mut FileTally, error: &Error) -> Result<()> {
        self.waiting.as_mut().map(std::mem::take);
        *tally = FileTally {
            uri: std::mem::take(&mut tally.uri),
            table: std::mem::take(&mut tally.table),
            bytes: tally.bytes,
            rows_in: 1,
            ..FileTally::default()
        };
        tally.reject(Reason::BadFile);
        tally.notes.push(error.to_string());
        let row = Rejected {
            reason: Reason::BadFile,
            message: error.to_string(),
            raw: String::new(),
            source_row: 0,
        };
        self.write(&[row], &tally.uri)
    }

    pub(super) fn write(&mut self, rejected: &[Rejected], uri: &str) -> Result<()> {
        if rejected.is_empty() {
            return Ok(());
        }
        self.writer.write(&rejected_frame(rejected, uri)?)
    }

    pub(super) fn finish(self) -> Result<Output> {
        self.writer.finish()
    }
}

/// The notices of deletion of a partition; their file is there only where there are some.
pub(super) struct Deleted {
    path: String,
    writer: Option<TableWriter>,
    /// The notices of the file that is being read, and where they come from.
    waiting: Vec<(Vec<Deletion>, String)>,
}

impl Deleted {
    pub(super) fn new(path: String) -> Self {
        Self {
            path,
            writer: None,
            waiting: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, deletions: Vec<Deletion>, uri: &str) {
        if !deletions.is_empty() {
            self.waiting.push((deletions, uri.to_owned()));
        }
    }

    /// The file is bad: it deletes nothing.
    pub(super) fn drop_file(&mut self) {
        self.waiting.clear();
    }

    /// The file is read to its end: its notices are written.
    pub(super) fn settle(&mut self, transaction: &mut dyn Transaction) -> Result<()> {
        for (deletions, uri) in std::mem::take(&mut self.waiting) {
            let writer = match &mut self.writer {
                Some(writer) => writer,
                None => self
                    .writer
                    .insert(TableWriter::create(transaction, self.path.clone(), &DELETED)?),
            };
            writer.write(&deleted_frame(&deletions, &uri)?)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Option<Output>> {
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
