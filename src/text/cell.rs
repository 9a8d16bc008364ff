//! What programs write into the cells of a table: words for nothing, and whole numbers with a fraction.

/// Programs write these where there is nothing; compared without case.
const NOTHING: [&str; 13] = [
    "null", "none", "nil", "nan", "nat", "na", "n/a", "n.a.", "n.a", "#n/a", "#na", "<na>", "\\n",
];

/// Whether a cell holds nothing, a word for it, or only dashes. Not for titles and names: a drug may be called `NA`.
pub fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    let is_dash = |letter| matches!(letter, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    NOTHING.iter().any(|word| cell.eq_ignore_ascii_case(word)) || cell.chars().all(is_dash)
}

/// The id in a cell, if there is one: spreadsheets and data frames make `31400738.0` of an id among numbers.
pub fn given_id(cell: &str) -> Option<&str> {
    let id = cell.trim();
    let whole = id.split_once('.').filter(|(digits, zeros)| {
        let all = |text: &str, fits: fn(u8) -> bool| !text.is_empty() && text.bytes().all(fits);
        all(digits, |byte| byte.is_ascii_digit()) && all(zeros, |byte| byte == b'0')
    });
    (!is_missing(id)).then_some(whole.map_or(id, |(digits, _)| digits))
}
