//! Cells of tables: words for a missing value, and whole numbers written with a fraction.

/// Words that programs write for a missing value; compared without case.
const NOTHING: [&str; 13] = [
    "null", "none", "nil", "nan", "nat", "na", "n/a", "n.a.", "n.a", "#n/a", "#na", "<na>", "\\n",
];

/// Whether a cell is empty, a word for a missing value, or only dashes. Not for titles and names: a drug may be called
/// `NA`.
pub fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    let is_dash = |letter| matches!(letter, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    NOTHING.iter().any(|word| cell.eq_ignore_ascii_case(word)) || cell.chars().all(is_dash)
}

/// The id in a cell, if there is one: spreadsheets and data frames turn an id among numbers into `31400738.0`.
pub fn given_id(cell: &str) -> Option<&str> {
    let id = cell.trim();
    let whole = id.split_once('.').filter(|(digits, zeros)| {
        let all = |text: &str, fits: fn(u8) -> bool| !text.is_empty() && text.bytes().all(fits);
        all(digits, |byte| byte.is_ascii_digit()) && all(zeros, |byte| byte == b'0')
    });
    (!is_missing(id)).then_some(whole.map_or(id, |(digits, _)| digits))
}
