//! NDJSON: one JSON object on each line. A broken line costs only itself, also at the end of a truncated file.

use memchr::memchr;

use super::array::JsonReader;
use super::head;
use super::object::ObjectRow;
use super::value_end::{ends_in_text, value_end};
use crate::error::{Error, Result};
use crate::formats::batch::{BatchBuilder, RawBatch, ReaderNotes, Remarks, RowReader, raw_excerpt};
use crate::formats::buffer::{BATCH_BYTES, Buffer, LONGEST_RECORD};
use crate::formats::bytes::input::Input;
use crate::formats::fields::Fields;
use crate::schema::Rejected;
use crate::task::Task;

/// Reads lines; or objects one after the other, if the first object spans lines; or pages of an API, if the first
/// object is one.
#[derive(Debug)]
pub(crate) enum NdjsonReader<'f> {
    Undecided(Option<Buffer>, &'f Fields),
    Lines(Lines<'f>),
    Objects(JsonReader<'f>),
}

impl<'f> NdjsonReader<'f> {
    pub(crate) fn new(input: Input, fields: &'f Fields) -> Self {
        Self::Undecided(Some(Buffer::new(input)), fields)
    }

    fn decide(&mut self, task: &Task) -> Result<()> {
        let Self::Undecided(buffer, fields) = self else {
            return Ok(());
        };
        let Some(mut buffer) = buffer.take() else {
            return Ok(());
        };
        let line_end = buffer.input.line_end();
        buffer.fill(BATCH_BYTES, task)?;
        if head::rows(&buffer.bytes, fields).is_some() {
            *self = Self::Objects(JsonReader::of_pages(buffer, fields));
            return Ok(());
        }
        // The first line, however long, decides whether the first object spans lines.
        while memchr(line_end, buffer.bytes.trim_ascii_start()).is_none()
            && !buffer.ended
            && buffer.bytes.len() <= LONGEST_RECORD
        {
            buffer.fill_more(task)?;
        }
        let start = spread_from(&buffer.bytes, line_end);
        let closes = |buffer: &Buffer| {
            start.is_some_and(|start| value_end(&buffer.bytes, start, buffer.ended).is_some())
        };
        while start.is_some() && !closes(&buffer) && !buffer.ended && buffer.bytes.len() <= LONGEST_RECORD {
            buffer.fill_more(task)?;
        }
        *self = if closes(&buffer)
            || (buffer.ended && start.is_some_and(|start| is_cut(&buffer.bytes[start..], line_end)))
        {
            Self::Objects(JsonReader::of_objects(buffer, fields))
        } else {
            Self::Lines(Lines {
                fields,
                buffer,
                line_end,
                line: 1,
                blank_lines: 0,
                row: ObjectRow::new(fields),
                checked: false,
                remarks: Remarks::default(),
                found: Vec::new(),
            })
        };
        Ok(())
    }
}

impl RowReader for NdjsonReader<'_> {
    fn format(&self) -> &'static str {
        match self {
            Self::Objects(_) => "json",
            _ => "ndjson",
        }
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        self.decide(task)?;
        match self {
            Self::Lines(lines) => lines.next_batch(task),
            Self::Objects(objects) => objects.next_batch(task),
            Self::Undecided(..) => Ok(None),
        }
    }

    fn notes(&self) -> ReaderNotes {
        match self {
            Self::Lines(lines) => lines.notes(),
            Self::Objects(objects) => objects.notes(),
            Self::Undecided(..) => ReaderNotes::default(),
        }
    }
}

/// The start of an object that may be closed on a later line, as in pretty-printed JSON; `None` if the first line is
/// whole. A line that ends inside a text is broken, and the next lines are separate.
pub(crate) fn spread_from(bytes: &[u8], line_end: u8) -> Option<usize> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let line = &bytes[start..start + memchr(line_end, &bytes[start..])?];
    (value_end(line, 0, true).is_none() && !ends_in_text(line)).then_some(start)
}

/// Whether an unclosed object is pretty-printed and truncated, and not the broken first line of NDJSON: its lines are
/// indented, so only the first begins with a brace.
fn is_cut(bytes: &[u8], line_end: u8) -> bool {
    let mut lines = bytes.split(|byte| *byte == line_end);
    let opens = lines
        .next()
        .is_some_and(|line| line.trim_ascii_end().ends_with(b"{"));
    opens && lines.all(|line| !line.starts_with(b"{"))
}

#[derive(Debug)]
pub(crate) struct Lines<'f> {
    fields: &'f Fields,
    buffer: Buffer,
    /// The byte that ends lines.
    line_end: u8,
    line: u64,
    blank_lines: u64,
    row: ObjectRow,
    checked: bool,
    remarks: Remarks,
    /// The numbers of the non-blank lines of a batch, and their places in its text. The next batch reuses the memory.
    found: Vec<(u64, (usize, usize))>,
}

impl Lines<'_> {
    /// Reads a line, which is at `span` of a text that begins at the byte `start` of the file.
    fn read_line(
        &mut self,
        text: &str,
        line: u64,
        span: (usize, usize),
        start: u64,
        draft: &mut BatchBuilder,
    ) {
        let object = &text[span.0..span.1];
        match self.row.read(object, self.fields) {
            Ok(mended) => {
                if mended {
                    self.remarks.add(format!("trailing comma on line {line}"));
                }
                draft.push(line, span, self.row.values());
            }
            Err(fault) => {
                let byte = start + span.0 as u64;
                draft.rejected.push(Rejected {
                    reason: fault.reason,
                    message: format!("line {line} at byte {byte}: {}", fault.message),
                    raw: raw_excerpt(object.as_bytes()),
                    source_row: line,
                });
            }
        }
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        self.buffer.fill(BATCH_BYTES, task)?;
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let mut at = 0;
        while at < BATCH_BYTES && at < self.buffer.bytes.len() {
            let (end, next) = match memchr(self.line_end, &self.buffer.bytes[at..]) {
                Some(offset) => (at + offset, at + offset + 1),
                None if self.buffer.ended => (self.buffer.bytes.len(), self.buffer.bytes.len()),
                None if at > 0 => break,
                None if self.buffer.bytes.len() > LONGEST_RECORD => {
                    let uri = self.buffer.input.uri();
                    let found = format!("more than {LONGEST_RECORD} bytes without a line end");
                    return Err(Error::format(
                        uri,
                        format!("line {} at byte {}", self.line, self.buffer.offset),
                        found,
                        "keep one object a line",
                    ));
                }
                None => {
                    self.buffer.fill_more(task)?;
                    continue;
                }
            };
            if self.buffer.bytes[at..end].trim_ascii().is_empty() {
                self.blank_lines += 1;
            } else {
                found.push((self.line, (at, end)));
            }
            self.line += 1;
            at = next;
        }
        if at == 0 {
            return Ok(None);
        }
        let start = self.buffer.offset;
        let text = self.buffer.take(at)?;
        let mut draft = BatchBuilder::new(self.fields, found.len());
        for (line, span) in &found {
            self.read_line(&text, *line, *span, start, &mut draft);
        }
        self.found = found;
        if !self.checked && !draft.spans.is_empty() {
            self.checked = true;
            let input = &self.buffer.input;
            self.fields
                .check_keys(input, start, &self.row.seen, self.row.extra.names())?;
        }
        draft.finish(text).map(Some)
    }

    fn notes(&self) -> ReaderNotes {
        let mut notes = ReaderNotes {
            blank_lines: self.blank_lines,
            remarks: self.remarks.all(),
            ..ReaderNotes::default()
        };
        self.row.extra.note(&mut notes);
        notes
    }
}
