//! Files of made-up sources while they are written: compressed text, and Parquet.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use polars::io::parquet::write::BatchedWriter;
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{
    DataFrame, DataType, Field, IntoColumn, NamedFrom, ParquetCompression, ParquetWriter, Schema, Series,
};

use crate::error::{Error, Result};
use crate::generate::{Block, MadeTable, Packing};
use crate::storage::{Digest256, HashingWriter};
use crate::tables::output_file::OutputFile;
use crate::tables::pages::statistics;
use crate::tables::table_writer::common_types;

/// Rows of a row group.
const ROW_GROUP: usize = 1 << 16;

/// A new file, its path below the folder, and its path for messages.
pub(super) struct CreatedFile {
    pub file: Box<dyn Write + Send>,
    pub path: String,
    pub shown: String,
}

type Hashed = HashingWriter<Box<dyn Write + Send>>;

enum PackedFile {
    None(Hashed),
    Gzip(GzEncoder<Hashed>),
    Zstd(zstd::Encoder<'static, Hashed>),
}

/// A text file that is being written.
pub(super) struct TextFile {
    path: String,
    shown: String,
    packed: PackedFile,
    digest: Digest256,
}

impl TextFile {
    pub(super) fn new(created: CreatedFile, packing: Packing) -> Result<Self> {
        let CreatedFile { file, path, shown } = created;
        let (file, digest) = HashingWriter::new(file);
        let packed = match packing {
            Packing::None => PackedFile::None(file),
            Packing::Gzip => PackedFile::Gzip(GzEncoder::new(file, flate2::Compression::fast())),
            Packing::Zstd => PackedFile::Zstd(
                zstd::Encoder::new(file, 1).map_err(|error| Error::storage(&shown, "write", error))?,
            ),
        };
        Ok(Self {
            path,
            shown,
            packed,
            digest,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.packed {
            PackedFile::None(file) => file.write_all(bytes),
            PackedFile::Gzip(file) => file.write_all(bytes),
            PackedFile::Zstd(file) => file.write_all(bytes),
        };
        written.map_err(|error| Error::storage(&self.shown, "write", error))
    }

    pub(super) fn finish(self, rows: u64) -> Result<OutputFile> {
        let flushed = match self.packed {
            PackedFile::None(file) => Ok(file),
            PackedFile::Gzip(file) => file.finish(),
            PackedFile::Zstd(file) => file.finish(),
        };
        flushed
            .and_then(|mut file| file.flush())
            .map_err(|error| Error::storage(&self.shown, "write", error))?;
        Ok(output(self.path, rows, &self.digest))
    }
}

/// A Parquet file that is being written.
pub(super) struct ParquetFile {
    path: String,
    shown: String,
    writer: BatchedWriter<Hashed>,
    digest: Digest256,
    columns: &'static [&'static str],
    waiting: Vec<Vec<Option<String>>>,
}

impl ParquetFile {
    pub(super) fn new(created: CreatedFile, table: MadeTable) -> Result<Self> {
        let CreatedFile { file, path, shown } = created;
        let (file, digest) = HashingWriter::new(file);
        let columns = Block::columns(table);
        let schema: Schema = columns
            .iter()
            .map(|name| Field::new((*name).into(), DataType::String))
            .collect();
        let writer = ParquetWriter::new(file)
            .with_statistics(statistics())
            .with_compression(ParquetCompression::Zstd(Some(ZstdLevel::try_new(1)?)))
            .with_key_value_metadata(Some(common_types(&schema)))
            .batched(&schema)?;
        Ok(Self {
            path,
            shown,
            writer,
            digest,
            columns,
            waiting: vec![Vec::new(); columns.len()],
        })
    }

    pub(super) fn add(&mut self, cells: Vec<Vec<Option<String>>>) -> Result<()> {
        for (waiting, mut cells) in self.waiting.iter_mut().zip(cells) {
            waiting.append(&mut cells);
        }
        if self.waiting[0].len() >= ROW_GROUP {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let height = self.waiting[0].len();
        let columns = self
            .columns
            .iter()
            .zip(&mut self.waiting)
            .map(|(name, cells)| Series::new((*name).into(), std::mem::take(cells)).into_column());
        let frame = DataFrame::new(height, columns.collect())?;
        self.writer
            .write_batch(&frame)
            .map_err(|error| Error::storage(&self.shown, "write", io::Error::other(error.to_string())))
    }

    pub(super) fn finish(mut self, rows: u64) -> Result<OutputFile> {
        self.flush()?;
        self.writer
            .finish()
            .map_err(|error| Error::storage(&self.shown, "write", io::Error::other(error.to_string())))?;
        Ok(output(self.path, rows, &self.digest))
    }
}

fn output(path: String, rows: u64, digest: &Digest256) -> OutputFile {
    let (bytes, sha256) = digest.finish();
    OutputFile {
        path,
        rows,
        bytes,
        sha256,
    }
}
