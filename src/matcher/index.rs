//! The index: every distinct word of the names in one hash table, and the names as paths of a trie over words.
//!
//! Looking at a word costs one probe of the table, whatever the number of names. Only where a name may begin does the
//! matcher walk on, token by token, as far as some name goes.

use super::tokens::{Kind, Token, Tokens, folded, folds_to};
use crate::text::fold::Accents;

/// What a step of a trie path is: a known word, a gap or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Step(u32);

impl Step {
    const GAP: Self = Self(u32::MAX);

    fn word(word: u32) -> Self {
        Self(word)
    }

    /// Signs live above the words: a vocabulary has fewer than 2^31 words and a `char` fewer than 2^21 values.
    fn sign(sign: char) -> Self {
        Self(0x8000_0000 | sign as u32)
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
    words: Words,
    /// For each word the node behind it when a name begins with it, or [`NONE`].
    roots: Vec<u32>,
    /// Nodes behind the signs that a name begins with; almost always empty.
    sign_roots: Vec<(char, u32)>,
    nodes: Vec<Node>,
    edges: Vec<(Step, u32)>,
}

/// Where a pattern stands in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub pattern: u32,
    pub start: usize,
    pub end: usize,
}

impl Index {
    /// Builds the index. Two patterns of equal folded letters are one: the first one's number is given.
    pub(super) fn build<'n>(names: impl Iterator<Item = &'n str>, accents: Accents) -> Self {
        let mut words = Words::default();
        let mut draft = vec![DraftNode::default()];
        for (pattern, name) in (0_u32..).zip(names) {
            let mut node = 0;
            for token in name_tokens(name, accents) {
                let step = match token.kind {
                    Kind::Gap => Step::GAP,
                    Kind::Sign(sign) => Step::sign(sign),
                    Kind::Word => {
                        Step::word(words.intern(token.hash, &folded(&name[token.start..token.end], accents)))
                    }
                };
                node = match draft[node].children.get(&step) {
                    Some(&child) => child,
                    None => {
                        let child = draft.len();
                        draft.push(DraftNode::default());
                        draft[node].children.insert(step, child);
                        child
                    }
                };
            }
            if node != 0 && draft[node].pattern == NONE {
                draft[node].pattern = pattern;
            }
        }
        Self::flatten(&draft, words, accents)
    }

    fn flatten(draft: &[DraftNode], words: Words, accents: Accents) -> Self {
        let mut nodes = Vec::with_capacity(draft.len());
        let mut edges = Vec::with_capacity(draft.len());
        let mut roots = vec![NONE; words.len()];
        let mut sign_roots = Vec::new();
        for (number, node) in draft.iter().enumerate() {
            let first = edges.len();
            for (&step, &child) in &node.children {
                let child = narrow(child);
                if number > 0 {
                    edges.push((step, child));
                } else if let Some(root) = roots.get_mut(step.0 as usize) {
                    *root = child;
                } else if let Some(sign) = char::from_u32(step.0 & 0x7fff_ffff) {
                    sign_roots.push((sign, child));
                }
            }
            nodes.push(Node {
                pattern: node.pattern,
                first: narrow(first),
                last: narrow(edges.len()),
            });
        }
        Self {
            accents,
            words,
            roots,
            sign_roots,
            nodes,
            edges,
        }
    }

    /// Gives every hit: leftmost first, of those the longest, never overlapping.
    pub(super) fn find(&self, text: &str, mut give: impl FnMut(Hit)) {
        let mut tokens = Tokens::new(text, self.accents);
        let mut after_word = false;
        while let Some(token) = tokens.next() {
            let root = match token.kind {
                Kind::Word => self
                    .words
                    .get(text, &token, self.accents)
                    .map_or(NONE, |word| self.roots[word as usize]),
                // A name that begins with a sign still begins at a word's bound.
                Kind::Sign(sign) if !after_word => self.sign_root(sign),
                _ => NONE,
            };
            after_word = token.kind == Kind::Word;
            if root == NONE {
                continue;
            }
            if let Some(hit) = self.longest(text, token, root) {
                give(hit);
                after_word = matches!(tokens_end_kind(text, hit.end, self.accents), Kind::Word);
                tokens.seek(hit.end);
            }
        }
    }

    fn sign_root(&self, sign: char) -> u32 {
        self.sign_roots
            .iter()
            .find(|(first, _)| *first == sign)
            .map_or(NONE, |(_, node)| *node)
    }

    /// The longest pattern that begins with the token `first`, whose node is `node`.
    fn longest(&self, text: &str, first: Token, node: u32) -> Option<Hit> {
        let mut node = self.nodes[node as usize];
        let mut best = None;
        let mut tokens = Tokens::new(text, self.accents);
        tokens.seek(first.end);
        let mut last = first;
        loop {
            let following = tokens.next();
            // A name that ends with a sign must not run into a word.
            let bounded = last.kind == Kind::Word || following.is_none_or(|token| token.kind != Kind::Word);
            if node.pattern != NONE && bounded {
                best = Some(Hit {
                    pattern: node.pattern,
                    start: first.start,
                    end: last.end,
                });
            }
            if node.first == node.last {
                return best;
            }
            let Some(token) = following else { return best };
            let step = match token.kind {
                Kind::Gap => Step::GAP,
                Kind::Sign(sign) => Step::sign(sign),
                Kind::Word => match self.words.get(text, &token, self.accents) {
                    Some(word) => Step::word(word),
                    None => return best,
                },
            };
            let edges = &self.edges[node.first as usize..node.last as usize];
            match edges.binary_search_by_key(&step, |(step, _)| *step) {
                Ok(edge) => node = self.nodes[edges[edge].1 as usize],
                Err(_) => return best,
            }
            last = token;
        }
    }
}

/// The kind of the token that ends at `end`: a hit that ends in a sign leaves the next sign free to begin a name.
fn tokens_end_kind(text: &str, end: usize, accents: Accents) -> Kind {
    let letter = text[..end].chars().next_back().unwrap_or(' ');
    Tokens::new(letter.encode_utf8(&mut [0; 4]), accents)
        .next()
        .map_or(Kind::Gap, |token| token.kind)
}

/// The tokens of a name without the gaps at its ends.
pub(super) fn name_tokens(name: &str, accents: Accents) -> Vec<Token> {
    let mut tokens: Vec<Token> = Tokens::new(name, accents).collect();
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

#[derive(Debug)]
struct DraftNode {
    pattern: u32,
    children: std::collections::BTreeMap<Step, usize>,
}

impl Default for DraftNode {
    fn default() -> Self {
        Self {
            pattern: NONE,
            children: std::collections::BTreeMap::new(),
        }
    }
}

/// Numbers of this index fit 32 bits: a vocabulary of four thousand million words does not fit the memory first.
#[expect(
    clippy::expect_used,
    reason = "an index that large cannot be built on any machine this runs on"
)]
fn narrow(number: usize) -> u32 {
    u32::try_from(number).expect("fewer than 2^32 nodes")
}

/// The distinct folded words, numbered, in an open-addressed table.
#[derive(Debug, Default)]
struct Words {
    /// `(upper half of the hash, number)`; a number of [`NONE`] is a free slot. A power of two long.
    slots: Vec<(u32, u32)>,
    letters: String,
    /// Where each word ends in `letters`.
    ends: Vec<u32>,
    hashes: Vec<u64>,
}

impl Words {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn letters(&self, word: u32) -> &str {
        let end = self.ends[word as usize] as usize;
        let start = if word == 0 {
            0
        } else {
            self.ends[word as usize - 1] as usize
        };
        &self.letters[start..end]
    }

    /// The number of the word that a token of `text` is, if any name holds it.
    fn get(&self, text: &str, token: &Token, accents: Accents) -> Option<u32> {
        self.probe(token.hash, |word| {
            folds_to(&text[token.start..token.end], self.letters(word), accents)
        })
        .ok()
    }

    /// The number of a word, or the free slot where it would stand.
    fn probe(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Result<u32, usize> {
        if self.slots.is_empty() {
            return Err(0);
        }
        let mask = self.slots.len() - 1;
        let mark = (hash >> 32) as u32;
        let mut slot = hash as usize & mask;
        loop {
            let (found, word) = self.slots[slot];
            if word == NONE {
                return Err(slot);
            }
            if found == mark && is_it(word) {
                return Ok(word);
            }
            slot = (slot + 1) & mask;
        }
    }

    fn intern(&mut self, hash: u64, letters: &str) -> u32 {
        if (self.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        match self.probe(hash, |word| self.letters(word) == letters) {
            Ok(word) => word,
            Err(slot) => {
                let word = narrow(self.len());
                self.slots[slot] = ((hash >> 32) as u32, word);
                self.letters.push_str(letters);
                self.ends.push(narrow(self.letters.len()));
                self.hashes.push(hash);
                word
            }
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        self.slots = vec![(0, NONE); size];
        for (number, &hash) in (0_u32..).zip(&self.hashes) {
            let mut slot = hash as usize & (size - 1);
            while self.slots[slot].1 != NONE {
                slot = (slot + 1) & (size - 1);
            }
            self.slots[slot] = ((hash >> 32) as u32, number);
        }
    }
}
