//! Rows whose shape is known before the first of them is read.

use super::batch::{RawBatch, ReaderNotes, RowReader};
use crate::error::Result;
use crate::task::Task;

/// Sets the shape of every batch of a reader.
pub(crate) struct ShapedReader<R> {
    shape: usize,
    reader: R,
}

impl<'f, R: RowReader + 'f> ShapedReader<R> {
    pub(crate) fn boxed(shape: usize, reader: R) -> Box<dyn RowReader + 'f> {
        Box::new(Self { shape, reader })
    }
}

impl<R: RowReader> RowReader for ShapedReader<R> {
    fn format(&self) -> &'static str {
        self.reader.format()
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        let batch = self.reader.next_batch(task)?;
        Ok(batch.map(|batch| RawBatch {
            shape: self.shape,
            ..batch
        }))
    }

    fn notes(&self) -> ReaderNotes {
        self.reader.notes()
    }
}
