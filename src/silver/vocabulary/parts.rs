//! What the names of vocabularies are made of: brackets, lists of ingredients, words of salts, words for groups.

use crate::text::{is_qualifier, is_salt};

/// The name without a qualifier in brackets at its end: `insulin` of `insulin (human)`.
pub(super) fn bare(name: &str) -> Option<&str> {
    let (front, remark) = name.strip_suffix(')')?.rsplit_once(" (")?;
    let front = front.trim_end();
    (is_qualifier(remark) && !remark.contains(')') && !front.is_empty()).then_some(front)
}

/// The `X` of `X, incl. combinations`, a name that covers X alone as well; `None` for any other name.
pub(super) fn without_combinations(name: &str) -> Option<&str> {
    name.split_once(", incl. combinations").map(|(alone, _)| alone)
}

/// The parts of the name of a combination: `X and Y`, `X, Y and Z`, `X, combinations excl. psycholeptics`,
/// `combinations of X and Y`. Empty for any other name.
pub(super) fn combined(name: &str) -> Vec<&str> {
    let list = name.strip_prefix("combinations of ").unwrap_or(name);
    let list = list.strip_suffix(", sequential").unwrap_or(list);
    let (list, more) = match list.split_once(", combinations") {
        Some((list, _)) => (list, true),
        None => (list, false),
    };
    let Some((front, last)) = list.rsplit_once(" and ") else {
        return if more { vec![list] } else { Vec::new() };
    };
    front
        .split(", ")
        .flat_map(|part| part.split(" and "))
        .chain([last])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect()
}

/// Plurals that name one product all the same.
const PRODUCTS: [&str; 6] = [
    "bromelains",
    "estrogens",
    "immunoglobulins",
    "mesylates",
    "sinecatechins",
    "vaccines",
];

/// Whether a name of the fifth ATC level is that of a group: `various`, or plain words of which the last is a plural
/// (`combinations`, `amino acids`, `silver compounds`). What goes with it does not matter (`antibiotics in combination
/// with other drugs`); lists ("X and Y") and names with remarks are none.
pub(super) fn names_a_group(name: &str) -> bool {
    let name = name.to_lowercase();
    if name == "various" {
        return true;
    }
    let list = name.contains(" and ");
    let name = [" in combination", " with ", " without "]
        .iter()
        .fold(name.as_str(), |name, word| {
            name.split_once(word).map_or(name, |(front, _)| front)
        });
    let plain = name
        .chars()
        .all(|letter| letter.is_alphabetic() || matches!(letter, ' ' | '-'));
    let Some(last) = name.rsplit([' ', '-']).next().filter(|_| plain) else {
        return false;
    };
    let plural = last.ends_with('s') && !["us", "is", "ss", "os"].iter().any(|end| last.ends_with(end));
    plural && !list && !PRODUCTS.contains(&last)
}

/// The name without its last word, if that names a salt; else `None`.
pub(super) fn without_salt(name: &str) -> Option<&str> {
    let (front, last) = name.trim_end().rsplit_once(' ')?;
    is_salt(&last.to_lowercase()).then(|| front.trim_end())
}
