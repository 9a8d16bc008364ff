//! The files of the chunks of all partitions: their current publications, their mentions and their index, made or kept.

use std::collections::{BTreeMap, HashMap, HashSet};

use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray};

use super::answers::CountDelta;
use super::attempt::Attempt;
use super::graph_file::GraphFile;
use super::index::write_file;
use super::names::live_rows;
use super::plan::{GoldChunk, GoldPartition, Remake};
use super::{ChunkState, PartitionState};
use crate::error::{Error, Result};
use crate::gold::chunk_index::{ChunkIndex, LakeSums, PairCount};
use crate::gold::journals::{DisplayNames, SpellingCounts};
use crate::gold::mentions::{Substances, columns, find_mentions};
use crate::gold::newest::LiveRows;
use crate::gold::places::MentionPlaces;
use crate::gold::publications::current_publications;
use crate::graph::{DrugNode, drug_of};
use crate::lake::layout;
use crate::matcher::{Matcher, VocabularyEntry};
use crate::schema::{CURRENT_PUBLICATIONS, MENTIONS, PublicationKind};
use crate::sorting::Sorter;
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::{TableWriter, read_rows};

/// The result of making the chunks.
pub(super) struct MadeChunks {
    pub states: BTreeMap<String, PartitionState>,
    /// What the changed chunks add to the sums, and take from them.
    pub deltas: Sorter<CountDelta>,
    pub graph: Option<GraphFile>,
}

/// The file of a chunk's current publications.
enum PublicationsFile {
    Kept(OutputFile),
    New(TableWriter),
}

/// What all chunks are made with.
pub(super) struct ChunkTools<'t> {
    entries: &'t [VocabularyEntry],
    drugs: &'t [DrugNode],
    substances: Substances,
    journals: &'t DisplayNames,
    /// The keys of all journals, of now and before, in order.
    keys: Vec<&'t str>,
    /// Built when the first chunk needs it.
    matcher: Option<Matcher>,
}

impl Attempt<'_> {
    /// Makes or keeps the files of every chunk.
    pub(super) fn make_chunks(
        &self,
        (entries, drugs): (&[VocabularyEntry], &[DrugNode]),
        journals: &DisplayNames,
        (before, sums): (&LakeSums, &LakeSums),
        transaction: &mut dyn Transaction,
    ) -> Result<MadeChunks> {
        let mut tools = ChunkTools {
            entries,
            drugs,
            substances: drugs
                .iter()
                .map(|drug| (drug.atccode.clone(), drug.substance.clone()))
                .collect(),
            journals,
            keys: all_keys(before, sums),
            matcher: None,
        };
        let names = journals.publications(&sums.spellings).into_keys().collect();
        let mut made = MadeChunks {
            states: BTreeMap::new(),
            deltas: Sorter::new(transaction.scratch("deltas")?, self.settings.memory),
            graph: match self.has_graph() {
                true => Some(GraphFile::new(drugs, names, self.settings.memory, transaction)?),
                false => None,
            },
        };
        for partition in &self.partitions {
            if self.keeps_sums() && !partition.is_kept() {
                for chunk in partition.before.iter().flat_map(|before| &before.chunks) {
                    let index = self.chunk_index(chunk)?;
                    add_deltas(&mut made.deltas, &index, &tools.keys, -1)?;
                }
            }
            let mut chunks = Vec::new();
            for (number, chunk) in partition.chunks.iter().enumerate() {
                chunks.push(self.make_chunk(
                    partition,
                    (number, chunk),
                    &mut tools,
                    &mut made,
                    transaction,
                )?);
            }
            if let (Some(silver), Some(keys)) = (&partition.silver, &partition.keys) {
                let state = PartitionState {
                    silver: silver.fingerprint.clone(),
                    keys: keys.clone(),
                    superseded: partition.outdated.superseded,
                    deleted: partition.outdated.deleted,
                    chunks,
                };
                made.states.insert(partition.folder(), state);
            }
        }
        Ok(made)
    }

    fn make_chunk(
        &self,
        partition: &GoldPartition,
        (number, chunk): (usize, &GoldChunk),
        tools: &mut ChunkTools<'_>,
        made: &mut MadeChunks,
        transaction: &mut dyn Transaction,
    ) -> Result<ChunkState> {
        let index_before = match &chunk.before {
            Some(before) if chunk.remake == Remake::Nothing => {
                if let Some(graph) = &mut made.graph {
                    graph.add_kept(self, partition.kind, before)?;
                }
                return Ok(before.clone());
            }
            Some(before) => Some(self.chunk_index(before)?),
            None => None,
        };
        if let Some(index) = index_before.as_ref().filter(|_| self.keeps_sums()) {
            add_deltas(&mut made.deltas, index, &tools.keys, -1)?;
        }
        let live = live_rows(partition, chunk, index_before);
        let mut create = |table, folder: &str, ending| {
            let path = layout::chunk_file(folder, partition.kind, partition.dt, number, ending);
            transaction.replace(&path)?;
            TableWriter::create(transaction, path, table)
        };
        let mut mentions_file = create(&MENTIONS, MENTIONS.folder, "parquet")?;
        let kept = chunk.before.as_ref().filter(|_| chunk.remake == Remake::Mentions);
        let mut publications = match kept {
            Some(before) => PublicationsFile::Kept(before.publications.clone()),
            None => PublicationsFile::New(create(
                &CURRENT_PUBLICATIONS,
                CURRENT_PUBLICATIONS.folder,
                "parquet",
            )?),
        };
        let built = match tools.matcher.take() {
            Some(built) => built,
            None => Matcher::build(tools.entries, &self.settings.matcher, self.task)?,
        };
        let matcher = tools.matcher.insert(built);
        let mut wanted = columns(self.settings.abstracts);
        wanted.extend(["journal".to_owned()]);
        if matches!(publications, PublicationsFile::New(_)) {
            let of_table = CURRENT_PUBLICATIONS.columns.iter();
            wanted.extend(of_table.map(|column| column.name.to_owned()));
        }
        wanted.sort_unstable();
        wanted.dedup();
        let path = partition.path();
        if let Some(output) = partition.output(&path) {
            self.check_input(output)?;
        }
        let mut places = MentionPlaces::default();
        let mut counter = ChunkCounter::new(partition.kind);
        let rows = chunk.first..chunk.first + chunk.rows;
        read_rows(
            || self.storage.open_file(&path),
            &path,
            &wanted,
            rows,
            |first, frame| {
                self.task.check()?;
                let mask = live.mask(first - chunk.first, frame.height());
                let frame = if mask.iter().all(|live| *live) {
                    frame
                } else {
                    frame.filter(&BooleanChunked::from_slice("live".into(), &mask))?
                };
                let mentions =
                    find_mentions(&frame, matcher, (&tools.substances, tools.journals), self.task)?;
                places.add(&mentions)?;
                counter.add(&frame, &mentions, tools.drugs)?;
                if let Some(graph) = &mut made.graph {
                    graph.add(partition.kind, &frame, tools.journals, &mentions)?;
                }
                if let PublicationsFile::New(file) = &mut publications {
                    file.write(&current_publications(&frame, tools.journals)?)?;
                }
                mentions_file.write(&mentions)
            },
        )?;
        let index = counter.finish(live);
        add_deltas(&mut made.deltas, &index, &tools.keys, 1)?;
        let publications = match publications {
            PublicationsFile::Kept(kept) => kept,
            PublicationsFile::New(file) => file.finish()?,
        };
        let mentions = mentions_file.finish()?;
        let path = layout::chunk_file(layout::INDEX, partition.kind, partition.dt, number, "bin");
        transaction.replace(&path)?;
        let shown = transaction.shown(&path);
        let (index, ()) = write_file(transaction, &path, |out| {
            index
                .write(out)
                .map_err(|error| Error::storage(shown, "write", error))
        })?;
        Ok(ChunkState {
            rows: chunk.rows,
            publications,
            mentions,
            index,
            places,
        })
    }
}

/// The keys of the journals of two states, in order.
pub(super) fn all_keys<'s>(before: &'s LakeSums, sums: &'s LakeSums) -> Vec<&'s str> {
    let mut keys: Vec<&str> = before.spellings.keys().chain(sums.spellings.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Adds what a chunk adds to the sums, or takes it away.
fn add_deltas(deltas: &mut Sorter<CountDelta>, index: &ChunkIndex, keys: &[&str], times: i64) -> Result<()> {
    let own: Vec<u32> = index
        .spellings
        .keys()
        .map(|key| keys.binary_search(&key).map_or(0, |place| place as u32 + 1))
        .collect();
    for pair in &index.pairs {
        let key = match pair.key {
            0 => 0,
            place => own.get(place as usize - 1).copied().unwrap_or(0),
        };
        let delta = CountDelta {
            key,
            drug: pair.drug,
            kind: pair.kind,
            codes: pair.codes.cast_signed() * times,
            pairs: pair.pairs.cast_signed() * times,
        };
        deltas
            .push(delta)
            .map_err(|error| Error::storage("the scratch file of counts", "use", error))?;
    }
    Ok(())
}

/// Counts the spellings and the mentions of the live rows of a chunk.
struct ChunkCounter {
    kind: PublicationKind,
    spellings: HashMap<String, HashMap<String, i64>>,
    /// Numbers of keys as they come, from 1.
    keys: HashMap<String, u32>,
    /// Codes and pairs, by key and drug.
    counts: HashMap<(u32, u32), (u64, u64)>,
}

impl ChunkCounter {
    fn new(kind: PublicationKind) -> Self {
        Self {
            kind,
            spellings: HashMap::new(),
            keys: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    /// Counts rows and their mentions, which come in the order of the rows.
    fn add(&mut self, frame: &DataFrame, mentions: &DataFrame, drugs: &[DrugNode]) -> Result<()> {
        let ids = frame.column("publication_id")?.str()?;
        let journals = frame.column("journal")?.str()?;
        let keys = frame.column("journal_key")?.str()?;
        let mentioned = mentions.column("publication_id")?.str()?;
        let codes = mentions.column("atccode")?.str()?;
        let mut mentions = mentioned.iter().zip(codes.iter()).peekable();
        let mut seen_codes = HashSet::new();
        let mut seen_substances = HashSet::new();
        for ((id, journal), key) in ids.iter().zip(journals.iter()).zip(keys.iter()) {
            let mut number = 0;
            if let (Some(key), Some(journal)) = (key, journal) {
                number = self.number(key);
                let spellings = match self.spellings.get_mut(key) {
                    Some(spellings) => spellings,
                    None => self.spellings.entry(key.to_owned()).or_default(),
                };
                match spellings.get_mut(journal) {
                    Some(count) => *count += 1,
                    None => {
                        spellings.insert(journal.to_owned(), 1);
                    }
                }
            }
            seen_codes.clear();
            seen_substances.clear();
            while let Some((_, code)) = mentions.next_if(|(mentioned, _)| *mentioned == id) {
                let drug = drug_of(drugs, code.unwrap_or_default())?;
                if !seen_codes.insert(drug) {
                    continue;
                }
                let is_pair = seen_substances.insert(drugs[drug as usize].substance.as_str());
                let count = self.counts.entry((number, drug)).or_default();
                count.0 += 1;
                count.1 += u64::from(is_pair);
            }
        }
        Ok(())
    }

    fn number(&mut self, key: &str) -> u32 {
        if let Some(number) = self.keys.get(key) {
            return *number;
        }
        let next = self.keys.len() as u32 + 1;
        self.keys.insert(key.to_owned(), next);
        next
    }

    fn finish(self, live: LiveRows) -> ChunkIndex {
        let mut spellings = SpellingCounts::default();
        for (key, counts) in &self.spellings {
            for (spelling, count) in counts {
                spellings.add(key, spelling, *count);
            }
        }
        // From the order in which they came to the order of the keys.
        let mut places = vec![0; self.keys.len() + 1];
        for (place, key) in (1..).zip(spellings.keys()) {
            if let Some(number) = self.keys.get(key) {
                places[*number as usize] = place;
            }
        }
        let kind = self.kind;
        let mut pairs: Vec<PairCount> = self
            .counts
            .into_iter()
            .map(|((number, drug), (codes, pairs))| PairCount {
                key: places[number as usize],
                drug,
                kind,
                codes,
                pairs,
            })
            .collect();
        pairs.sort_unstable_by_key(|pair| (pair.key, pair.drug));
        pairs.dedup_by(|later, first| {
            let same = (later.key, later.drug) == (first.key, first.drug);
            if same {
                first.codes += later.codes;
                first.pairs += later.pairs;
            }
            same
        });
        ChunkIndex {
            live,
            spellings,
            pairs,
        }
    }
}
