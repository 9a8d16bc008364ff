//! Research codes of companies: `BMS-986165`, `MK-3475`, `AZD1480`, `ABT-737`.
//!
//! A code is a prefix of `company_codes.tsv`, a dash, a blank or nothing, and as many digits as the company's codes have.
//! Cell lines, strains, phages, genes and grants look alike. They have other prefixes, fewer digits, or a word beside them
//! that says so.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::NamePlace;
use super::stems::rows;
use super::words::{code_key, folded_words};

const CODES: &str = include_str!("company_codes.tsv");

/// The least and the most digits behind a prefix.
static PREFIXES: LazyLock<HashMap<&'static str, [usize; 2]>> = LazyLock::new(|| {
    rows(CODES)
        .map(|[prefix, least, rest]| {
            let most = rest.split('\t').next().unwrap_or_default();
            (prefix, [least, most].map(|number| number.parse().unwrap_or(0)))
        })
        .collect()
});

/// Letters of the longest prefix.
const LONGEST_PREFIX: usize = 5;

/// Words right before a code that is none.
const BEFORE: &[&str] = &[
    "antigen",
    "atcc",
    "award",
    "bacillus",
    "bacteriophage",
    "bacteriophages",
    "carcinoma",
    "cell",
    "cells",
    "coli",
    "contract",
    "cytochrome",
    "dextran",
    "grant",
    "grants",
    "haemoglobin",
    "hemoglobin",
    "hepatoma",
    "leukaemia",
    "leukemia",
    "line",
    "lines",
    "lymphoma",
    "melanoma",
    "mice",
    "mouse",
    "mutant",
    "phage",
    "plasmid",
    "plasmids",
    "receptor",
    "sephadex",
    "serotype",
    "strain",
    "strains",
    "type",
    "virus",
];

/// Words right behind a code that is none.
const BEHIND: &[&str] = &[
    "cell",
    "cells",
    "day",
    "days",
    "hepatoma",
    "leukaemia",
    "leukemia",
    "melanoma",
    "mice",
    "month",
    "months",
    "phage",
    "plasmid",
    "plasmids",
    "receptor",
    "receptors",
    "strain",
    "strains",
    "virus",
    "year",
    "years",
];

/// The codes of a text.
pub fn company_codes(text: &str) -> Vec<NamePlace> {
    let bytes = text.as_bytes();
    let mut places = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let end = end_of(bytes, at, u8::is_ascii_alphabetic);
        if let Some(code_end) = code_at(text, at, end) {
            places.push(NamePlace {
                start: at,
                end: code_end,
                key: code_key(&text[at..code_end]),
            });
            at = code_end;
        } else {
            at = end;
        }
    }
    places
}

/// The key of a text that is a code as a whole.
pub fn code_of(text: &str) -> Option<String> {
    let text = text.trim();
    match company_codes(text).as_slice() {
        [one] if one.start == 0 && one.end == text.len() => Some(one.key.clone()),
        _ => None,
    }
}

fn end_of(bytes: &[u8], start: usize, is_part: fn(&u8) -> bool) -> usize {
    start + bytes[start..].iter().take_while(|byte| is_part(byte)).count()
}

/// The end of the code that begins with the letters from `start` to `end`.
fn code_at(text: &str, start: usize, end: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let letters = &text[start..end];
    if letters.len() > LONGEST_PREFIX || !is_start(text, start) {
        return None;
    }
    let [least, most] = *PREFIXES.get(letters.to_ascii_uppercase().as_str())?;
    let is_upper = letters.bytes().all(|letter| letter.is_ascii_uppercase());
    let is_title = letters.len() > 1
        && letters.as_bytes()[0].is_ascii_uppercase()
        && letters[1..].bytes().all(|letter| letter.is_ascii_lowercase());
    if !is_upper && !is_title {
        return None;
    }
    let joint = bytes.get(end).copied();
    let has_joint = matches!(joint, Some(b'-' | b' '));
    // A single letter before a number is a paragraph, a unit or a site; `In 1997` is a year.
    if (letters.len() == 1 && joint != Some(b'-')) || (is_title && !has_joint && letters.len() < 3) {
        return None;
    }
    let digits = end + usize::from(has_joint);
    let mut stop = end_of(bytes, digits, u8::is_ascii_digit);
    let mut count = stop - digits;
    // `L-365,260` and `Ro 10-9359`: two groups of digits are one number.
    let group = end_of(bytes, (stop + 1).min(bytes.len()), u8::is_ascii_digit).saturating_sub(stop + 1);
    let is_grouped = match bytes.get(stop) {
        Some(b',') => count > 0 && group == 3,
        Some(b'-') => matches!(count, 1 | 2) && matches!(group, 3 | 4),
        _ => false,
    };
    if is_grouped {
        stop += 1 + group;
        count += group;
    }
    let is_year = joint == Some(b' ') && count == 4 && matches!(&text[digits..digits + 2], "19" | "20");
    let is_code = (least..=most).contains(&count) && !is_year && is_end(text, stop);
    (is_code && !is_named_otherwise(text, start, stop)).then_some(stop)
}

/// Whether a code may begin here: not inside of a word or a number, nor after another part of a compound.
fn is_start(text: &str, start: usize) -> bool {
    let before = text[..start].chars().next_back();
    before.is_none_or(|letter| !letter.is_alphanumeric() && !matches!(letter, '-' | '_' | '.' | '&'))
}

fn is_end(text: &str, stop: usize) -> bool {
    let mut behind = text[stop..].chars();
    match behind.next() {
        None => true,
        Some('.' | ',') => behind.next().is_none_or(|letter| !letter.is_ascii_digit()),
        Some(letter) => !letter.is_alphanumeric() && letter != '_' && letter != '%',
    }
}

/// Whether the words beside a code say that it is a strain, a cell line, a grant or a span of time.
fn is_named_otherwise(text: &str, start: usize, stop: usize) -> bool {
    let before = folded_words(nearby(text, start, true)).pop();
    let behind = folded_words(nearby(text, stop, false)).into_iter().next();
    before.is_some_and(|word| BEFORE.contains(&word.folded.as_str()))
        || behind.is_some_and(|word| BEHIND.contains(&word.folded.as_str()))
}

/// The text right before or behind a place, long enough for any word of the lists.
fn nearby(text: &str, at: usize, before: bool) -> &str {
    const REACH: usize = 20;
    if before {
        let mut start = at.saturating_sub(REACH);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        &text[start..at]
    } else {
        let mut end = (at + REACH).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        &text[at..end]
    }
}
