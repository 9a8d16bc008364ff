//! Writing made-up sources: [`crate::generate`] makes them block by block, this puts them into files, whole or not at all.
//!
//! ```text
//! out/drugs/ pubmed/ clinical_trials/   the sources: a folder each, which `run` takes as it is
//! out/truth/mentions.ndjson             each mention: the drug, the record, the place in its text
//! out/_generated.json                   the settings, what must become of the rows, every file with its SHA-256
//! ```
//!
//! Blocks are made side by side and written in order, a bounded number of them at a time.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

use flate2::write::GzEncoder;
use polars::io::parquet::write::BatchedWriter;
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{
    DataFrame, DataType, Field, IntoColumn, NamedFrom, ParquetCompression, ParquetWriter, Schema, Series,
};
use rayon::prelude::*;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::generate::{
    BLOCK, Block, Counts, Format, GenerateSettings, MadeTable, Packing, block, drugs_block,
};
use crate::storage::uri::Location;
use crate::storage::{
    Digest256, HashingWriter, LocalStorage, Storage, Transaction, WriteTarget, write_target,
};
use crate::tables::output_file::OutputFile;
use crate::tables::pages::statistics;
use crate::tables::table_writer::common_types;
use crate::task::Task;

/// Whatever changes the bytes for the same settings raises this number.
const VERSION: u32 = 4;
const MANIFEST: &str = "_generated.json";
/// Rows of a row group.
const ROW_GROUP: usize = 1 << 16;

/// What was made: `_generated.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Generated {
    pub version: u32,
    pub settings: BTreeMap<&'static str, serde_json::Value>,
    /// By the name of the table, what must become of its rows.
    pub truth: BTreeMap<&'static str, Counts>,
    pub files: Vec<OutputFile>,
}

/// Makes sources in the folder `out`. Gives its `_generated.json`, and whether it stood there before.
pub fn generate(out: &str, settings: &GenerateSettings, force: bool, task: &Task) -> Result<(String, bool)> {
    settings.check()?;
    task.enter("generate");
    let refused = |found: &str, expected: &str| Error::argument("out", format!("`{out}` {found}"), expected);
    let Location::Local(path) = Location::parse(out)? else {
        return Err(refused(
            "is in a bucket, where a folder does not appear as a whole",
            "a folder of this machine; copy it to the bucket when it is made",
        ));
    };
    if path.file_name().is_none() {
        return Err(refused(
            "is no name of a folder",
            "a new folder in one that exists",
        ));
    }
    let path = write_target(&path, WriteTarget::Folder)?;
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Err(refused(
            "leads to no name of a folder",
            "a new folder in one that exists",
        ));
    };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => std::path::Path::new("."),
    };
    // The folder is the unit that is exchanged, so the one above it is the root of the transaction.
    let storage = LocalStorage::new_or_existing(parent)?.plain();
    let described = describe(settings);
    if let Some(bytes) = storage.read(&format!("{name}/{MANIFEST}"))?
        && let Some(text) = standing(&storage, name, &bytes, &described)?
    {
        return Ok((text, true));
    }
    if !force && !storage.list(name)?.is_empty() {
        return Err(refused(
            "holds something else",
            "a new or empty folder; `force` replaces all that is in it",
        ));
    }
    let mut transaction = storage.begin(&[name.to_owned()])?;
    let mut writer = SourceWriter {
        transaction: transaction.as_mut(),
        settings,
        folder: name,
        files: Vec::new(),
        task,
    };
    let truth = writer.tables()?;
    let generated = Generated {
        version: VERSION,
        settings: described,
        truth,
        files: writer.files,
    };
    let mut bytes = serde_json::to_vec_pretty(&generated).map_err(|error| Error::Internal {
        message: format!("the manifest as JSON: {error}"),
    })?;
    bytes.push(b'\n');
    let manifest = format!("{name}/{MANIFEST}");
    let shown = transaction.shown(&manifest);
    let mut file = transaction.create(&manifest)?;
    file.write_all(&bytes)
        .and_then(|()| file.flush())
        .map_err(|error| Error::storage(&shown, "write", error))?;
    drop(file);
    task.check()?;
    transaction.commit(&[])?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), false))
}

/// Returns the manifest of an earlier run if its version and settings are the same and its files have their sizes, else `None`.
fn standing(
    storage: &dyn Storage,
    folder: &str,
    bytes: &[u8],
    described: &BTreeMap<&'static str, serde_json::Value>,
) -> Result<Option<String>> {
    let Ok(manifest) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return Ok(None);
    };
    let wanted = serde_json::json!(described);
    let files: Option<Vec<OutputFile>> = manifest
        .get("files")
        .and_then(|files| serde_json::from_value(files.clone()).ok());
    let Some(files) = files.filter(|_| {
        manifest.get("settings") == Some(&wanted) && manifest.get("version") == Some(&VERSION.into())
    }) else {
        return Ok(None);
    };
    for file in &files {
        if storage.size(&format!("{folder}/{}", file.path))? != Some(file.bytes) {
            return Ok(None);
        }
    }
    Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
}

/// The settings by name.
fn describe(settings: &GenerateSettings) -> BTreeMap<&'static str, serde_json::Value> {
    let dirt: BTreeMap<&str, f64> = settings
        .dirt
        .iter()
        .map(|(dirt, share)| (dirt.name(), share))
        .collect();
    BTreeMap::from([
        ("seed", settings.seed.into()),
        ("articles", settings.articles.into()),
        ("trials", settings.trials.into()),
        ("drugs", settings.drugs.into()),
        ("journals", settings.journals.into()),
        ("articles_format", settings.articles_format.name().into()),
        ("trials_format", settings.trials_format.name().into()),
        ("drugs_format", settings.drugs_format.name().into()),
        ("files", settings.files.into()),
        ("packing", settings.packing.name().into()),
        ("abstracts", settings.abstracts.into()),
        ("dirt", serde_json::json!(dirt)),
    ])
}

struct SourceWriter<'w> {
    transaction: &'w mut dyn Transaction,
    settings: &'w GenerateSettings,
    folder: &'w str,
    files: Vec<OutputFile>,
    task: &'w Task,
}

impl SourceWriter<'_> {
    fn tables(&mut self) -> Result<BTreeMap<&'static str, Counts>> {
        let path = format!("truth/mentions.ndjson{}", self.settings.packing.ending());
        let mut truth = self.text_file(path)?;
        let mut counts = BTreeMap::new();
        for table in MadeTable::ALL {
            if self.settings.count(table) == 0 {
                continue;
            }
            let its = self.table(table, &mut truth)?;
            // Every row of a vocabulary is a drug.
            if table != MadeTable::Drugs {
                counts.insert(table.folder(), its);
            }
        }
        let mentions = counts.values().map(|its: &Counts| its.mentions).sum();
        self.files.push(truth.finish(mentions)?);
        Ok(counts)
    }

    fn table(&mut self, table: MadeTable, truth: &mut TextFile) -> Result<Counts> {
        let mut counts = Counts::default();
        let (records, format) = (self.settings.count(table), self.settings.format(table));
        let files = match table {
            MadeTable::Drugs => 1,
            _ if format == Format::StudyFiles => 1,
            // No file without a record.
            _ => self.settings.files.min(records),
        };
        for file in 0..files {
            let at = |file: u64| (u128::from(records) * u128::from(file) / u128::from(files)) as u64;
            let numbers = at(file)..at(file + 1);
            let mut sink = self.sink(table, format, file + 1)?;
            let before = counts.rows_in;
            self.blocks(table, numbers, |writer, block| {
                truth.write(&block.truth)?;
                counts.extend(&block.counts);
                sink.add(writer, block)
            })?;
            self.files.extend(sink.finish(format, counts.rows_in - before)?);
        }
        Ok(counts)
    }

    /// Makes the blocks of some records, as many at a time as keep all threads at work, and gives them in order.
    fn blocks(
        &mut self,
        table: MadeTable,
        numbers: Range<u64>,
        mut give: impl FnMut(&mut Self, Block) -> Result<()>,
    ) -> Result<()> {
        let at_once = 2 * rayon::current_num_threads().max(1) as u64;
        let mut next = numbers.start;
        while next < numbers.end {
            self.task.check()?;
            let ranges: Vec<Range<u64>> = (0..at_once)
                .map(|place| next + place * BLOCK)
                .take_while(|start| *start < numbers.end)
                .map(|start| start..(start + BLOCK).min(numbers.end))
                .collect();
            let settings = self.settings;
            let blocks: Vec<Block> = ranges
                .par_iter()
                .map(|range| match table {
                    MadeTable::Drugs => drugs_block(settings, range.clone()),
                    _ => block(settings, table, range.clone()),
                })
                .collect();
            for block in blocks {
                give(self, block)?;
            }
            let end = ranges.last().map_or(numbers.end, |range| range.end);
            self.task.count_rows((end - next) as usize);
            next = end;
        }
        Ok(())
    }

    fn sink(&mut self, table: MadeTable, format: Format, number: u64) -> Result<Sink> {
        let folder = table.folder();
        if format == Format::StudyFiles {
            return Ok(Sink::Many(Vec::new()));
        }
        let name = format!("{folder}/part-{number:05}.{}", format.ending());
        if format == Format::Parquet {
            return Ok(Sink::Rows(Box::new(ParquetFile::create(self, name, table)?)));
        }
        let mut file = self.text_file(format!("{name}{}", self.settings.packing.ending()))?;
        file.write(Block::head(table, format).as_bytes())?;
        Ok(Sink::Text {
            file: Box::new(file),
            between: Block::between(format),
            begun: false,
        })
    }

    fn create(&mut self, path: &str) -> Result<(Box<dyn Write + Send>, String)> {
        let path = format!("{}/{path}", self.folder);
        Ok((self.transaction.create(&path)?, self.transaction.shown(&path)))
    }

    fn text_file(&mut self, path: String) -> Result<TextFile> {
        let (file, shown) = self.create(&path)?;
        let (file, digest) = HashingWriter::new(file);
        let failed = |error| Error::storage(&shown, "write", error);
        let packed = match self.settings.packing {
            Packing::None => PackedFile::None(file),
            Packing::Gzip => PackedFile::Gzip(GzEncoder::new(file, flate2::Compression::fast())),
            Packing::Zstd => PackedFile::Zstd(zstd::Encoder::new(file, 1).map_err(failed)?),
        };
        Ok(TextFile {
            path,
            shown,
            packed,
            digest,
        })
    }
}

/// Where the blocks of a file go.
enum Sink {
    Text {
        file: Box<TextFile>,
        between: &'static str,
        begun: bool,
    },
    Rows(Box<ParquetFile>),
    /// A file for each record.
    Many(Vec<OutputFile>),
}

impl Sink {
    fn add(&mut self, writer: &mut SourceWriter<'_>, block: Block) -> Result<()> {
        match self {
            Self::Text { file, between, begun } => {
                if std::mem::replace(begun, true) {
                    file.write(between.as_bytes())?;
                }
                file.write(&block.text)
            }
            Self::Rows(file) => file.add(block.cells),
            Self::Many(outputs) => {
                for (name, content) in block.files {
                    let ending = writer.settings.packing.ending();
                    let mut file =
                        writer.text_file(format!("{}/{name}{ending}", MadeTable::Trials.folder()))?;
                    file.write(&content)?;
                    outputs.push(file.finish(1)?);
                }
                Ok(())
            }
        }
    }

    /// Ends the file; `rows` counts the rows it was given, broken ones included.
    fn finish(self, format: Format, rows: u64) -> Result<Vec<OutputFile>> {
        match self {
            Self::Text { mut file, .. } => {
                file.write(Block::tail(format).as_bytes())?;
                Ok(vec![file.finish(rows)?])
            }
            Self::Rows(file) => Ok(vec![file.finish(rows)?]),
            Self::Many(outputs) => Ok(outputs),
        }
    }
}

type Hashed = HashingWriter<Box<dyn Write + Send>>;

enum PackedFile {
    None(Hashed),
    Gzip(GzEncoder<Hashed>),
    Zstd(zstd::Encoder<'static, Hashed>),
}

/// A text file that is being written.
struct TextFile {
    path: String,
    shown: String,
    packed: PackedFile,
    digest: Digest256,
}

impl TextFile {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match &mut self.packed {
            PackedFile::None(file) => file.write_all(bytes),
            PackedFile::Gzip(file) => file.write_all(bytes),
            PackedFile::Zstd(file) => file.write_all(bytes),
        };
        written.map_err(|error| Error::storage(&self.shown, "write", error))
    }

    fn finish(self, rows: u64) -> Result<OutputFile> {
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
struct ParquetFile {
    path: String,
    shown: String,
    writer: BatchedWriter<Hashed>,
    digest: Digest256,
    columns: &'static [&'static str],
    waiting: Vec<Vec<Option<String>>>,
}

impl ParquetFile {
    fn create(writer: &mut SourceWriter<'_>, path: String, table: MadeTable) -> Result<Self> {
        let (file, shown) = writer.create(&path)?;
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

    fn add(&mut self, cells: Vec<Vec<Option<String>>>) -> Result<()> {
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

    fn finish(mut self, rows: u64) -> Result<OutputFile> {
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
