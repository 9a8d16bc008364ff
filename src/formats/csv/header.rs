//! The header of a CSV file: its separator, its shape, and the lines before it.

use memchr::memchr2;

use super::record::{CsvRecord, parse, unquoted};
use crate::formats::fields::Fields;

/// The separators between fields, with their names.
pub(crate) const SEPARATORS: [(u8, &str); 5] = [
    (b',', "commas"),
    (b';', "semicolons"),
    (b'\t', "tabs"),
    (b'|', "vertical bars"),
    (b'~', "tildes"),
];

/// At most this many lines before a header are skipped.
const MOST_PREAMBLE: usize = 32;

/// Known files that have no shape of ours: columns that only they have, and what they are.
const FOREIGN: [(&[&str], &str); 1] = [(
    &["Ingredient", "Trade_Name", "Appl_No"],
    "this is the list of products of the FDA's Orange Book, which has no codes: make a file with `atccode` and `drug` of it",
)];

pub(crate) fn separator_name(separator: u8) -> &'static str {
    SEPARATORS
        .iter()
        .find(|(known, _)| *known == separator)
        .map_or("commas", |(_, name)| name)
}

/// A line as a header.
#[derive(Debug)]
pub(crate) struct CsvHeader {
    pub names: Vec<String>,
    /// The byte after the header.
    pub end: usize,
    pub lines: u64,
    pub delimiter: u8,
    /// The number of the shape that fits best.
    pub shape: usize,
    /// Whether the header has all required columns of the shape, then the number of known columns, then the number of
    /// all columns.
    pub fit: (bool, usize, usize),
}

impl CsvHeader {
    /// Reads the header that begins at `at`.
    pub(crate) fn read(
        bytes: &[u8],
        at: usize,
        delimiter: u8,
        ended: bool,
        shapes: &[Fields],
    ) -> Result<Self, CsvRecord> {
        let mut spans = Vec::new();
        let (end, lines) = match parse(bytes, at, delimiter, ended, &mut spans) {
            CsvRecord::Complete { end, lines, .. } => (end, lines),
            other => return Err(other),
        };
        let names: Vec<String> = spans.iter().map(|span| folded(&unquoted(bytes, *span))).collect();
        let mut best = (0, (false, 0));
        for (number, fields) in shapes.iter().enumerate() {
            let fit = fields.fit(&names);
            if number == 0 || fit > best.1 {
                best = (number, fit);
            }
        }
        let (shape, (complete, known)) = best;
        Ok(Self {
            fit: (complete, known, names.len()),
            names,
            end,
            lines,
            delimiter,
            shape,
        })
    }

    /// Whether any column belongs to the shape.
    pub(crate) fn is_known(&self) -> bool {
        self.fit.1 > 0
    }
}

/// The bytes and lines before the header. The header must have all required columns of a shape, and each line before it
/// at most half as many non-empty fields: a title or a date. Rows have more.
pub(crate) fn preamble(bytes: &[u8], ended: bool, shapes: &[Fields]) -> Option<(usize, u64)> {
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut at = 0;
    while lines.len() < MOST_PREAMBLE {
        let end = at + memchr2(b'\n', b'\r', &bytes[at..])?;
        lines.push(&bytes[at..end]);
        at = end + if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
        let headers = SEPARATORS
            .iter()
            .filter_map(|(separator, _)| CsvHeader::read(bytes, at, *separator, ended, shapes).ok());
        let Some(header) = headers.max_by_key(|header| header.fit) else {
            continue;
        };
        if header.fit.0 {
            let filled = |line: &&[u8]| filled_fields(line, header.delimiter);
            let is_before = lines.iter().all(|line| filled(line) * 2 <= header.names.len());
            return is_before.then_some((at, lines.len() as u64));
        }
    }
    None
}

/// How many fields of a line hold anything. A separator in quotes separates nothing: `"Data, as of 1 May, 2024",,`.
fn filled_fields(line: &[u8], delimiter: u8) -> usize {
    let (mut fields, mut is_filled, mut is_quoted) = (0, false, false);
    for &byte in line {
        match byte {
            b'"' => is_quoted = !is_quoted,
            _ if byte == delimiter && !is_quoted => {
                fields += usize::from(is_filled);
                is_filled = false;
            }
            _ => is_filled |= !byte.is_ascii_whitespace(),
        }
    }
    fields + usize::from(is_filled)
}

/// A hint about a header that lacks columns.
pub(crate) fn hint(header: &[String], shapes: &[Fields]) -> String {
    let has = |wanted: &&str| header.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if let Some((_, what)) = FOREIGN.iter().find(|(columns, _)| columns.iter().all(has)) {
        return (*what).to_owned();
    }
    match shapes {
        [_] => "the first line must be the header".to_owned(),
        _ => {
            let known: Vec<String> = shapes.iter().map(Fields::described).collect();
            format!(
                "the first line must be the header; known shapes: {}",
                known.join(", ")
            )
        }
    }
}

/// The name of a column, with each line break or run of blanks replaced by one blank.
fn folded(bytes: &[u8]) -> String {
    let name = String::from_utf8_lossy(bytes);
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_in_quotes_separate_no_fields() {
        for (line, wanted) in [
            ("", 0),
            (",,", 0),
            ("a,b,", 2),
            ("\"List of medicines, human, as of 1 May, 2024\",,,", 1),
            ("\"\",a", 1),
            ("\"open, to the end", 1),
        ] {
            assert_eq!(filled_fields(line.as_bytes(), b','), wanted, "{line}");
        }
    }
}
