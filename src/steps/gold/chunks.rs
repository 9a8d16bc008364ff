//! The files of the chunks of all partitions: their current publications, their mentions and their index, made or kept.

use std::collections::{BTreeMap, HashMap, HashSet};

use polars::prelude::{BooleanChunked, DataFrame, NewChunkedArray};

use super::attempt::Attempt;
use super::count_deltas::{CountDelta, add_deltas, all_keys};
use super::graph_file::GraphFile;
use super::index::write_file;
use super::names::live_rows;
use super::plan::{GoldChunk, GoldPartition, Remake};
use super::{ChunkState, PartitionState};
use crate::error::{Error, Result};
use crate::gold::chunk_index::{ChunkIndex, LakeSums, PairCount};
use crate::gold::journals::{DisplayNames, SpellingCounter};
use crate::gold::mentions::{Substances, find_mentions};
use crate::gold::newest::LiveRows;
use crate::gold::places::MentionPlaces;
use crate::gold::publications::current_publications;
use crate::graph::{DrugNode, drug_of};
use crate::lake::layout;
use crate::matcher::{Matcher, VocabularyEntry};
use crate::schema::{CURRENT_PUBLICATIONS, MENTIONS, PublicationKind, Table};
use crate::sorting::Sorter;
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::stored_groups::StoredGroups;
use crate::tables::table_writer::TableWriter;

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
        if let (Some(before), Some(index)) = (&chunk.before, &index_before)
            && chunk.remake == Remake::Rows
            // The graph needs all rows.
            && made.graph.is_none()
            && before.publications.is_intact(self.storage, self.task)?
            && before.mentions.is_intact(self.storage, self.task)?
        {
            return self.change_rows(
                partition,
                (number, chunk),
                (before, index),
                tools,
                made,
                transaction,
            );
        }
        if let Some(index) = index_before.as_ref().filter(|_| self.keeps_sums()) {
            add_deltas(&mut made.deltas, index, &tools.keys, -1)?;
        }
        let kept = chunk.before.as_ref().filter(|_| chunk.remake == Remake::Mentions);
        let groups_before = index_before.as_ref().map(|index| index.groups.clone());
        let live = live_rows(partition, chunk, index_before);
        let create = ChunkFiles { partition, number };
        let mut mentions_file = create.table(&MENTIONS, transaction)?;
        let mut publications = match kept {
            Some(before) => PublicationsFile::Kept(before.publications.clone()),
            None => PublicationsFile::New(create.table(&CURRENT_PUBLICATIONS, transaction)?),
        };
        let wanted = self.columns(matches!(publications, PublicationsFile::New(_)));
        let mut places = MentionPlaces::default();
        let mut excluded = 0;
        let mut counter = ChunkCounter::new(partition.kind);
        let mut groups: Vec<[u32; 2]> = Vec::new();
        self.read_chunk(
            partition,
            chunk,
            &wanted,
            |_| true,
            |part, frame| {
                let Some(frame) = frame else { return Ok(()) };
                let frame = of_rows(
                    frame,
                    &live.mask(part.start - chunk.first, (part.end - part.start) as usize),
                )?;
                let mentions = tools.find(&frame, self)?;
                excluded += self.settings.search.count_excluded(&frame)?;
                places.add(&mentions)?;
                counter.add(&frame, &mentions, tools.drugs)?;
                if let Some(graph) = &mut made.graph {
                    graph.add(partition.kind, &frame, tools.journals, &mentions)?;
                }
                let of_publications = match &mut publications {
                    PublicationsFile::New(file) => {
                        write_whole(file, &current_publications(&frame, tools.journals)?)?
                    }
                    PublicationsFile::Kept(_) => groups_before
                        .as_ref()
                        .and_then(|groups_before| groups_before.get(groups.len()))
                        .map_or(0, |counts| counts[0]),
                };
                groups.push([of_publications, write_whole(&mut mentions_file, &mentions)?]);
                Ok(())
            },
        )?;
        let index = ChunkIndex {
            groups,
            ..counter.finish(live)
        };
        add_deltas(&mut made.deltas, &index, &tools.keys, 1)?;
        let publications = match publications {
            PublicationsFile::Kept(kept) => kept,
            PublicationsFile::New(file) => file.finish()?,
        };
        Ok(ChunkState {
            rows: chunk.rows,
            publications,
            mentions: mentions_file.finish()?,
            index: create.index(&index, transaction)?,
            places,
            excluded,
        })
    }

    /// Makes the row groups of a chunk with rows that are live now and were not, or the reverse; copies the others as they
    /// are.
    fn change_rows(
        &self,
        partition: &GoldPartition,
        (number, chunk): (usize, &GoldChunk),
        (before, index): (&ChunkState, &ChunkIndex),
        tools: &mut ChunkTools<'_>,
        made: &mut MadeChunks,
        transaction: &mut dyn Transaction,
    ) -> Result<ChunkState> {
        let open = |file: &OutputFile| StoredGroups::open(self.storage.open_file(&file.path)?, &file.path);
        let stored = [open(&before.publications)?, open(&before.mentions)?];
        let create = ChunkFiles { partition, number };
        let mut files = [
            create.table(&CURRENT_PUBLICATIONS, transaction)?,
            create.table(&MENTIONS, transaction)?,
        ];
        let live = live_rows(partition, chunk, Some(index.clone()));
        let wanted = self.columns(true);
        let mut flipped =
            [false, true].map(|_| (ChunkCounter::new(partition.kind), MentionPlaces::default(), 0));
        let mut groups: Vec<[u32; 2]> = Vec::new();
        let mut copied = [0, 0];
        self.read_chunk(
            partition,
            chunk,
            &wanted,
            |part| chunk.has_flips(part),
            |part, frame| {
                let of_group = index.groups.get(groups.len()).copied().unwrap_or_default();
                let ends = [0, 1].map(|table| copied[table] + of_group[table] as usize);
                if let Some(frame) = frame {
                    for (is_live, (counter, places, excluded)) in [false, true].into_iter().zip(&mut flipped)
                    {
                        let mut mask = vec![false; frame.height()];
                        let flips = chunk.flips_of(&part).filter(|(_, now)| *now == is_live);
                        flips.for_each(|(row, _)| mask[row] = true);
                        let rows = of_rows(frame.clone(), &mask)?;
                        let mentions = tools.find(&rows, self)?;
                        *excluded += self.settings.search.count_excluded(&rows)?;
                        places.add(&mentions)?;
                        counter.add(&rows, &mentions, tools.drugs)?;
                    }
                    let frame = of_rows(
                        frame,
                        &live.mask(part.start - chunk.first, (part.end - part.start) as usize),
                    )?;
                    let mentions = tools.find(&frame, self)?;
                    groups.push([
                        write_whole(&mut files[0], &current_publications(&frame, tools.journals)?)?,
                        write_whole(&mut files[1], &mentions)?,
                    ]);
                } else {
                    for table in [0, 1] {
                        files[table].copy_groups(&stored[table], copied[table]..ends[table])?;
                    }
                    groups.push(of_group);
                }
                copied = ends;
                Ok(())
            },
        )?;
        let [
            (removed, places_removed, excluded_removed),
            (added, places_added, excluded_added),
        ] = flipped;
        let (removed, added) = (
            removed.finish(LiveRows::default()),
            added.finish(LiveRows::default()),
        );
        add_deltas(&mut made.deltas, &removed, &tools.keys, -1)?;
        add_deltas(&mut made.deltas, &added, &tools.keys, 1)?;
        let index = index
            .changed((&removed, &added), live, groups)
            .ok_or_else(|| self.index_fault(&before.index, &"it does not have the rows of its chunk"))?;
        let [publications, mentions] = files;
        Ok(ChunkState {
            rows: chunk.rows,
            publications: publications.finish()?,
            mentions: mentions.finish()?,
            index: create.index(&index, transaction)?,
            places: before.places.without(places_removed).with(places_added),
            excluded: before.excluded.saturating_sub(excluded_removed) + excluded_added,
        })
    }

    /// The columns of silver that a chunk needs.
    fn columns(&self, with_publications: bool) -> Vec<String> {
        let mut wanted = self.settings.search.columns();
        wanted.push("journal".to_owned());
        if with_publications {
            let of_table = CURRENT_PUBLICATIONS.columns.iter();
            wanted.extend(of_table.map(|column| column.name.to_owned()));
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }
}

impl ChunkTools<'_> {
    /// The mentions in a frame.
    fn find(&mut self, frame: &DataFrame, attempt: &Attempt<'_>) -> Result<DataFrame> {
        let built = match self.matcher.take() {
            Some(built) => built,
            None => Matcher::build(self.entries, &attempt.settings.matcher, attempt.task)?,
        };
        let matcher = self.matcher.insert(built);
        let search = &attempt.settings.search;
        find_mentions(
            frame,
            (matcher, search),
            (&self.substances, self.journals),
            attempt.task,
        )
    }
}

/// The files of a chunk that is made.
struct ChunkFiles<'c> {
    partition: &'c GoldPartition,
    number: usize,
}

impl ChunkFiles<'_> {
    fn path(&self, folder: &str, ending: &str) -> String {
        let GoldPartition { kind, dt, .. } = self.partition;
        layout::chunk_file(folder, *kind, *dt, self.number, ending)
    }

    fn table(&self, table: &'static Table, transaction: &mut dyn Transaction) -> Result<TableWriter> {
        let path = self.path(table.folder, "parquet");
        transaction.replace(&path)?;
        TableWriter::create(transaction, path, table)
    }

    fn index(&self, index: &ChunkIndex, transaction: &mut dyn Transaction) -> Result<OutputFile> {
        let path = self.path(layout::INDEX, "bin");
        transaction.replace(&path)?;
        let shown = transaction.shown(&path);
        let (written, ()) = write_file(transaction, &path, |out| {
            index
                .write(out)
                .map_err(|error| Error::storage(shown, "write", error))
        })?;
        Ok(written)
    }
}

/// Writes rows as row groups of their own; returns how many.
fn write_whole(file: &mut TableWriter, frame: &DataFrame) -> Result<u32> {
    let before = file.groups();
    file.write(frame)?;
    file.end_group()?;
    Ok((file.groups() - before) as u32)
}

/// The rows of a frame that a mask takes.
fn of_rows(frame: DataFrame, mask: &[bool]) -> Result<DataFrame> {
    if mask.iter().all(|taken| *taken) {
        return Ok(frame);
    }
    Ok(frame.filter(&BooleanChunked::from_slice("taken".into(), mask))?)
}

/// Counts the spellings and the mentions of the live rows of a chunk.
struct ChunkCounter {
    kind: PublicationKind,
    spellings: SpellingCounter,
    /// Numbers of keys as they come, from 1.
    keys: HashMap<String, u32>,
    /// Codes and pairs, by key and drug.
    counts: HashMap<(u32, u32), (u64, u64)>,
}

impl ChunkCounter {
    fn new(kind: PublicationKind) -> Self {
        Self {
            kind,
            spellings: SpellingCounter::default(),
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
                self.spellings.add(key, journal);
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
        let spellings = self.spellings.finish();
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
            groups: Vec::new(),
            spellings,
            pairs,
        }
    }
}
