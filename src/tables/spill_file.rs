//! A scratch file: pieces that are written one after the other and read back one by one.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::error::{Error, Result};

/// The size of the write buffer.
const AT_ONCE: usize = 1 << 16;

/// The pieces and where the next one goes.
pub(crate) struct SpillFile {
    file: File,
    end: u64,
}

impl SpillFile {
    /// In an empty file that nobody else uses.
    pub(crate) fn new(file: File) -> Self {
        Self { file, end: 0 }
    }

    /// Adds the piece that `write` writes; returns the range of its bytes.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<Range<u64>> {
        let start = self.end;
        let mut piece = BufWriter::with_capacity(AT_ONCE, SpillPiece(self));
        write(&mut piece)?;
        piece.flush().map_err(failed)?;
        drop(piece);
        Ok(start..self.end)
    }

    pub(crate) fn read(&self, place: &Range<u64>) -> Result<Vec<u8>> {
        let mut piece = vec![0; usize::try_from(place.end - place.start).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut piece, place.start).map_err(failed)?;
        Ok(piece)
    }

    /// Forgets all pieces; the next one overwrites the first.
    pub(crate) fn clear(&mut self) {
        self.end = 0;
    }
}

/// What is added goes behind what is there.
struct SpillPiece<'s>(&'s mut SpillFile);

impl Write for SpillPiece<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.file.write_at(bytes, self.0.end)?;
        self.0.end += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn failed(error: io::Error) -> Error {
    Error::storage("rows that wait", "use the scratch file", error)
}
