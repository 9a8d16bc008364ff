//! The index files of gold in a lake.

use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use super::attempt::Attempt;
use super::{ChunkState, KeysFile};
use crate::error::{Error, Result};
use crate::gold::chunk_index::ChunkIndex;
use crate::storage::{HashingWriter, Transaction};
use crate::tables::output_file::OutputFile;

impl Attempt<'_> {
    /// Reads an index file. Notes if it is damaged: then this attempt fails, and the next one does without.
    pub(super) fn read_index<T>(
        &self,
        file: &OutputFile,
        read: impl FnOnce(io::BufReader<std::fs::File>, u64) -> io::Result<T>,
    ) -> Result<T> {
        let failed = |fault: &dyn std::fmt::Display| self.index_fault(file, fault);
        let open = self
            .storage
            .open_file(&file.path)
            .map_err(|error| failed(&error))?;
        read(io::BufReader::with_capacity(1 << 16, open), file.bytes).map_err(|error| failed(&error))
    }

    /// Reads the keys of a partition, as [`Attempt::read_index`] does.
    pub(super) fn read_keys_file<T>(
        &self,
        keys: &KeysFile,
        read: impl FnOnce(io::BufReader<io::Take<std::fs::File>>, u64) -> io::Result<T>,
    ) -> Result<T> {
        let failed = |fault: &dyn std::fmt::Display| self.index_fault(&keys.file, fault);
        let open = self.storage.open_file(&keys.file.path);
        let open = open.map_err(|error| failed(&error))?;
        part_of(open, keys)
            .and_then(|(input, bytes)| read(io::BufReader::with_capacity(1 << 16, input), bytes))
            .map_err(|error| failed(&error))
    }

    /// Notes that an index is damaged; the error ends this attempt.
    pub(super) fn index_fault(&self, file: &OutputFile, fault: &dyn std::fmt::Display) -> Error {
        self.has_index_fault.set(true);
        let uri = format!("{}/{}", self.storage.root(), file.path);
        Error::format(uri, "the index", fault.to_string(), "run the gold step again")
    }

    /// The index of a chunk.
    pub(super) fn chunk_index(&self, chunk: &ChunkState) -> Result<ChunkIndex> {
        self.task.check()?;
        self.read_index(&chunk.index, ChunkIndex::read)
    }
}

/// Writes a file. Buffered, because most pieces are a few bytes, and a digest of each would be slow.
pub(super) fn write_file<T>(
    transaction: &mut dyn Transaction,
    path: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<(OutputFile, T)> {
    let (file, digest) = HashingWriter::new(transaction.create(path)?);
    let mut file = BufWriter::with_capacity(1 << 16, file);
    let written = write(&mut file)?;
    file.flush()
        .map_err(|error| Error::storage(transaction.shown(path), "write", error))?;
    drop(file);
    let (bytes, sha256) = digest.finish();
    let output = OutputFile {
        path: path.to_owned(),
        rows: 0,
        bytes,
        sha256,
    };
    Ok((output, written))
}

/// The bytes of the keys of a partition, and how many they are.
pub(super) fn part_of(
    mut file: std::fs::File,
    keys: &KeysFile,
) -> io::Result<(io::Take<std::fs::File>, u64)> {
    let (start, length) = keys.part.unwrap_or((0, keys.file.bytes));
    file.seek(SeekFrom::Start(start))?;
    Ok((file.take(length), length))
}
