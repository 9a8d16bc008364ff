//! Builds the index: the trie level by level, each level with one sort.

use super::filter::Filter;
use super::{FREE, LEAF, NONE, PathStep, WordIndex, ascii_signs, pair, pair_step, print, start_slot, step};
use crate::error::Result;
use crate::matcher::names::PatternNames;
use crate::matcher::names::packed::packed;
use crate::matcher::tokens::{TokenKind, Tokens};
use crate::task::Task;
use crate::text::fold::Accents;

/// A pattern that moves down the levels.
#[derive(Debug, Clone, Copy)]
struct Walker {
    /// The current node.
    node: u32,
    pattern: u32,
    /// The current byte of the form.
    at: u32,
    step: PathStep,
}

/// Builds the index of distinct folded names; a pattern's number is its position.
pub(in crate::matcher) fn build(names: &PatternNames, accents: Accents, task: &Task) -> Result<WordIndex> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    loop {
        task.check()?;
        if let Some(index) = with_seed(names, accents, seed) {
            return Ok(index);
        }
        // Two names with the same path of hashes are extremely unlikely; another seed gives them different ones.
        seed = seed.rotate_left(7).wrapping_add(1);
    }
}

/// The trie while it is built.
#[derive(Debug, Default)]
struct TrieBuilder {
    roots: Vec<PathStep>,
    /// The pattern that ends at each node, or [`NONE`].
    patterns: Vec<u32>,
    /// The end of each node's edges.
    edge_ends: Vec<u32>,
    edges: Vec<PathStep>,
}

/// The index for a seed; `None` if the words of two names have the same hashes.
fn with_seed(names: &PatternNames, accents: Accents, seed: u64) -> Option<WordIndex> {
    let draft = TrieBuilder::of(names, accents, seed)?;
    // Steps over words have their highest bit set, so they sort after those of signs.
    let signs = draft.roots.partition_point(|step| step >> 63 == 0);
    let mut index = WordIndex {
        accents,
        seed,
        singles: Filter::for_hashes(0),
        pairs: Filter::for_hashes(0),
        starts: starts(&draft, signs),
        signs: draft.roots[..signs].to_vec(),
        ascii_signs: ascii_signs(&draft.roots[..signs]),
        roots: draft.roots.len() as u32,
        nodes: draft
            .patterns
            .iter()
            .zip(&draft.edge_ends)
            .map(|(pattern, end)| packed(*pattern, *end))
            .collect(),
        edges: draft.edges,
    };
    fill_filters(&mut index, names);
    Some(index)
}

impl TrieBuilder {
    fn of(names: &PatternNames, accents: Accents, seed: u64) -> Option<Self> {
        let mut draft = Self::default();
        let mut walkers: Vec<Walker> = (0..names.patterns() as u32)
            .filter_map(|pattern| advance(names.form(pattern), accents, seed, Walker::new(pattern)))
            .collect();
        let mut first_level = true;
        while !walkers.is_empty() {
            walkers.sort_unstable_by_key(|walker| (walker.node, walker.step));
            let mut further = Vec::with_capacity(walkers.len());
            for same in walkers.chunk_by(|left, right| (left.node, left.step) == (right.node, right.step)) {
                let node = draft.add_node(same[0], first_level);
                for walker in same {
                    let form = names.form(walker.pattern);
                    match advance(form, accents, seed, Walker { node, ..*walker }) {
                        Some(walker) => further.push(walker),
                        None if draft.patterns[node as usize] != NONE => return None,
                        None => draft.patterns[node as usize] = walker.pattern,
                    }
                }
            }
            first_level = false;
            walkers = further;
        }
        draft
            .edge_ends
            .resize(draft.patterns.len(), draft.edges.len() as u32);
        Some(draft)
    }

    fn add_node(&mut self, walker: Walker, first_level: bool) -> u32 {
        if first_level {
            self.roots.push(walker.step);
        } else {
            // All nodes before this parent have their edges by now.
            let parents = (walker.node as usize).max(self.edge_ends.len());
            self.edge_ends.resize(parents, self.edges.len() as u32);
            self.edges.push(walker.step);
        }
        self.patterns.push(NONE);
        self.patterns.len() as u32 - 1
    }
}

impl Walker {
    fn new(pattern: u32) -> Self {
        Self {
            node: 0,
            pattern,
            at: 0,
            step: 0,
        }
    }
}

/// The walker before its next step; `None` at the end of its form.
fn advance(form: &str, accents: Accents, seed: u64, walker: Walker) -> Option<Walker> {
    let mut tokens = Tokens::new(form, accents, seed);
    tokens.seek(walker.at as usize);
    let (token, after_gap) = tokens.next_beyond_gap();
    let token = token?;
    Some(Walker {
        at: token.end as u32,
        step: step(&token, after_gap),
        ..walker
    })
}

/// The table of starts: the words among the roots, which come after the signs. Words with the same slot are stored one
/// after the other.
fn starts(draft: &TrieBuilder, signs: usize) -> Vec<u64> {
    let words = &draft.roots[signs..];
    let mut starts = vec![FREE; (words.len() * 2).next_power_of_two().max(2)];
    let mask = starts.len() - 1;
    for (word, node) in words.iter().zip(signs..) {
        let mut slot = start_slot(*word, mask);
        while starts[slot] != FREE {
            slot = (slot + 1) & mask;
        }
        let first_edge = node.checked_sub(1).map_or(0, |before| draft.edge_ends[before]);
        let is_leaf = draft.edge_ends[node] == first_edge && draft.patterns[node] != NONE;
        let behind = if is_leaf {
            draft.patterns[node] | LEAF
        } else {
            node as u32
        };
        starts[slot] = packed(print(*word), behind);
    }
    starts
}

/// Fills the filters: each name once, by its only word or its first two steps.
fn fill_filters(index: &mut WordIndex, names: &PatternNames) {
    let (mut singles, mut pairs) = (Vec::new(), Vec::new());
    let mut plural = String::new();
    for (form, pattern) in names.forms().zip(0..) {
        if let Some(key) = beginning(form, index) {
            if key.is_pair { &mut pairs } else { &mut singles }.push(key.hash);
            // The plural of a second word has another hash.
            if key.is_pair && names.has_plural(pattern) {
                plural.clear();
                plural.push_str(form);
                plural.push('s');
                pairs.extend(beginning(&plural, index).map(|key| key.hash));
            }
        }
    }
    for hashes in [&mut singles, &mut pairs] {
        hashes.sort_unstable();
        hashes.dedup();
    }
    index.singles = Filter::for_hashes(singles.len());
    singles.iter().for_each(|hash| index.singles.insert(*hash));
    index.pairs = Filter::for_hashes(pairs.len());
    pairs.iter().for_each(|hash| index.pairs.insert(*hash));
}

struct Beginning {
    hash: u64,
    is_pair: bool,
}

/// The key by which a filter finds a name that begins with a word.
fn beginning(form: &str, index: &WordIndex) -> Option<Beginning> {
    let mut tokens =
        Tokens::new(form, index.accents, index.seed).filter(|token| token.kind != TokenKind::Gap);
    let first = tokens.next().filter(|token| token.kind == TokenKind::Word)?;
    let second = tokens.next();
    Some(Beginning {
        hash: second.map_or(first.hash, |second| pair(first.hash, pair_step(&second))),
        is_pair: second.is_some(),
    })
}
