//! Splits a text into words, gaps and signs, each with its place in the original bytes.
//!
//! One pass, without allocation. ASCII goes through a table, everything else through [`crate::text::fold`]. A word
//! carries the hash of its folded letters, so a lookup does not need the letters.

use crate::text::fold::{Accents, Class, class, fold};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A run of letters and digits, with their marks.
    Word,
    /// A run of white space and dashes.
    Gap,
    /// A single sign.
    Sign(char),
}

/// One token and the bytes of the text that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    /// The hash of a word's folded letters; 0 for anything else.
    pub hash: u64,
    pub start: usize,
    pub end: usize,
}

impl Token {
    #[inline(always)]
    pub(super) fn word(hash: u64, start: usize, end: usize) -> Self {
        Self {
            kind: TokenKind::Word,
            hash,
            start,
            end,
        }
    }
}

/// The hash of a folded word, computed letter by letter over eight bytes at a time.
///
/// No byte of a word is zero, so the padding of the last eight bytes needs no length.
#[derive(Debug, Clone, Copy)]
struct WordHash {
    hash: u64,
    waiting: [u8; 8],
    length: usize,
}

/// OR with this turns eight ASCII capitals into small letters, and changes neither small letters nor digits.
pub(super) const SMALL: u64 = 0x2020_2020_2020_2020;

impl WordHash {
    fn new(seed: u64) -> Self {
        Self {
            hash: seed,
            waiting: [0; 8],
            length: 0,
        }
    }

    fn letter(&mut self, letter: char) {
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            self.waiting[self.length] = byte;
            self.length += 1;
            if self.length == 8 {
                self.hash = mixed(self.hash ^ u64::from_le_bytes(self.waiting));
                (self.waiting, self.length) = ([0; 8], 0);
            }
        }
    }

    fn finish(self) -> u64 {
        let rest = u64::from_le_bytes(self.waiting);
        word_step(if rest == 0 {
            self.hash
        } else {
            mixed(self.hash ^ rest)
        })
    }
}

/// Sets the highest bit of a word's hash: small numbers mean gaps and signs in the index.
#[inline]
fn word_step(hash: u64) -> u64 {
    hash | 1 << 63
}

/// Mixes all bits into all bits, by XOR of the two halves of a 128-bit product.
#[inline]
fn mixed(hash: u64) -> u64 {
    let product = u128::from(hash ^ 0x2d35_8dcc_aa6c_78a5) * 0x8bb8_4b93_962e_acc9;
    (product as u64) ^ ((product >> 64) as u64)
}

/// Eight bytes of a text as a number, with zeros after its end.
#[inline]
pub(super) fn eight(bytes: &[u8], at: usize) -> u64 {
    if let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        return u64::from_le_bytes(*eight);
    }
    let left = bytes.len().saturating_sub(at) as u32;
    match bytes.last_chunk::<8>() {
        // The last eight bytes of the text, without those before `at`.
        Some(last) if left > 0 => u64::from_le_bytes(*last) >> (64 - 8 * left),
        _ => bytes
            .get(at..)
            .unwrap_or_default()
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

pub(super) const HIGH: u64 = 0x8080_8080_8080_8080;
const EACH: u64 = 0x0101_0101_0101_0101;

/// The number of leading ASCII letters and digits among eight bytes, all tested at once.
///
/// The high bit of each byte is free: adding to the other seven bits carries into it exactly if they reach a bound.
#[inline]
fn word_length(eight: u64) -> usize {
    let seven = eight & !HIGH;
    let digit = (seven + EACH * (0x80 - b'0' as u64)) & !(seven + EACH * (0x7f - b'9' as u64));
    let others = !(ascii_letters(eight) | (digit & !eight)) & HIGH;
    others.trailing_zeros() as usize / 8
}

/// Sets the high bit of each of eight bytes that is an ASCII letter; the other bits are undefined.
#[inline]
pub(super) fn ascii_letters(eight: u64) -> u64 {
    let small = (eight & !HIGH) | SMALL;
    (small + EACH * (0x80 - b'a' as u64)) & !(small + EACH * (0x7f - b'z' as u64)) & !eight
}

/// The hash and the end of a word of ASCII letters, eight at a time. It ignores what follows.
#[inline(always)]
pub(super) fn ascii_word(bytes: &[u8], start: usize, seed: u64) -> (u64, usize) {
    let (mut hash, mut at) = (seed, start);
    loop {
        let next = eight(bytes, at);
        let length = word_length(next);
        if length == 8 {
            hash = mixed(hash ^ (next | SMALL));
            at += 8;
            continue;
        }
        if length > 0 {
            hash = mixed(hash ^ ((next | SMALL) & (u64::MAX >> (64 - 8 * length))));
            at += length;
        }
        return (word_step(hash), at);
    }
}

/// The kind of token that each byte begins.
pub(super) const CLASS: [u8; 256] = class_table();
pub(super) const SIGN: u8 = 0;
pub(super) const GAP: u8 = 1;
pub(super) const WORD: u8 = 2;
const BEYOND_ASCII: u8 = 3;

const fn class_table() -> [u8; 256] {
    let mut table = [BEYOND_ASCII; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => WORD,
            b'-' | b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => GAP,
            _ => SIGN,
        };
        byte += 1;
    }
    table
}

/// The tokens of a text from a byte offset on.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'t> {
    text: &'t str,
    at: usize,
    accents: Accents,
    seed: u64,
}

impl<'t> Tokens<'t> {
    /// The tokens of a text; the hashes of words depend on the seed.
    pub(super) fn new(text: &'t str, accents: Accents, seed: u64) -> Self {
        Self {
            text,
            at: 0,
            accents,
            seed,
        }
    }

    /// Continues from a byte offset, which must be a token's start or end.
    pub(super) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    fn letter(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    #[inline]
    fn word(&mut self) -> Token {
        let start = self.at;
        let (hash, end) = ascii_word(self.text.as_bytes(), start, self.seed);
        self.at = end;
        if self.text.as_bytes().get(end).is_some_and(|byte| *byte >= 128) && self.goes_on() {
            return self.folded_word(start);
        }
        Token {
            kind: TokenKind::Word,
            hash,
            start,
            end,
        }
    }

    /// The next word or sign, and whether there is a gap before it.
    pub(super) fn next_beyond_gap(&mut self) -> (Option<Token>, bool) {
        match self.next() {
            Some(Token {
                kind: TokenKind::Gap, ..
            }) => (self.next(), true),
            token => (token, false),
        }
    }

    /// The hash of a word without its final `s`; `None` for any other word.
    pub(super) fn singular(&self, word: &Token) -> Option<u64> {
        if word.kind != TokenKind::Word {
            return None;
        }
        let bytes = self.text.as_bytes();
        match bytes[word.end - 1] {
            b's' | b'S' if bytes[word.start..word.end].is_ascii() => {
                Some(ascii_word(&bytes[..word.end - 1], word.start, self.seed).0)
            }
            // A wide letter, or one with a mark, may be an `s` too.
            b's' | b'S' | 128.. => self.folded_singular(word),
            _ => None,
        }
    }

    #[cold]
    fn folded_singular(&self, word: &Token) -> Option<u64> {
        let mut hash = WordHash::new(self.seed);
        let (mut singular, mut last) = (hash, ' ');
        for letter in self.text[word.start..word.end].chars() {
            fold(letter, self.accents, |folded| {
                singular = hash;
                last = folded;
                hash.letter(folded);
            });
        }
        (last == 's').then(|| singular.finish())
    }

    fn goes_on(&self) -> bool {
        self.letter()
            .is_some_and(|letter| matches!(class(letter), Class::Word | Class::Mark))
    }

    /// Reads a word with letters beyond ASCII, letter by letter.
    #[cold]
    fn folded_word(&mut self, start: usize) -> Token {
        let mut hash = WordHash::new(self.seed);
        self.at = start;
        while let Some(letter) = self.letter() {
            if !matches!(class(letter), Class::Word | Class::Mark) {
                break;
            }
            fold(letter, self.accents, |folded| hash.letter(folded));
            self.at += letter.len_utf8();
        }
        Token {
            kind: TokenKind::Word,
            hash: hash.finish(),
            start,
            end: self.at,
        }
    }

    #[cold]
    fn beyond_ascii(&mut self) -> Option<Token> {
        let letter = self.letter()?;
        Some(match class(letter) {
            Class::Word => self.folded_word(self.at),
            // A mark without a letter before it counts as a gap.
            Class::Gap | Class::Mark => self.gap(),
            Class::Sign(sign) => self.sign(sign, letter.len_utf8()),
        })
    }

    #[inline]
    fn gap(&mut self) -> Token {
        let bytes = self.text.as_bytes();
        let start = self.at;
        loop {
            match bytes.get(self.at).map(|byte| CLASS[usize::from(*byte)]) {
                Some(GAP) => self.at += 1,
                Some(BEYOND_ASCII) => match self
                    .letter()
                    .filter(|letter| matches!(class(*letter), Class::Gap | Class::Mark))
                {
                    Some(letter) => self.at += letter.len_utf8(),
                    None => break,
                },
                _ => break,
            }
        }
        Token {
            kind: TokenKind::Gap,
            hash: 0,
            start,
            end: self.at,
        }
    }

    #[inline]
    fn sign(&mut self, sign: char, length: usize) -> Token {
        let start = self.at;
        self.at += length;
        while self.text.as_bytes().get(self.at).is_some_and(|byte| *byte >= 128) {
            let Some(mark) = self.letter().filter(|letter| class(*letter) == Class::Mark) else {
                break;
            };
            self.at += mark.len_utf8();
        }
        Token {
            kind: TokenKind::Sign(sign),
            hash: 0,
            start,
            end: self.at,
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let byte = *self.text.as_bytes().get(self.at)?;
        match CLASS[usize::from(byte)] {
            WORD => Some(self.word()),
            GAP => Some(self.gap()),
            SIGN => Some(self.sign(if byte == b'`' { '\'' } else { char::from(byte) }, 1)),
            _ => self.beyond_ascii(),
        }
    }
}

/// Whether the folded letters of `word`, a slice of a text, are exactly those of two pieces together.
pub(super) fn folds_to(word: &str, pieces: [&str; 2], accents: Accents) -> bool {
    let mut rest = pieces[0].chars().chain(pieces[1].chars());
    let mut equal = true;
    for letter in word.chars() {
        fold(letter, accents, |letter| equal &= rest.next() == Some(letter));
    }
    equal && rest.next().is_none()
}

/// Adds the folded letters of a word to a text.
fn fold_into(text: &mut String, word: &str, accents: Accents) {
    for letter in word.chars() {
        fold(letter, accents, |folded| text.push(folded));
    }
}

/// The folded form of a name, with single blanks for its gaps and none at its ends: names are equal if their forms are.
pub(super) fn folded_name(name: &str, accents: Accents) -> String {
    let mut form = String::with_capacity(name.len());
    let mut gap = false;
    for token in Tokens::new(name, accents, 0) {
        if token.kind == TokenKind::Gap {
            gap = !form.is_empty();
            continue;
        }
        if std::mem::take(&mut gap) {
            form.push(' ');
        }
        match token.kind {
            TokenKind::Sign(sign) => form.push(sign),
            _ => fold_into(&mut form, &name[token.start..token.end], accents),
        }
    }
    // `alcohol,` comes from a list that was cut up; texts write `p.m.` with and without its last dot.
    let bare = form.trim_end_matches([' ', ',', ';', ':', '.']).len();
    if form[..bare].contains(char::is_alphanumeric) {
        form.truncate(bare);
    }
    form
}
