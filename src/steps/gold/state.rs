//! The state of all publications: the newest rows, the display names of journals, and the inputs of each file of
//! mentions.

use std::collections::HashSet;

use chrono::NaiveDate;
use polars::prelude::{DataFrame, DataType};
use xxhash_rust::xxh3::Xxh3;

use super::GoldPartition;
use crate::error::Result;
use crate::gold::journals::{DisplayNames, Spellings};
use crate::gold::newest::{Newest, Outdated};
use crate::gold::same_journals::{JoinedKeys, SameJournals};
use crate::graph::LargeGraph;
use crate::sorting::Bound;
use crate::storage::{Storage, Transaction, sha256_hex};
use crate::tables::table_writer::read_frames;
use crate::task::Task;

/// The lake and the task for reading.
pub(crate) struct StateInput<'a> {
    pub storage: &'a dyn Storage,
    pub task: &'a Task,
    pub memory: Bound,
}

impl StateInput<'_> {
    /// Reads some columns of a file, row group by row group.
    fn columns(
        &self,
        path: &str,
        columns: &[&str],
        mut each: impl FnMut(&DataFrame) -> Result<()>,
    ) -> Result<()> {
        let wanted: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
        read_frames(
            || self.storage.open_file(path),
            path,
            Some(&wanted),
            |frame| {
                self.task.check()?;
                each(&frame)
            },
        )
    }

    /// Marks the rows of each partition that are the newest state of their publication; counts the others.
    pub(crate) fn find_newest(
        &self,
        partitions: &mut [GoldPartition],
        transaction: &mut dyn Transaction,
    ) -> Result<Outdated> {
        partitions.sort_by(|left, right| right.dt.cmp(&left.dt).then(left.kind.cmp(&right.kind)));
        let mut newest = Newest::new(transaction.scratch("newest")?, self.memory);
        for (number, partition) in (0_u32..).zip(&*partitions) {
            let mut row = 0;
            self.columns(&partition.path(), &["publication_id"], |frame| {
                newest.see(
                    partition.kind,
                    number,
                    row,
                    frame.column("publication_id")?.str()?,
                )?;
                row += frame.height() as u64;
                Ok(())
            })?;
            let deleted = partition.deleted();
            if partition.has(&deleted) {
                self.columns(&deleted, &["publication_id"], |frame| {
                    newest.delete(partition.kind, number, frame.column("publication_id")?.str()?)
                })?;
            }
        }
        self.task.check()?;
        newest.finish(|number, row| partitions[number as usize].live.insert(row))
    }

    /// The display names of journals.
    pub(crate) fn display_names(&self, partitions: &[GoldPartition]) -> Result<DisplayNames> {
        let mut spellings = Spellings::new(self.joined_keys(partitions)?);
        for partition in partitions {
            let mut row = 0;
            self.columns(&partition.path(), &["journal", "journal_key"], |frame| {
                let journals = frame.column("journal")?.str()?;
                let keys = frame.column("journal_key")?.str()?;
                for (journal, key) in journals.iter().zip(keys.iter()) {
                    if let (Some(journal), Some(key), true) = (journal, key, partition.live.contains(row)) {
                        spellings.add(key, journal);
                    }
                    row += 1;
                }
                Ok(())
            })?;
        }
        Ok(spellings.finish())
    }

    /// The keys that are one journal, by the ids in rows of all partitions.
    fn joined_keys(&self, partitions: &[GoldPartition]) -> Result<JoinedKeys> {
        let mut same = SameJournals::default();
        for partition in partitions {
            let journals = partition.journals();
            if partition.has(&journals) {
                self.columns(&journals, &["journal_key", "nlm_id", "issn"], |frame| {
                    let keys = frame.column("journal_key")?.str()?;
                    let nlm_ids = frame.column("nlm_id")?.str()?;
                    let issns = frame.column("issn")?.str()?;
                    for ((key, nlm_id), issn) in keys.iter().zip(nlm_ids.iter()).zip(issns.iter()) {
                        same.add(key.unwrap_or_default(), nlm_id, issn);
                    }
                    Ok(())
                })?;
            }
        }
        Ok(same.finish())
    }

    /// Adds the newest state of every publication to the graph, and computes the fingerprint of every partition.
    pub(crate) fn add_publications(
        &self,
        partitions: &mut [GoldPartition],
        journals: &DisplayNames,
        graph: &mut LargeGraph,
    ) -> Result<()> {
        for partition in partitions {
            let mut names = Xxh3::new();
            let mut row = 0;
            self.columns(
                &partition.path(),
                &["publication_id", "date", "journal_key"],
                |frame| {
                    let dates = frame.column("date")?.cast(&DataType::Int32)?;
                    let ids = frame.column("publication_id")?.str()?;
                    let keys = frame.column("journal_key")?.str()?;
                    for ((id, key), date) in ids.iter().zip(keys.iter()).zip(dates.i32()?.iter()) {
                        let live = partition.live.contains(row);
                        let journal = key.and_then(|key| journals.get(key));
                        names.update(&[u8::from(live)]);
                        if live {
                            names.update(journal.unwrap_or("\u{0}").as_bytes());
                            let id = id.unwrap_or_default();
                            graph.add_publication(
                                partition.kind,
                                id,
                                date.and_then(NaiveDate::from_epoch_days),
                                journal,
                            )?;
                        }
                        row += 1;
                    }
                    Ok(())
                },
            )?;
            let text = format!("{} {:032x}", partition.manifest.fingerprint, names.digest128());
            partition.fingerprint = sha256_hex(text.as_bytes());
        }
        Ok(())
    }
}

/// All display names of journals.
pub(crate) fn all_names(journals: &DisplayNames) -> Vec<String> {
    let names: HashSet<&str> = journals.names().collect();
    names.into_iter().map(str::to_owned).collect()
}
