//! Silver: bronze partitions to clean tables, batch by batch. Rows in = rows kept + merged + rejected, for every file.

use std::time::Instant;

use polars::prelude::{DataFrame, IntoColumn, NamedFrom, Series};
use serde::{Deserialize, Serialize};

use super::bronze::{BronzeFile, PARQUET, manifests};
use super::dt::Dt;
use super::frames::TableWriter;
pub use super::lanes::OnBadFile;
use super::lanes::{Opened, Piece, clean_files};
use super::layout;
use super::manifest::{self, Version};
use super::report::{Output, StepReport, all_stand};
use super::spool::Spool;
use super::vocabulary::read_records;
use crate::error::{Error, Result};
use crate::formats::{self, Deletion, Encoding, Input, Notes};
use crate::quality::FileTally;
use crate::schema::{DELETED, DRUGS, PUBLICATIONS, PublicationKind, REJECTED, Reason, Rejected, SourceTable};
use crate::silver::merge::{Fate, Merger};
use crate::silver::{drugs, publications, rejected_frame, shapes, vocabulary};
use crate::storage::{Sharing, Storage, Transaction, sha256_hex};
use crate::task::Task;
use crate::text::date::NumericOrder;

/// Whatever changes the tables for the same input raises this number, so that old partitions are made anew.
const VERSION: u32 = 3;

/// How sources are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct SilverSettings {
    pub encoding: Encoding,
    pub order: NumericOrder,
    pub on_bad_file: OnBadFile,
}

/// What a silver partition holds: `_manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilverManifest {
    pub table: String,
    pub dt: String,
    /// Digest of inputs, settings and version: equal fingerprints are equal partitions.
    pub fingerprint: String,
    pub outputs: Vec<Output>,
    pub sources: Vec<FileTally>,
}

/// Cleans the bronze partitions of `dt`: the named tables, or whichever are there when none are named.
pub fn silver(
    storage: &dyn Storage,
    tables: Option<&[SourceTable]>,
    dt: Dt,
    settings: SilverSettings,
    task: &Task,
) -> Result<StepReport> {
    let _reservation = storage.reserve(&format!("dt={dt}"), Sharing::Shared)?;
    silver_reserved(storage, tables, dt, settings, task)
}

/// The same for a caller who holds the reservation.
pub(super) fn silver_reserved(
    storage: &dyn Storage,
    tables: Option<&[SourceTable]>,
    dt: Dt,
    settings: SilverSettings,
    task: &Task,
) -> Result<StepReport> {
    let started = Instant::now();
    let mut parts = Vec::new();
    for table in SourceTable::ALL {
        let wanted = tables.is_none_or(|tables| tables.contains(&table));
        if !wanted {
            continue;
        }
        let (inputs, versions) = find_inputs(storage, table, dt)?;
        if inputs.is_empty() {
            if tables.is_some() {
                return Err(nothing(storage, table.name(), dt));
            }
            continue;
        }
        task.enter("silver");
        let part = Partition {
            storage,
            table,
            dt,
            settings,
            inputs,
            versions,
            task,
        }
        .make()?;
        part.save(storage, dt, table.name())?;
        parts.push(part);
    }
    if parts.is_empty() {
        return Err(nothing(storage, "*", dt));
    }
    Ok(StepReport::together("silver", dt, storage, &parts, started))
}

fn nothing(storage: &dyn Storage, source: &str, dt: Dt) -> Error {
    Error::SourceNotFound {
        uri: format!("{}/{}", storage.root(), layout::bronze(source, dt)),
        expected: "a bronze partition; run the bronze step of that dt first".to_owned(),
    }
}

/// A file of bronze and its path in the lake.
struct InputFile {
    path: String,
    file: BronzeFile,
}

fn find_inputs(storage: &dyn Storage, table: SourceTable, dt: Dt) -> Result<(Vec<InputFile>, Vec<Version>)> {
    let mut inputs = Vec::new();
    let mut versions = Vec::new();
    for (manifest, version) in manifests(storage, table, dt)? {
        versions.push(version);
        let folder = layout::bronze(&manifest.source, dt);
        inputs.extend(manifest.files.into_iter().map(|file| InputFile {
            path: format!("{folder}/{}", file.file),
            file,
        }));
    }
    Ok((inputs, versions))
}

/// One partition of one table in the making.
struct Partition<'p> {
    storage: &'p dyn Storage,
    table: SourceTable,
    dt: Dt,
    settings: SilverSettings,
    inputs: Vec<InputFile>,
    /// The bronze manifests that name the inputs.
    versions: Vec<Version>,
    task: &'p Task,
}

impl Partition<'_> {
    fn make(&self) -> Result<StepReport> {
        let started = Instant::now();
        let folder = layout::silver(self.table, self.dt);
        let manifest_path = format!("{folder}/{}", layout::MANIFEST);
        let (old, before) = manifest::read::<SilverManifest>(self.storage, manifest_path.clone())?;
        let fingerprint = self.fingerprint();
        if let Some(old) = old.filter(|old| old.fingerprint == fingerprint)
            && all_stand(&old.outputs, self.storage)?
        {
            let (sources, outputs) = (old.sources, old.outputs);
            return Ok(StepReport::new(
                "silver",
                self.dt,
                self.storage,
                sources,
                outputs,
                true,
                started,
            ));
        }
        let mut units = vec![folder, layout::rejected(self.table, self.dt)];
        units.extend(
            self.table
                .publication_kind()
                .map(|kind| layout::deleted(kind, self.dt)),
        );
        let mut transaction = self.storage.begin(&units)?;
        let (sources, outputs) = match self.table.publication_kind() {
            None => self.write_drugs(transaction.as_mut())?,
            Some(kind) => self.write_publications(kind, transaction.as_mut())?,
        };
        sources.iter().try_for_each(FileTally::check)?;
        let manifest = SilverManifest {
            table: self.table.name().to_owned(),
            dt: self.dt.to_string(),
            fingerprint,
            outputs,
            sources,
        };
        let bytes = manifest::to_bytes(&manifest)?;
        manifest::write(transaction.as_mut(), &manifest_path, &bytes)?;
        self.task.check()?;
        let mut versions = self.versions.clone();
        versions.push(before);
        transaction.commit(&versions)?;
        let SilverManifest { sources, outputs, .. } = manifest;
        Ok(StepReport::new(
            "silver",
            self.dt,
            self.storage,
            sources,
            outputs,
            false,
            started,
        ))
    }

    fn fingerprint(&self) -> String {
        let mut text = format!(
            "silver {VERSION} {:?} {:?} {:?}",
            self.settings.encoding, self.settings.order, self.settings.on_bad_file
        );
        for input in &self.inputs {
            text.push_str(&format!("\n{:?} {}", input.file.uri, input.file.sha256));
        }
        sha256_hex(text.as_bytes())
    }

    fn bytes(&self, input: &InputFile) -> Result<Input> {
        if input.file.media_type == PARQUET {
            // It is read from its end, so it takes the file itself.
            let file = self.storage.open_file(&input.path)?;
            return Input::of_file(&input.file.uri, file, self.settings.encoding);
        }
        let bytes = self.storage.open_stream(&input.path)?;
        Input::new(&input.file.uri, bytes, self.settings.encoding)
    }

    fn tally(&self, input: &InputFile) -> FileTally {
        FileTally {
            uri: input.file.uri.clone(),
            table: self.table.name().to_owned(),
            bytes: input.file.bytes,
            ..FileTally::default()
        }
    }

    fn write_drugs(&self, transaction: &mut dyn Transaction) -> Result<(Vec<FileTally>, Vec<Output>)> {
        let shapes = vocabulary::shapes();
        let mut tallies = Vec::new();
        let mut records = Vec::new();
        let mut aside = Aside::create(self, transaction)?;
        for (number, input) in self.inputs.iter().enumerate() {
            let mut tally = self.tally(input);
            let mut waiting = Vec::new();
            let read = self.bytes(input).and_then(|bytes| {
                read_records(bytes, &shapes, number, &mut tally, self.task, |rejected| {
                    waiting.extend(rejected);
                    Ok(())
                })
            });
            match read {
                Ok(more) => {
                    records.extend(more);
                    aside.write(&waiting, &tally.uri)?;
                }
                Err(error) if self.settings.on_bad_file == OnBadFile::Reject && error.is_of_a_file() => {
                    aside.reject_file(&mut tally, &error)?;
                }
                Err(error) => return Err(error),
            }
            tallies.push(tally);
        }
        self.task.check()?;
        let combined = vocabulary::combine(records);
        combined.count(&mut tallies);
        let uris: Vec<String> = self.inputs.iter().map(|input| input.file.uri.clone()).collect();
        let path = format!("{}/{}", layout::silver(self.table, self.dt), layout::PART);
        let mut writer = TableWriter::create(transaction, path, &DRUGS)?;
        writer.write(&drugs::frame(&combined.drugs, &uris)?)?;
        Ok((tallies, vec![writer.finish()?, aside.finish()?]))
    }

    fn write_publications(
        &self,
        kind: PublicationKind,
        transaction: &mut dyn Transaction,
    ) -> Result<(Vec<FileTally>, Vec<Output>)> {
        let (shapes, layouts) = shapes::shapes(kind);
        let mut tallies: Vec<FileTally> = self.inputs.iter().map(|input| self.tally(input)).collect();
        let mut aside = Aside::create(self, transaction)?;
        let mut spool = Spool::new(&PUBLICATIONS);
        let mut merger = Merger::default();
        let mut deleted = Deleted::default();
        // Where the rows of each file end among all rows that were not rejected.
        let mut ends = Vec::with_capacity(self.inputs.len());
        let mut rows = 0_usize;
        let sizes: Vec<u64> = self.inputs.iter().map(|input| input.file.bytes).collect();
        let open = |number: usize| -> Result<Opened<'_>> {
            let input = &self.inputs[number];
            let (shape, reader) = formats::open_shaped(self.bytes(input)?, &shapes)?;
            let context = publications::Context {
                kind,
                uri: input.file.uri.clone(),
                file: number as u32,
                dt: self.dt.to_string(),
                order: self.settings.order,
                layout: layouts[shape],
            };
            Ok((reader, context))
        };
        let on_bad_file = self.settings.on_bad_file;
        clean_files(&sizes, &open, on_bad_file, self.task, |piece| match piece {
            Piece::Batch(file, batch) => {
                let tally = &mut tallies[file];
                rows += batch.keys.len();
                tally.rows_in += (batch.keys.len() + batch.rejected.len()) as u64;
                aside.add(batch.rejected, &batch.uri, tally)?;
                let ids = batch
                    .deletions
                    .iter()
                    .map(|deletion| (deletion.behind, publications::id_hash(&deletion.publication_id)));
                merger.extend(batch.keys, batch.halves, ids);
                deleted.extend(file, batch.deletions, &batch.uri);
                spool.push(batch.frame, transaction)
            }
            Piece::End(file, format, notes) => {
                note(&mut tallies[file], format, notes);
                ends.push(rows);
                aside.settle()
            }
            Piece::Bad(file, error) => {
                merger.drop_from(ends.last().copied().unwrap_or(0));
                deleted.drop_file(file);
                ends.push(rows);
                aside.reject_file(&mut tallies[file], &error)
            }
        })?;
        let plan = merger.finish();
        let mut row = 0;
        for (tally, end) in tallies.iter_mut().zip(ends) {
            for number in row..end {
                match plan.row(number) {
                    (Fate::Merged(reason), _) => tally.merge(reason),
                    // Their file is counted as one rejected row.
                    (Fate::Dropped, _) => {}
                    (_, flags) => tally.keep(flags),
                }
            }
            row = end;
        }
        let path = format!("{}/{}", layout::silver(self.table, self.dt), layout::PART);
        let mut writer = TableWriter::create(transaction, path, &PUBLICATIONS)?;
        let mut base = 0;
        spool.drain(|frame| {
            self.task.check()?;
            let height = frame.height();
            writer.write(&plan.apply(frame, base)?)?;
            base += height;
            Ok(())
        })?;
        let mut outputs = vec![writer.finish()?, aside.finish()?];
        if !deleted.is_empty() {
            let mut writer = TableWriter::create(transaction, layout::deleted(kind, self.dt), &DELETED)?;
            writer.write(&deleted.frame()?)?;
            outputs.push(writer.finish()?);
        }
        Ok((tallies, outputs))
    }
}

/// The notices of deletion of a partition.
#[derive(Default)]
struct Deleted {
    files: Vec<usize>,
    ids: Vec<String>,
    uris: Vec<String>,
    rows: Vec<u64>,
}

impl Deleted {
    fn extend(&mut self, file: usize, deletions: Vec<Deletion>, uri: &str) {
        for deletion in deletions {
            self.files.push(file);
            self.ids.push(deletion.publication_id);
            self.uris.push(uri.to_owned());
            self.rows.push(deletion.source_row);
        }
    }

    /// Takes back the notices of the last file.
    fn drop_file(&mut self, file: usize) {
        let kept = self.files.partition_point(|other| *other < file);
        self.files.truncate(kept);
        self.ids.truncate(kept);
        self.uris.truncate(kept);
        self.rows.truncate(kept);
    }

    fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn frame(self) -> Result<DataFrame> {
        let height = self.ids.len();
        let columns = vec![
            Series::new("publication_id".into(), self.ids).into_column(),
            Series::new("source_uri".into(), self.uris).into_column(),
            Series::new("source_row".into(), self.rows).into_column(),
        ];
        Ok(DataFrame::new(height, columns)?)
    }
}

/// What a reader noticed about its file, for the report.
pub(super) fn note(tally: &mut FileTally, format: &str, notes: Notes) {
    tally.format = format.to_owned();
    tally.blank_lines = notes.blank_lines;
    tally.extra_columns = notes.extra_columns;
    tally.notes = notes.remarks;
}

/// The rejected rows of a partition on their way to their file.
struct Aside {
    writer: TableWriter,
    /// The rejected rows of a file that may still turn out to be bad.
    waiting: Option<Vec<(Vec<Rejected>, String)>>,
}

impl Aside {
    fn create(partition: &Partition<'_>, transaction: &mut dyn Transaction) -> Result<Self> {
        let path = layout::rejected(partition.table, partition.dt);
        let waits = partition.settings.on_bad_file == OnBadFile::Reject;
        Ok(Self {
            writer: TableWriter::create(transaction, path, &REJECTED)?,
            waiting: waits.then(Vec::new),
        })
    }

    fn add(&mut self, rejected: Vec<Rejected>, uri: &str, tally: &mut FileTally) -> Result<()> {
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
    fn settle(&mut self) -> Result<()> {
        let waiting = self.waiting.as_mut().map(std::mem::take).unwrap_or_default();
        waiting
            .iter()
            .try_for_each(|(rejected, uri)| self.write(rejected, uri))
    }

    /// The file is bad: it is one rejected row, whatever was read of it before.
    fn reject_file(&mut self, tally: &mut FileTally, error: &Error) -> Result<()> {
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

    fn write(&mut self, rejected: &[Rejected], uri: &str) -> Result<()> {
        if rejected.is_empty() {
            return Ok(());
        }
        self.writer.write(&rejected_frame(rejected, uri)?)
    }

    fn finish(self) -> Result<Output> {
        self.writer.finish()
    }
}
