//! Which rows are the newest state of their publication, from the publications of the partitions that changed.

use super::KeysFile;
use super::attempt::Attempt;
use super::index::write_file;
use super::plan::{GoldPartition, PartitionChange, Remake};
use crate::error::{Error, Result};
use crate::gold::chunk_index::{KeysWriter, read_keys};
use crate::gold::newest::{KeyRecord, PartitionKeys, PublicationKey, RowStatus, SeenIn, Sightings};
use crate::gold::same_journals::JournalIdCounts;
use crate::lake::layout;
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::read_frames;

/// If more publications than these are concerned, all are looked at: the list of them takes 12 bytes each.
const MOST_LISTED: usize = 4 << 20;

/// The publications that the partitions with a change name, before or now.
enum Concerned {
    Listed(Vec<PublicationKey>),
    Everything,
}

impl Concerned {
    fn add(&mut self, key: PublicationKey) {
        if let Self::Listed(keys) = self {
            if keys.len() == MOST_LISTED {
                *self = Self::Everything;
            } else if keys.last() != Some(&key) {
                keys.push(key);
            }
        }
    }
}

impl Attempt<'_> {
    /// Finds the live rows of the partitions that changed, and what that changes in the others; writes the keys of those that
    /// are new. Counts the ids of journals.
    pub(super) fn find_live(
        &mut self,
        journal_ids: &mut JournalIdCounts,
        transaction: &mut dyn Transaction,
    ) -> Result<()> {
        let mut partitions = std::mem::take(&mut self.partitions);
        let scratch = transaction.scratch("newest")?;
        let mut sightings = Sightings::new(scratch, self.settings.memory);
        let mut concerned = Concerned::Listed(Vec::new());
        for (number, partition) in (0_u32..).zip(&mut partitions) {
            if partition.is_kept() {
                continue;
            }
            if let Some(before) = &partition.before {
                let ids = self.read_keys_file(&before.keys, |input, bytes| {
                    read_keys(input, bytes, |record| {
                        concerned.add(record.key);
                        sightings
                            .add(number, record, SeenIn::Before)
                            .map_err(std::io::Error::other)
                    })
                })?;
                add_ids(journal_ids, ids, -1);
            }
            if partition.silver.is_some() {
                let ids = self.journal_ids(partition)?;
                let file = self.write_keys(partition, &ids, transaction, &mut |record| {
                    concerned.add(record.key);
                    sightings.add(number, record, SeenIn::Now)
                })?;
                partition.keys = Some(KeysFile { file, part: None });
                add_ids(journal_ids, ids, 1);
            }
        }
        if let Concerned::Listed(keys) = &mut concerned {
            keys.sort_unstable();
            keys.dedup();
        }
        for (number, partition) in (0_u32..).zip(&partitions) {
            let keys = partition.keys.as_ref().filter(|_| partition.is_kept());
            if let Some(keys) = keys {
                self.add_concerned(number, keys, &concerned, &mut sightings)?;
            }
        }
        self.task.check()?;
        sightings.finish(|number, row, was, is| {
            note(&mut partitions[number as usize], row, was, is);
            Ok(())
        })?;
        self.partitions = partitions;
        Ok(())
    }

    /// Adds the rows and notices of a partition that is kept, as far as publications with a change are concerned.
    fn add_concerned(
        &self,
        number: u32,
        keys: &KeysFile,
        concerned: &Concerned,
        sightings: &mut Sightings,
    ) -> Result<()> {
        let mut listed = match concerned {
            Concerned::Listed(keys) if keys.is_empty() => return Ok(()),
            Concerned::Listed(keys) => Some(keys.iter().peekable()),
            Concerned::Everything => None,
        };
        self.task.check()?;
        self.read_keys_file(keys, |input, bytes| {
            read_keys(input, bytes, |record| {
                if let Some(listed) = &mut listed {
                    while listed.next_if(|key| **key < record.key).is_some() {}
                    if listed.peek() != Some(&&record.key) {
                        return Ok(());
                    }
                }
                sightings
                    .add(number, record, SeenIn::Both)
                    .map_err(std::io::Error::other)
            })
        })?;
        Ok(())
    }

    /// What the rows of a partition say of their journals.
    fn journal_ids(&self, partition: &GoldPartition) -> Result<JournalIdCounts> {
        let mut ids = JournalIdCounts::new();
        let path = partition.journals();
        let Some(output) = partition.output(&path) else {
            return Ok(ids);
        };
        self.check_input(output)?;
        read_frames(self.storage, &path, None, |frame| {
            self.task.check()?;
            let keys = frame.column("journal_key")?.str()?;
            let nlm_ids = frame.column("nlm_id")?.str()?;
            let issns = frame.column("issn")?.str()?;
            let owned = |text: Option<&str>| text.map(str::to_owned);
            for ((key, nlm_id), issn) in keys.iter().zip(nlm_ids.iter()).zip(issns.iter()) {
                let key = key.unwrap_or_default().to_owned();
                ids.insert((key, owned(nlm_id), owned(issn)), 1);
            }
            Ok(())
        })?;
        Ok(ids)
    }

    /// Writes the keys of a partition, and hands over each.
    fn write_keys(
        &self,
        partition: &GoldPartition,
        ids: &JournalIdCounts,
        transaction: &mut dyn Transaction,
        each: &mut dyn FnMut(KeyRecord) -> Result<()>,
    ) -> Result<OutputFile> {
        let scratch = transaction.scratch("keys")?;
        let mut keys = PartitionKeys::new(partition.kind, scratch, self.settings.memory);
        let wanted = ["publication_id"];
        for path in [partition.path(), partition.deleted()] {
            let Some(output) = partition.output(&path) else {
                continue;
            };
            self.check_input(output)?;
            read_frames(self.storage, &path, Some(&wanted), |frame| {
                self.task.check()?;
                let ids = frame.column("publication_id")?.str()?;
                if path == partition.deleted() {
                    keys.delete(ids)
                } else {
                    keys.see(ids)
                }
            })?;
        }
        let path = layout::keys_file(partition.kind, partition.dt);
        transaction.replace(&path)?;
        let shown = transaction.shown(&path);
        let failed = |error| Error::storage(&shown, "write", error);
        let (output, ()) = write_file(transaction, &path, |out| {
            let mut out = KeysWriter::new(out, ids).map_err(failed)?;
            keys.finish(|record| {
                out.add(record).map_err(failed)?;
                each(record)
            })?;
            out.finish().map_err(failed)
        })?;
        Ok(output)
    }
}

/// Adds the ids of the journals of a partition, or takes them away.
fn add_ids(sums: &mut JournalIdCounts, ids: JournalIdCounts, times: i64) {
    for (id, count) in ids {
        let sum = sums.get(&id).copied().unwrap_or_default() + count * times;
        if sum == 0 {
            sums.remove(&id);
        } else {
            sums.insert(id, sum);
        }
    }
}

/// Notes what a row was and is.
fn note(partition: &mut GoldPartition, row: u32, was: Option<RowStatus>, is: Option<RowStatus>) {
    let (is_live, row) = (is == Some(RowStatus::Live), u64::from(row));
    match partition.change {
        PartitionChange::Removed => {}
        PartitionChange::New | PartitionChange::Replaced => {
            partition.outdated.count(is, 1);
            if is_live {
                partition.live.set(row, true);
            }
        }
        PartitionChange::Kept => {
            partition.outdated.count(was, -1);
            partition.outdated.count(is, 1);
            if is_live != (was == Some(RowStatus::Live)) {
                let place = partition.chunks.partition_point(|chunk| chunk.first <= row);
                if let Some(chunk) = place.checked_sub(1).and_then(|at| partition.chunks.get_mut(at)) {
                    chunk.remake = match chunk.remake {
                        Remake::Nothing | Remake::Rows => Remake::Rows,
                        Remake::Mentions | Remake::All => Remake::All,
                    };
                    chunk.flips.push((row - chunk.first, is_live));
                }
            }
        }
    }
}
