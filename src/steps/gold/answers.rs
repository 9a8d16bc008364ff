//! The sums over all chunks, and the answers from them.

use std::collections::HashMap;
use std::io;

use super::attempt::Attempt;
use super::chunks::{MadeChunks, all_keys};
use super::index::write_file;
use super::journal_tables::JournalTables;
use crate::error::{Error, Result};
use crate::gold::chunk_index::{LakeSums, PairCount, SumsReader, SumsWriter};
use crate::gold::journals::DisplayNames;
use crate::graph::{DrugNode, JournalCounter};
use crate::lake::layout;
use crate::lake::report::GoldNumbers;
use crate::schema::PublicationKind;
use crate::sorting::{Bound, SortRecord, Sorted, Sorter, bytes::take};
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;

/// A change of a count; the key is its place among those of [`all_keys`], from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CountDelta {
    pub key: u32,
    pub drug: u32,
    pub kind: PublicationKind,
    pub codes: i64,
    pub pairs: i64,
}

impl CountDelta {
    fn place(&self) -> (u32, u32, PublicationKind) {
        (self.key, self.drug, self.kind)
    }
}

impl SortRecord for CountDelta {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.key.to_le_bytes());
        bytes.extend_from_slice(&self.drug.to_le_bytes());
        bytes.push(self.kind as u8);
        bytes.extend_from_slice(&self.codes.to_le_bytes());
        bytes.extend_from_slice(&self.pairs.to_le_bytes());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(Self {
            key: u32::from_le_bytes(take(bytes)?),
            drug: u32::from_le_bytes(take(bytes)?),
            kind: PublicationKind::of_number(take::<1>(bytes)?[0])?,
            codes: i64::from_le_bytes(take(bytes)?),
            pairs: i64::from_le_bytes(take(bytes)?),
        })
    }
}

/// The counts of before and their changes, as the counts of now.
struct MergedCounts<R> {
    before: Option<SumsReader<R>>,
    /// From a place of a key before to its place among all keys.
    places: Vec<u32>,
    next_before: Option<CountDelta>,
    deltas: Sorted<CountDelta>,
}

impl<R: io::Read> MergedCounts<R> {
    fn advance(&mut self) -> io::Result<()> {
        let next = match &mut self.before {
            Some(before) => before.next_count()?,
            None => None,
        };
        self.next_before = next.map(|pair| CountDelta {
            key: self.places.get(pair.key as usize).copied().unwrap_or(0),
            drug: pair.drug,
            kind: pair.kind,
            codes: pair.codes.cast_signed(),
            pairs: pair.pairs.cast_signed(),
        });
        Ok(())
    }

    /// The next count that is not 0.
    fn next_count(&mut self) -> io::Result<Option<CountDelta>> {
        loop {
            let delta = self.deltas.peek().map(CountDelta::place);
            let before = self.next_before.as_ref().map(CountDelta::place);
            let Some(place) = delta.into_iter().chain(before).min() else {
                return Ok(None);
            };
            let mut sum = CountDelta {
                key: place.0,
                drug: place.1,
                kind: place.2,
                codes: 0,
                pairs: 0,
            };
            if let Some(before) = self.next_before.filter(|before| before.place() == place) {
                sum = before;
                self.advance()?;
            }
            while let Some(delta) = self.deltas.next_if(|delta| delta.place() == place)? {
                sum.codes += delta.codes;
                sum.pairs += delta.pairs;
            }
            if sum.codes != 0 {
                return Ok(Some(sum));
            }
        }
    }
}

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
        let mut counts = MergedCounts {
            before: reader,
            places: to_all,
            next_before: None,
            deltas: deltas.finish().map_err(scratched)?,
        };
        let damaged = |error: io::Error| {
            self.index_fault.set(true);
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
