//! The slow oracle: the semantics of the matcher, written as plainly as possible. It shares only the folding of single
//! letters with the fast matcher. Tests compare the two; nothing else calls it.

use super::index::combination::is_whole;
use super::names::spellings::{orders, parts};
use super::names::{PatternNames, names_of};
use super::{Boundary, MatcherSettings, VocabularyEntry};
use crate::error::Result;
use crate::schema::Rule;
use crate::text::fold::{Accents, Class, class, fold};

/// A folded letter of a text and its origin.
#[derive(Debug, Clone, Copy)]
struct Unit {
    letter: char,
    in_word: bool,
    start: usize,
    end: usize,
    /// Whether this is the first, or the last, of the letters that one original letter folds to.
    first: bool,
    last: bool,
}

/// A mention as `(entry number, start byte, end byte, rule)`.
pub type NaiveMention = (usize, usize, usize, Rule);

/// The mentions that [`super::Matcher::find`] must return for these entries and a text, at word boundaries and without
/// abbreviations.
pub fn find(
    entries: &[VocabularyEntry],
    settings: &MatcherSettings,
    text: &str,
) -> Result<Vec<NaiveMention>> {
    let units = units(text, settings.accents);
    let names = names_of(entries, settings)?;
    // Each name, and its plural if it has one. The name comes last, because `max_by_key` returns the last maximum.
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
    found.extend(combinations(entries, &names, settings, (text, &units), &found));
    // The stable sort keeps the order of code and drug at one place.
    found.sort_by_key(|(_, start, end, _)| (*start, std::cmp::Reverse(*end)));
    Ok(found)
}

/// Combinations in another spelling than their names: from left to right, the longest that is no name itself and that
/// surrounds every mention of a name that it meets.
fn combinations(
    vocabulary: &[VocabularyEntry],
    names: &PatternNames,
    settings: &MatcherSettings,
    (text, units): (&str, &[Unit]),
    mentions: &[NaiveMention],
) -> Vec<NaiveMention> {
    let mut found = Vec::new();
    let combined: Vec<(Vec<u32>, Vec<&str>)> = (0..names.len() as u32)
        .map(|pattern| {
            let parts = parts(names.form(pattern), &settings.stop_words);
            let ingredients = ingredients(names, &parts);
            let entries = names.targets(pattern).map(|(entry, _)| entry);
            (
                entries.filter(|entry| !ingredients.contains(entry)).collect(),
                parts,
            )
        })
        .filter(|(entries, parts): &(Vec<u32>, Vec<&str>)| {
            !entries.is_empty() && !parts.is_empty() && settings.boundary == Boundary::Word
        })
        .collect();
    let mut from = 0;
    while from < units.len() {
        let mut ends: Vec<(usize, &[u32])> = Vec::new();
        for (entries, parts) in &combined {
            for order in orders(parts.len()) {
                let ordered: Vec<&str> = order.into_iter().map(|part| parts[part]).collect();
                ends.extend(
                    ends_of(units, from, &ordered)
                        .into_iter()
                        .map(|end| (end, entries.as_slice())),
                );
            }
        }
        ends.retain(|(end, _)| {
            let spelled: String = units[from..*end].iter().map(|unit| unit.letter).collect();
            let (start, end) = (units[from].start, units[end - 1].end);
            !names.is_name(&spelled)
                && !settings.stop_words.stops(&spelled)
                && is_whole(text, start, end)
                && mentions
                    .iter()
                    .filter(|(_, other, other_end, _)| *other < end && start < *other_end)
                    .all(|(_, other, other_end, _)| start <= *other && *other_end <= end)
        });
        let Some(longest) = ends.iter().map(|(end, _)| *end).max() else {
            from += 1;
            continue;
        };
        let mut entries: Vec<u32> = ends
            .iter()
            .filter(|(end, _)| *end == longest)
            .flat_map(|(_, entries)| entries.iter().copied())
            .collect();
        entries.sort_unstable_by_key(|entry| {
            let known = &vocabulary[*entry as usize];
            (&known.atccode, &known.drug, *entry)
        });
        entries.dedup();
        let (start, end) = (units[from].start, units[longest - 1].end);
        found.extend(
            entries
                .into_iter()
                .map(|entry| (entry as usize, start, end, Rule::Combination)),
        );
        from = longest;
    }
    found
}

/// The entries that one of the parts names: they are mentioned by that part and not by the combination.
fn ingredients(names: &PatternNames, parts: &[&str]) -> Vec<u32> {
    (0..names.len() as u32)
        .filter(|pattern| parts.contains(&names.form(*pattern)))
        .flat_map(|pattern| names.targets(pattern).map(|(entry, _)| entry))
        .collect()
}

/// The ends of a sequence of parts that begins at `from`, with the same joint between all of them, or with commas and a
/// final `and`.
fn ends_of(units: &[Unit], from: usize, parts: &[&str]) -> Vec<usize> {
    let length = |text: &str| text.chars().count();
    let after_first = from + length(parts[0]);
    let between = |joint: &str, last_joint: &str| {
        let (last, others) = parts.split_last()?;
        let spelled = format!("{}{last_joint}{last}", others.join(joint));
        stands_at(units, from, &spelled).then(|| from + length(&spelled))
    };
    let mut ends = Vec::new();
    // The joint is taken from the text: a sign with or without blanks, the word `and`, or a gap.
    for width in 1..=5 {
        let Some(joint) = units.get(after_first..after_first + width) else {
            break;
        };
        let joint: String = joint.iter().map(|unit| unit.letter).collect();
        let sign = joint.trim();
        if joint == " and " || joint == " " || (width <= 3 && matches!(sign, "/" | "+")) {
            ends.extend(between(&joint, &joint));
        }
        if joint == ", " && parts.len() > 2 {
            ends.extend(between(&joint, " and "));
            ends.extend(between(&joint, ", and "));
        }
    }
    ends
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
            // A mark that folds away, or a further letter of a gap, extends the unit before it.
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
