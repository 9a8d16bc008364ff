//! The index: names as paths of a trie over the hashes of their words.
//!
//! A word of a text costs two lookups in filters that fit the processor's cache, whatever the number of names: one for
//! names of a single word, one for longer names that begin with the word or sign before it and this word. Everyday
//! words begin thousands of names (`in situ hydrogel`), but hardly any pair of them does. Only if a filter reports a
//! candidate does the matcher walk the trie, token by token, as far as some name goes. The result is compared with the
//! name letter by letter, so a collision of hashes finds nothing.
//!
//! The index is a few columns of numbers and one text, so it is cheap to save and load.

pub(super) mod build;
pub(super) mod combination;
pub(super) mod filter;
mod letters;
mod walk;

use std::ops::ControlFlow;

use filter::Filter;

use super::names::{PatternNames, SHORTEST_SINGULAR};
use super::tokens::{CLASS, GAP, SIGN, Token, TokenKind, Tokens, WORD, ascii_word};
use crate::task::Task;
use crate::text::fold::Accents;

/// A step of a path: the hash of a word, or one of the small numbers below.
pub(super) type PathStep = u64;

/// Set in a step with a gap before it. A gap is no step of its own: two words always have one between them.
const AFTER_GAP: PathStep = 1 << 62;

/// The step over a word or a sign. Hashes of words have their highest bit set, and signs are small numbers.
pub(super) fn step(token: &Token, after_gap: bool) -> PathStep {
    let own = match token.kind {
        TokenKind::Sign(sign) => 1 + PathStep::from(sign),
        _ => token.hash & !AFTER_GAP,
    };
    own | if after_gap { AFTER_GAP } else { 0 }
}

/// The step over an ASCII sign.
#[inline(always)]
fn sign_step(byte: u8) -> PathStep {
    1 + PathStep::from(if byte == b'`' { b'\'' } else { byte })
}

/// The ASCII bytes of the signs that names begin with, one bit each.
pub(super) fn ascii_signs(signs: &[PathStep]) -> u128 {
    (0..128)
        .filter(|byte| signs.contains(&sign_step(*byte)))
        .map(|byte| 1 << byte)
        .sum()
}

pub(super) const NONE: u32 = u32::MAX;

/// The search checks for cancellation after this many bytes.
const PIECE: usize = 16 << 10;

/// An immutable index of patterns (folded names), shared by all threads.
///
/// Nodes are numbered level by level: first those after a first step, then those after a second one, and so on, each
/// level in the order of its parents. So the node after the edge `e` is `roots + e`. Data that is read together is
/// stored together: finding a name of one word reads four places in memory (its start, its ends, its letters, its
/// targets), and most other words read none besides the filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WordIndex {
    pub(super) accents: Accents,
    pub(super) seed: u64,
    /// The words that are names by themselves.
    pub(super) singles: Filter,
    /// The first two steps of all longer names that begin with a word, without gaps: [`pair`].
    pub(super) pairs: Filter,
    /// The nodes after the words that names begin with, in an open-addressed table: 32 bits of the word's hash
    /// ([`print()`]), then the node or, if no longer name follows, the pattern with [`LEAF`]. The length is a power of
    /// two.
    pub(super) starts: Vec<u64>,
    /// The steps of the signs that names begin with, ascending. The nodes after them come first.
    pub(super) signs: Vec<PathStep>,
    /// One bit for each of these signs that is ASCII.
    pub(super) ascii_signs: u128,
    /// The number of nodes after first steps.
    pub(super) roots: u32,
    /// For each node the pattern that ends there, or [`NONE`], then 32 bits with the end of its edges, which begin at
    /// the end of the edges of the node before.
    pub(super) nodes: Vec<u64>,
    /// The steps of the edges, ascending for each node.
    pub(super) edges: Vec<PathStep>,
}

/// A free slot in the table of starts.
pub(super) const FREE: u64 = u64::MAX;

/// Set in a start whose word is a whole name and begins no longer one: the number is then its pattern and not a node.
pub(super) const LEAF: u32 = 1 << 31;

/// The part of a word's hash that the table of starts stores; never the beginning of a free slot.
#[inline]
pub(super) fn print(hash: PathStep) -> u32 {
    (hash >> 32) as u32 & 0x3fff_ffff
}

/// The place of a pattern in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub pattern: u32,
    pub start: usize,
    pub end: usize,
}

impl WordIndex {
    /// Finds every hit from the word boundary `from` on: leftmost first, of several the longest, never overlapping. If
    /// `accept` rejects a hit, a shorter or later one may be found instead. Stops if `give` breaks or the task is
    /// cancelled.
    ///
    /// This loop takes most of the time, so it handles only ASCII words and keeps numbers in registers.
    /// [`WordIndex::odd`] handles everything else, and the trie is walked only if a filter reports a candidate.
    pub(super) fn find(
        &self,
        names: &PatternNames,
        (text, from): (&str, usize),
        task: Option<&Task>,
        accept: &impl Fn(&Hit) -> bool,
        mut give: impl FnMut(Hit) -> ControlFlow<()>,
    ) {
        let bytes = text.as_bytes();
        let mut at = from;
        let mut after_word = false;
        // The hash (or 0) and the place of the word before, if only a gap follows it.
        let (mut before, mut before_start, mut before_end) = (0, 0, 0);
        let mut limit = from;
        loop {
            let Some(byte) = bytes[..limit].get(at) else {
                if limit == bytes.len() || task.is_some_and(|task| task.check().is_err()) {
                    return;
                }
                limit = bytes.len().min(limit.max(at) + PIECE);
                continue;
            };
            let found = match CLASS[usize::from(*byte)] {
                GAP => {
                    at += 1;
                    after_word = false;
                    continue;
                }
                WORD => {
                    let start = at;
                    let mut hash;
                    (hash, at) = ascii_word(bytes, start, self.seed);
                    // The minimal length of an ASCII word with a plural. Other words may fold to more letters than they
                    // have.
                    let mut singular = SHORTEST_SINGULAR;
                    if bytes.get(at).is_some_and(|next| *next >= 128) {
                        (hash, at) = self.odd_word(text, start);
                        singular = 0;
                    }
                    after_word = true;
                    let last_word = Token::word(before, before_start, before_end);
                    let paired = before != 0 && self.pairs.may_hold(pair(before, hash));
                    (before, before_start, before_end) = (hash, start, at);
                    if paired || self.singles.may_hold(hash) {
                        self.begun(
                            names,
                            text,
                            accept,
                            paired.then_some(last_word),
                            Token::word(hash, start, at),
                        )
                    } else if at - start > singular && matches!(bytes[at - 1], b's' | b'S' | 128..) {
                        // The usual singular of an ASCII word is the word without its last letter.
                        if singular > 0
                            && !self
                                .singles
                                .may_hold(ascii_word(&bytes[..at - 1], start, self.seed).0)
                        {
                            None
                        } else {
                            self.plural(names, text, accept, Token::word(hash, start, at))
                        }
                    } else {
                        None
                    }
                }
                // Skips a sign that neither begins nor continues a name, as most do.
                SIGN if bytes.get(at + 1).is_none_or(u8::is_ascii)
                    && (after_word || !self.begins_with(*byte))
                    && (before == 0 || !self.pairs.may_hold(pair(before, sign_step(*byte)))) =>
                {
                    at += 1;
                    after_word = false;
                    before = 0;
                    continue;
                }
                _ => {
                    let Some(token) = self.odd(text, at) else { return };
                    at = token.end;
                    let at_bound = !std::mem::take(&mut after_word);
                    let last_word = Token::word(before, before_start, before_end);
                    match token.kind {
                        TokenKind::Gap => continue,
                        TokenKind::Sign(_) => {
                            let last_word = (before != 0).then_some(last_word);
                            before = 0;
                            self.signed(names, text, accept, last_word, token, at_bound)
                        }
                        TokenKind::Word => {
                            after_word = true;
                            let last_word = (before != 0 && self.pairs.may_hold(pair(before, token.hash)))
                                .then_some(last_word);
                            (before, before_start, before_end) = (token.hash, token.start, token.end);
                            self.begun(names, text, accept, last_word, token)
                        }
                    }
                }
            };
            if let Some((hit, last)) = found {
                if give(hit).is_break() {
                    return;
                }
                after_word = last == TokenKind::Word;
                before = 0;
                at = hit.end;
            }
        }
    }

    /// Whether some name begins with an ASCII sign.
    #[inline(always)]
    fn begins_with(&self, sign: u8) -> bool {
        self.ascii_signs >> (sign & 127) & 1 == 1
    }

    /// The token at a place that the loop above does not handle: a sign, or a letter beyond ASCII.
    fn odd(&self, text: &str, at: usize) -> Option<Token> {
        let mut tokens = Tokens::new(text, self.accents, self.seed);
        tokens.seek(at);
        tokens.next()
    }

    #[cold]
    fn odd_word(&self, text: &str, start: usize) -> (PathStep, usize) {
        self.odd(text, start)
            .map_or((0, text.len()), |token| (token.hash, token.end))
    }
}

/// A word or sign as the filter of pairs hashes it, with or without a gap before it.
pub(super) fn pair_step(token: &Token) -> PathStep {
    match token.kind {
        TokenKind::Sign(sign) => 1 + PathStep::from(sign),
        _ => token.hash,
    }
}

/// The hash of a word and the word or sign after it, for the filter of pairs.
#[inline(always)]
pub(super) fn pair(word: PathStep, next: PathStep) -> u64 {
    word.rotate_left(23) ^ next
}

/// The slot of a word in the table of starts. It uses other bits of the hash than the filter, which uses the low ones.
#[inline]
pub(super) fn start_slot(hash: PathStep, mask: usize) -> usize {
    (hash >> 24) as usize & mask
}
