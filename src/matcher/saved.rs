//! A matcher as bytes, for files, pickles and other machines; loading them needs no new build.
//!
//! ```text
//! "drugs_rs matcher"  version u32  0 u32  checksum u64  | settings, columns
//! ```
//!
//! The checksum (XXH3) covers everything after it. Numbers are little-endian. The settings are JSON; each column is its
//! length in bytes as u64, followed by its bytes. Nothing else is stored, so equal vocabularies and settings give equal
//! bytes. With `boundary="none"` the automaton is not stored and is built again on loading.

use xxhash_rust::xxh3::xxh3_64;

use super::index::filter::Filter;
use super::index::{FREE, LEAF, NONE, WordIndex, ascii_signs};
use super::names::PatternNames;
use super::names::packed::PackedTexts;
use super::names::vocabulary::EntryTable;
use super::substring::Substrings;
use super::{Boundary, Engine, Matcher, MatcherSettings};
use crate::error::{Error, Result};

const MAGIC: &[u8; 16] = b"drugs_rs matcher";
/// Incremented by every change of the format, of the hash of words, or of the meaning of the columns.
const VERSION: u32 = 3;
const HEADER: usize = 32;

impl Matcher {
    /// The matcher as bytes, which [`Matcher::from_bytes`] loads in a few milliseconds.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] only.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = SavedWriter::default();
        let settings = serde_json::to_vec(&self.settings.to_saved())
            .map_err(|error| Error::internal(format!("the settings of a matcher: {error}")))?;
        out.bytes(&settings);
        let EntryTable {
            labels,
            synonyms,
            synonym_ends,
        } = &self.vocabulary;
        for texts in [labels, synonyms, &self.names.spellings] {
            out.bytes(texts.text().as_bytes());
            out.u32s(texts.ends());
        }
        out.u32s(synonym_ends);
        let PatternNames {
            text,
            ends,
            targets,
            spelled,
            spellings: _,
            named,
        } = &self.names;
        out.bytes(text.as_bytes());
        out.u64s(ends);
        out.u32s(targets);
        out.u32s(spelled);
        out.u32s(&[*named]);
        if let Engine::Words(index) = &self.engine {
            out.u64s(&[index.seed, u64::from(index.roots)]);
            for numbers in [
                index.singles.words(),
                index.pairs.words(),
                &index.starts,
                &index.signs,
                &index.nodes,
                &index.edges,
            ] {
                out.u64s(numbers);
            }
        }
        let mut bytes = Vec::with_capacity(HEADER + out.bytes.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&xxh3_64(&out.bytes).to_le_bytes());
        bytes.append(&mut out.bytes);
        Ok(bytes)
    }

    /// Whether these bytes begin like a saved matcher.
    pub fn is_saved(bytes: &[u8]) -> bool {
        bytes.starts_with(MAGIC)
    }

    /// Loads a matcher from the bytes of [`Matcher::to_bytes`]. `uri` names their origin in messages.
    ///
    /// # Errors
    ///
    /// [`Error::Format`] for other bytes, for another version of the format, or for damaged bytes.
    pub fn from_bytes(bytes: &[u8], uri: &str) -> Result<Self> {
        let remedy = "build the matcher again from its vocabulary and save it";
        if !bytes.starts_with(MAGIC) || bytes.len() < HEADER {
            return Err(Error::format(uri, "byte 0", "not a saved matcher", remedy));
        }
        let version = number(&bytes[16..20]);
        if version != u64::from(VERSION) {
            let found = format!(
                "a saved matcher of format {version}, and this version of drugs_rs reads format {VERSION}"
            );
            return Err(Error::format(uri, "byte 16", found, remedy));
        }
        let body = &bytes[HEADER..];
        if number(&bytes[24..32]) != xxh3_64(body) {
            let found = format!(
                "a saved matcher that is cut off or damaged ({} bytes)",
                bytes.len()
            );
            return Err(Error::format(uri, "byte 24", found, remedy));
        }
        read(body).ok_or_else(|| {
            Error::format(
                uri,
                "byte 32",
                "a saved matcher whose parts do not fit together",
                remedy,
            )
        })
    }
}

fn read(body: &[u8]) -> Option<Matcher> {
    let mut input = Reader { rest: body };
    let settings = MatcherSettings::of_saved(serde_json::from_slice(input.bytes()?).ok()?)?;
    let (labels, synonyms) = (input.texts()?, input.texts()?);
    let spellings = input.texts()?;
    let vocabulary = EntryTable {
        labels,
        synonyms,
        synonym_ends: input.u32s()?,
    };
    let names = PatternNames {
        text: input.text()?,
        ends: input.u64s()?,
        targets: input.u32s()?,
        spellings,
        spelled: input.u32s()?,
        named: match input.u32s()?[..] {
            [named] => named,
            _ => return None,
        },
    };
    if !vocabulary.is_whole() || !names.is_whole(vocabulary.len()) {
        return None;
    }
    let engine = match settings.boundary {
        Boundary::None => Engine::Substrings(Substrings::build(names.forms(), settings.accents)),
        Boundary::Word => {
            let numbers = input.u64s()?;
            let [seed, roots] = numbers[..] else { return None };
            let (singles, pairs) = (Filter::of_words(input.u64s()?)?, Filter::of_words(input.u64s()?)?);
            let (starts, signs) = (input.u64s()?, input.u64s()?);
            let index = WordIndex {
                accents: settings.accents,
                seed,
                singles,
                pairs,
                starts,
                ascii_signs: ascii_signs(&signs),
                signs,
                roots: u32::try_from(roots).ok()?,
                nodes: input.u64s()?,
                edges: input.u64s()?,
            };
            if !is_whole(&index, names.patterns()) {
                return None;
            }
            Engine::Words(index)
        }
    };
    input.rest.is_empty().then_some(Matcher {
        settings,
        vocabulary,
        names,
        engine,
    })
}

/// Whether all numbers of an index are within its bounds.
fn is_whole(index: &WordIndex, patterns: usize) -> bool {
    let nodes = index.nodes.len();
    let edge_ends = index.nodes.iter().map(|node| *node as u32 as usize);
    index.starts.len().is_power_of_two()
        && index.starts.contains(&FREE)
        && index.starts.iter().all(|start| match *start as u32 {
            _ if *start == FREE => true,
            leaf if leaf & LEAF != 0 => ((leaf & !LEAF) as usize) < patterns,
            node => node < index.roots,
        })
        && index.signs.len() <= index.roots as usize
        && nodes == index.roots as usize + index.edges.len()
        && edge_ends.clone().is_sorted()
        && edge_ends.clone().next_back().unwrap_or(0) == index.edges.len()
        && index
            .nodes
            .iter()
            .map(|node| (node >> 32) as u32)
            .all(|pattern| pattern == NONE || (pattern as usize) < patterns)
}

#[derive(Default)]
struct SavedWriter {
    bytes: Vec<u8>,
}

impl SavedWriter {
    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    fn u32s(&mut self, numbers: &[u32]) {
        self.bytes
            .extend_from_slice(&(numbers.len() as u64 * 4).to_le_bytes());
        self.bytes
            .extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }

    fn u64s(&mut self, numbers: &[u64]) {
        self.bytes
            .extend_from_slice(&(numbers.len() as u64 * 8).to_le_bytes());
        self.bytes
            .extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    }
}

struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn bytes(&mut self) -> Option<&'b [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<8>()?;
        let (bytes, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        self.rest = rest;
        Some(bytes)
    }

    fn u32s(&mut self) -> Option<Vec<u32>> {
        let (numbers, rest) = self.bytes()?.as_chunks::<4>();
        rest.is_empty()
            .then(|| numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
    }

    fn u64s(&mut self) -> Option<Vec<u64>> {
        let (numbers, rest) = self.bytes()?.as_chunks::<8>();
        rest.is_empty()
            .then(|| numbers.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect())
    }

    fn text(&mut self) -> Option<String> {
        Some(std::str::from_utf8(self.bytes()?).ok()?.to_owned())
    }

    fn texts(&mut self) -> Option<PackedTexts> {
        PackedTexts::of_parts(self.text()?, self.u32s()?)
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
