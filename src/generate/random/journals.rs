//! Journals by number: their names differ even with case, accents and punctuation folded, and no two share an id.

use super::words::{FIELDS, JOURNALS, KINDS};

/// The name of a journal.
pub(in crate::generate) fn name(number: u64) -> String {
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

/// Its id in NLM's catalogue.
pub(in crate::generate) fn nlm_id(number: u64) -> String {
    format!("{:07}", 100_000 + number)
}

/// Its ISSN, with a valid check digit.
pub(in crate::generate) fn issn(number: u64) -> String {
    let digits = format!("{:07}", 1_000_000 + number);
    let weighted = digits
        .bytes()
        .map(|digit| u64::from(digit - b'0'))
        .zip((2..=8).rev());
    let check = match (11 - weighted.map(|(digit, weight)| digit * weight).sum::<u64>() % 11) % 11 {
        10 => "X".to_owned(),
        digit => digit.to_string(),
    };
    format!("{}-{}{check}", &digits[..4], &digits[4..])
}
