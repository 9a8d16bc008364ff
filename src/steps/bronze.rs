//! Bronze: copies sources byte for byte, with a manifest of the origin of each file. It parses nothing and drops
//! nothing.

use std::collections::BTreeMap;

use super::copy_files::copy_files;
use crate::error::{Error, Result};
use crate::lake::documents::{BronzeFile, BronzeManifest, SnapshotClaim};
use crate::lake::dt::Dt;
use crate::lake::manifest::Version;
use crate::lake::report::{StepReport, StepStart, all_stand};
use crate::lake::{layout, manifest};
use crate::quality::FileTally;
use crate::schema::SourceTable;
use crate::share::Share;
use crate::storage::source::{SourceFile, expand_all};
use crate::storage::{Sharing, Storage};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// The sources of one table.
#[derive(Debug, Clone)]
pub struct BronzeSource {
    pub table: SourceTable,
    /// The name of its folder: the table's name, unless the caller has several sources for one table.
    pub name: String,
    pub uris: Vec<String>,
    /// If it replaces all earlier deliveries of its table: the largest share of their publications that it may lack.
    pub snapshot: Option<Share>,
}

impl BronzeSource {
    /// A source with the table's own name.
    pub fn new(table: SourceTable, uris: Vec<String>) -> Self {
        Self {
            table,
            name: table.name().to_owned(),
            uris,
            snapshot: None,
        }
    }

    /// The source, which replaces all earlier deliveries of its table, unless it lacks more than a share of them. A
    /// vocabulary always does.
    #[must_use]
    pub fn as_snapshot(mut self, most_absent: Share) -> Self {
        self.snapshot = (self.table != SourceTable::Drugs).then_some(most_absent);
        self
    }
}

/// The sources, as snapshots if they are: `max_absent` is the largest share of earlier publications that one may lack.
pub fn as_snapshots(sources: Vec<BronzeSource>, are: bool, max_absent: &str) -> Result<Vec<BronzeSource>> {
    let most_absent = Share::parse("max_absent", max_absent)?;
    if !are {
        return Ok(sources);
    }
    if sources.iter().all(|source| source.table == SourceTable::Drugs) && !sources.is_empty() {
        let found = "a snapshot of a vocabulary alone, which always replaces the one before";
        return Err(Error::argument("snapshot", found, "a source of publications"));
    }
    let sources = sources.into_iter();
    Ok(sources.map(|source| source.as_snapshot(most_absent)).collect())
}

/// Copies the files of each source into its partition.
pub fn bronze(storage: &dyn Storage, sources: &[BronzeSource], dt: Dt, task: &Task) -> Result<StepReport> {
    let started = StepStart::now(task);
    // All sources are found before the first is copied, so a mistyped path costs no time.
    let files: Vec<Vec<SourceFile>> = sources
        .iter()
        .map(|source| find_files(source, task))
        .collect::<Result<_>>()?;
    let _reservation = storage.reserve(&format!("dt={dt}"), Sharing::Shared)?;
    let report = bronze_found(storage, sources, &files, dt, task, started)?;
    report.record(storage)?;
    Ok(report)
}

/// Copies files that were found before, for a caller that already has the reservation.
pub(crate) fn bronze_reserved(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    files: &[Vec<SourceFile>],
    dt: Dt,
    task: &Task,
) -> Result<StepReport> {
    bronze_found(storage, sources, files, dt, task, StepStart::now(task))
}

fn bronze_found(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    files: &[Vec<SourceFile>],
    dt: Dt,
    task: &Task,
    started: StepStart,
) -> Result<StepReport> {
    let mut parts = Vec::new();
    for (source, files) in sources.iter().zip(files) {
        task.enter("bronze");
        let part = copy_source(storage, source, files, dt, task)?;
        part.save(storage, dt, &source.name)?;
        parts.push(part);
    }
    Ok(StepReport::together("bronze", dt, storage, &parts, started))
}

/// The files of a source, each once.
pub(crate) fn find_files(source: &BronzeSource, task: &Task) -> Result<Vec<SourceFile>> {
    let argument = source.table.name();
    let expected = source.table.expected();
    if source.uris.is_empty() {
        return Err(Error::argument(argument, "no source", expected));
    }
    let named = !source.name.is_empty()
        && source
            .name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-'));
    if !named {
        let found = format!("`{}`", source.name);
        return Err(Error::argument("name", found, "letters, digits, `_` and `-`"));
    }
    if source.name.starts_with(layout::CORRECTIONS) {
        let found = format!(
            "`{}`, a name under which bronze keeps corrected rows",
            source.name
        );
        return Err(Error::argument("name", found, "a name with another beginning"));
    }
    // That folder belongs to another table, whose deliveries would replace this one.
    if let Some(other) = SourceTable::from_name(&source.name).filter(|other| *other != source.table) {
        let found = format!("`{}` is where bronze keeps {}", source.name, other.name());
        return Err(Error::argument("name", found, "a name that is no other table's"));
    }
    expand_all(&source.uris, expected, task)
}

fn copy_source(
    storage: &dyn Storage,
    source: &BronzeSource,
    files: &[SourceFile],
    dt: Dt,
    task: &Task,
) -> Result<StepReport> {
    let started = StepStart::now(task);
    let folder = layout::bronze(&source.name, dt);
    let manifest_path = format!("{folder}/{}", layout::MANIFEST);
    // Only its bytes, which may be damaged: this copy replaces it.
    let before: Version = (manifest_path.clone(), storage.read(&manifest_path)?);
    let mut transaction = storage.begin(std::slice::from_ref(&folder))?;
    let names = names(files);
    let paths = names.iter().map(|name| format!("{folder}/{name}")).collect();
    let (mut outputs, mut kept) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
    let copied = copy_files(transaction.as_mut(), files, paths, task)?;
    for ((file, name), copied) in files.iter().zip(names).zip(copied) {
        kept.push(BronzeFile {
            uri: file.uri.clone(),
            file: name,
            bytes: copied.bytes,
            sha256: copied.sha256.clone(),
            media_type: copied.media_type.to_owned(),
        });
        outputs.push(OutputFile {
            path: copied.path,
            rows: 0,
            bytes: copied.bytes,
            sha256: copied.sha256,
        });
    }
    let manifest = BronzeManifest {
        source: source.name.clone(),
        table: source.table,
        dt: dt.to_string(),
        files: kept,
        snapshot: source.snapshot.map(|most_absent| SnapshotClaim {
            max_absent: most_absent.to_string(),
        }),
        corrections: false,
    };
    let bytes = manifest::to_bytes(&manifest)?;
    let unchanged = before.1.as_ref() == Some(&bytes) && all_stand(&outputs, storage)?;
    if !unchanged {
        manifest::write_bytes(transaction.as_mut(), &manifest_path, &bytes)?;
        task.check()?;
        transaction.commit(&[before])?;
    }
    let tallies = manifest
        .files
        .iter()
        .map(|file| FileTally {
            uri: file.uri.clone(),
            table: source.table.name().to_owned(),
            format: file.media_type.clone(),
            bytes: file.bytes,
            ..FileTally::default()
        })
        .collect();
    Ok(StepReport::new(
        "bronze", dt, storage, tallies, outputs, unchanged, started,
    ))
}

/// The names of the copies: the files' own names, with a number added if two are the same.
fn names(files: &[SourceFile]) -> Vec<String> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::from([(layout::MANIFEST.to_owned(), 1)]);
    files
        .iter()
        .map(|file| {
            let own = file.file_name();
            let mut name = own.clone();
            while taken.contains_key(&name) {
                let count = taken.entry(own.clone()).or_default();
                *count += 1;
                name = format!("{count}-{own}");
            }
            taken.insert(name.clone(), 1);
            name
        })
        .collect()
}
