//! The substance of a drug: the canonical name that its codes and spellings share.
//!
//! A vocabulary such as WHO's ATC gives one substance a code for each use, form or origin. The substance is the drug's
//! folded name, without qualifiers in brackets and without words of salts and hydrates. A combination is a substance of
//! its own, whatever the order of its parts and the sign between them. Only the name decides, so the substance is known
//! wherever the drug's name is.

use std::collections::BTreeSet;

use super::form::form;
use super::salts::without_salts;

/// The separator between several names of one code.
pub const BETWEEN_NAMES: &str = " | ";

/// A part of a combination has at least this many letters: `factor IX and X`, `insulin 30/70`, `meningococcus A + C`
/// have none.
const FEWEST_LETTERS: usize = 3;

/// The substance of a name. Several names separated by ` | `, as the graph has them for one code, give one substance if
/// all of them have the same, or else all their substances separated by ` | `.
pub fn substance(name: &str) -> String {
    let substances: BTreeSet<String> = name.trim().split(BETWEEN_NAMES).map(substance_of_one).collect();
    joined(substances, BETWEEN_NAMES)
}

/// Whether a remark in brackets after a name is a qualifier (`human`, `vit C`). A remark that begins with a digit is an
/// isotope, which is another substance (`ammonia (13N)`); one about several substances qualifies none.
pub fn is_qualifier(remark: &str) -> bool {
    let isotope = remark.starts_with(|letter: char| letter.is_ascii_digit());
    let several = remark.contains("combination") || remark.contains("etc");
    !isotope && !several
}

fn substance_of_one(name: &str) -> String {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = without_qualifiers(&name.to_lowercase());
    let parts: BTreeSet<String> = parts(&plain).into_iter().map(without_salt).collect();
    let substance = match parts.len() {
        0 => without_salt(&plain),
        _ => joined(parts, " and "),
    };
    if substance.is_empty() { name } else { substance }
}

/// The folded name of one ingredient without its words of salts.
fn without_salt(name: &str) -> String {
    let form = form(name);
    without_salts(&form).map_or_else(|| form.clone(), str::to_owned)
}

fn joined(parts: BTreeSet<String>, separator: &str) -> String {
    parts.into_iter().collect::<Vec<_>>().join(separator)
}

/// The name without its qualifiers in brackets, which follow a blank and end a word. Brackets inside a word belong to a
/// chemical name.
fn without_qualifiers(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find(['(', '[']) {
        let Some(length) = length_in_brackets(&rest[open..]) else {
            break;
        };
        let (front, close) = (&rest[..open], open + length);
        let (remark, behind) = (&rest[open + 1..close - 1], &rest[close..]);
        let apart = front.ends_with(' ') && (behind.is_empty() || behind.starts_with([' ', ',', ';', '/']));
        if apart && is_qualifier(remark) {
            kept.push_str(front.trim_end());
        } else {
            kept.push_str(&rest[..close]);
        }
        rest = behind;
    }
    kept.push_str(rest);
    kept
}

/// The length of a text in brackets, from its opening bracket to the matching closing one.
fn length_in_brackets(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(place + 1);
        }
    }
    None
}

/// The parts of a combination: `x and y`, `x, y and z`, `x / y`, `x + y`. Empty for any other name, and for one that
/// mentions combinations without naming all of their parts (`x, combinations`).
fn parts(name: &str) -> Vec<&str> {
    let name = name.strip_prefix("combinations of ").unwrap_or(name);
    let name = name.strip_suffix(", sequential").unwrap_or(name);
    let name = name
        .split_once(", incl. combinations")
        .map_or(name, |(alone, _)| alone);
    let parts: Vec<&str> = name
        .split(['/', '+', '&', ';'])
        .flat_map(|part| part.split(" and "))
        .collect();
    let parts: Vec<&str> = match parts.len() {
        1 => parts,
        _ => parts
            .into_iter()
            .flat_map(|part| part.split(", "))
            .map(|part| part.trim_matches([' ', ',']))
            .filter(|part| !part.is_empty())
            .collect(),
    };
    let letters = |part: &str| part.chars().filter(|letter| letter.is_alphabetic()).count();
    let balanced = |part: &str| part.matches(['(', '[']).count() == part.matches([')', ']']).count();
    let named = |part: &&str| letters(part) >= FEWEST_LETTERS && balanced(part);
    let all = !name.contains("combination") && parts.iter().all(named);
    if all { parts } else { Vec::new() }
}
