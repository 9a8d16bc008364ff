//! Tagged text: a tag of up to four letters, `- `, the value; continuation lines begin with blanks. In MEDLINE as saved
//! by PubMed (`.nbib`), a blank line or the next `PMID` ends a record. In MEDLINE as saved by Ovid, a line `<1. >`
//! precedes each record. In RIS, records begin with `TY` and end with `ER`.

use memchr::memchr;

use super::dialect::{Dialect, is_record_mark, is_tag};
use super::tags::Values;
use crate::error::Result;
use crate::formats::batch::{BatchBuilder, RawBatch, ReaderNotes, RowReader, raw_excerpt};
use crate::formats::buffer::{BATCH_BYTES, Buffer, LONGEST_RECORD};
use crate::formats::bytes::input::Input;
use crate::formats::fields::Fields;
use crate::schema::{Reason, Rejected};
use crate::task::Task;

/// PubMed's indent of a continuation line. A line of these blanks alone is an empty line of the text, and ends no
/// record.
const INDENT: &[u8] = b"      ";

/// No text continues after more blank lines than this.
const MOST_BLANK_LINES: usize = 64;

#[derive(Debug)]
pub(crate) struct TaggedReader<'f> {
    fields: &'f Fields,
    buffer: Buffer,
    dialect: Dialect,
    /// The byte that ends lines.
    line_end: u8,
    /// The number of the next line.
    line: u64,
    values: Values,
}

impl<'f> TaggedReader<'f> {
    pub(crate) fn new(input: Input, fields: &'f Fields, dialect: Dialect) -> Self {
        let line_end = input.line_end();
        Self {
            fields,
            buffer: Buffer::new(input),
            dialect,
            line_end,
            line: 1,
            values: Values::new(dialect),
        }
    }

    /// Whether a line is between records and belongs to none.
    fn is_between(&self, line: &[u8]) -> bool {
        line.trim_ascii().is_empty() || (self.dialect == Dialect::Ovid && is_record_mark(line))
    }

    /// The end of the record that begins at `at`. `None` if the bytes end before that is certain.
    fn record_end(&self, at: usize) -> Option<usize> {
        let bytes = &self.buffer.bytes;
        let mut line = at;
        // Other tags may come before the record's own PMID; text before it belongs to no record.
        let (mut has_id, mut has_tag) = (false, false);
        // The first of the blank lines before this one, and their number. They end the record, unless a continuation
        // line follows.
        let mut pause: Option<(usize, usize)> = None;
        // Whether the last line was an indented blank line. It belongs to a text, and so do the blank lines after it.
        let mut in_text = false;
        while line < bytes.len() {
            let end = memchr(self.line_end, &bytes[line..]).map(|length| line + length);
            if end.is_none() && !self.buffer.ended {
                return None;
            }
            let next = end.map_or(bytes.len(), |end| end + 1);
            let text = &bytes[line..end.unwrap_or(bytes.len())];
            if self.dialect == Dialect::Ris {
                if line > at && has_tag && text.starts_with(b"TY  -") {
                    return Some(line);
                }
                if text.starts_with(b"ER  -") {
                    return Some(next);
                }
            } else if text.trim_ascii().is_empty() {
                if text.starts_with(INDENT) {
                    (pause, in_text) = (None, true);
                } else if !in_text {
                    let (first, count) = pause.unwrap_or((line, 0));
                    pause = Some((first, count + 1));
                    if count > MOST_BLANK_LINES {
                        return Some(first);
                    }
                }
            } else {
                let goes_on = text.starts_with(b" ") || text.starts_with(b"\t");
                if let Some((first, _)) = pause.take_if(|_| !goes_on) {
                    return Some(first);
                }
                (pause, in_text) = (None, false);
                let is_id = self.dialect == Dialect::Medline && text.starts_with(b"PMID- ");
                let is_next = is_id && (has_id || !has_tag);
                if line > at && (is_next || self.is_between(text)) {
                    return Some(line);
                }
                has_id |= is_id;
            }
            has_tag = has_tag || is_tag(text);
            line = next;
        }
        let end = pause.map_or(bytes.len(), |(first, _)| first);
        self.buffer.ended.then_some(end)
    }

    fn read_record(&mut self, start: usize, end: usize, draft: &mut BatchBuilder) -> Result<()> {
        let bytes = &self.buffer.bytes[start..end];
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let byte = self.buffer.offset + (start + at) as u64;
            self.buffer.input.not_utf8(byte, bytes[at])
        })?;
        self.values.read(text, char::from(self.line_end));
        if self.values.tags == 0 {
            draft.rejected.push(Rejected {
                reason: Reason::MalformedRow,
                message: format!("line {}: no tag such as `TI  - ` in the record", self.line),
                raw: raw_excerpt(bytes),
                source_row: self.line,
            });
        } else {
            let values = self.fields.iter().map(|field| self.values.value(field.name));
            draft.push(self.line, (start, end), values);
        }
        Ok(())
    }
}

impl RowReader for TaggedReader<'_> {
    fn format(&self) -> &'static str {
        self.dialect.name()
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        self.buffer.fill(BATCH_BYTES, task)?;
        let mut draft = self.buffer.batch_builder(self.fields, 512);
        let mut at = 0;
        while at < BATCH_BYTES && at < self.buffer.bytes.len() {
            // Blank lines only separate records.
            let line_end = memchr(self.line_end, &self.buffer.bytes[at..]).map(|length| at + length);
            let line = &self.buffer.bytes[at..line_end.unwrap_or(self.buffer.bytes.len())];
            if self.is_between(line) && (line_end.is_some() || self.buffer.ended) {
                at = line_end.map_or(self.buffer.bytes.len(), |end| end + 1);
                self.line += 1;
                continue;
            }
            match self.record_end(at) {
                Some(end) => {
                    self.read_record(at, end, &mut draft)?;
                    let lines = memchr::memchr_iter(self.line_end, &self.buffer.bytes[at..end]).count();
                    self.line += lines as u64;
                    at = end;
                }
                None if at > 0 => break,
                None if self.buffer.bytes.len() > LONGEST_RECORD => {
                    let found = format!("a record of more than {LONGEST_RECORD} bytes");
                    return Err(crate::error::Error::format(
                        self.buffer.input.uri(),
                        format!("line {}", self.line),
                        found,
                        "look for the blank line, or the tag, that should end the record before",
                    ));
                }
                None => self.buffer.fill_more(task)?,
            }
        }
        if at == 0 {
            return Ok(None);
        }
        let text = self.buffer.take(at)?;
        draft.finish(text).map(Some)
    }

    fn notes(&self) -> ReaderNotes {
        ReaderNotes::default()
    }
}
