//! A scratch file: pieces that are written one after the other and read back one by one.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::error::{Error, Result};

/// The pieces and where the next one goes.
pub(super) struct Scratch {
    file: File,
    end: u64,
}

impl Scratch {
    /// In an empty file that nobody else uses.
    pub(super) fn new(file: File) -> Self {
        Self { file, end: 0 }
    }

    /// Adds a piece; gives where it stands.
    pub(super) fn write(&mut self, piece: &[u8]) -> Result<Range<u64>> {
        let start = self.end;
        self.file.write_all_at(piece, start).map_err(failed)?;
        self.end += piece.len() as u64;
        Ok(start..self.end)
    }

    pub(super) fn read(&self, place: &Range<u64>) -> Result<Vec<u8>> {
        let mut piece = vec![0; usize::try_from(place.end - place.start).unwrap_or(usize::MAX)];
        self.file.read_exact_at(&mut piece, place.start).map_err(failed)?;
        Ok(piece)
    }

    /// Forgets all pieces; the next one stands where the first stood.
    pub(super) fn clear(&mut self) {
        self.end = 0;
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::storage("rows that wait", "use the scratch file", error)
}
