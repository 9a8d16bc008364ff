//! The common form of the rows of one CSV file, and the checks of rows that do not fit.

use memchr::{memchr_iter, memchr2};

use super::record::{CsvRecord, Span, lines, parse};

/// At most this many rows decide whether rows end with a separator.
const JUDGES: usize = 1000;

/// The form of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowForm {
    pub delimiter: u8,
    /// The number of fields that a row must have.
    pub width: usize,
    /// Whether rows have an extra empty field at their end, as most of the first rows do. Otherwise a row with one more
    /// field holds an unquoted separator.
    pub end_with_delimiter: bool,
}

impl RowForm {
    /// Whether a row has one extra, empty field at its end. PubMed's old export ends every row with a comma, but not
    /// the header.
    pub fn is_one_more(self, text: &[u8], width: usize) -> bool {
        width == self.width + 1 && text.ends_with(&[self.delimiter])
    }

    /// Whether a row has the right number of fields.
    fn fits(self, text: &[u8], width: usize) -> bool {
        width == self.width || (self.end_with_delimiter && self.is_one_more(text, width))
    }

    /// Whether most of the first rows have an extra empty field at their end; in a tie the first row decides. Rows of
    /// any other length are ignored. `None` if there are no other rows.
    pub fn most_end_with_delimiter(self, bytes: &[u8], ended: bool) -> Option<bool> {
        let (mut with, mut without, mut first) = (0, 0, None);
        let mut spans = Vec::with_capacity(self.width + 1);
        let mut at = 0;
        while at < bytes.len() && with + without < JUDGES {
            spans.clear();
            match parse(bytes, at, self.delimiter, ended, &mut spans) {
                CsvRecord::Complete { text_end, end, .. } => {
                    let one_more = self.is_one_more(&bytes[at..text_end], spans.len());
                    at = end;
                    if one_more {
                        with += 1;
                    } else if spans.len() == self.width {
                        without += 1;
                    } else {
                        continue;
                    }
                    first.get_or_insert(one_more);
                }
                // A quote that is not closed within these bytes costs only its line.
                CsvRecord::NeedMore | CsvRecord::BadQuote => match memchr2(b'\n', b'\r', &bytes[at..]) {
                    Some(offset) => at += offset + 1,
                    None => break,
                },
            }
        }
        first.map(|first| with > without || (with == without && first))
    }

    /// Whether a row with a wrong number of fields, at `at..text_end` and with its fields at `spans`, opens a quote
    /// that it never closes, so that whole rows follow it up to the next quote. A row that is wrong for another reason
    /// looks the same if a line of its text has as many commas as a row. So more evidence is needed: the row would fit
    /// if the quote were a letter, or all lines are rows. The last line holds the closing quote, and is ignored.
    pub fn opens_a_quote(self, bytes: &[u8], at: usize, text_end: usize, spans: &[Span]) -> bool {
        let mut own = Vec::with_capacity(self.width + 1);
        let mut is_row = |line: &[u8]| {
            own.clear();
            let record = parse(line, 0, self.delimiter, true, &mut own);
            matches!(record, CsvRecord::Complete { end, .. } if end == line.len())
                && self.fits(line, own.len())
        };
        let mut between = lines(&bytes[at..text_end]);
        let first = between.next().unwrap_or_default();
        let mut between = between.peekable();
        let Some(second) = between.next().filter(|_| between.peek().is_some()) else {
            return false;
        };
        if !is_row(second) {
            return false;
        }
        let first_end = at + first.len();
        let quoted = spans
            .iter()
            .position(|span| span.start <= first_end && first_end < span.end);
        let as_letter = quoted.map(|field| {
            let behind = &bytes[spans[field].start..first_end];
            field + 1 + memchr_iter(self.delimiter, behind).count()
        });
        if as_letter.is_some_and(|width| self.fits(first, width)) {
            return true;
        }
        while let Some(line) = between.next() {
            if between.peek().is_some() && !is_row(line) {
                return false;
            }
        }
        true
    }

    /// The message about a row with this many fields.
    pub fn width_fault(self, found: usize) -> String {
        let wanted = self.width;
        let kind = if found < wanted { "too few" } else { "too many" };
        format!("{found} fields where the header has {wanted} ({kind}); quote fields that hold the separator")
    }
}
