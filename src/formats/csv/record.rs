//! Parses one record of CSV: its end and the places of its fields.

use memchr::{memchr, memchr3};

/// A field of a record: the place of its text, and whether it holds doubled quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
    pub doubled: bool,
}

/// The result of parsing a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CsvRecord {
    /// A whole record; the next one begins at `end`.
    Complete { text_end: usize, end: usize, lines: u64 },
    /// The bytes end inside the record, but not the file.
    NeedMore,
    /// A quote is never closed, or there is text after the closing quote.
    BadQuote,
}

/// Parses the record at `from`.
pub(crate) fn parse(
    bytes: &[u8],
    from: usize,
    delimiter: u8,
    ended: bool,
    spans: &mut Vec<Span>,
) -> CsvRecord {
    let mut at = from;
    let mut quoted = false;
    loop {
        let (span, next) = if bytes.get(at) == Some(&b'"') {
            quoted = true;
            match quoted_field(bytes, at + 1, delimiter, ended) {
                Ok(found) => found,
                Err(record) => return record,
            }
        } else {
            match memchr3(delimiter, b'\n', b'\r', &bytes[at..]) {
                Some(offset) => (
                    Span {
                        start: at,
                        end: at + offset,
                        doubled: false,
                    },
                    at + offset,
                ),
                None if ended => (
                    Span {
                        start: at,
                        end: bytes.len(),
                        doubled: false,
                    },
                    bytes.len(),
                ),
                None => return CsvRecord::NeedMore,
            }
        };
        spans.push(span);
        let end = match bytes.get(next) {
            Some(&byte) if byte == delimiter => {
                at = next + 1;
                continue;
            }
            Some(b'\r') => match bytes.get(next + 1) {
                Some(b'\n') => next + 2,
                None if !ended => return CsvRecord::NeedMore,
                _ => next + 1,
            },
            Some(_) => next + 1,
            None => next,
        };
        let breaks = if quoted {
            line_breaks(&bytes[from..next])
        } else {
            0
        };
        return CsvRecord::Complete {
            text_end: next,
            end,
            lines: breaks + 1,
        };
    }
}

/// The number of line breaks: LF, CRLF and CR.
fn line_breaks(bytes: &[u8]) -> u64 {
    let lone = memchr::memchr_iter(b'\r', bytes).filter(|at| bytes.get(at + 1) != Some(&b'\n'));
    (memchr::memchr_iter(b'\n', bytes).count() + lone.count()) as u64
}

/// The lines of some bytes without their ends, ignoring quotes.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) else {
            rest = None;
            return Some(bytes);
        };
        let length = if bytes[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = Some(&bytes[end + length..]);
        Some(&bytes[..end])
    })
}

/// The field whose text begins at `start`, after its opening quote, and the place of its separator.
fn quoted_field(bytes: &[u8], start: usize, delimiter: u8, ended: bool) -> Result<(Span, usize), CsvRecord> {
    let mut doubled = false;
    let mut at = start;
    loop {
        let Some(offset) = memchr(b'"', &bytes[at..]) else {
            return Err(if ended {
                CsvRecord::BadQuote
            } else {
                CsvRecord::NeedMore
            });
        };
        let quote = at + offset;
        if bytes.get(quote + 1) == Some(&b'"') {
            doubled = true;
            at = quote + 2;
            continue;
        }
        let blanks = bytes[quote + 1..]
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t') && **byte != delimiter)
            .count();
        let next = quote + 1 + blanks;
        return match bytes.get(next) {
            None if !ended => Err(CsvRecord::NeedMore),
            Some(&byte) if byte != delimiter && byte != b'\n' && byte != b'\r' => Err(CsvRecord::BadQuote),
            _ => Ok((
                Span {
                    start,
                    end: quote,
                    doubled,
                },
                next,
            )),
        };
    }
}

/// The text of a field, with each doubled quote replaced by one.
pub(crate) fn unquoted(bytes: &[u8], span: Span) -> Vec<u8> {
    let text = &bytes[span.start..span.end];
    if !span.doubled {
        return text.to_vec();
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter().peekable();
    while let Some(&byte) = bytes.next() {
        plain.push(byte);
        if byte == b'"' {
            bytes.next_if(|next| **next == b'"');
        }
    }
    plain
}
