//! Silver: bronze partitions to clean tables, batch by batch. Rows in = rows kept + merged + rejected, for every file.

use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::bronze::{BronzeFile, manifests};
use super::dt::Dt;
use super::frames::TableWriter;
use super::layout;
use super::manifest::{self, Version};
use super::report::{Output, StepReport, all_stand};
use super::spool::Spool;
use crate::error::{Error, Result};
use crate::formats::{self, Encoding, Fields, Input, RawBatch, RowReader};
use crate::quality::FileTally;
use crate::schema::{DRUGS, PUBLICATIONS, PublicationKind, REJECTED, Rejected, SourceTable};
use crate::silver::merge::{Fate, Merger};
use crate::silver::{drugs, publications, rejected_frame};
use crate::storage::{Sharing, Storage, Transaction, sha256_hex};
use crate::task::Task;
use crate::text::date::NumericOrder;

/// Whatever changes the tables for the same input raises this number, so that old partitions are made anew.
const VERSION: u32 = 2;

/// How sources are read.
#[derive(Debug, Clone, Copy, Default)]
pub struct SilverSettings {
    pub encoding: Encoding,
    pub order: NumericOrder,
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
        let units = [folder, layout::rejected(self.table, self.dt)];
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
            "silver {VERSION} {:?} {:?}",
            self.settings.encoding, self.settings.order
        );
        for input in &self.inputs {
            text.push_str(&format!("\n{:?} {}", input.file.uri, input.file.sha256));
        }
        sha256_hex(text.as_bytes())
    }

    fn open<'f>(&self, input: &InputFile, fields: &'f Fields) -> Result<Box<dyn RowReader + 'f>> {
        let bytes = Box::new(self.storage.open_file(&input.path)?);
        formats::open(
            Input::new(&input.file.uri, bytes, self.settings.encoding)?,
            fields,
        )
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
        let fields = drugs::fields();
        let mut tallies = Vec::new();
        let mut rows = Vec::new();
        let mut aside = Aside::create(self, transaction)?;
        for (number, input) in self.inputs.iter().enumerate() {
            let mut tally = self.tally(input);
            let mut reader = self.open(input, &fields)?;
            while let Some(batch) = reader.next_batch(self.task)? {
                let (more, rejected) = drugs::clean_batch(batch, number)?;
                tally.rows_in += (more.len() + rejected.len()) as u64;
                rows.extend(more);
                aside.add(&rejected, &mut tally)?;
            }
            note(&mut tally, reader.as_ref());
            tallies.push(tally);
        }
        let (kept, merged) = drugs::merge(rows);
        kept.iter().for_each(|drug| tallies[drug.file].keep(drug.flags));
        merged
            .into_iter()
            .for_each(|(file, reason)| tallies[file].merge(reason));
        let uris: Vec<String> = self.inputs.iter().map(|input| input.file.uri.clone()).collect();
        let path = format!("{}/{}", layout::silver(self.table, self.dt), layout::PART);
        let mut writer = TableWriter::create(transaction, path, &DRUGS)?;
        writer.write(&drugs::frame(&kept, &uris)?)?;
        Ok((tallies, vec![writer.finish()?, aside.finish()?]))
    }

    fn write_publications(
        &self,
        kind: PublicationKind,
        transaction: &mut dyn Transaction,
    ) -> Result<(Vec<FileTally>, Vec<Output>)> {
        let fields = publications::fields(kind);
        let mut tallies = Vec::new();
        let mut aside = Aside::create(self, transaction)?;
        let mut spool = Spool::new(&PUBLICATIONS);
        let mut merger = Merger::default();
        // Where the rows of each file end among all rows that were not rejected.
        let mut ends = Vec::new();
        let mut rows = 0_usize;
        for (number, input) in (0_u32..).zip(&self.inputs) {
            let context = publications::Context {
                kind,
                uri: input.file.uri.clone(),
                file: number,
                dt: self.dt.to_string(),
                order: self.settings.order,
            };
            let mut tally = self.tally(input);
            let mut reader = self.open(input, &fields)?;
            clean_in_parallel(reader.as_mut(), &context, self.task, |batch| {
                rows += batch.keys.len();
                tally.rows_in += (batch.keys.len() + batch.rejected.len()) as u64;
                aside.add(&batch.rejected, &mut tally)?;
                merger.extend(batch.keys, batch.halves);
                spool.push(batch.frame, transaction)
            })?;
            note(&mut tally, reader.as_ref());
            tallies.push(tally);
            ends.push(rows);
        }
        let plan = merger.finish();
        let mut row = 0;
        for (tally, end) in tallies.iter_mut().zip(ends) {
            for number in row..end {
                match plan.row(number) {
                    (Fate::Merged(reason), _) => tally.merge(reason),
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
        Ok((tallies, vec![writer.finish()?, aside.finish()?]))
    }
}

/// Reads on while the batches before are being cleaned by all threads; gives the clean ones in the order of the file.
fn clean_in_parallel(
    reader: &mut dyn RowReader,
    context: &publications::Context,
    task: &Task,
    mut give: impl FnMut(publications::CleanBatch) -> Result<()>,
) -> Result<()> {
    let ahead = rayon::current_num_threads().max(1) * 2;
    let mut waiting = read_ahead(reader, ahead, task)?;
    while !waiting.is_empty() {
        let (clean, next) = rayon::join(
            || {
                std::mem::take(&mut waiting)
                    .into_par_iter()
                    .map(|batch| {
                        task.check()?;
                        let rows = batch.frame.height();
                        let clean = publications::clean_batch(batch, context)?;
                        task.count_rows(rows);
                        Ok(clean)
                    })
                    .collect::<Result<Vec<_>>>()
            },
            || read_ahead(reader, ahead, task),
        );
        clean?.into_iter().try_for_each(&mut give)?;
        waiting = next?;
    }
    Ok(())
}

fn read_ahead(reader: &mut dyn RowReader, batches: usize, task: &Task) -> Result<Vec<RawBatch>> {
    let mut ahead = Vec::with_capacity(batches);
    while ahead.len() < batches {
        match reader.next_batch(task)? {
            Some(batch) => ahead.push(batch),
            None => break,
        }
    }
    Ok(ahead)
}

fn note(tally: &mut FileTally, reader: &dyn RowReader) {
    let notes = reader.notes();
    tally.format = reader.format().to_owned();
    tally.blank_lines = notes.blank_lines;
    tally.extra_columns = notes.extra_columns;
    tally.notes = notes.remarks;
}

/// The rejected rows of a partition on their way to their file.
struct Aside {
    writer: TableWriter,
}

impl Aside {
    fn create(partition: &Partition<'_>, transaction: &mut dyn Transaction) -> Result<Self> {
        let path = layout::rejected(partition.table, partition.dt);
        Ok(Self {
            writer: TableWriter::create(transaction, path, &REJECTED)?,
        })
    }

    fn add(&mut self, rejected: &[Rejected], tally: &mut FileTally) -> Result<()> {
        if rejected.is_empty() {
            return Ok(());
        }
        rejected.iter().for_each(|row| tally.reject(row.reason));
        self.writer.write(&rejected_frame(rejected, &tally.uri)?)
    }

    fn finish(self) -> Result<Output> {
        self.writer.finish()
    }
}
