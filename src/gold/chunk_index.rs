//! What a part of a lake adds to the answers: written once, added and taken away without its rows.
//!
//! - The **keys** of a partition: its publications and notices of deletion, sorted, and the ids of its journals. They depend on
//!   silver alone.
//! - The index of a **chunk**, some rows of a partition: which rows are live, how the live ones spell their journals, and how
//!   many mention which drug.
//! - The **sums** over all partitions.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Write};

use super::index_bytes::{IndexReader, IndexWriter, damaged};
use super::journals::SpellingCounts;
use super::newest::{KeyRecord, LiveRows};
use super::same_journals::JournalIdCounts;
use crate::schema::PublicationKind;

/// How many publications of a journal mention a drug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PairCount {
    /// The place of the journal's key among all keys in order, from 1; 0 for no journal.
    pub key: u32,
    /// The number of the drug in the order of codes.
    pub drug: u32,
    pub kind: PublicationKind,
    /// Publications that mention the code.
    pub codes: u64,
    /// Publications in which it is the first code of its substance.
    pub pairs: u64,
}

/// What a chunk adds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChunkIndex {
    pub live: LiveRows,
    /// For each row group of silver in the chunk, how many row groups its publications and its mentions are.
    pub groups: Vec<[u32; 2]>,
    pub spellings: SpellingCounts,
    /// By key and drug.
    pub pairs: Vec<PairCount>,
}

impl ChunkIndex {
    /// Writes it as a file.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let mut out = IndexWriter::new(out);
        let words = self.live.words();
        let end = words
            .iter()
            .rposition(|word| *word != 0)
            .map_or(0, |last| last + 1);
        out.number(end as u64)?;
        for word in &words[..end] {
            out.bytes(&word.to_le_bytes())?;
        }
        out.number(self.groups.len() as u64)?;
        for count in self.groups.iter().flatten() {
            out.number(u64::from(*count))?;
        }
        write_spellings(&mut out, &self.spellings)?;
        out.number(self.pairs.len() as u64)?;
        let mut last = None;
        for pair in &self.pairs {
            write_pair(&mut out, pair, &mut last)?;
        }
        out.finish()
    }

    /// Reads the file of a chunk of publications of a kind.
    pub fn read(input: impl Read, bytes: u64) -> io::Result<Self> {
        let mut input = IndexReader::new(input, bytes)?;
        let words = input.number()?;
        let words = (0..words).map(|_| input.bytes().map(u64::from_le_bytes));
        let live = LiveRows::of_words(words.collect::<io::Result<_>>()?);
        let groups = input.number()?;
        let groups = (0..groups).map(|_| Ok([input.small()?, input.small()?]));
        let groups = groups.collect::<io::Result<_>>()?;
        let spellings = read_spellings(&mut input)?;
        let count = input.number()?;
        let mut last = None;
        let pairs = (0..count).map(|_| read_pair(&mut input, &mut last));
        let pairs = pairs.collect::<io::Result<_>>()?;
        input.finish()?;
        Ok(Self {
            live,
            groups,
            spellings,
            pairs,
        })
    }

    /// Takes away what some rows add, and adds what others do: `removed` and `added` are of rows of this chunk, which now
    /// has these rows and row groups. `None` if the chunk does not hold what is taken away.
    pub fn changed(
        &self,
        (removed, added): (&Self, &Self),
        live: LiveRows,
        groups: Vec<[u32; 2]>,
    ) -> Option<Self> {
        let mut spellings = self.spellings.clone();
        spellings.add_all(&removed.spellings, -1);
        spellings.add_all(&added.spellings, 1);
        let mut counts: BTreeMap<(Option<&str>, u32), (PublicationKind, i64, i64)> = BTreeMap::new();
        for (index, times) in [(self, 1), (removed, -1), (added, 1)] {
            let keys: Vec<&str> = index.spellings.keys().collect();
            for pair in &index.pairs {
                let key = match pair.key {
                    0 => None,
                    place => Some(*keys.get(place as usize - 1)?),
                };
                let count = counts.entry((key, pair.drug)).or_insert((pair.kind, 0, 0));
                count.1 += pair.codes.cast_signed() * times;
                count.2 += pair.pairs.cast_signed() * times;
            }
        }
        let places: HashMap<&str, u32> = spellings.keys().zip(1..).collect();
        let mut pairs = Vec::with_capacity(counts.len());
        for ((key, drug), (kind, codes, of_substance)) in counts {
            if codes == 0 && of_substance == 0 {
                continue;
            }
            pairs.push(PairCount {
                key: key.map_or(Some(0), |key| places.get(key).copied())?,
                drug,
                kind,
                codes: u64::try_from(codes).ok()?,
                pairs: u64::try_from(of_substance).ok()?,
            });
        }
        Some(Self {
            live,
            groups,
            spellings,
            pairs,
        })
    }
}

/// Writes the keys of a partition, one by one.
pub struct KeysWriter<W>(IndexWriter<W>);

impl<W: Write> KeysWriter<W> {
    /// Begins with the ids of its journals.
    pub fn new(out: W, journal_ids: &JournalIdCounts) -> io::Result<Self> {
        let mut out = IndexWriter::new(out);
        write_journal_ids(&mut out, journal_ids)?;
        Ok(Self(out))
    }

    /// Adds the next record in order.
    pub fn add(&mut self, record: KeyRecord) -> io::Result<()> {
        self.0.number(1)?;
        self.0.bytes(&record.to_bytes())
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<()> {
        self.0.number(0)?;
        self.0.finish()
    }
}

/// Reads the keys of a partition: hands over every record, in order; returns the ids of its journals.
pub fn read_keys(
    input: impl Read,
    bytes: u64,
    mut each: impl FnMut(KeyRecord) -> io::Result<()>,
) -> io::Result<JournalIdCounts> {
    let mut input = IndexReader::new(input, bytes)?;
    let ids = read_journal_ids(&mut input)?;
    while input.number()? == 1 {
        let record = input.bytes::<{ KeyRecord::BYTES }>()?;
        each(KeyRecord::from_bytes(&record).ok_or_else(damaged)?)?;
    }
    input.finish()?;
    Ok(ids)
}

/// The sums without the mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LakeSums {
    pub spellings: SpellingCounts,
    pub journal_ids: JournalIdCounts,
}

/// Writes the sums over a lake, mention counts one by one.
pub struct SumsWriter<W> {
    out: IndexWriter<W>,
    last: Option<PairCount>,
}

impl<W: Write> SumsWriter<W> {
    /// Begins with what is not about mentions.
    pub fn new(out: W, sums: &LakeSums) -> io::Result<Self> {
        let mut out = IndexWriter::new(out);
        write_spellings(&mut out, &sums.spellings)?;
        write_journal_ids(&mut out, &sums.journal_ids)?;
        Ok(Self { out, last: None })
    }

    /// Adds the next count in order.
    pub fn add(&mut self, pair: &PairCount) -> io::Result<()> {
        self.out.number(1)?;
        write_pair(&mut self.out, pair, &mut self.last)
    }

    /// Ends the file.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.number(0)?;
        self.out.finish()
    }
}

/// Reads the sums over a lake.
pub struct SumsReader<R> {
    input: Option<IndexReader<R>>,
    last: Option<PairCount>,
}

impl<R: Read> SumsReader<R> {
    /// Reads what is not about mentions.
    pub fn new(input: R, bytes: u64) -> io::Result<(LakeSums, Self)> {
        let mut input = IndexReader::new(input, bytes)?;
        let sums = LakeSums {
            spellings: read_spellings(&mut input)?,
            journal_ids: read_journal_ids(&mut input)?,
        };
        let pairs = Self {
            input: Some(input),
            last: None,
        };
        Ok((sums, pairs))
    }

    /// The next count; `None` at the end, where the checksum is checked.
    pub fn next_count(&mut self) -> io::Result<Option<PairCount>> {
        let Some(input) = &mut self.input else {
            return Ok(None);
        };
        if input.number()? == 1 {
            return read_pair(input, &mut self.last).map(Some);
        }
        match self.input.take() {
            Some(input) => input.finish().map(|()| None),
            None => Ok(None),
        }
    }
}

fn write_spellings(out: &mut IndexWriter<impl Write>, spellings: &SpellingCounts) -> io::Result<()> {
    out.number(spellings.iter().count() as u64)?;
    for (key, spelling, count) in spellings.iter() {
        out.text(key)?;
        out.text(spelling)?;
        out.number(count.unsigned_abs())?;
    }
    Ok(())
}

fn read_spellings(input: &mut IndexReader<impl Read>) -> io::Result<SpellingCounts> {
    let mut spellings = SpellingCounts::default();
    for _ in 0..input.number()? {
        let (key, spelling) = (input.text()?, input.text()?);
        spellings.add(&key, &spelling, input.small()?);
    }
    Ok(spellings)
}

fn write_journal_ids(out: &mut IndexWriter<impl Write>, ids: &JournalIdCounts) -> io::Result<()> {
    out.number(ids.len() as u64)?;
    for ((key, nlm_id, issn), count) in ids {
        out.text(key)?;
        for id in [nlm_id, issn] {
            out.number(u64::from(id.is_some()))?;
            out.text(id.as_deref().unwrap_or_default())?;
        }
        out.number(count.unsigned_abs())?;
    }
    Ok(())
}

fn read_journal_ids(input: &mut IndexReader<impl Read>) -> io::Result<JournalIdCounts> {
    let mut ids = BTreeMap::new();
    for _ in 0..input.number()? {
        let key = input.text()?;
        let mut id = || -> io::Result<Option<String>> {
            let is_some = input.number()? == 1;
            let text = input.text()?;
            Ok(is_some.then_some(text))
        };
        let (nlm_id, issn) = (id()?, id()?);
        ids.insert((key, nlm_id, issn), input.small()?);
    }
    Ok(ids)
}

/// Writes a count: the key and the drug as differences from the one before.
fn write_pair(
    out: &mut IndexWriter<impl Write>,
    pair: &PairCount,
    last: &mut Option<PairCount>,
) -> io::Result<()> {
    let before = last.replace(*pair).map_or((0, 0), |last| (last.key, last.drug));
    let further = pair.key.wrapping_sub(before.0);
    out.number(u64::from(further))?;
    let drug = pair.drug;
    out.number(u64::from(if further == 0 {
        drug.wrapping_sub(before.1)
    } else {
        drug
    }))?;
    out.number(pair.kind as u64)?;
    out.number(pair.codes)?;
    out.number(pair.pairs)
}

fn read_pair(input: &mut IndexReader<impl Read>, last: &mut Option<PairCount>) -> io::Result<PairCount> {
    let before = last.map_or((0, 0), |last| (last.key, last.drug));
    let further: u32 = input.small()?;
    let drug: u32 = input.small()?;
    let drug = if further == 0 {
        before.1.checked_add(drug)
    } else {
        Some(drug)
    };
    let kind = input.small::<u8>()?;
    let pair = PairCount {
        key: before.0.checked_add(further).ok_or_else(damaged)?,
        drug: drug.ok_or_else(damaged)?,
        kind: PublicationKind::of_number(kind).ok_or_else(damaged)?,
        codes: input.number()?,
        pairs: input.number()?,
    };
    *last = Some(pair);
    Ok(pair)
}
