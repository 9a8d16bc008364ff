//! The sums over all chunks, and the answers from them.

use std::collections::HashMap;
use std::io;

use super::attempt::Attempt;
use super::chunks::MadeChunks;
use super::count_deltas::{CountDelta, MergedCounts, all_keys};
use super::index::write_file;
use super::journal_tables::JournalTables;
use crate::error::{Error, Result};
use crate::gold::chunk_index::{LakeSums, PairCount, SumsReader, SumsWriter};
use crate::gold::journals::DisplayNames;
use crate::graph::{DrugNode, JournalCounter};
use crate::lake::layout;
use crate::lake::report::GoldNumbers;
use crate::sorting::{Bound, Sorter};
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;

impl Attempt<'_> {
    /// Writes the sums, the answers, the tables of journals and, if it is wanted, `drug_graph.json`; returns the files and
    /// the numbers of their contents.
    pub(super) fn write_answers(
        &self,
        made: &mut MadeChunks,
        drugs: Vec<DrugNode>,
        journals: &DisplayNames,
        (before, sums): (&LakeSums, &LakeSums),
        transaction: &mut dyn Transaction,
    ) -> Result<(Vec<OutputFile>, GoldNumbers)> {
        let mut outputs = Vec::new();
        if let Some(graph) = made.graph.take() {
            let shown = transaction.shown(layout::DRUG_GRAPH);
            let (graph_file, ()) =
                write_file(transaction, layout::DRUG_GRAPH, |out| graph.write(&shown, out))?;
            outputs.push(graph_file);
        }
        let (settings, memory) = (self.settings.answers, self.settings.memory);
        let publications = journals.publications(&sums.spellings);
        let scratch = (transaction.scratch("journals")?, memory);
        let mut counter = JournalCounter::new(drugs, publications.clone(), settings, scratch);
        let numbers: HashMap<&str, u32> = publications.keys().map(String::as_str).zip(0..).collect();
        let keys = all_keys(before, sums);
        // For each key: its journal's number, and its place among the keys of now.
        let names = keys.iter().map(|key| numbers.get(journals.get(key)?).copied());
        let names: Vec<Option<u32>> = names.collect();
        let places = places_among(sums.spellings.keys(), &keys);
        let deltas = std::mem::replace(
            &mut made.deltas,
            Sorter::new(transaction.scratch("none")?, Bound::default()),
        );
        outputs.push(
            self.write_sums((before, sums), (&keys, &places), deltas, transaction, |sum| {
                let name = (sum.key > 0).then(|| names[sum.key as usize - 1]).flatten();
                let counts = (sum.codes.unsigned_abs(), sum.pairs.unsigned_abs());
                counter.add(name, (sum.drug, sum.kind), counts)
            })?,
        );
        let mut tables = JournalTables::create(transaction)?;
        // A line a journal.
        let mut ranking = Vec::new();
        let (exclusive, counted) = write_file(transaction, layout::EXCLUSIVE_DRUGS, |exclusive| {
            counter.write(
                (&mut ranking, exclusive),
                &mut |journal| tables.add(&journal),
                self.task,
            )
        })?;
        let shown = transaction.shown(layout::TOP_JOURNALS);
        let (top, ()) = write_file(transaction, layout::TOP_JOURNALS, |out| {
            out.write_all(&ranking)
                .map_err(|error| Error::storage(shown, "write", error))
        })?;
        outputs.extend([top, exclusive]);
        outputs.extend(tables.finish()?);
        let chunks = || made.states.values().flat_map(|state| &state.chunks);
        let numbers = GoldNumbers {
            as_of: self.as_of.to_string(),
            drugs: counted.drugs,
            publications: chunks().map(|chunk| chunk.publications.rows).sum(),
            superseded: made.states.values().map(|state| state.superseded).sum(),
            deleted: made.states.values().map(|state| state.deleted).sum(),
            excluded: chunks().map(|chunk| chunk.excluded).sum(),
            unit: settings.unit,
            substances: counted.substances,
            mentions: chunks().map(|chunk| chunk.places.count(settings.unit)).sum(),
            pairs: counted.pairs,
            journals: counted.answers.journals,
            top_journals: counted.answers.top_journals.into_iter().collect(),
            max_exclusive: settings.max_exclusive,
            exclusive_cut: counted.answers.exclusive_cut,
        };
        Ok((outputs, numbers))
    }

    /// Writes the sums over all chunks, and hands over each count; the key of a count is its place among all keys, from 1.
    fn write_sums(
        &self,
        (before, sums): (&LakeSums, &LakeSums),
        (keys, places): (&[&str], &[u32]),
        deltas: Sorter<CountDelta>,
        transaction: &mut dyn Transaction,
        mut each: impl FnMut(CountDelta) -> Result<()>,
    ) -> Result<OutputFile> {
        let old = self.sums_file().filter(|_| self.keeps_sums());
        let reader = match old {
            Some(file) => Some(self.read_index(file, |input, bytes| {
                SumsReader::new(input, bytes).map(|(_, pairs)| pairs)
            })?),
            None => None,
        };
        let scratched = |error| Error::storage("the scratch file of counts", "use", error);
        let mut to_all = vec![0];
        to_all.extend(before.spellings.keys().map(|key| {
            let place = keys.binary_search(&key).unwrap_or_default();
            place as u32 + 1
        }));
        let mut counts = MergedCounts::new(reader, to_all, deltas.finish().map_err(scratched)?);
        let damaged = |error: io::Error| {
            self.has_index_fault.set(true);
            Error::storage(format!("{}/{}", self.storage.root(), layout::SUMS), "read", error)
        };
        counts.advance().map_err(damaged)?;
        let shown = transaction.shown(layout::SUMS);
        let failed = |error| Error::storage(&shown, "write", error);
        let (output, ()) = write_file(transaction, layout::SUMS, |out| {
            let mut out = SumsWriter::new(out, sums).map_err(failed)?;
            while let Some(sum) = counts.next_count().map_err(damaged)? {
                if sum.codes < 0 || sum.pairs < 0 {
                    return Err(damaged(io::Error::other("a count below 0")));
                }
                let pair = PairCount {
                    key: places[sum.key as usize],
                    drug: sum.drug,
                    kind: sum.kind,
                    codes: sum.codes.unsigned_abs(),
                    pairs: sum.pairs.unsigned_abs(),
                };
                out.add(&pair).map_err(failed)?;
                each(sum)?;
            }
            out.finish().map_err(failed)
        })?;
        Ok(output)
    }
}

/// For each of `all` keys, from 1, its place among `some` of them, from 1; 0 for a key that is not among them.
fn places_among<'k>(some: impl Iterator<Item = &'k str>, all: &[&str]) -> Vec<u32> {
    let mut places = vec![0; all.len() + 1];
    for (place, key) in (1..).zip(some) {
        if let Ok(found) = all.binary_search(&key) {
            places[found + 1] = place;
        }
    }
    places
}
