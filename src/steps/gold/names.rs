//! The display names of journals, from the spellings in all current publications.

use std::collections::BTreeSet;
use std::ops::Range;

use polars::prelude::DataFrame;

use super::attempt::Attempt;
use super::plan::{GoldChunk, GoldPartition, Remake};
use crate::error::Result;
use crate::gold::chunk_index::{ChunkIndex, LakeSums, SumsReader};
use crate::gold::journals::{DisplayNames, SpellingCounter, SpellingCounts};
use crate::gold::newest::LiveRows;
use crate::gold::same_journals::joined_keys;
use crate::lake::layout;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::read_row_groups;

impl Attempt<'_> {
    /// The file of the sums before, if they are used.
    pub(super) fn sums_file(&self) -> Option<&OutputFile> {
        let old = self.old.as_ref().filter(|_| self.everything.is_none());
        let mut outputs = old.iter().flat_map(|old| &old.outputs);
        outputs.find(|output| output.path == layout::SUMS)
    }

    /// The sums before, without those of mentions.
    pub(super) fn sums_before(&self) -> Result<LakeSums> {
        match self.sums_file() {
            None => Ok(LakeSums::default()),
            Some(file) => self.read_index(file, |input, bytes| {
                SumsReader::new(input, bytes).map(|(sums, _)| sums)
            }),
        }
    }

    /// Takes the spellings of changed chunks from the sums, and adds those of now.
    pub(super) fn count_spellings(&self, sums: &mut SpellingCounts) -> Result<()> {
        for partition in &self.partitions {
            if !partition.is_kept() {
                for chunk in partition.before.iter().flat_map(|before| &before.chunks) {
                    sums.add_all(&self.chunk_index(chunk)?.spellings, -1);
                }
            }
            for chunk in &partition.chunks {
                if partition.is_kept() {
                    self.count_flips(partition, chunk, sums)?;
                } else {
                    let live = live_rows(partition, chunk, None);
                    sums.add_all(&self.spellings(partition, chunk, &live)?, 1);
                }
            }
        }
        Ok(())
    }

    /// Adds the spellings of rows that are live now, and takes away those of rows that were.
    fn count_flips(
        &self,
        partition: &GoldPartition,
        chunk: &GoldChunk,
        sums: &mut SpellingCounts,
    ) -> Result<()> {
        if chunk.flips.is_empty() {
            return Ok(());
        }
        let wanted = ["journal", "journal_key"].map(str::to_owned);
        self.read_chunk(
            partition,
            chunk,
            &wanted,
            |part| chunk.has_flips(part),
            |part, frame| {
                let Some(frame) = frame else { return Ok(()) };
                let journals = frame.column("journal")?.str()?;
                let keys = frame.column("journal_key")?.str()?;
                for (row, is_live) in chunk.flips_of(&part) {
                    if let (Some(journal), Some(key)) = (journals.get(row), keys.get(row)) {
                        sums.add(key, journal, if is_live { 1 } else { -1 });
                    }
                }
                Ok(())
            },
        )
    }

    /// Reads the row groups of silver that a chunk is made from; see [`read_row_groups`].
    pub(super) fn read_chunk(
        &self,
        partition: &GoldPartition,
        chunk: &GoldChunk,
        columns: &[String],
        wanted: impl Fn(&Range<u64>) -> bool,
        mut each: impl FnMut(Range<u64>, Option<DataFrame>) -> Result<()>,
    ) -> Result<()> {
        let path = partition.path();
        if let Some(output) = partition.output(&path) {
            self.check_input(output)?;
        }
        let rows = chunk.first..chunk.first + chunk.rows;
        read_row_groups(
            || self.storage.open_file(&path),
            &path,
            columns,
            rows,
            wanted,
            |part, frame| {
                self.task.check()?;
                each(part, frame)
            },
        )
    }

    /// The spellings of the live rows of a chunk.
    fn spellings(
        &self,
        partition: &GoldPartition,
        chunk: &GoldChunk,
        live: &LiveRows,
    ) -> Result<SpellingCounts> {
        let mut counts = SpellingCounter::default();
        let wanted = ["journal", "journal_key"].map(str::to_owned);
        self.read_chunk(
            partition,
            chunk,
            &wanted,
            |_| true,
            |part, frame| {
                let Some(frame) = frame else { return Ok(()) };
                let journals = frame.column("journal")?.str()?;
                let keys = frame.column("journal_key")?.str()?;
                for (row, (journal, key)) in
                    (part.start - chunk.first..).zip(journals.iter().zip(keys.iter()))
                {
                    let (Some(journal), Some(key), true) = (journal, key, live.contains(row)) else {
                        continue;
                    };
                    counts.add(key, journal);
                }
                Ok(())
            },
        )?;
        Ok(counts.finish())
    }

    /// The display names of now. Marks the chunks with a journal whose name is another than before.
    pub(super) fn display_names(&mut self, before: &LakeSums, sums: &LakeSums) -> Result<DisplayNames> {
        let names = sums.spellings.display_names(joined_keys(&sums.journal_ids));
        if self.everything.is_some() {
            return Ok(names);
        }
        let names_before = before.spellings.display_names(joined_keys(&before.journal_ids));
        let changed = before.spellings.keys();
        let changed: BTreeSet<&str> = changed
            .filter(|key| names_before.get(key) != names.get(key))
            .collect();
        if changed.is_empty() {
            return Ok(names);
        }
        let mut partitions = std::mem::take(&mut self.partitions);
        for chunk in partitions.iter_mut().flat_map(|partition| &mut partition.chunks) {
            if let Some(before) = chunk.before.as_ref().filter(|_| chunk.remake < Remake::All) {
                let index = self.chunk_index(before)?;
                if index.spellings.keys().any(|key| changed.contains(key)) {
                    chunk.remake = Remake::All;
                }
            }
        }
        self.partitions = partitions;
        Ok(names)
    }
}

/// The live rows of a chunk, counted from its first; `before` is the index of one in a partition that is kept.
pub(super) fn live_rows(
    partition: &GoldPartition,
    chunk: &GoldChunk,
    before: Option<ChunkIndex>,
) -> LiveRows {
    let Some(before) = before else {
        return partition.live.part(chunk.first, chunk.rows);
    };
    let mut live = before.live;
    for (row, is_live) in &chunk.flips {
        live.set(*row, *is_live);
    }
    live
}
