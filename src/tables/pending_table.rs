//! The file of a table, written while its rows still come.
//!
//! Most deliveries bring new rows alone, and then what is written is the file. Where merging changes rows, it is a scratch
//! file, from which the row groups are read again.

use std::fs::File;
use std::io::BufWriter;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use polars::prelude::DataFrame;

use super::output_file::OutputFile;
use super::pages::Encoder;
use super::row_group::{RowGroup, RowGroupPlace};
use super::table_writer::TableWriter;
use crate::error::{Error, Result};
use crate::storage::Transaction;

/// The scratch file's name in its transaction.
const NAME: &str = "draft";

/// The size of the write buffer.
const AT_ONCE: usize = 1 << 18;

/// Start write-back after more than this many new bytes.
const WRITE_BACK: u64 = 8 << 20;

/// A table's file that is being written.
pub(crate) struct PendingTable {
    file: File,
    /// How far the system was asked to make it durable.
    written_back: u64,
    writer: TableWriter,
    encoder: Arc<Encoder>,
}

impl PendingTable {
    /// Of the file at `path`, which must lie in a unit of the transaction.
    pub(crate) fn create(
        transaction: &mut dyn Transaction,
        path: String,
        encoder: Arc<Encoder>,
    ) -> Result<Self> {
        let shown = transaction.shown(&path);
        let file = transaction.scratch(NAME)?;
        let to = file
            .try_clone()
            .map_err(|error| Error::storage(&shown, "write", error))?;
        let to = Box::new(BufWriter::with_capacity(AT_ONCE, to));
        let writer = TableWriter::over(to, shown, path, Arc::clone(&encoder))?;
        Ok(Self {
            file,
            written_back: 0,
            writer,
            encoder,
        })
    }

    /// Adds a row group.
    pub(crate) fn add(&mut self, group: &RowGroup) -> Result<RowGroupPlace> {
        self.writer.write_group(group)
    }

    /// Like [`PendingTable::add`], but also starts write-back, for a draft that is likely to become the file.
    pub(crate) fn add_for_good(
        &mut self,
        group: &RowGroup,
        transaction: &mut dyn Transaction,
    ) -> Result<RowGroupPlace> {
        let place = self.add(group)?;
        if place.bytes.end - self.written_back > WRITE_BACK {
            transaction.write_back(&self.file);
            self.written_back = place.bytes.end;
        }
        Ok(place)
    }

    /// Writes the footer.
    pub(crate) fn finish(self) -> Result<FinishedTable> {
        let (output, counts) = self.writer.finish_counting()?;
        Ok(FinishedTable {
            output,
            counts,
            file: self.file,
            encoder: self.encoder,
        })
    }
}

/// A whole file.
pub(crate) struct FinishedTable {
    file: File,
    output: OutputFile,
    counts: Vec<u64>,
    encoder: Arc<Encoder>,
}

impl FinishedTable {
    /// Makes it the table's file; returns what the rules of the encoder counted too.
    pub(crate) fn publish(self, transaction: &mut dyn Transaction) -> Result<(OutputFile, Vec<u64>)> {
        let OutputFile {
            path, bytes, sha256, ..
        } = &self.output;
        transaction.adopt(NAME, self.file, path, *bytes, sha256)?;
        Ok((self.output, self.counts))
    }

    /// A row group of it.
    pub(crate) fn read(&self, place: &RowGroupPlace) -> Result<RowGroup> {
        let length = usize::try_from(place.bytes.end - place.bytes.start).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, place.bytes.start)
            .map_err(|error| Error::storage("rows that wait", "read the scratch file", error))?;
        self.encoder.read(bytes, place)
    }

    /// The rows of a row group of it.
    pub(crate) fn decode(&self, place: &RowGroupPlace) -> Result<DataFrame> {
        self.encoder.decode(&self.read(place)?)
    }
}
