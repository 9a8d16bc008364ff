//! Journals by number: different names, also when case, accents and punctuation are folded.

use super::words::{FIELDS, JOURNALS, KINDS};

/// The name of a journal.
pub(super) fn name(number: u64) -> String {
    let part = |list: &[&'static str], rest: u64| {
        let length = list.len() as u64;
        (list[(rest % length) as usize], rest / length)
    };
    let (field, rest) = part(&FIELDS, number);
    let (pattern, rest) = part(&JOURNALS, rest);
    let (kind, series) = part(&KINDS, rest);
    let mut name = pattern.replace("{kind}", kind).replace("{field}", field);
    if let Some(first) = name.get(..1).map(str::to_uppercase) {
        name.replace_range(..1, &first);
    }
    if series > 0 {
        name.push_str(&format!(", series {series}"));
    }
    name
}
