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

/// The hash of a folded word, letter by letter as bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct WordHash(u64);

impl WordHash {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    const FACTOR: u64 = 0x2545_f491_4f6c_dd1d;

    pub(super) fn new() -> Self {
        Self(Self::SEED)
    }

    fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(Self::FACTOR);
    }

    fn letter(&mut self, letter: char) {
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            self.byte(byte);
        }
    }

    fn finish(self) -> u64 {
        // The multiplication mixes upwards only; the tables use the low bits.
        self.0 ^ (self.0 >> 32)
    }
}

/// For an ASCII byte: its folded letter if it is part of a word, else one of the marks below.
const ASCII: [u8; 128] = ascii_table();
const GAP: u8 = 1;
const SIGN: u8 = 2;

const fn ascii_table() -> [u8; 128] {
    let mut table = [SIGN; 128];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => byte.to_ascii_lowercase(),
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
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str, accents: Accents) -> Self {
        Self { text, at: 0, accents }
    }

    /// Goes on from a byte offset, which must be a token's start or end.
    pub(super) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    fn letter(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// A word whose first letters may be ASCII; `self.at` stands at its beginning.
    fn word(&mut self) -> Token {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut hash = WordHash::new();
        while let Some(&byte) = bytes.get(self.at) {
            if byte < 128 {
                let folded = ASCII[usize::from(byte)];
                if folded <= SIGN {
                    break;
                }
                hash.byte(folded);
                self.at += 1;
                continue;
            }
            let Some(letter) = self.letter() else { break };
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

    fn gap(&mut self) -> Token {
        let start = self.at;
        while let Some(letter) = self.letter() {
            if !matches!(class(letter), Class::Gap | Class::Mark) {
                break;
            }
            self.at += letter.len_utf8();
        }
        Token {
            kind: Kind::Gap,
            hash: 0,
            start,
            end: self.at,
        }
    }

    fn sign(&mut self, sign: char, length: usize) -> Token {
        let start = self.at;
        self.at += length;
        while let Some(mark) = self.letter().filter(|letter| class(*letter) == Class::Mark) {
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

    fn next(&mut self) -> Option<Token> {
        let byte = *self.text.as_bytes().get(self.at)?;
        if byte < 128 && ASCII[usize::from(byte)] > SIGN {
            return Some(self.word());
        }
        let letter = self.letter()?;
        Some(match class(letter) {
            Class::Word => self.word(),
            // A mark without a letter before it has nothing to belong to.
            Class::Gap | Class::Mark => self.gap(),
            Class::Sign(sign) => self.sign(sign, letter.len_utf8()),
        })
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
