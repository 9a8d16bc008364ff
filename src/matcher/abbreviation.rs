//! Abbreviations that a text introduces itself: "doxorubicin (DOX)" makes `DOX` a mention from there on.
//!
//! A short form counts when it stands in brackets directly behind a mention, or before a mention in brackets ("DOX
//! (doxorubicin)"), and its letters stand in the name in that order, the first one at its beginning: the test of Schwartz
//! and Hearst (Pacific Symposium on Biocomputing, 2003), with the long form given by the mention. A word of salts may
//! stand between ("doxorubicin hydrochloride (DOX)"). Short forms are compared letter by letter, with their case.

use super::index::Hit;
use super::tokens::{Kind, Token, Tokens};
use crate::text::fold::Accents;

/// A short form has at least and at most so many letters and digits.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=10;

/// Words of salts and hydrates that may stand between a name and its abbreviation.
const SALTS: [&str; 24] = [
    "acetate",
    "bromide",
    "calcium",
    "chloride",
    "citrate",
    "disodium",
    "fumarate",
    "hcl",
    "hydrobromide",
    "hydrochloride",
    "hydrate",
    "maleate",
    "mesylate",
    "monohydrate",
    "nitrate",
    "oxalate",
    "phosphate",
    "potassium",
    "sodium",
    "succinate",
    "sulfate",
    "sulphate",
    "tartrate",
    "tosylate",
];

/// A short form and what it stands for.
struct Definition<'t> {
    short: &'t str,
    pattern: u32,
    /// From where on it stands for it.
    from: usize,
}

/// Adds the mentions of abbreviations to the hits of a text; gives whether each hit is one, in the order of places.
pub(super) fn extend(text: &str, hits: &[Hit]) -> Vec<(Hit, bool)> {
    let mut all: Vec<(Hit, bool)> = hits.iter().map(|hit| (*hit, false)).collect();
    let definitions = definitions(text, hits);
    if definitions.is_empty() {
        return all;
    }
    for token in Tokens::new(text, Accents::Keep, 0).filter(|token| token.kind == Kind::Word) {
        for definition in definitions
            .iter()
            .filter(|definition| token.start >= definition.from)
        {
            let end = token.start + definition.short.len();
            if text.get(token.start..end) != Some(definition.short) || !bounded(text, end) {
                continue;
            }
            let hit = Hit {
                pattern: definition.pattern,
                start: token.start,
                end,
            };
            if !all
                .iter()
                .any(|(other, _)| other.start < hit.end && hit.start < other.end)
            {
                all.push((hit, true));
            }
        }
    }
    all.sort_by_key(|(hit, _)| hit.start);
    all
}

fn bounded(text: &str, end: usize) -> bool {
    let mut tokens = Tokens::new(&text[end..], Accents::Keep, 0);
    tokens.next().is_none_or(|token| token.kind != Kind::Word)
}

fn definitions<'t>(text: &'t str, hits: &[Hit]) -> Vec<Definition<'t>> {
    let mut definitions: Vec<Definition<'t>> = Vec::new();
    for hit in hits {
        let name = &text[hit.start..hit.end];
        let found = behind(text, hit.end).or_else(|| before(text, hit));
        let Some((short, from)) = found.filter(|(short, _)| is_short_form(short) && abbreviates(short, name))
        else {
            continue;
        };
        if !definitions.iter().any(|known| known.short == short) {
            definitions.push(Definition {
                short,
                pattern: hit.pattern,
                from,
            });
        }
    }
    definitions
}

/// The short form in brackets behind a mention that ends at `end`.
fn behind(text: &str, end: usize) -> Option<(&str, usize)> {
    let mut tokens = Tokens::new(text, Accents::Fold, 0);
    tokens.seek(end);
    let mut open: Option<Token> = None;
    for token in tokens.by_ref().take(6) {
        match token.kind {
            Kind::Sign('(' | '[') => {
                open = Some(token);
                break;
            }
            Kind::Gap => {}
            Kind::Word if SALTS.contains(&text[token.start..token.end].to_lowercase().as_str()) => {}
            _ => return None,
        }
    }
    let open = open?;
    let inside = &text[open.end..];
    let close = inside.find([')', ']', ',', ';', '('])?;
    let short = inside[..close].trim();
    let start = open.end + (inside.len() - inside.trim_start().len());
    Some((short, start))
}

/// The short form before a mention that stands alone in brackets.
fn before<'t>(text: &'t str, hit: &Hit) -> Option<(&'t str, usize)> {
    let head = text[..hit.start].strip_suffix(['(', '['])?.trim_end();
    text[hit.end..].starts_with([')', ']']).then_some(())?;
    let start = head.rfind(char::is_whitespace).map_or(0, |blank| blank + 1);
    // A letter of several bytes before the word ends where the word begins.
    let start = (start..=head.len()).find(|place| head.is_char_boundary(*place))?;
    Some((&head[start..], start))
}

/// Whether a text looks like a short form: few letters, of which one is a capital, beginning with a letter or digit.
fn is_short_form(short: &str) -> bool {
    let letters = short.chars().filter(|letter| letter.is_alphanumeric()).count();
    LENGTH.contains(&letters)
        && short.len() <= 24
        && !short.contains(char::is_whitespace)
        && short.starts_with(char::is_alphanumeric)
        && short.ends_with(char::is_alphanumeric)
        && short.contains(char::is_uppercase)
}

/// Whether the letters of a short form stand in a name in their order, the first at its beginning. Digits and signs of the
/// short form that the name lacks are overlooked, as long as two letters are left.
fn abbreviates(short: &str, name: &str) -> bool {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    let letters: Vec<char> = short
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphabetic())
        .collect();
    if letters.len() < 2 || name.first() != letters.first() || letters.len() >= name.len() {
        return false;
    }
    let mut rest = name.iter();
    letters.iter().all(|letter| rest.any(|other| other == letter))
}
