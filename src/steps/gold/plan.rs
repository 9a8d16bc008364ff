//! Which partitions gold makes again, and why.

use std::ops::Range;

use serde::Serialize;

use super::{ChunkState, GoldManifest, KeysFile, PartitionState};
use crate::error::Result;
use crate::gold::newest::{LiveRows, Outdated};
use crate::lake::documents::SilverManifest;
use crate::lake::dt::Dt;
use crate::lake::layout;
use crate::schema::PublicationKind;
use crate::storage::Storage;
use crate::tables::output_file::OutputFile;
use crate::task::Task;

/// What happened to a silver partition since the last run of gold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionChange {
    /// Nothing; its chunks may be touched by others.
    Kept,
    New,
    Replaced,
    /// Not delivered any more, or held.
    Removed,
}

/// How much of a chunk is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Remake {
    Nothing,
    /// The row groups with rows that are live now and were not, or the reverse.
    Rows,
    /// Its mentions, because names of drugs or settings changed.
    Mentions,
    All,
}

/// A silver partition of publications.
pub(super) struct GoldPartition {
    pub kind: PublicationKind,
    pub dt: Dt,
    /// `None` if it is not delivered, or held.
    pub silver: Option<SilverManifest>,
    pub before: Option<PartitionState>,
    pub change: PartitionChange,
    pub chunks: Vec<GoldChunk>,
    /// The index of its publications, once it is known.
    pub keys: Option<KeysFile>,
    pub outdated: Outdated,
    /// The live rows of a partition that is new or replaced.
    pub live: LiveRows,
}

/// Some rows of a silver partition.
pub(super) struct GoldChunk {
    /// Its first row.
    pub first: u64,
    pub rows: u64,
    /// What gold has of it, in a partition that is kept.
    pub before: Option<ChunkState>,
    pub remake: Remake,
    /// Rows that are live now and were not, or the reverse, in a partition that is kept.
    pub flips: Vec<(u64, bool)>,
}

impl GoldChunk {
    /// Whether a row of the partition between these is live now and was not, or the reverse.
    pub(super) fn has_flips(&self, rows: &Range<u64>) -> bool {
        let rows = rows.start - self.first..rows.end - self.first;
        self.flips.iter().any(|(row, _)| rows.contains(row))
    }

    /// Those rows, counted from the first of these, and whether they are live.
    pub(super) fn flips_of(&self, rows: &Range<u64>) -> impl Iterator<Item = (usize, bool)> {
        let rows = rows.start - self.first..rows.end - self.first;
        let start = rows.start;
        let flips = self.flips.iter().filter(move |(row, _)| rows.contains(row));
        flips.map(move |(row, is_live)| ((row - start) as usize, *is_live))
    }
}

impl GoldPartition {
    pub(super) fn is_kept(&self) -> bool {
        self.change == PartitionChange::Kept
    }

    /// The folder that names it in the manifest.
    pub(super) fn folder(&self) -> String {
        layout::silver(self.kind.source_table(), self.dt)
    }

    pub(super) fn path(&self) -> String {
        layout::silver_part(self.kind.source_table(), self.dt)
    }

    pub(super) fn deleted(&self) -> String {
        layout::deleted(self.kind, self.dt)
    }

    pub(super) fn journals(&self) -> String {
        layout::journal_ids(self.kind, self.dt)
    }

    /// The file of silver at this path; some exist only if they have rows.
    pub(super) fn output(&self, path: &str) -> Option<&OutputFile> {
        let outputs = self.silver.iter().flat_map(|silver| &silver.outputs);
        outputs.into_iter().find(|output| output.path == path)
    }

    /// Compares a partition with what gold has of it.
    pub(super) fn new(
        (kind, dt): (PublicationKind, Dt),
        silver: Option<SilverManifest>,
        before: Option<PartitionState>,
        chunk_rows: u64,
    ) -> Self {
        let change = match (&silver, &before) {
            (Some(silver), Some(before)) if before.silver == silver.fingerprint => PartitionChange::Kept,
            (Some(_), Some(_)) => PartitionChange::Replaced,
            (Some(_), None) => PartitionChange::New,
            (None, _) => PartitionChange::Removed,
        };
        let mut partition = Self {
            kind,
            dt,
            silver,
            before,
            change,
            chunks: Vec::new(),
            keys: None,
            outdated: Outdated::default(),
            live: LiveRows::default(),
        };
        let rows = partition
            .output(&partition.path())
            .map_or(0, |output| output.rows);
        let before = partition.before.as_ref().filter(|_| partition.is_kept());
        let states = before.map_or(&[][..], |before| &before.chunks);
        let mut chunks = Vec::new();
        if partition.silver.is_some() {
            for number in 0..rows.div_ceil(chunk_rows).max(1) {
                let first = number * chunk_rows;
                let before = states.get(number as usize).cloned();
                chunks.push(GoldChunk {
                    first,
                    rows: chunk_rows.min(rows - first),
                    remake: if before.is_some() {
                        Remake::Nothing
                    } else {
                        Remake::All
                    },
                    before,
                    flips: Vec::new(),
                });
            }
        }
        if let Some(before) = before {
            partition.keys = Some(before.keys.clone());
            partition.outdated = Outdated {
                superseded: before.superseded,
                deleted: before.deleted,
            };
        }
        partition.chunks = chunks;
        partition
    }

    /// Marks the chunks whose tables are missing or damaged; `reads` says whether the tables of kept chunks are read.
    pub(super) fn check_chunks(&mut self, storage: &dyn Storage, reads: bool, task: &Task) -> Result<()> {
        for chunk in &mut self.chunks {
            let Some(before) = &chunk.before else { continue };
            let is_good = |file: &OutputFile| {
                if reads {
                    file.is_intact(storage, task)
                } else {
                    file.stands(storage)
                }
            };
            if !is_good(&before.publications)? {
                chunk.remake = Remake::All;
            } else if !is_good(&before.mentions)? {
                chunk.remake = chunk.remake.max(Remake::Mentions);
            }
        }
        Ok(())
    }
}

/// What gold would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GoldPlan {
    /// Whether everything is up to date, so that nothing would be written.
    pub unchanged: bool,
    /// The tables would hold the partitions up to this date.
    pub as_of: String,
    /// Why everything is made again; `None` if only what changed is.
    pub everything: Option<String>,
    /// Why the mentions of all partitions are searched again; `None` if only those of changed rows are.
    pub mentions: Option<String>,
    /// The settings that differ from those of the last run: the name, the value before and the value now.
    pub settings: Vec<[String; 3]>,
    /// Whether `drug_graph.json` is written, for which all current tables are read.
    pub graph: bool,
    /// The partitions with a change; all others are kept.
    pub partitions: Vec<PlannedPartition>,
    /// How many partitions are kept, but for rows that the changed ones replace or bring back.
    pub kept: u64,
}

/// A partition in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedPartition {
    pub kind: PublicationKind,
    pub dt: String,
    pub change: PartitionChange,
    /// The rows of silver; of a partition that is taken out, those that gold had.
    pub rows: u64,
    pub reason: String,
}

/// Why no file of gold can be used again; `None` if they can.
pub(super) fn why_everything(old: Option<&GoldManifest>, made_with: &str) -> Option<String> {
    match old {
        None => Some("there is no gold layer yet, or its index is damaged".to_owned()),
        Some(old) if old.made_with != made_with => {
            Some("another version of drugs_rs made the gold layer".to_owned())
        }
        Some(_) => None,
    }
}
