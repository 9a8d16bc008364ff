//! Snapshots: deliveries that replace all earlier ones of their kind, and the guard against one that lacks too much.

use std::collections::BTreeSet;
use std::io;

use super::SilverPartition;
use crate::error::{Error, Result};
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::holds::HeldDates;
use crate::lake::partitions::delivered_dates;
use crate::lake::{layout, manifest};
use crate::share::{Share, percentage};
use crate::silver::publications::{CleanBatch, id_hash};
use crate::sorting::{Sorter, sort_record};
use crate::storage::Transaction;
use crate::tables::table_writer::read_frames;

/// A row or a notice, by a hash of its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SnapshotKey {
    id: [u64; 2],
    /// 0 is the snapshot; the dates before it are numbered from the newest.
    age: u32,
    is_notice: bool,
    /// The file of the snapshot.
    file: u32,
}

sort_record!(SnapshotKey {
    id,
    age,
    is_notice,
    file
});

/// Compares the ids of a snapshot with those of the publications before it.
pub(super) struct SnapshotGuard {
    most_absent: Share,
    keys: Sorter<SnapshotKey>,
    bad_files: BTreeSet<u32>,
}

fn failed(error: io::Error) -> Error {
    Error::storage("the scratch file of a snapshot", "use", error)
}

fn halves(hash: u128) -> [u64; 2] {
    [(hash >> 64) as u64, hash as u64]
}

impl SnapshotGuard {
    /// Notes the rows and notices of a batch of the snapshot.
    pub(super) fn see(&mut self, file: u32, batch: &CleanBatch) -> Result<()> {
        let rows = batch.keys.iter().map(|key| key.id);
        let notices = batch
            .deletions
            .iter()
            .map(|notice| id_hash(&notice.publication_id));
        for id in rows.chain(notices) {
            let key = SnapshotKey {
                id: halves(id),
                age: 0,
                is_notice: false,
                file,
            };
            self.keys.push(key).map_err(failed)?;
        }
        Ok(())
    }

    /// Forgets the rows of a file that is rejected as a whole.
    pub(super) fn drop_file(&mut self, file: u32) {
        self.bad_files.insert(file);
    }

    /// How many publications of earlier dates the snapshot neither has nor deletes; fails if they are too many.
    pub(super) fn finish(mut self, partition: &SilverPartition<'_>) -> Result<u64> {
        for (age, dt) in (1..).zip(partition.dates_before()?) {
            let Some(kind) = partition.table.publication_kind() else {
                break;
            };
            let paths = [
                layout::silver_part(partition.table, dt),
                layout::deleted(kind, dt),
            ];
            for (path, is_notice) in paths.into_iter().zip([false, true]) {
                // Without notices there is no file of them.
                if partition.storage.size(&path)?.is_none() {
                    continue;
                }
                read_frames(partition.storage, &path, Some(&["publication_id"]), |frame| {
                    partition.task.check()?;
                    for id in frame.column("publication_id")?.str()?.iter().flatten() {
                        let key = SnapshotKey {
                            id: halves(id_hash(id)),
                            age,
                            is_notice,
                            file: 0,
                        };
                        self.keys.push(key).map_err(failed)?;
                    }
                    Ok(())
                })?;
            }
        }
        let (mut before, mut absent) = (0_u64, 0_u64);
        let mut id = None;
        let (mut is_in, mut is_decided) = (false, false);
        for key in self.keys.finish().map_err(failed)? {
            let key = key.map_err(failed)?;
            if id.replace(key.id) != Some(key.id) {
                (is_in, is_decided) = (false, false);
            }
            if key.age == 0 {
                is_in |= !self.bad_files.contains(&key.file);
            } else if !is_decided {
                // The newest date before the snapshot decides, and in it a row, which a notice of its date left.
                is_decided = true;
                before += u64::from(!key.is_notice);
                absent += u64::from(!key.is_notice && !is_in);
            }
        }
        if self.most_absent.is_exceeded(absent, before) {
            return Err(partition.refuse(absent, before, self.most_absent));
        }
        Ok(absent)
    }
}

impl SilverPartition<'_> {
    /// The guard, if the partition is a snapshot.
    pub(super) fn snapshot_guard(&self, transaction: &mut dyn Transaction) -> Result<Option<SnapshotGuard>> {
        let Some(most_absent) = self.snapshot else {
            return Ok(None);
        };
        Ok(Some(SnapshotGuard {
            most_absent,
            keys: Sorter::new(transaction.scratch("snapshot")?, self.settings.memory),
            bad_files: BTreeSet::new(),
        }))
    }

    /// The dates whose publications the snapshot replaces, the newest first: those before it that are not held, up to the
    /// snapshot before it.
    fn dates_before(&self) -> Result<Vec<Dt>> {
        let held = HeldDates::read(self.storage)?;
        let mut before = Vec::new();
        for dt in delivered_dates(self.storage, self.table)?.into_iter().rev() {
            if dt >= self.dt || held.has(dt) {
                continue;
            }
            before.push(dt);
            let path = layout::silver_manifest(self.table, dt);
            let (found, _) = manifest::read::<SilverManifest>(self.storage, path)?;
            if found.is_some_and(|found| found.snapshot) {
                break;
            }
        }
        Ok(before)
    }

    fn refuse(&self, absent: u64, before: u64, most_absent: Share) -> Error {
        Error::Loss {
            uri: format!("{}/{}", self.storage.root(), layout::silver(self.table, self.dt)),
            found: format!(
                "the snapshot of dt={} lacks {absent} of the {before} publications before it ({}), and \
                 max_absent={most_absent} allows less",
                self.dt,
                percentage(absent, before)
            ),
            remedy: "nothing was written to silver; if it is no snapshot but a daily delivery, run bronze of that dt again \
                     without snapshot; if these publications are gone, with a larger max_absent"
                .to_owned(),
        }
    }
}
