//! The spellings of a combination's name.

use std::collections::BTreeSet;

use crate::matcher::stop_words::StopWords;

/// Letters of the shortest part: `vitamin b1 and b6` is no combination of two substances.
const SHORTEST_PART: usize = 4;
/// Up to this many parts are found in any order; more parts only in the order of the name and backwards.
const MOST_SHUFFLED: usize = 3;
/// The folded text between two parts: a gap is one blank.
const JOINTS: [&str; 10] = [" and ", "/", " /", "/ ", " / ", "+", " +", "+ ", " + ", " "];
/// The folded text before the last of three or more parts with commas between the others.
const LAST_JOINTS: [&str; 2] = [" and ", ", and "];

/// The parts of a folded name that is a combination; empty for any other name.
pub(in crate::matcher) fn parts<'f>(form: &'f str, stop_words: &StopWords) -> Vec<&'f str> {
    let listed = form.contains(" and ");
    if !listed && !form.contains(['/', '+']) {
        return Vec::new();
    }
    let mut parts = Vec::new();
    for piece in form.split(" and ").flat_map(|piece| piece.split(['/', '+'])) {
        match listed {
            true => parts.extend(piece.trim_end_matches(',').split(", ").map(str::trim)),
            false => parts.push(piece.trim()),
        }
    }
    let different: BTreeSet<&str> = parts.iter().copied().collect();
    let whole = parts.len() > 1
        && different.len() == parts.len()
        && parts.iter().all(|part| is_part(part) && !stop_words.stops(part));
    if whole { parts } else { Vec::new() }
}

fn is_part(part: &str) -> bool {
    part.chars().filter(|letter| letter.is_alphabetic()).count() >= SHORTEST_PART
        && part.starts_with(char::is_alphanumeric)
        && part.ends_with(|letter: char| letter.is_alphanumeric() || letter == ')')
        && part.matches('(').count() == part.matches(')').count()
}

/// The orders of parts that are spelled out, as their numbers.
pub(in crate::matcher) fn orders(count: usize) -> Vec<Vec<usize>> {
    if count > MOST_SHUFFLED {
        return vec![(0..count).collect(), (0..count).rev().collect()];
    }
    let mut orders = vec![Vec::new()];
    for _ in 0..count {
        orders = orders
            .iter()
            .flat_map(|order: &Vec<usize>| {
                (0..count)
                    .filter(|part| !order.contains(part))
                    .map(|part| [order.as_slice(), &[part]].concat())
            })
            .collect();
    }
    orders
}

/// Passes on every spelling of the parts.
pub(super) fn spellings(parts: &[&str], mut give: impl FnMut(String)) {
    for order in orders(parts.len()) {
        let ordered: Vec<&str> = order.into_iter().map(|part| parts[part]).collect();
        JOINTS.iter().for_each(|joint| give(ordered.join(joint)));
        if let [first @ .., last] = ordered.as_slice()
            && first.len() > 1
        {
            let first = first.join(", ");
            for joint in LAST_JOINTS {
                give(format!("{first}{joint}{last}"));
            }
        }
    }
}
