//! Abbreviations that a text itself introduces: after "doxorubicin (DOX)", `DOX` is a mention; after "cardiac output
//! (CO)", `CO` is not one.
//!
//! A short form counts if it is in brackets after a mention, or before a mention in brackets ("DOX (doxorubicin)"), and
//! its letters occur in the name in order, the first at the beginning: the test of Schwartz and Hearst (Pacific
//! Symposium on Biocomputing, 2003), with the mention as the long form. Words of salts may come between ("doxorubicin
//! hydrochloride (DOX)"). If the letters do not fit the mention, their long form before the bracket may begin in the
//! same run of letters before it ("N-acetylcysteine (NAC)" with the name `acetylcysteine`) or after a dash inside it. A
//! laboratory code ("tacrolimus (FK506)") needs no common letters. Short forms are compared letter by letter and
//! case-sensitively.
//!
//! If the long form of a short form, by the same test, has several words, holds no mention and does not end like a
//! substance, the short form means something else: mentions that equal it are dropped from this text.

use std::collections::HashMap;

use super::index::Hit;
use super::tokens::{Token, TokenKind, Tokens};
use crate::text::fold::Accents;
use crate::text::is_salt;

/// Letters and digits of a short form.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=10;
/// A longer text in brackets, in bytes, is no short form.
const LONGEST: usize = 60;
/// Bytes before a bracket within which a long form begins, or a mention ends that only words of salts follow.
const REACH: usize = 200;
/// Short forms of each kind that one text may introduce. The limit keeps the time linear in the text's length.
const MOST: usize = 512;

/// The short forms that the brackets of a text define.
#[derive(Default)]
struct Definitions<'t> {
    /// Short forms of drugs: the pattern that each abbreviates, and the byte from which it counts.
    drugs: HashMap<&'t str, (u32, usize)>,
    /// Short forms of something else.
    others: Vec<&'t str>,
}

/// Passes on the mentions of a text, in the order of their places, each with whether it is an abbreviation: the hits
/// without those that are short for something else, and the abbreviations of drugs.
pub(super) fn each(text: &str, hits: &[Hit], mut give: impl FnMut(Hit, bool)) {
    let definitions = if hits.is_empty() {
        Definitions::default()
    } else {
        Definitions::read(text, hits)
    };
    let stays = |hit: &Hit| {
        let surface = &text[hit.start..hit.end];
        definitions.drugs.contains_key(surface) || !definitions.others.contains(&surface)
    };
    if definitions.drugs.is_empty() {
        hits.iter()
            .filter(|hit| stays(hit))
            .for_each(|hit| give(*hit, false));
        return;
    }
    let mut all: Vec<(Hit, bool)> = hits
        .iter()
        .filter(|hit| stays(hit))
        .map(|hit| (*hit, false))
        .collect();
    let named = all.len();
    definitions.places(text, |place| {
        // The earlier hits are sorted by place and do not overlap.
        let next = all[..named].partition_point(|(hit, _)| hit.end <= place.start);
        let behind = all[named..].last().map_or(0, |(hit, _)| hit.end);
        if all[..named]
            .get(next)
            .is_none_or(|(hit, _)| hit.start >= place.end)
            && place.start >= behind
        {
            all.push((place, true));
        }
    });
    all.sort_by_key(|(hit, _)| hit.start);
    all.into_iter()
        .for_each(|(hit, abbreviated)| give(hit, abbreviated));
}

impl<'t> Definitions<'t> {
    fn read(text: &'t str, hits: &[Hit]) -> Self {
        let mut definitions = Self::default();
        for bracket in brackets(text) {
            definitions.add_behind(text, hits, &bracket);
        }
        for hit in hits {
            if let Some((short, from)) = before(text, hit)
                && is_short_form(short)
                && abbreviates(short, &text[hit.start..hit.end])
            {
                definitions.define(short, hit.pattern, from);
            }
        }
        definitions
    }

    fn define(&mut self, short: &'t str, pattern: u32, from: usize) {
        if self.drugs.len() < MOST {
            self.drugs.entry(short).or_insert((pattern, from));
        }
    }

    /// Adds what a bracket defines for the words before it.
    fn add_behind(&mut self, text: &'t str, hits: &[Hit], bracket: &Bracket) {
        let inside = &text[bracket.start..bracket.end];
        let short = inside.trim();
        let code = is_code(short);
        if !code && !is_short_form(short) {
            return;
        }
        let from = bracket.start + (inside.len() - inside.trim_start().len());
        let long = long_form(text, bracket.open, short);
        let before = hits.partition_point(|hit| hit.end <= bracket.open);
        let near = before
            .checked_sub(1)
            .map(|last| hits[last])
            .filter(|hit| only_salts(text, hit.end, bracket.open));
        if let Some(hit) = near {
            let name = &text[hit.start..hit.end];
            let begins_near = long.is_some_and(|start| {
                if start <= hit.start {
                    !text[start..hit.start].contains(char::is_whitespace)
                } else {
                    start < hit.end && !text[..start].ends_with(char::is_alphanumeric)
                }
            });
            if code || abbreviates(short, name) || begins_near {
                self.define(short, hit.pattern, from);
                return;
            }
        }
        let Some(start) = long.filter(|_| is_short_form(short)) else {
            return;
        };
        let holds_mention = before.checked_sub(1).is_some_and(|last| hits[last].end > start);
        if !holds_mention && says_no_substance(&text[start..bracket.open]) && self.others.len() < MOST {
            self.others.push(short);
        }
    }

    /// Finds every place of every short form, from its introduction on.
    fn places(&self, text: &'t str, mut give: impl FnMut(Hit)) {
        let mut by_first_word: HashMap<&str, Vec<&str>> = HashMap::new();
        for short in self.drugs.keys() {
            by_first_word.entry(first_word(short)).or_default().push(short);
        }
        for shorts in by_first_word.values_mut() {
            shorts.sort_unstable_by_key(|short| (std::cmp::Reverse(short.len()), *short));
        }
        for token in Tokens::new(text, Accents::Keep, 0).filter(|token| token.kind == TokenKind::Word) {
            let Some(shorts) = by_first_word.get(&text[token.start..token.end]) else {
                continue;
            };
            let found = shorts.iter().take(MOST / 16).find(|short| {
                text[token.start..].starts_with(**short)
                    && is_bound(text, token.start + short.len())
                    && self.drugs[**short].1 <= token.start
            });
            if let Some(short) = found {
                give(Hit {
                    pattern: self.drugs[short].0,
                    start: token.start,
                    end: token.start + short.len(),
                });
            }
        }
    }
}

fn first_word(short: &str) -> &str {
    Tokens::new(short, Accents::Keep, 0)
        .next()
        .map_or(short, |token| &short[token.start..token.end])
}

/// Whether a word ends at this byte of a text.
fn is_bound(text: &str, end: usize) -> bool {
    let mut tokens = Tokens::new(&text[end..], Accents::Keep, 0);
    tokens.next().is_none_or(|token| token.kind != TokenKind::Word)
}

/// A bracket and its text, up to its closing bracket, a semicolon, or a comma before a blank.
struct Bracket {
    open: usize,
    start: usize,
    end: usize,
}

fn brackets(text: &str) -> impl Iterator<Item = Bracket> {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'(', b'[', bytes).filter_map(move |open| {
        let start = open + 1;
        let mut depth = 0;
        let window = &bytes[start..bytes.len().min(start + LONGEST)];
        for (offset, byte) in window.iter().enumerate() {
            match byte {
                b'(' | b'[' => depth += 1,
                b')' | b']' if depth > 0 => depth -= 1,
                b')' | b']' | b';' if depth == 0 => {
                    return Some(Bracket {
                        open,
                        start,
                        end: start + offset,
                    });
                }
                b',' if depth == 0 && bytes.get(start + offset + 1).is_some_and(u8::is_ascii_whitespace) => {
                    return Some(Bracket {
                        open,
                        start,
                        end: start + offset,
                    });
                }
                _ => {}
            }
        }
        None
    })
}

/// Whether there are only gaps and words of salts between a mention and a bracket.
fn only_salts(text: &str, end: usize, open: usize) -> bool {
    open - end <= REACH
        && Tokens::new(&text[end..open], Accents::Fold, 0).all(|token| match token.kind {
            TokenKind::Gap => true,
            TokenKind::Word => is_salt(&text[end + token.start..end + token.end].to_lowercase()),
            TokenKind::Sign(_) => false,
        })
}

/// The short form before a mention that is alone in brackets.
fn before<'t>(text: &'t str, hit: &Hit) -> Option<(&'t str, usize)> {
    let head = text[..hit.start].strip_suffix(['(', '['])?.trim_end();
    text[hit.end..].starts_with([')', ']']).then_some(())?;
    let window = floor(text, head.len().saturating_sub(LONGEST));
    let start = head[window..]
        .rfind(char::is_whitespace)
        .map_or(window, |blank| window + blank + 1);
    // If a letter of several bytes lies there, the word begins after it.
    let start = (start..=head.len()).find(|place| head.is_char_boundary(*place))?;
    Some((&head[start..], start))
}

/// The start of the letter at a byte.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Whether a text looks like a short form: few letters, one of them a capital, beginning with a letter or digit.
fn is_short_form(short: &str) -> bool {
    let letters = short.chars().filter(|letter| letter.is_alphanumeric()).count();
    LENGTH.contains(&letters)
        && short.len() <= 24
        && !short.contains(char::is_whitespace)
        && short.starts_with(char::is_alphanumeric)
        && short.ends_with(char::is_alphanumeric)
        && short.contains(char::is_uppercase)
}

/// Whether a text looks like the code of a substance: capitals, then perhaps a blank or dash, then a number (`FK506`,
/// `RU 486`, `U-50488`).
fn is_code(short: &str) -> bool {
    let capitals = short.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = short[capitals..].trim_start_matches([' ', '-']);
    let parted = short.len() - capitals - digits.len() <= 1;
    let enough = match capitals {
        1 => 3..=6,
        2..=4 => 2..=6,
        _ => return false,
    };
    parted && enough.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the letters of a short form occur in a name in order, the first at its beginning. Digits and signs of the
/// short form that the name lacks are ignored, as long as two letters are left.
fn abbreviates(short: &str, name: &str) -> bool {
    let mut letters = short
        .chars()
        .filter(|letter| letter.is_alphabetic())
        .flat_map(char::to_lowercase);
    let mut rest = name.chars().flat_map(char::to_lowercase);
    let (count, length) = (letters.clone().count(), rest.clone().count());
    count >= 2
        && count < length
        && letters.next() == rest.next()
        && letters.all(|letter| rest.any(|other| other == letter))
}

/// The start of the long form of a short form, by the test of Schwartz and Hearst: backwards from the bracket, the
/// letters of the short form occur in order, and the first of them begins a word.
fn long_form(text: &str, open: usize, short: &str) -> Option<usize> {
    let letters = short.chars().filter(|letter| letter.is_alphanumeric()).count();
    let words = (letters + 5).min(letters * 2);
    let window = floor(text, open.saturating_sub(REACH));
    let before = text[window..open].trim_end();
    let sentence = [". ", "; "]
        .iter()
        .filter_map(|end| Some(before.rfind(end)? + 2))
        .max()
        .unwrap_or(0);
    let mut start = before.len();
    for (place, word) in words_backwards(&before[sentence..]).take(words) {
        start = sentence + place;
        debug_assert!(!word.is_empty(), "words are runs of letters");
    }
    let candidate = &before[start..];
    let mut rest = candidate.char_indices().rev().peekable();
    let mut wanted = short
        .chars()
        .rev()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .peekable();
    let mut place = None;
    while let Some(letter) = wanted.next() {
        let first = wanted.peek().is_none();
        place = loop {
            let (at, found) = rest.next()?;
            let inside_word = rest.peek().is_some_and(|(_, before)| before.is_alphanumeric());
            if found.to_lowercase().eq(std::iter::once(letter)) && !(first && inside_word) {
                break Some(window + start + at);
            }
        };
    }
    place
}

/// The words of a text with their places, from the last to the first.
fn words_backwards(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text.trim_end();
    std::iter::from_fn(move || {
        let start = rest
            .char_indices()
            .rev()
            .find(|(_, letter)| letter.is_whitespace());
        let start = start.map_or(0, |(place, blank)| place + blank.len_utf8());
        let word = &rest[start..];
        rest = rest[..start].trim_end();
        (!word.is_empty()).then_some((start, word))
    })
}

/// Whether a long form is no substance: it has several words, and the last does not end like the name of a substance.
fn says_no_substance(long: &str) -> bool {
    const ENDINGS: [&str; 26] = [
        "ine", "ines", "ate", "ates", "ol", "one", "ones", "ide", "ides", "acid", "acids", "in", "ins",
        "ene", "ane", "am", "il", "ose", "ium", "ester", "amide", "an", "ib", "mab", "yl", "oxide",
    ];
    let words = || Tokens::new(long, Accents::Fold, 0).filter(|token: &Token| token.kind == TokenKind::Word);
    let Some(last) = words().last() else { return false };
    let last = long[last.start..last.end].to_lowercase();
    words().nth(1).is_some() && !ENDINGS.iter().any(|ending| last.ends_with(ending))
}
