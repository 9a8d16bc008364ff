//! The slow oracle: the semantics of the matcher written down as plainly as possible, sharing only the folding of
//! single letters with the fast one. Tests hold the two against each other; nothing else calls it.

use super::names::names_of;
use super::{Entry, Settings};
use crate::error::Result;
use crate::schema::Rule;
use crate::text::fold::{Accents, Class, class, fold};

/// One folded letter of a text and where it came from.
#[derive(Debug, Clone, Copy)]
struct Unit {
    letter: char,
    in_word: bool,
    start: usize,
    end: usize,
    /// Whether this is the first, and the last, of the letters that one original letter folds to.
    first: bool,
    last: bool,
}

/// A mention as `(entry number, start byte, end byte, rule)`.
pub type NaiveMention = (usize, usize, usize, Rule);

/// What [`super::Matcher::find`] must give for these entries and a text, at word bounds and without abbreviations.
pub fn find(entries: &[Entry], settings: &Settings, text: &str) -> Result<Vec<NaiveMention>> {
    let units = units(text, settings.accents);
    let names = names_of(entries, settings)?;
    // A name as it is, and where it has one its plural; the name itself comes later, for `max_by_key` takes the last.
    let mut forms: Vec<(String, u32)> = Vec::new();
    for pattern in 0..names.len() {
        if names.has_plural(pattern as u32) {
            forms.push((format!("{}s", names.form(pattern as u32)), pattern as u32));
        }
    }
    forms.extend((0..names.len()).map(|pattern| (names.form(pattern as u32).to_owned(), pattern as u32)));
    let mut found = Vec::new();
    let mut from = 0;
    while from < units.len() {
        let longest = forms
            .iter()
            .filter(|(form, pattern)| {
                stands_at(&units, from, form) && {
                    let surface = &text[units[from].start..units[from + form.chars().count() - 1].end];
                    names.form(*pattern) != form || names.accepts(*pattern, surface)
                }
            })
            .max_by_key(|(form, _)| form.chars().count());
        let Some((form, pattern)) = longest else {
            from += 1;
            continue;
        };
        let to = from + form.chars().count();
        for (entry, rule) in names.targets(*pattern) {
            found.push((entry as usize, units[from].start, units[to - 1].end, rule));
        }
        from = to;
    }
    Ok(found)
}

fn stands_at(units: &[Unit], from: usize, form: &str) -> bool {
    let length = form.chars().count();
    let Some(window) = units.get(from..from + length) else {
        return false;
    };
    let equal = window.iter().map(|unit| unit.letter).eq(form.chars());
    let bounded_before = from == 0 || !units[from - 1].in_word;
    let bounded_after = units.get(from + length).is_none_or(|unit| !unit.in_word);
    equal && window[0].first && window[length - 1].last && bounded_before && bounded_after
}

fn units(text: &str, accents: Accents) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (start, letter) in text.char_indices() {
        let end = start + letter.len_utf8();
        let before = units.last().copied();
        let mut folded = Vec::new();
        let in_word = match class(letter) {
            Class::Word => {
                fold(letter, accents, |letter| folded.push(letter));
                true
            }
            Class::Mark if before.is_some_and(|unit| unit.in_word) => {
                fold(letter, accents, |letter| folded.push(letter));
                true
            }
            Class::Mark if before.is_some() => false,
            Class::Mark | Class::Gap => {
                if before.is_none_or(|unit| unit.letter != ' ' || unit.in_word) {
                    folded.push(' ');
                }
                false
            }
            Class::Sign(sign) => {
                folded.push(sign);
                false
            }
        };
        if folded.is_empty() {
            // A mark that folds away, or another letter of a gap: it lengthens what stands before it.
            if let Some(unit) = units.last_mut() {
                unit.end = end;
            }
        }
        let count = folded.len();
        for (number, letter) in folded.into_iter().enumerate() {
            units.push(Unit {
                letter,
                in_word,
                start,
                end,
                first: number == 0,
                last: number + 1 == count,
            });
        }
    }
    units
}
