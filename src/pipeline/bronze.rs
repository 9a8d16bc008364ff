//! Bronze: sources copied byte for byte, with a manifest of what came from where. Nothing is parsed, nothing is lost.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::dt::Dt;
use super::expected;
use super::layout;
use super::manifest::{self, Version};
use super::report::{Output, StepReport, all_stand};
use crate::error::{Error, Result};
use crate::quality::FileTally;
use crate::schema::SourceTable;
use crate::storage::source::{SourceFile, expand_all};
use crate::storage::{HashingWriter, Sharing, Storage};
use crate::task::Task;

/// One copied file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BronzeFile {
    /// Where it came from, as the caller named it.
    pub uri: String,
    /// Its name in the partition.
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
    pub media_type: String,
}

/// What a bronze partition holds: `_manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BronzeManifest {
    pub source: String,
    pub table: SourceTable,
    pub dt: String,
    pub files: Vec<BronzeFile>,
}

/// The sources of one table.
#[derive(Debug, Clone)]
pub struct BronzeSource {
    pub table: SourceTable,
    /// The name of its folder; the table's name unless the caller has several sources of one table.
    pub name: String,
    pub uris: Vec<String>,
}

impl BronzeSource {
    /// Sources under the table's own name.
    pub fn new(table: SourceTable, uris: Vec<String>) -> Self {
        Self {
            table,
            name: table.name().to_owned(),
            uris,
        }
    }
}

/// Copies the files of each source into its partition.
pub fn bronze(storage: &dyn Storage, sources: &[BronzeSource], dt: Dt, task: &Task) -> Result<StepReport> {
    let started = Instant::now();
    // All sources are looked up before the first is copied: a typing error costs nothing.
    let files: Vec<Vec<SourceFile>> = sources
        .iter()
        .map(|source| find_files(source, task))
        .collect::<Result<_>>()?;
    let _reservation = storage.reserve(&format!("dt={dt}"), Sharing::Shared)?;
    bronze_found(storage, sources, &files, dt, task, started)
}

/// The same for a caller who holds the reservation.
pub(super) fn bronze_reserved(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    files: &[Vec<SourceFile>],
    dt: Dt,
    task: &Task,
) -> Result<StepReport> {
    bronze_found(storage, sources, files, dt, task, Instant::now())
}

fn bronze_found(
    storage: &dyn Storage,
    sources: &[BronzeSource],
    files: &[Vec<SourceFile>],
    dt: Dt,
    task: &Task,
    started: Instant,
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
pub(super) fn find_files(source: &BronzeSource, task: &Task) -> Result<Vec<SourceFile>> {
    let argument = source.table.name();
    let expected = expected(source.table);
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
    expand_all(&source.uris, expected, task)
}

/// So many files are copied side by side, and as many sources are open beyond: while some are copied, servers look for the
/// next ones.
const COPIED_AT_ONCE: usize = 8;

const COPY_BUFFER: usize = 1 << 18;

fn copy_source(
    storage: &dyn Storage,
    source: &BronzeSource,
    files: &[SourceFile],
    dt: Dt,
    task: &Task,
) -> Result<StepReport> {
    let started = Instant::now();
    let folder = layout::bronze(&source.name, dt);
    let manifest_path = format!("{folder}/{}", layout::MANIFEST);
    let (_, before) = manifest::read::<BronzeManifest>(storage, manifest_path.clone())?;
    let mut transaction = storage.begin(std::slice::from_ref(&folder))?;
    let mut copied = Vec::with_capacity(files.len());
    let mut outputs = Vec::with_capacity(files.len());
    let names = names(files);
    let mut unopened = files.iter();
    let mut ahead = VecDeque::new();
    for (files, names) in files.chunks(COPIED_AT_ONCE).zip(names.chunks(COPIED_AT_ONCE)) {
        while ahead.len() < 2 * COPIED_AT_ONCE
            && let Some(next) = unopened.next()
        {
            ahead.push_back(next.open()?);
        }
        let mut copies = Vec::with_capacity(files.len());
        for (file, name) in files.iter().zip(names) {
            let Some(from) = ahead.pop_front() else { break };
            let path = format!("{folder}/{name}");
            let (to, shown) = (transaction.create(&path)?, transaction.shown(&path));
            copies.push((file, from, name, to, shown, path));
        }
        let made: Vec<(Output, BronzeFile)> = copies
            .into_par_iter()
            .map_init(
                || vec![0; COPY_BUFFER],
                |buffer, (file, from, name, to, shown, path)| {
                    let (bytes, sha256, media_type) = copy((file, from), to, &shown, buffer, task)?;
                    let output = Output {
                        path,
                        rows: 0,
                        bytes,
                        sha256: sha256.clone(),
                    };
                    let copied = BronzeFile {
                        uri: file.uri.clone(),
                        file: name.clone(),
                        bytes,
                        sha256,
                        media_type,
                    };
                    Ok((output, copied))
                },
            )
            .collect::<Result<_>>()?;
        for (output, file) in made {
            outputs.push(output);
            copied.push(file);
        }
    }
    let manifest = BronzeManifest {
        source: source.name.clone(),
        table: source.table,
        dt: dt.to_string(),
        files: copied,
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

/// The names of the copies: the files' own, with a number where two are the same.
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

/// Copies one file; gives its size, digest and media type.
fn copy(
    (file, mut from): (&SourceFile, Box<dyn Read + Send>),
    to: Box<dyn Write + Send>,
    path: &str,
    buffer: &mut [u8],
    task: &Task,
) -> Result<(u64, String, String)> {
    let (mut to, digest) = HashingWriter::new(to);
    let mut media_type = None;
    loop {
        task.check()?;
        let read = match from.read(buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Error::storage(&file.uri, "read the source", error)),
        };
        media_type.get_or_insert_with(|| media_type_of(&buffer[..read]));
        to.write_all(&buffer[..read])
            .map_err(|error| Error::storage(path, "write", error))?;
        task.count_bytes(read);
    }
    to.flush().map_err(|error| Error::storage(path, "write", error))?;
    let (bytes, sha256) = digest.finish();
    Ok((
        bytes,
        sha256,
        media_type.unwrap_or("application/x-empty").to_owned(),
    ))
}

/// The media type of Parquet.
pub(super) const PARQUET: &str = "application/vnd.apache.parquet";

/// The media type by the first bytes.
fn media_type_of(head: &[u8]) -> &'static str {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match head {
        [0x1f, 0x8b, ..] => "application/gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "application/zstd",
        [b'P', b'A', b'R', b'1', ..] => PARQUET,
        _ => match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => "application/json",
            Some(b'{') => "application/x-ndjson",
            Some(b'<') => "application/xml",
            _ if text.starts_with(b"PMID- ") => "application/nbib",
            _ => "text/csv",
        },
    }
}

/// The bronze partitions of a table at `dt`, by the name of their source, each with the version of its manifest.
pub(super) fn manifests(
    storage: &dyn Storage,
    table: SourceTable,
    dt: Dt,
) -> Result<Vec<(BronzeManifest, Version)>> {
    let mut found = Vec::new();
    for source in storage.list(layout::BRONZE)? {
        let path = format!("{}/{}", layout::bronze(&source, dt), layout::MANIFEST);
        let (manifest, version) = manifest::read::<BronzeManifest>(storage, path)?;
        if let Some(manifest) = manifest.filter(|manifest| manifest.table == table) {
            found.push((manifest, version));
        }
    }
    Ok(found)
}
