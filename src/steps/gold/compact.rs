//! Puts the keys of many partitions into one file, so that a run of gold opens, and in a bucket requests, one file for all
//! of them.

use std::collections::BTreeSet;
use std::io;

use super::index::{part_of, write_file};
use super::{GoldManifest, KeysFile, PartitionState};
use crate::error::{Error, Result};
use crate::lake::dt::Dt;
use crate::lake::states::{read_state, state_numbers, write_state};
use crate::lake::{layout, manifest};
use crate::schema::PublicationKind;
use crate::storage::{Storage, sha256_hex};
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// A file that a compaction wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactedFile {
    pub path: String,
    /// How many partitions it has the keys of.
    pub partitions: u64,
    pub bytes: u64,
}

/// Puts the keys of all partitions together that are this many days older than the date that gold has reached. No table
/// changes.
pub fn compact(storage: &dyn Storage, older_than_days: u32, task: &Task) -> Result<Vec<CompactedFile>> {
    let (old, version) = manifest::read::<GoldManifest>(storage, layout::GOLD_MANIFEST.to_owned())?;
    let missing = || Error::SourceNotFound {
        uri: format!("{}/{}", storage.root(), layout::GOLD_MANIFEST),
        expected: "the manifest of the gold layer; run the gold step first".to_owned(),
    };
    let mut gold = old.ok_or_else(missing)?;
    let Some(end) = Dt::parse(&gold.numbers.as_of)?.days_before(older_than_days) else {
        return Ok(Vec::new());
    };
    let mut transaction = storage.begin(&[layout::GOLD_MANIFEST.to_owned()])?;
    let mut compacted = Vec::new();
    for kind in PublicationKind::ALL {
        let is_old = |folder: &str| {
            layout::kind_of(folder) == Some(kind) && layout::date_of(folder).is_some_and(|dt| dt < end)
        };
        let mut partitions: Vec<&mut PartitionState> = gold
            .states
            .iter_mut()
            .filter(|(folder, _)| is_old(folder))
            .map(|(_, state)| state)
            .collect();
        let apart = partitions.iter().filter(|state| state.keys.part.is_none());
        if partitions.len() < 2 || apart.count() == 0 {
            continue;
        }
        let path = layout::all_keys_file(kind);
        transaction.replace(&path)?;
        let shown = transaction.shown(&path);
        let (file, parts) = write_file(transaction.as_mut(), &path, |out| {
            let (mut parts, mut end) = (Vec::new(), 0);
            for state in &partitions {
                task.check()?;
                let keys = &state.keys;
                let input = storage.open_file(&keys.file.path)?;
                let (mut input, length) =
                    part_of(input, keys).map_err(|error| Error::storage(&keys.file.path, "read", error))?;
                let copied =
                    io::copy(&mut input, out).map_err(|error| Error::storage(&shown, "write", error))?;
                if copied != length {
                    let fault = io::Error::from(io::ErrorKind::UnexpectedEof);
                    return Err(Error::storage(&keys.file.path, "read", fault));
                }
                parts.push((end, length));
                end += length;
            }
            Ok(parts)
        })?;
        compacted.push(CompactedFile {
            path: file.path.clone(),
            partitions: parts.len() as u64,
            bytes: file.bytes,
        });
        for (state, part) in partitions.iter_mut().zip(parts) {
            state.keys = KeysFile {
                file: file.clone(),
                part: Some(part),
            };
        }
    }
    if compacted.is_empty() {
        return Ok(compacted);
    }
    let keys: Vec<OutputFile> = gold
        .states
        .values()
        .map(|state| state.keys.file.clone())
        .collect();
    let named: BTreeSet<&str> = keys.iter().map(|file| file.path.as_str()).collect();
    let (gone, mut outputs): (Vec<_>, Vec<_>) = std::mem::take(&mut gold.outputs)
        .into_iter()
        .filter(|output| !named.contains(output.path.as_str()))
        .partition(|output| layout::is_keys_file(&output.path));
    for output in gone {
        transaction.replace(&output.path)?;
    }
    let mut seen = BTreeSet::new();
    outputs.extend(keys.into_iter().filter(|file| seen.insert(file.path.clone())));
    gold.outputs = outputs;
    let digest = manifest::write(transaction.as_mut(), layout::GOLD_MANIFEST, &gold)?;
    // The newest state is the same, under another manifest.
    if let Some(number) = state_numbers(storage)?.pop()
        && let Some(mut record) = read_state(storage, number)?
        && version
            .1
            .as_ref()
            .is_some_and(|bytes| sha256_hex(bytes) == record.gold)
    {
        record.gold = digest;
        write_state(transaction.as_mut(), &record)?;
    }
    task.check()?;
    transaction.commit(&[version])?;
    Ok(compacted)
}
