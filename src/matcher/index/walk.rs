//! Walks the trie from a word or sign of a text, and compares the result with the text.

use std::ops::Range;

use super::letters::{equal_letters, is_plural_letter};
use super::{FREE, Hit, LEAF, NONE, PathStep, WordIndex, pair, pair_step, print, start_slot, step};
use crate::matcher::names::PatternNames;
use crate::matcher::tokens::{Token, TokenKind, Tokens, folds_to};

impl WordIndex {
    /// The longest name that begins with the word before this one, if the two may begin a name, or else with this one.
    ///
    /// A word that is no name by itself is skipped: a longer name that begins with it is found at its second word.
    #[inline(never)]
    pub(super) fn begun(
        &self,
        names: &PatternNames,
        text: &str,
        accept: &impl Fn(&Hit) -> bool,
        before: Option<Token>,
        word: Token,
    ) -> Option<(Hit, TokenKind)> {
        if let Some(before) = before
            && let Some(found) = self.walk(names, text, accept, before)
        {
            return Some(found);
        }
        if self.singles.may_hold(word.hash)
            && let Some(found) = self.walk(names, text, accept, word)
        {
            return Some(found);
        }
        self.plural(names, text, accept, word)
    }

    /// The name of one word whose plural is this word, or a longer name that begins with this word: `insulins (` beside
    /// `insulin`.
    #[inline(never)]
    pub(super) fn plural(
        &self,
        names: &PatternNames,
        text: &str,
        accept: &impl Fn(&Hit) -> bool,
        word: Token,
    ) -> Option<(Hit, TokenKind)> {
        let singular = Tokens::new(text, self.accents, self.seed).singular(&word)?;
        if !self.singles.may_hold(singular) {
            return None;
        }
        let plural = self.single_plural(names, text, accept, word, singular)?;
        Some(self.walk(names, text, accept, word).unwrap_or(plural))
    }

    fn single_plural(
        &self,
        names: &PatternNames,
        text: &str,
        accept: &impl Fn(&Hit) -> bool,
        word: Token,
        singular: PathStep,
    ) -> Option<(Hit, TokenKind)> {
        self.starts(singular).find_map(|start| {
            let pattern = match start {
                leaf if leaf & LEAF != 0 => leaf & !LEAF,
                node => self.pattern(node as usize),
            };
            let hit = self.plural_hit(names, text, accept, pattern, word.start, word.end)?;
            Some((hit, TokenKind::Word))
        })
    }

    /// The longest name that begins with a word.
    fn walk(
        &self,
        names: &PatternNames,
        text: &str,
        accept: &impl Fn(&Hit) -> bool,
        word: Token,
    ) -> Option<(Hit, TokenKind)> {
        let Token { start, end, .. } = word;
        self.starts(word.hash).find_map(|begun| match begun {
            leaf if leaf & LEAF != 0 => {
                let pattern = leaf & !LEAF;
                let hit = Hit { pattern, start, end };
                (accept(&hit) && self.is(names, text, start..end, pattern, false))
                    .then_some((hit, TokenKind::Word))
            }
            node => self.longest(names, text, accept, word, node),
        })
    }

    /// The longest name that continues from a word with this sign, or that begins with the sign, at a word boundary.
    #[inline]
    pub(super) fn signed(
        &self,
        names: &PatternNames,
        text: &str,
        accept: &impl Fn(&Hit) -> bool,
        before: Option<Token>,
        sign: Token,
        at_bound: bool,
    ) -> Option<(Hit, TokenKind)> {
        let step = step(&sign, false);
        if let Some(before) = before
            && self.pairs.may_hold(pair(before.hash, step))
            && let Some(found) = self.walk(names, text, accept, before)
        {
            return Some(found);
        }
        if !at_bound {
            return None;
        }
        let node = self.signs.binary_search(&step).ok()?;
        self.longest(names, text, accept, sign, node as u32)
    }

    fn plural_hit(
        &self,
        names: &PatternNames,
        text: &str,
        accept: &impl Fn(&Hit) -> bool,
        pattern: u32,
        start: usize,
        end: usize,
    ) -> Option<Hit> {
        let hit = Hit { pattern, start, end };
        let counts = pattern != NONE && names.has_plural(pattern) && accept(&hit);
        (counts && self.is(names, text, start..end, pattern, true)).then_some(hit)
    }

    /// The nodes after the words that names begin with and whose stored hash is that of this word: a node's number, or
    /// a pattern with [`LEAF`]. Usually there is one or none, but among millions of words two may share the stored
    /// bits. The result is compared with the text letter by letter, so the wrong one finds nothing.
    #[inline]
    fn starts(&self, hash: PathStep) -> impl Iterator<Item = u32> + '_ {
        let mask = self.starts.len() - 1;
        let mut slot = start_slot(hash, mask);
        std::iter::from_fn(move || {
            loop {
                let found = self.starts[slot];
                if found == FREE {
                    return None;
                }
                slot = (slot + 1) & mask;
                if (found >> 32) as u32 == print(hash) {
                    return Some(found as u32);
                }
            }
        })
    }

    /// The longest pattern that begins with the token `first`, whose node is `node`, and the kind of its last token.
    fn longest(
        &self,
        names: &PatternNames,
        text: &str,
        accept: &impl Fn(&Hit) -> bool,
        first: Token,
        node: u32,
    ) -> Option<(Hit, TokenKind)> {
        let mut node = node as usize;
        let mut best = None;
        let mut tokens = Tokens::new(text, self.accents, self.seed);
        tokens.seek(first.end);
        let mut last = first;
        loop {
            let edges = self.edge_range(node);
            let leaf = edges.is_empty();
            // A word always ends at a boundary, so a leaf that ends with a word needs no further token.
            let (following, after_gap) = if leaf && last.kind == TokenKind::Word {
                (None, false)
            } else {
                tokens.next_beyond_gap()
            };
            // A name that ends with a sign must not be followed by a word.
            let bounded = last.kind == TokenKind::Word
                || after_gap
                || following.is_none_or(|token| token.kind != TokenKind::Word);
            let pattern = self.pattern(node);
            let hit = Hit {
                pattern,
                start: first.start,
                end: last.end,
            };
            if pattern != NONE
                && bounded
                && accept(&hit)
                && self.is(names, text, hit.start..hit.end, pattern, false)
            {
                best = Some((hit, last.kind));
            }
            let Some(token) = following.filter(|_| !leaf) else {
                return best;
            };
            // Most names of one word are followed by a word that continues no name: the filter reports that without a
            // walk.
            if last.end == first.end
                && first.kind == TokenKind::Word
                && !self.pairs.may_hold(pair(first.hash, pair_step(&token)))
            {
                return best;
            }
            let steps = &self.edges[edges.clone()];
            let edge = steps.binary_search(&step(&token, after_gap));
            // `acids` may continue to a longer name, or be the plural of `acid` at the end of this one.
            if let Some(singular) = tokens.singular(&token)
                && let Ok(edge) = steps.binary_search(&step(
                    &Token {
                        hash: singular,
                        ..token
                    },
                    after_gap,
                ))
                && let Some(hit) = self.plural_hit(
                    names,
                    text,
                    accept,
                    self.pattern(self.behind(edges.start + edge)),
                    first.start,
                    token.end,
                )
            {
                best = Some((hit, TokenKind::Word));
            }
            let Ok(edge) = edge else { return best };
            (node, last) = (self.behind(edges.start + edge), token);
        }
    }

    /// The node after an edge.
    #[inline]
    fn behind(&self, edge: usize) -> usize {
        self.roots as usize + edge
    }

    #[inline]
    fn pattern(&self, node: usize) -> u32 {
        (self.nodes[node] >> 32) as u32
    }

    #[inline]
    fn edge_range(&self, node: usize) -> Range<usize> {
        let first = if node == 0 { 0 } else { self.nodes[node - 1] as u32 };
        first as usize..self.nodes[node] as u32 as usize
    }

    /// Whether a piece of a text folds to a pattern, or to its plural.
    fn is(&self, names: &PatternNames, text: &str, piece: Range<usize>, pattern: u32, plural: bool) -> bool {
        let (bytes, letters) = (text.as_bytes(), names.text.as_bytes());
        let form = names.place(pattern);
        let same = form.len() + usize::from(plural) == piece.len()
            && equal_letters((bytes, piece.start), (letters, form.start), form.len())
            && (!plural || is_plural_letter(bytes[piece.end - 1]));
        (same || self.folds_to_form(&text[piece.clone()], names.form(pattern), plural))
            && (plural || names.accepts(pattern, &text[piece]))
    }

    /// Compares as [`Self::is`] does, but token by token, for pieces beyond ASCII.
    #[cold]
    fn folds_to_form(&self, text: &str, form: &str, plural: bool) -> bool {
        let mut form = form;
        Tokens::new(text, self.accents, self.seed).all(|token| {
            let length = match token.kind {
                TokenKind::Gap => form.starts_with(' ').then_some(1),
                TokenKind::Sign(sign) => form.starts_with(sign).then(|| sign.len_utf8()),
                TokenKind::Word => {
                    let own = Tokens::new(form, self.accents, self.seed)
                        .next()
                        .map_or(0, |word| word.end);
                    let more = if plural && own == form.len() { "s" } else { "" };
                    let word = &text[token.start..token.end];
                    folds_to(word, [&form[..own], more], self.accents).then_some(own)
                }
            };
            form = &form[length.unwrap_or(0)..];
            length.is_some()
        }) && form.is_empty()
    }
}
