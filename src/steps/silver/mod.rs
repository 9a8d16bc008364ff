//! Silver: turns bronze partitions into clean tables, batch by batch. For every file, rows in = rows kept + merged +
//! rejected.

mod contract_check;
pub(crate) mod corrected;
mod drug_table;
mod expected_rows;
mod inputs;
mod publications;
mod settings;
mod snapshot;

use std::io::{self, Write as _};
use std::sync::Arc;

pub use expected_rows::ExpectedRows;
use expected_rows::MOST_DELIVERIES;
pub use settings::SilverSettings;

use crate::error::{Error, Result};
use crate::formats::MostRatio;
pub use crate::ingest::parallel_reader::OnBadFile;
use crate::lake::bronze_files::{BronzeInputs, InputFile, find_inputs};
use crate::lake::corrections::{corrections_folder, corrections_text, read_corrections};
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::manifest::Version;
use crate::lake::partitions::{kept_rows, rows_before};
use crate::lake::report::{ShrunkPartition, StepReport, StepStart, all_stand};
use crate::lake::states::{keep_manifest, keep_replaced, number_for_silver};
use crate::lake::{holds, layout, manifest};
use crate::quality::FileTally;
use crate::quality::contracts::RuleResult;
use crate::schema::{SourceTable, TABLE_FORMAT};
use crate::share::Share;
use crate::silver::corrections::Corrections;
use crate::storage::{HashingWriter, Sharing, Storage, Transaction};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// Increment this with every change that alters the tables for the same input, so that old partitions are rebuilt.
const VERSION: u32 = 15;

/// Cleans the bronze partitions of `dt`: the named tables, or all that exist if none is named.
pub fn silver(
    storage: &dyn Storage,
    tables: Option<&[SourceTable]>,
    dt: Dt,
    settings: &SilverSettings,
    task: &Task,
) -> Result<StepReport> {
    let _reservation = storage.reserve(&format!("dt={dt}"), Sharing::Shared)?;
    let report = silver_reserved(storage, tables, dt, settings, task)?;
    report.record(storage)?;
    Ok(report)
}

/// Makes silver for a caller that already has the reservation.
pub(crate) fn silver_reserved(
    storage: &dyn Storage,
    tables: Option<&[SourceTable]>,
    dt: Dt,
    settings: &SilverSettings,
    task: &Task,
) -> Result<StepReport> {
    let started = StepStart::now(task);
    let mut partitions = Vec::new();
    for table in SourceTable::ALL {
        let wanted = tables.is_none_or(|tables| tables.contains(&table));
        if !wanted {
            continue;
        }
        let partition = SilverPartition::find(storage, (table, dt), settings.clone(), task)?;
        if partition.inputs.is_empty() {
            if tables.is_some() {
                return Err(nothing(storage, table.name(), dt));
            }
            continue;
        }
        partitions.push(partition);
    }
    if partitions.is_empty() {
        return Err(nothing(storage, "*", dt));
    }
    let parts = make_all(storage, partitions, dt, task)?;
    for (table, part) in &parts {
        part.save(storage, dt, table.name())?;
        if let Some(contract) = &settings.contract {
            part.save_quality(storage, dt, table.name(), &contract.name)?;
        }
    }
    let parts: Vec<StepReport> = parts.into_iter().map(|(_, part)| part).collect();
    Ok(StepReport::together("silver", dt, storage, &parts, started))
}

/// Whether silver would clean a table of bronze again: because it never did, or its inputs, settings or files are others.
pub(crate) fn would_clean(
    storage: &dyn Storage,
    table: SourceTable,
    dt: Dt,
    settings: &SilverSettings,
    task: &Task,
) -> Result<bool> {
    let partition = SilverPartition::find(storage, (table, dt), settings.clone(), task)?;
    Ok(matches!(partition.look()?, Looked::Stale(_)))
}

/// Makes the missing tables in one transaction: a failed or killed step never leaves new tables beside old ones.
fn make_all(
    storage: &dyn Storage,
    partitions: Vec<SilverPartition<'_>>,
    dt: Dt,
    task: &Task,
) -> Result<Vec<(SourceTable, StepReport)>> {
    let mut parts = Vec::new();
    let mut stale = Vec::new();
    for partition in partitions {
        let started = StepStart::now(task);
        let stale_state = match partition.look()? {
            Looked::Made {
                sources,
                outputs,
                absent,
                quality,
            } => {
                let mut report = StepReport::new("silver", dt, storage, sources, outputs, true, started);
                report.inputs = partition.folders();
                report.settings = partition.settings.in_report();
                report.absent = absent;
                report.quality = quality;
                parts.push((partition.table, report));
                continue;
            }
            Looked::Stale(state) => state,
        };
        stale.push((partition, stale_state));
    }
    if stale.is_empty() {
        return Ok(parts);
    }
    let mut units: Vec<String> = stale
        .iter()
        .flat_map(|(partition, _)| partition.units())
        .collect();
    let hold = if stale.iter().any(|(partition, _)| partition.settings.hold) {
        holds::unjudged(storage, dt)?
    } else {
        None
    };
    units.extend(hold.iter().map(|(path, _)| path.clone()));
    let mut transaction = storage.begin(&units)?;
    if let Some((path, bytes)) = &hold {
        manifest::write_bytes(transaction.as_mut(), path, bytes)?;
    }
    let mut versions = Vec::new();
    let kept_as = number_for_silver(storage)?;
    for (mut partition, state) in stale {
        task.enter("silver");
        let started = StepStart::now(task);
        let SilverManifest {
            sources,
            outputs,
            absent,
            quality,
            ..
        } = partition.make(state.fingerprint, transaction.as_mut())?;
        let shrunk = partition.compare_rows(&outputs, state.rows)?;
        if let Some(number) = kept_as {
            keep_replaced(transaction.as_mut(), number, &state.outputs, &outputs)?;
            keep_manifest(transaction.as_mut(), number, &state.before)?;
        }
        let mut report = StepReport::new("silver", dt, storage, sources, outputs, false, started);
        report.inputs = partition.folders();
        report.settings = partition.settings.in_report();
        report.shrunk.extend(shrunk);
        report.absent = absent;
        report.quality = quality;
        parts.push((partition.table, report));
        versions.append(&mut partition.versions);
        versions.push(state.before);
    }
    task.check()?;
    transaction.commit(&versions)?;
    // In the order of the tables, because those that existed came first.
    parts.sort_by_key(|(table, _)| SourceTable::ALL.iter().position(|other| other == table));
    Ok(parts)
}

fn nothing(storage: &dyn Storage, source: &str, dt: Dt) -> Error {
    Error::SourceNotFound {
        uri: format!("{}/{}", storage.root(), layout::bronze(source, dt)),
        expected: "a bronze partition; run the bronze step of that dt first".to_owned(),
    }
}

/// The state of a partition.
enum Looked {
    /// Up to date.
    Made {
        sources: Vec<FileTally>,
        outputs: Vec<OutputFile>,
        absent: Option<u64>,
        quality: Vec<RuleResult>,
    },
    /// Missing, or made from other inputs or settings.
    Stale(Stale),
}

/// A partition that must be made.
struct Stale {
    /// The version of its manifest.
    before: Version,
    /// The rows that it has until now.
    rows: Option<u64>,
    /// Its files until now.
    outputs: Vec<OutputFile>,
    /// That of the inputs and settings.
    fingerprint: String,
}

/// The files of a partition before their commit.
struct WrittenTable {
    tallies: Vec<FileTally>,
    outputs: Vec<OutputFile>,
    /// What the rules of the contract counted.
    counts: Vec<u64>,
}

/// A partition of one table to check and make.
pub(crate) struct SilverPartition<'p> {
    storage: &'p dyn Storage,
    table: SourceTable,
    dt: Dt,
    settings: SilverSettings,
    inputs: Vec<InputFile>,
    corrections: Arc<Corrections>,
    /// Whether the corrections are committed with the tables.
    is_replay: bool,
    /// Of a snapshot the largest share of earlier publications that it may lack.
    snapshot: Option<Share>,
    /// The versions of the bronze manifests that list the inputs.
    versions: Vec<Version>,
    task: &'p Task,
}

impl<'p> SilverPartition<'p> {
    /// With the files that bronze has of it.
    fn find(
        storage: &'p dyn Storage,
        (table, dt): (SourceTable, Dt),
        settings: SilverSettings,
        task: &'p Task,
    ) -> Result<Self> {
        let BronzeInputs {
            files: inputs,
            versions,
            corrections,
            snapshot,
        } = find_inputs(storage, table, dt)?;
        let corrections = corrections
            .map(|file| read_corrections(storage, &file, task))
            .transpose()?;
        let snapshot = snapshot
            .map(|claim| Share::parse("max_absent", &claim.max_absent))
            .transpose()?;
        Ok(Self {
            snapshot,
            storage,
            table,
            dt,
            settings,
            inputs,
            corrections: Arc::new(Corrections::new(corrections.unwrap_or_default())),
            is_replay: false,
            versions,
            task,
        })
    }
}

impl SilverPartition<'_> {
    fn manifest_path(&self) -> String {
        layout::silver_manifest(self.table, self.dt)
    }

    /// Whether the partition is up to date for these inputs and settings.
    fn look(&self) -> Result<Looked> {
        let (old, before) = manifest::read_own::<SilverManifest>(self.storage, self.manifest_path())?;
        let fingerprint = self.fingerprint()?;
        let rows = old
            .as_ref()
            .and_then(|old| kept_rows(&old.outputs, self.table, self.dt));
        let mut files = Vec::new();
        if let Some(old) = old {
            // Another contract checks the rows again; none checks nothing.
            let contract = self.contract_digest();
            let is_checked = contract.is_none() || old.contract == contract;
            if is_checked && old.inputs_fingerprint() == fingerprint && all_stand(&old.outputs, self.storage)?
            {
                let SilverManifest {
                    sources,
                    outputs,
                    absent,
                    quality,
                    ..
                } = old;
                return Ok(Looked::Made {
                    sources,
                    outputs,
                    absent,
                    quality: if contract.is_some() { quality } else { Vec::new() },
                });
            }
            files = old.outputs;
        }
        Ok(Looked::Stale(Stale {
            before,
            rows,
            outputs: files,
            fingerprint,
        }))
    }

    /// Compares its rows with those that it had, and fails if they are far from the expected number. Returns what it has
    /// lost.
    fn compare_rows(&self, outputs: &[OutputFile], before: Option<u64>) -> Result<Option<ShrunkPartition>> {
        let rows = kept_rows(outputs, self.table, self.dt).unwrap_or_default();
        if let Some(expected) = self.settings.expect_rows {
            let uri = format!("{}/{}", self.storage.root(), layout::silver(self.table, self.dt));
            let others = rows_before(self.storage, self.table, self.dt, MOST_DELIVERIES)?;
            expected.check(&uri, rows, before, others)?;
        }
        let lost = before.filter(|before| *before > rows);
        Ok(lost.map(|rows_before| ShrunkPartition {
            table: self.table.name().to_owned(),
            dt: self.dt.to_string(),
            rows_before,
            rows,
        }))
    }

    /// The folders of bronze that it is made from.
    fn folders(&self) -> Vec<String> {
        let manifests = self.versions.iter().map(|(manifest, _)| manifest);
        let folders = manifests.filter_map(|manifest| manifest.strip_suffix(layout::MANIFEST));
        folders
            .map(|folder| folder.trim_end_matches('/').to_owned())
            .collect()
    }

    /// The paths that the commit replaces.
    fn units(&self) -> Vec<String> {
        let mut units = vec![
            layout::silver_manifest(self.table, self.dt),
            layout::silver_part(self.table, self.dt),
            layout::rejected(self.table, self.dt),
        ];
        if let Some(kind) = self.table.publication_kind() {
            units.push(layout::deleted(kind, self.dt));
            units.push(layout::journal_ids(kind, self.dt));
        }
        if self.is_replay {
            units.push(corrections_folder(self.table, self.dt));
        }
        // What a lake of format 1 has of the partition goes.
        units.extend(layout::format_1(self.table, self.dt));
        units
    }

    fn make(&self, fingerprint: String, transaction: &mut dyn Transaction) -> Result<SilverManifest> {
        let mut seen = self.snapshot_guard(transaction)?;
        let written = match self.table.publication_kind() {
            None => self.write_drugs(transaction),
            Some(kind) => self.write_publications(kind, seen.as_mut(), transaction),
        };
        let mut written = written.map_err(|error| self.cause(error))?;
        let stale_corrections = self.settle_corrections(&mut written.tallies, transaction)?;
        written.tallies.iter().try_for_each(FileTally::check)?;
        let quality = self.check_contract(&written)?;
        let WrittenTable {
            tallies: sources,
            outputs,
            ..
        } = written;
        let absent = seen.map(|seen| seen.finish(self)).transpose()?;
        let manifest = SilverManifest {
            format: TABLE_FORMAT,
            table: self.table.name().to_owned(),
            dt: self.dt.to_string(),
            fingerprint,
            outputs,
            sources,
            copies: self.copies(),
            snapshot: absent.is_some(),
            absent,
            stale_corrections,
            cleaned_as: None,
            contract: self.contract_digest(),
            quality,
        };
        manifest::write(transaction, &self.manifest_path(), &manifest)?;
        Ok(manifest)
    }

    fn fingerprint(&self) -> Result<String> {
        // Hashed piece by piece, because there may be a hundred thousand files.
        let (mut text, digest) = HashingWriter::new(io::sink());
        let corrections = corrections_text(self.corrections.rows())?;
        self.write_fingerprint(&mut text)
            .and_then(|()| text.write_all(corrections.as_bytes()))
            .map_err(|error| Error::internal(format!("the fingerprint: {error}")))?;
        Ok(digest.finish().1)
    }

    fn write_fingerprint(&self, text: &mut dyn io::Write) -> io::Result<()> {
        let settings = &self.settings;
        write!(
            text,
            "silver {VERSION} {:?} {:?} {:?}",
            settings.encoding, settings.order, settings.on_bad_file
        )?;
        // Left out for the default limit, so that partitions from before this option are not rebuilt.
        if settings.most_ratio != MostRatio::default() {
            write!(text, " {:?}", settings.most_ratio)?;
        }
        if self.snapshot.is_some() {
            write!(text, " snapshot")?;
        }
        for input in &self.inputs {
            write!(text, "\n{:?} {}", input.file.uri, input.file.sha256)?;
        }
        Ok(())
    }
}
