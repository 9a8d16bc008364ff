//! The index: names as paths of a trie over the hashes of their words.
//!
//! Looking at a word of a text costs two looks at filters that fit the processor's cache, whatever the number of names:
//! one tells whether the word may be a name by itself, one whether it and the word or sign before it may begin a longer
//! name. Everyday words begin names by the thousand (`in situ hydrogel`), pairs of them hardly any. Only where a filter
//! says yes does the matcher walk the trie, token by token, as far as some name goes; what it arrives at is compared with
//! the name letter by letter, so that a collision of hashes finds nothing.
//!
//! All of it is a few columns of numbers and one text, which is what makes saving and loading it cheap.

use std::ops::ControlFlow;

use super::filter::Filter;
use super::names::{PatternNames, SHORTEST_SINGULAR};
use super::tokens::{CLASS, GAP, Kind, SIGN, Token, Tokens, WORD, ascii_word};
use crate::task::Task;
use crate::text::fold::Accents;

/// What a step of a path is: the hash of a word, or one of the numbers below.
pub(super) type PathStep = u64;

/// Set in a step with a gap before it. A gap by itself is no step: two words never stand together without one.
const AFTER_GAP: PathStep = 1 << 62;

/// The step over a word or a sign. Hashes of words have their highest bit set, and signs are small numbers.
pub(super) fn step(token: &Token, after_gap: bool) -> PathStep {
    let own = match token.kind {
        Kind::Sign(sign) => 1 + PathStep::from(sign),
        _ => token.hash & !AFTER_GAP,
    };
    own | if after_gap { AFTER_GAP } else { 0 }
}

/// The step over an ASCII sign.
#[inline(always)]
fn sign_step(byte: u8) -> PathStep {
    1 + PathStep::from(if byte == b'`' { b'\'' } else { byte })
}

/// Which ASCII bytes stand for a sign that a name begins with.
pub(super) fn ascii_signs(signs: &[PathStep]) -> u128 {
    (0..128)
        .filter(|byte| signs.contains(&sign_step(*byte)))
        .map(|byte| 1 << byte)
        .sum()
}

pub(super) const NONE: u32 = u32::MAX;

/// After this many bytes of a text the task is asked whether to go on.
const PIECE: usize = 16 << 10;

/// An immutable index of patterns (folded names), shared by all threads.
///
/// Nodes are numbered level by level: first those behind a first step, then those behind a second one, and so on, each
/// level in the order of its parents. So the node behind the edge `e` is `roots + e`. What is read together lies
/// together: a name of one word that is found costs four places in memory (its start, its ends, its letters, its targets),
/// and nearly all other words none beside the filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WordIndex {
    pub(super) accents: Accents,
    pub(super) seed: u64,
    /// The words that are names by themselves.
    pub(super) singles: Filter,
    /// The first two steps of all longer names that begin with a word, gaps left out: [`pair`].
    pub(super) pairs: Filter,
    /// The nodes behind the words that a name begins with, in an open-addressed table: 32 bits of the word's hash
    /// ([`print`]), then the node or, where no name goes on, the pattern with [`LEAF`]. A power of two long.
    pub(super) starts: Vec<u64>,
    /// The steps of the signs that a name begins with, ascending. The nodes behind them are the first ones.
    pub(super) signs: Vec<PathStep>,
    /// One bit for each of them that is ASCII.
    pub(super) ascii_signs: u128,
    /// How many nodes stand behind first steps.
    pub(super) roots: u32,
    /// For each node the pattern that ends there, or [`NONE`], then 32 bits that say where its edges end; they begin
    /// where those of the node before end.
    pub(super) nodes: Vec<u64>,
    /// The steps of the edges, ascending for each node.
    pub(super) edges: Vec<PathStep>,
}

/// A free slot in the table of starts.
pub(super) const FREE: u64 = u64::MAX;

/// Set in a start whose word is a whole name that no other goes on from: what follows is its pattern and no node.
pub(super) const LEAF: u32 = 1 << 31;

/// What the table of starts keeps of a word's hash beside its slot; never what a free slot begins with.
#[inline]
pub(super) fn print(hash: PathStep) -> u32 {
    (hash >> 32) as u32 & 0x3fff_ffff
}

/// Where a pattern stands in a text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub pattern: u32,
    pub start: usize,
    pub end: usize,
}

impl WordIndex {
    /// Gives every hit from a bound of words on: leftmost first, of those the longest, never overlapping. What `accept`
    /// refuses is no hit, and a shorter one or a later one may be. Ends early where `give` breaks or the task is cancelled.
    ///
    /// This loop is where the time goes, so it keeps to ASCII words and numbers in registers. Anything else is told by
    /// [`WordIndex::odd`], and only where a filter says yes is anything walked.
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
        // The word before, as long as nothing but a gap has followed it: its hash, or 0, and its place.
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
                    // How long an ASCII word must be for a plural. Others may fold to more letters than they have.
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
                        // The singular of an ASCII word, the usual one, is but its letters without the last.
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
                // A sign with which no name goes on or begins, as nearly all do.
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
                        Kind::Gap => continue,
                        Kind::Sign(_) => {
                            let last_word = (before != 0).then_some(last_word);
                            before = 0;
                            self.signed(names, text, accept, last_word, token, at_bound)
                        }
                        Kind::Word => {
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
                after_word = last == Kind::Word;
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

    /// The token at a place where the loop above does not know its way: a sign, or something beyond ASCII.
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

/// What the filter of pairs takes for a word or a sign, with or without a gap before it.
pub(super) fn pair_step(token: &Token) -> PathStep {
    match token.kind {
        Kind::Sign(sign) => 1 + PathStep::from(sign),
        _ => token.hash,
    }
}

/// What the filter of pairs knows of a word and the word or sign behind it.
#[inline(always)]
pub(super) fn pair(word: PathStep, next: PathStep) -> u64 {
    word.rotate_left(23) ^ next
}

/// Where in the table of starts a word stands, or would stand. The filter takes the low bits; these are others.
#[inline]
pub(super) fn start_slot(hash: PathStep, mask: usize) -> usize {
    (hash >> 24) as usize & mask
}
