//! A text as the matcher sees it: words, gaps and signs, each with its place in the original bytes.
//!
//! One pass, no allocation. ASCII goes through a table; anything else through [`crate::text::fold`]. A word carries the
//! hash of its folded letters, so that looking it up does not need the letters.

use crate::text::fold::{Accents, Class, class, fold};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
    pub kind: Kind,
    /// The hash of a word's folded letters; 0 for anything else.
    pub hash: u64,
    pub start: usize,
    pub end: usize,
}

/// The hash of a folded word: its bytes, eight at a time, then their number.
#[derive(Debug, Clone, Copy)]
struct WordHash {
    hash: u64,
    waiting: [u8; 8],
    length: usize,
}

/// `|` with this makes small letters of eight ASCII capitals, and changes neither small letters nor digits.
const SMALL: u64 = 0x2020_2020_2020_2020;

impl WordHash {
    fn new(seed: u64) -> Self {
        Self {
            hash: seed,
            waiting: [0; 8],
            length: 0,
        }
    }

    /// The hash of `bytes[start..end]`, ASCII letters and digits in any case, without a look at each byte.
    #[inline]
    fn of_ascii(bytes: &[u8], start: usize, end: usize, seed: u64) -> u64 {
        let mut hash = seed;
        let mut at = start;
        while at < end {
            let unused = 64 - 8 * (end - at).min(8) as u32;
            hash = mixed(hash ^ ((eight(bytes, at) | SMALL) & (u64::MAX >> unused)));
            at += 8;
        }
        mixed(hash ^ (end - start) as u64)
    }

    fn letter(&mut self, letter: char) {
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            self.waiting[self.length % 8] = byte;
            self.length += 1;
            if self.length.is_multiple_of(8) {
                self.hash = mixed(self.hash ^ u64::from_le_bytes(self.waiting));
                self.waiting = [0; 8];
            }
        }
    }

    fn finish(mut self) -> u64 {
        if !self.length.is_multiple_of(8) {
            self.hash = mixed(self.hash ^ u64::from_le_bytes(self.waiting));
        }
        mixed(self.hash ^ self.length as u64)
    }
}

/// Eight bytes of a text as a number; zeros behind its end.
#[inline]
fn eight(bytes: &[u8], at: usize) -> u64 {
    if let Some(eight) = bytes.get(at..at + 8) {
        return eight.try_into().map_or(0, u64::from_le_bytes);
    }
    bytes[at..]
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Mixes all bits into all bits: the two halves of a long product, one upon the other.
fn mixed(hash: u64) -> u64 {
    let product = u128::from(hash ^ 0x2d35_8dcc_aa6c_78a5) * 0x8bb8_4b93_962e_acc9;
    (product as u64) ^ ((product >> 64) as u64)
}

/// What a byte of a text begins.
const CLASS: [u8; 256] = class_table();
const SIGN: u8 = 0;
const GAP: u8 = 1;
const WORD: u8 = 2;
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
    /// The tokens of a text; hashes of words depend on the seed.
    pub(super) fn new(text: &'t str, accents: Accents, seed: u64) -> Self {
        Self {
            text,
            at: 0,
            accents,
            seed,
        }
    }

    /// Goes on from a byte offset, which must be a token's start or end.
    pub(super) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    fn letter(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    #[inline]
    fn word(&mut self) -> Token {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let length = bytes[start..]
            .iter()
            .take_while(|byte| CLASS[usize::from(**byte)] == WORD)
            .count();
        self.at = start + length;
        if bytes.get(self.at).is_some_and(|byte| *byte >= 128) && self.goes_on() {
            return self.folded_word(start);
        }
        Token {
            kind: Kind::Word,
            hash: WordHash::of_ascii(bytes, start, self.at, self.seed),
            start,
            end: self.at,
        }
    }

    fn goes_on(&self) -> bool {
        self.letter()
            .is_some_and(|letter| matches!(class(letter), Class::Word | Class::Mark))
    }

    /// A word with letters beyond ASCII, letter by letter.
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
            kind: Kind::Word,
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
            // A mark without a letter before it has nothing to belong to.
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
            kind: Kind::Gap,
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
            kind: Kind::Sign(sign),
            hash: 0,
            start,
            end: self.at,
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    #[inline]
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

/// Whether the folded letters of `word`, a slice of a text, are exactly `folded`.
pub(super) fn folds_to(word: &str, folded: &str, accents: Accents) -> bool {
    if word.is_ascii() {
        return word.eq_ignore_ascii_case(folded);
    }
    let mut rest = folded.chars();
    let mut equal = true;
    for letter in word.chars() {
        fold(letter, accents, |letter| equal &= rest.next() == Some(letter));
    }
    equal && rest.next().is_none()
}

/// The folded letters of a word.
pub(super) fn folded(word: &str, accents: Accents) -> String {
    let mut folded = String::with_capacity(word.len());
    for letter in word.chars() {
        fold(letter, accents, |letter| folded.push(letter));
    }
    folded
}
