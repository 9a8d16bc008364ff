//! CSV as found in practice: line breaks in quotes, CRLF, blank lines, and `,`, `;`, tabs, `|` or `~` between the
//! fields.
//!
//! A broken row costs only itself. A quote that is never closed, or closed in the middle of a field, would include the
//! following rows; then only the line with the opening quote is rejected, and reading continues after it. This recovery
//! is why the module parses records itself: no library returns the raw line and continues.

mod header;
mod record;
mod rows;

use memchr::{memchr, memchr2};

use super::batch::{BatchBuilder, ExtraColumns, RawBatch, ReaderNotes, Remarks, RowReader, raw_excerpt};
use super::buffer::{BATCH_BYTES, Buffer, LONGEST_RECORD};
use super::bytes::input::Input;
use super::fields::Fields;
use crate::error::{Error, Result, shown};
use crate::schema::{Reason, Rejected};
use crate::task::Task;
use header::{CsvHeader, SEPARATORS, hint, preamble, separator_name};
use record::{CsvRecord, Span, parse};
use rows::RowForm;

#[derive(Debug)]
pub(crate) struct CsvReader<'f> {
    fields: &'f Fields,
    /// The number of the shape with these fields.
    shape: usize,
    buffer: Buffer,
    form: RowForm,
    /// The column of each field of the table.
    places: Vec<Option<usize>>,
    /// The line at which the next record begins.
    line: u64,
    blank_lines: u64,
    extra: ExtraColumns,
    remarks: Remarks,
    /// Whether a remark already says that rows end with a separator.
    told: bool,
    found: RowSpans,
}

/// The rows of a batch; the next batch reuses the memory.
#[derive(Debug, Default)]
struct RowSpans {
    /// The line of each row, its first byte, and the byte after its last.
    rows: Vec<(u64, (usize, usize))>,
    /// The values of all rows, one for each field of the table.
    values: Vec<Option<Span>>,
}

impl<'f> CsvReader<'f> {
    /// Reads the header.
    pub(crate) fn new(input: Input, shapes: &'f [Fields]) -> Result<Self> {
        let mut reader = Self {
            fields: &shapes[0],
            shape: 0,
            buffer: Buffer::new(input),
            form: RowForm {
                delimiter: b',',
                width: 0,
                end_with_delimiter: false,
            },
            places: Vec::new(),
            line: 1,
            blank_lines: 0,
            extra: ExtraColumns::default(),
            remarks: Remarks::default(),
            told: false,
            found: RowSpans::default(),
        };
        reader.shape = reader.read_header(shapes)?;
        let task = Task::new();
        reader.form.end_with_delimiter = loop {
            let buffer = &reader.buffer;
            match reader.form.most_end_with_delimiter(&buffer.bytes, buffer.ended) {
                Some(most) => break most,
                // The first row is longer than the window.
                None if !reader.buffer.ended && reader.buffer.bytes.len() < LONGEST_RECORD => {
                    reader.buffer.fill_more(&task)?;
                }
                None => break false,
            }
        };
        Ok(reader)
    }

    /// Reads the header and returns the number of its shape.
    fn read_header(&mut self, shapes: &'f [Fields]) -> Result<usize> {
        let task = Task::new();
        self.buffer.fill(BATCH_BYTES, &task)?;
        let uri = self.buffer.input.uri().to_owned();
        let broken = |found: &str| {
            Error::format(
                &uri,
                "line 1",
                found,
                "expected a CSV header line, a JSON array or NDJSON",
            )
        };
        // Blank lines before the header.
        loop {
            // Skips all blank lines of the window at once: there may be a million, and each skip moves the rest.
            let mut at = 0;
            while let Some(length) = memchr2(b'\n', b'\r', &self.buffer.bytes[at..]) {
                let end = at + length;
                // An LF after this final CR may not be read yet.
                let open = end + 1 == self.buffer.bytes.len()
                    && self.buffer.bytes[end] == b'\r'
                    && !self.buffer.ended;
                if open || !self.buffer.bytes[at..end].trim_ascii().is_empty() {
                    break;
                }
                let crlf = self.buffer.bytes[end..].starts_with(b"\r\n");
                at = end + 1 + usize::from(crlf);
                self.blank_lines += 1;
                self.line += 1;
            }
            if at == 0 {
                let blank = self.buffer.bytes.trim_ascii_start().is_empty();
                if blank && !self.buffer.ended && self.buffer.bytes.len() < LONGEST_RECORD {
                    self.buffer.fill_more(&task)?;
                    continue;
                }
                break;
            }
            self.buffer.skip(at);
            self.buffer.fill(BATCH_BYTES, &task)?;
        }
        let mut header = self.best_header(shapes, &task)?;
        if !header.as_ref().is_some_and(CsvHeader::is_known)
            && let Some((bytes, lines)) = preamble(&self.buffer.bytes, self.buffer.ended, shapes)
        {
            self.buffer.skip(bytes);
            self.line += lines;
            self.remarks.add(format!("the header is on line {}", self.line));
            header = self.best_header(shapes, &task)?;
        }
        // Without commas nothing is quoted, so a header with a broken quote may still look like one strange name.
        let readable = header.filter(|header| header.fit.1 > 0 || !header.names[0].contains('"'));
        let Some(CsvHeader {
            names: header,
            end,
            lines,
            delimiter,
            shape,
            ..
        }) = readable
        else {
            return Err(
                if self.buffer.bytes.len() >= LONGEST_RECORD && memchr(b'"', &self.buffer.bytes).is_none() {
                    broken(&format!("more than {LONGEST_RECORD} bytes without a line end"))
                } else {
                    broken("a header with an unclosed quote")
                },
            );
        };
        self.fields = &shapes[shape];
        if memchr(0, &self.buffer.bytes[..end]).is_some() {
            return Err(broken("a NUL byte in the first line: this is no text"));
        }
        let first_line = self.buffer.take(end)?;
        self.places = self.fields.places(&header);
        let present: Vec<bool> = self.places.iter().map(Option::is_some).collect();
        if header.len() == 1 && !present.contains(&true) && self.buffer.bytes.is_empty() {
            // A file of one word may be a JSON value: a number, a string.
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(&first_line) {
                let found = format!("the JSON value {}", shown(&value.to_string()));
                return Err(Error::format(
                    &uri,
                    "byte 0",
                    found,
                    "expected CSV, a JSON array of objects or NDJSON",
                ));
            }
        }
        let hint = hint(&header, shapes);
        let named: Vec<String> = header.iter().filter(|name| !name.is_empty()).cloned().collect();
        self.fields.check(&uri, &present, &named, &hint)?;
        for (column, name) in header.iter().enumerate() {
            if !name.is_empty() && !self.places.contains(&Some(column)) {
                self.extra.add(name);
            }
        }
        if delimiter != b',' {
            self.remarks
                .add(format!("fields are separated by {}", separator_name(delimiter)));
        }
        self.form.delimiter = delimiter;
        self.form.width = header.len();
        self.line += lines;
        Ok(shape)
    }

    /// The header that begins here, with the separator that fits a shape best.
    fn best_header(&mut self, shapes: &[Fields], task: &Task) -> Result<Option<CsvHeader>> {
        let mut best: Option<CsvHeader> = None;
        for (delimiter, _) in SEPARATORS {
            let found = loop {
                match CsvHeader::read(&self.buffer.bytes, 0, delimiter, self.buffer.ended, shapes) {
                    Err(CsvRecord::NeedMore) if self.buffer.bytes.len() < LONGEST_RECORD => {
                        self.buffer.fill_more(task)?;
                    }
                    other => break other.ok(),
                }
            };
            if let Some(found) = found
                && best.as_ref().is_none_or(|best| found.fit > best.fit)
            {
                best = Some(found);
            }
        }
        Ok(best)
    }

    /// Rejects the bytes up to the end of the first line; returns the start of the next line if the window holds it.
    fn reject_line(
        &mut self,
        at: usize,
        reason: Reason,
        message: &str,
        rejected: &mut Vec<Rejected>,
    ) -> usize {
        let bytes = &self.buffer.bytes;
        let end = memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |offset| at + offset);
        rejected.push(Rejected {
            reason,
            message: format!("line {}: {message}", self.line),
            raw: raw_excerpt(&bytes[at..end]),
            source_row: self.line,
        });
        self.line += 1;
        let crlf = bytes[end..].starts_with(b"\r\n");
        (end + 1 + usize::from(crlf)).min(bytes.len())
    }
}

impl RowReader for CsvReader<'_> {
    fn format(&self) -> &'static str {
        "csv"
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        self.buffer.fill(BATCH_BYTES, task)?;
        let RowSpans { mut rows, mut values } = std::mem::take(&mut self.found);
        rows.clear();
        values.clear();
        let mut rejected = Vec::new();
        let mut spans = Vec::with_capacity(self.form.width);
        let mut at = 0;
        while at < BATCH_BYTES {
            if at == self.buffer.bytes.len() {
                break;
            }
            spans.clear();
            let record = parse(
                &self.buffer.bytes,
                at,
                self.form.delimiter,
                self.buffer.ended,
                &mut spans,
            );
            let CsvRecord::Complete { text_end, end, lines } = record else {
                let first_line = memchr2(b'\n', b'\r', &self.buffer.bytes[at..])
                    .filter(|length| *length <= LONGEST_RECORD);
                let too_long = self.buffer.bytes.len() - at > LONGEST_RECORD;
                let is_over = match record {
                    CsvRecord::NeedMore => too_long && first_line.is_some(),
                    _ => first_line.is_some() || self.buffer.ended,
                };
                if is_over {
                    let message = "a quote is opened and not closed, or closed inside a field; double quotes inside fields";
                    at = self.reject_line(at, Reason::UnclosedQuote, message, &mut rejected);
                } else if at > 0 {
                    // The rows before it come first, because skipping moves their bytes.
                    break;
                } else if too_long {
                    at = self.skip_long_line(task, &mut rejected)?;
                } else {
                    self.buffer.fill_more(task)?;
                }
                continue;
            };
            let text = &self.buffer.bytes[at..text_end];
            let is_blank = spans.len() == 1 && text.trim_ascii().is_empty();
            if self.form.end_with_delimiter && self.form.is_one_more(text, spans.len()) {
                spans.pop();
                if !std::mem::replace(&mut self.told, true) {
                    let remark = format!("line {}: a separator after the last field", self.line);
                    self.remarks.add(remark);
                }
            }
            if is_blank {
                self.blank_lines += 1;
            } else if memchr(0, text).is_some() {
                rejected.push(Rejected {
                    reason: Reason::NulByte,
                    message: format!("line {}: a NUL byte in the row; deliver it without", self.line),
                    raw: raw_excerpt(text),
                    source_row: self.line,
                });
            } else if spans.len() != self.form.width {
                let found = spans.len();
                if lines > 1 && self.form.opens_a_quote(&self.buffer.bytes, at, text_end, &spans) {
                    let message = "a quote is opened and not closed on this line";
                    at = self.reject_line(at, Reason::UnclosedQuote, message, &mut rejected);
                    continue;
                }
                rejected.push(Rejected {
                    reason: Reason::MalformedRow,
                    message: format!("line {}: {}", self.line, self.form.width_fault(found)),
                    raw: raw_excerpt(text),
                    source_row: self.line,
                });
            } else {
                rows.push((self.line, (at, text_end)));
                values.extend(self.places.iter().map(|place| place.map(|column| spans[column])));
            }
            self.line += lines;
            at = end;
        }
        if at == 0 && rejected.is_empty() {
            return Ok(None);
        }
        let text = self.buffer.take(at)?;
        let mut draft = BatchBuilder::new(self.fields, rows.len());
        draft.rejected = rejected;
        let mut unescaped = String::new();
        for ((source_row, span), values) in rows.iter().zip(values.chunks(self.fields.len().max(1))) {
            // Doubled quotes are rare; only a row that has some is copied.
            if values.iter().flatten().any(|value| value.doubled) {
                let mut places = Vec::with_capacity(values.len());
                unescaped.clear();
                for value in values {
                    places.push(value.map(|value| {
                        let start = unescaped.len();
                        let given = &text[value.start..value.end];
                        if value.doubled {
                            unescaped.push_str(&given.replace("\"\"", "\""));
                        } else {
                            // Two quotes inside an unquoted field are two quotes.
                            unescaped.push_str(given);
                        }
                        (start, unescaped.len())
                    }));
                }
                draft.push(
                    *source_row,
                    *span,
                    places
                        .iter()
                        .map(|place| place.map(|(start, end)| &unescaped[start..end])),
                );
            } else {
                let slices = values
                    .iter()
                    .map(|value| value.map(|value| &text[value.start..value.end]));
                draft.push(*source_row, *span, slices);
            }
        }
        self.found = RowSpans { rows, values };
        let mut batch = draft.finish(text)?;
        batch.shape = self.shape;
        Ok(Some(batch))
    }

    fn notes(&self) -> ReaderNotes {
        let mut notes = ReaderNotes {
            blank_lines: self.blank_lines,
            remarks: self.remarks.all(),
            ..ReaderNotes::default()
        };
        self.extra.note(&mut notes);
        notes
    }
}

impl CsvReader<'_> {
    /// Rejects a line that does not end within the window, without keeping it in memory.
    fn skip_long_line(&mut self, task: &Task, rejected: &mut Vec<Rejected>) -> Result<usize> {
        let line = self.line;
        let raw = raw_excerpt(&self.buffer.bytes);
        let mut skipped = 0_u64;
        loop {
            if let Some(end) = memchr2(b'\n', b'\r', &self.buffer.bytes) {
                skipped += end as u64;
                self.buffer.skip(end);
                break;
            }
            skipped += self.buffer.bytes.len() as u64;
            self.buffer.skip(self.buffer.bytes.len());
            self.buffer.fill(BATCH_BYTES, task)?;
            if self.buffer.bytes.is_empty() {
                break;
            }
        }
        rejected.push(Rejected {
            reason: Reason::RowTooLong,
            message: format!("line {line}: {skipped} bytes without a line end; at most {LONGEST_RECORD} are read as one row"),
            raw,
            source_row: line,
        });
        self.line += 1;
        let crlf = self.buffer.bytes.starts_with(b"\r\n");
        let end = usize::from(!self.buffer.bytes.is_empty()) + usize::from(crlf);
        self.buffer.skip(end);
        self.buffer.fill(BATCH_BYTES, task)?;
        Ok(0)
    }
}
