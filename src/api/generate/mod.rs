//! Writing made-up sources: [`crate::generate`] makes them block by block, this puts them into files, whole or not at all.
//!
//! ```text
//! out/drugs/ pubmed/ clinical_trials/   the sources: a folder each, which `run` takes as it is
//! out/truth/mentions.ndjson             each mention: the drug, the record, the place in its text
//! out/truth/corrected.ndjson            of a delivery: each record of an earlier delivery that it corrects
//! out/_generated.json                   the settings, what must become of the rows, every file with its SHA-256
//! ```
//!
//! Blocks are made side by side and written in order, a bounded number of them at a time.

mod files;

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::Range;

use files::{CreatedFile, ParquetFile, TextFile};
use rayon::prelude::*;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::generate::{
    BLOCK, Block, Counts, Format, GenerateSettings, MadeTable, block, corrections_block, drugs_block,
};
use crate::storage::uri::Location;
use crate::storage::{LocalStorage, Storage, Transaction, WriteTarget, write_target};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// Whatever changes the bytes for the same settings raises this number.
const VERSION: u32 = 4;
const MANIFEST: &str = "_generated.json";

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
    let mut bytes = serde_json::to_vec_pretty(&generated)
        .map_err(|error| Error::internal(format!("the manifest as JSON: {error}")))?;
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
    let mut described = BTreeMap::from([
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
    ]);
    // Left out for a whole world, whose settings stay those of earlier versions.
    if let Some(delivery) = &settings.delivery {
        described.insert("delivery", delivery.number.into());
        described.insert("of", delivery.of.into());
        described.insert("changed", delivery.changed.into());
    }
    described
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
        let truth = |name: &str| format!("truth/{name}.ndjson{}", self.settings.packing.ending());
        let (mentions, corrected) = (truth("mentions"), truth("corrected"));
        let mut truth = TruthFiles {
            mentions: self.text_file(mentions)?,
            corrected: match self.settings.delivery {
                Some(_) => Some(self.text_file(corrected)?),
                None => None,
            },
        };
        let mut counts = BTreeMap::new();
        for table in MadeTable::ALL {
            if self.settings.numbers(table).is_empty() {
                continue;
            }
            let its = self.table(table, &mut truth)?;
            // Every row of a vocabulary is a drug.
            if table != MadeTable::Drugs {
                counts.insert(table.folder(), its);
            }
        }
        let sum = |count: fn(&Counts) -> u64| counts.values().map(count).sum();
        self.files.push(truth.mentions.finish(sum(|its| its.mentions))?);
        if let Some(corrected) = truth.corrected {
            self.files.push(corrected.finish(sum(|its| its.corrected))?);
        }
        Ok(counts)
    }

    fn table(&mut self, table: MadeTable, truth: &mut TruthFiles) -> Result<Counts> {
        let mut counts = Counts::default();
        let (records, format) = (self.settings.numbers(table), self.settings.format(table));
        let corrections = 0..self.settings.corrections(table);
        let files = match table {
            MadeTable::Drugs => 1,
            _ if format == Format::StudyFiles => 1,
            // No file without a record.
            _ => self.settings.files.min(records.end - records.start),
        };
        for file in 0..files {
            let part = |whole: &Range<u64>| {
                let length = u128::from(whole.end - whole.start);
                let at = |file: u64| whole.start + (length * u128::from(file) / u128::from(files)) as u64;
                at(file)..at(file + 1)
            };
            let mut sink = self.sink(table, format, file + 1)?;
            let before = counts.rows_in;
            let settings = self.settings;
            let new = |range| match table {
                MadeTable::Drugs => drugs_block(settings, range),
                _ => block(settings, table, range),
            };
            let corrected = |range| corrections_block(settings, table, range);
            for (numbers, make) in [
                (part(&records), &new as &(dyn Fn(Range<u64>) -> Block + Sync)),
                (part(&corrections), &corrected),
            ] {
                self.blocks(numbers, make, |writer, block| {
                    truth.write(&block)?;
                    counts.extend(&block.counts);
                    sink.add(writer, block)
                })?;
            }
            self.files.extend(sink.finish(format, counts.rows_in - before)?);
        }
        Ok(counts)
    }

    /// Makes the blocks of some records, as many at a time as keep all threads at work, and gives them in order.
    fn blocks(
        &mut self,
        numbers: Range<u64>,
        make: &(dyn Fn(Range<u64>) -> Block + Sync),
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
            let blocks: Vec<Block> = ranges.par_iter().cloned().map(make).collect();
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
            return Ok(Sink::Rows(Box::new(ParquetFile::new(self.create(name)?, table)?)));
        }
        let mut file = self.text_file(format!("{name}{}", self.settings.packing.ending()))?;
        file.write(Block::head(table, format).as_bytes())?;
        Ok(Sink::Text {
            file: Box::new(file),
            between: Block::between(format),
            begun: false,
        })
    }

    fn create(&mut self, path: String) -> Result<CreatedFile> {
        let full = format!("{}/{path}", self.folder);
        Ok(CreatedFile {
            file: self.transaction.create(&full)?,
            shown: self.transaction.shown(&full),
            path,
        })
    }

    fn text_file(&mut self, path: String) -> Result<TextFile> {
        let created = self.create(path)?;
        TextFile::new(created, self.settings.packing)
    }
}

/// The files of the truth.
struct TruthFiles {
    mentions: TextFile,
    /// Of a delivery: which records of earlier deliveries it corrects.
    corrected: Option<TextFile>,
}

impl TruthFiles {
    fn write(&mut self, block: &Block) -> Result<()> {
        self.mentions.write(&block.truth)?;
        match &mut self.corrected {
            Some(corrected) => corrected.write(&block.corrected),
            None => Ok(()),
        }
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
                // Of a block of corrections, no record may be left.
                if block.text.is_empty() {
                    return Ok(());
                }
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
