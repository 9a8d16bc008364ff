//! The index: names as paths of a trie over the hashes of their words.
//!
//! Looking at a word of a text costs one bit of a filter that fits the processor's cache, whatever the number of names.
//! Only where a name may begin does the matcher walk on, token by token, as far as some name goes; what it arrives at is
//! compared with the name letter by letter, so that a collision of hashes finds nothing.

use std::collections::HashMap;

use super::tokens::{Kind, Token, Tokens, folded, folds_to};
use crate::text::fold::Accents;

/// What a step of a path is: the hash of a word, or one of the numbers below.
type Step = u64;

/// The step over a gap; no hash is asked for it, for steps over words are words in the vocabulary.
const GAP: Step = 0;

/// Steps over signs are small numbers; a word whose hash is as small makes the index choose another seed.
const SIGNS: Step = 1 << 32;

fn step(token: &Token) -> Step {
    match token.kind {
        Kind::Word => token.hash,
        Kind::Gap => GAP,
        Kind::Sign(sign) => 1 + sign as Step,
    }
}

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    /// The pattern that ends here, or [`NONE`].
    pattern: u32,
    /// The edges of this node: `edges[first..last]`, ascending by step.
    first: u32,
    last: u32,
}

/// An immutable index of patterns (folded names), shared by all threads.
#[derive(Debug)]
pub(super) struct Index {
    accents: Accents,
    seed: u64,
    /// One bit for each hash that a name may begin with, and for few others.
    filter: Vec<u64>,
    starts: Starts,
    /// Nodes behind the signs that a name begins with; almost always empty.
    sign_starts: Vec<(char, u32)>,
    nodes: Vec<Node>,
    edges: Vec<(Step, u32)>,
    /// The folded names.
    forms: Vec<Box<str>>,
}

/// Where a pattern stands in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub pattern: u32,
    pub start: usize,
    pub end: usize,
}

impl Index {
    /// Builds the index of different folded names; a pattern's number is its place.
    pub(super) fn build<'n>(forms: impl Iterator<Item = &'n str>, accents: Accents) -> Self {
        let forms: Vec<Box<str>> = forms.map(Box::from).collect();
        // Two words of one hash are one chance in thousands of millions of vocabularies; another seed parts them.
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        loop {
            match Draft::new(&forms, accents, seed) {
                Some(draft) => return draft.finish(forms, accents, seed),
                None => seed = seed.rotate_left(7).wrapping_add(1),
            }
        }
    }

    /// Gives every hit: leftmost first, of those the longest, never overlapping.
    pub(super) fn find(&self, text: &str, mut give: impl FnMut(Hit)) {
        let mask = self.filter.len() as u64 * 64 - 1;
        let mut tokens = Tokens::new(text, self.accents, self.seed);
        let mut after_word = false;
        while let Some(token) = tokens.next() {
            let start = match token.kind {
                Kind::Word => {
                    let bit = token.hash & mask;
                    if self.filter[(bit / 64) as usize] & (1 << (bit % 64)) == 0 {
                        after_word = true;
                        continue;
                    }
                    self.starts.get(token.hash)
                }
                // A name that begins with a sign still begins at a word's bound.
                Kind::Sign(sign) if !after_word => self.sign_start(sign),
                _ => NONE,
            };
            after_word = token.kind == Kind::Word;
            if start == NONE {
                continue;
            }
            if let Some((hit, last)) = self.longest(text, token, start) {
                give(hit);
                after_word = last == Kind::Word;
                tokens.seek(hit.end);
            }
        }
    }

    fn sign_start(&self, sign: char) -> u32 {
        self.sign_starts
            .iter()
            .find(|(first, _)| *first == sign)
            .map_or(NONE, |(_, node)| *node)
    }

    /// The longest pattern that begins with the token `first`, whose node is `node`, and the kind of its last token.
    fn longest(&self, text: &str, first: Token, node: u32) -> Option<(Hit, Kind)> {
        let mut node = self.nodes[node as usize];
        let mut best = None;
        let mut tokens = Tokens::new(text, self.accents, self.seed);
        tokens.seek(first.end);
        let mut last = first;
        loop {
            let leaf = node.first == node.last;
            // A word is always followed by a bound, so at a leaf that ends with one nothing more needs to be read.
            let following = if leaf && last.kind == Kind::Word {
                None
            } else {
                tokens.next()
            };
            // A name that ends with a sign must not run into a word.
            let bounded = last.kind == Kind::Word || following.is_none_or(|token| token.kind != Kind::Word);
            if node.pattern != NONE && bounded && self.is(&text[first.start..last.end], node.pattern) {
                let hit = Hit {
                    pattern: node.pattern,
                    start: first.start,
                    end: last.end,
                };
                best = Some((hit, last.kind));
            }
            let Some(token) = following.filter(|_| !leaf) else {
                return best;
            };
            let edges = &self.edges[node.first as usize..node.last as usize];
            match edges.binary_search_by_key(&step(&token), |(step, _)| *step) {
                Ok(edge) => node = self.nodes[edges[edge].1 as usize],
                Err(_) => return best,
            }
            last = token;
        }
    }

    /// Whether a piece of a text folds to a pattern.
    fn is(&self, text: &str, pattern: u32) -> bool {
        let mut form = &*self.forms[pattern as usize];
        Tokens::new(text, self.accents, self.seed).all(|token| {
            let length = match token.kind {
                Kind::Gap => form.starts_with(' ').then_some(1),
                Kind::Sign(sign) => form.starts_with(sign).then(|| sign.len_utf8()),
                Kind::Word => {
                    let own = Tokens::new(form, self.accents, self.seed)
                        .next()
                        .map_or(0, |word| word.end);
                    folds_to(&text[token.start..token.end], &form[..own], self.accents).then_some(own)
                }
            };
            form = &form[length.unwrap_or(0)..];
            length.is_some()
        }) && form.is_empty()
    }
}

/// The trie in the making.
struct Draft {
    children: HashMap<(u32, Step), u32>,
    patterns: Vec<u32>,
}

impl Draft {
    /// Nothing when two different words of the names have one hash.
    fn new(forms: &[Box<str>], accents: Accents, seed: u64) -> Option<Self> {
        let mut words: HashMap<u64, &str> = HashMap::with_capacity(forms.len());
        let mut draft = Self {
            children: HashMap::with_capacity(forms.len() * 2),
            patterns: vec![NONE],
        };
        for (pattern, form) in (0_u32..).zip(forms) {
            let mut node = 0;
            for token in Tokens::new(form, accents, seed) {
                if token.kind == Kind::Word {
                    let word = &form[token.start..token.end];
                    if token.hash < SIGNS || *words.entry(token.hash).or_insert(word) != word {
                        return None;
                    }
                }
                let next = narrow(draft.patterns.len());
                node = *draft.children.entry((node, step(&token))).or_insert(next);
                if node == next {
                    draft.patterns.push(NONE);
                }
            }
            if node != 0 {
                draft.patterns[node as usize] = pattern;
            }
        }
        Some(draft)
    }

    fn finish(self, forms: Vec<Box<str>>, accents: Accents, seed: u64) -> Index {
        let mut children: Vec<((u32, Step), u32)> = self.children.into_iter().collect();
        children.sort_unstable();
        let from_root = children.partition_point(|((parent, _), _)| *parent == 0);
        let (roots, inner) = children.split_at(from_root);
        let mut nodes: Vec<Node> = self
            .patterns
            .iter()
            .map(|&pattern| Node {
                pattern,
                first: 0,
                last: 0,
            })
            .collect();
        let mut edges = Vec::with_capacity(inner.len());
        for same_parent in inner.chunk_by(|left, right| left.0.0 == right.0.0) {
            let first = narrow(edges.len());
            edges.extend(same_parent.iter().map(|((_, step), child)| (*step, *child)));
            let node = &mut nodes[same_parent[0].0.0 as usize];
            (node.first, node.last) = (first, narrow(edges.len()));
        }
        let (signs, words): (Vec<_>, Vec<_>) = roots
            .iter()
            .map(|((_, step), child)| (*step, *child))
            .partition(|(step, _)| *step < SIGNS);
        let sign_starts = signs
            .into_iter()
            .filter_map(|(step, child)| Some((char::from_u32(u32::try_from(step - 1).ok()?)?, child)))
            .collect();
        // Sixteen bits a word let one word in sixteen pass that begins no name.
        let bits = (words.len() * 16).next_power_of_two().max(1 << 10);
        let mut filter = vec![0_u64; bits / 64];
        for (hash, _) in &words {
            let bit = hash & (bits as u64 - 1);
            filter[(bit / 64) as usize] |= 1 << (bit % 64);
        }
        Index {
            accents,
            seed,
            filter,
            starts: Starts::new(&words),
            sign_starts,
            nodes,
            edges,
            forms,
        }
    }
}

/// The node behind each word that a name begins with, in an open-addressed table.
#[derive(Debug)]
struct Starts {
    /// `(hash, node)`; a node of [`NONE`] is a free slot. A power of two long.
    slots: Vec<(u64, u32)>,
}

impl Starts {
    fn new(words: &[(Step, u32)]) -> Self {
        let size = (words.len() * 2).next_power_of_two().max(2);
        let mut slots = vec![(0, NONE); size];
        for &(hash, node) in words {
            let mut slot = Self::first(hash, size);
            while slots[slot].1 != NONE {
                slot = (slot + 1) & (size - 1);
            }
            slots[slot] = (hash, node);
        }
        Self { slots }
    }

    /// The filter takes the low bits; these are others.
    fn first(hash: u64, size: usize) -> usize {
        (hash >> 24) as usize & (size - 1)
    }

    fn get(&self, hash: u64) -> u32 {
        let mut slot = Self::first(hash, self.slots.len());
        loop {
            let (found, node) = self.slots[slot];
            if node == NONE || found == hash {
                return node;
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }
}

/// The tokens of a name without the gaps at its ends.
fn name_tokens(name: &str, accents: Accents) -> Vec<Token> {
    let mut tokens: Vec<Token> = Tokens::new(name, accents, 0).collect();
    while tokens.last().is_some_and(|token| token.kind == Kind::Gap) {
        tokens.pop();
    }
    let leading = tokens.iter().take_while(|token| token.kind == Kind::Gap).count();
    tokens.drain(..leading);
    tokens
}

/// The folded form of a name, with single blanks for its gaps: equal forms are equal names.
pub(super) fn folded_name(name: &str, accents: Accents) -> String {
    let mut form = String::with_capacity(name.len());
    for token in name_tokens(name, accents) {
        match token.kind {
            Kind::Gap => form.push(' '),
            Kind::Sign(sign) => form.push(sign),
            Kind::Word => form.push_str(&folded(&name[token.start..token.end], accents)),
        }
    }
    form
}

/// Numbers of this index fit 32 bits: a vocabulary of four thousand million words does not fit the memory first.
#[expect(
    clippy::expect_used,
    reason = "an index that large cannot be built on any machine this runs on"
)]
fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("fewer than 2^32 nodes")
}
