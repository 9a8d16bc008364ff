//! MEDLINE's tagged text (`.nbib`): a tag of up to four letters, `- `, the value; lines that go on begin with blanks; a
//! blank line, or the `PMID` of the next one, ends a record.

use memchr::memchr;

use super::buffer::{Buffer, Draft, Remarks};
use super::fields::Fields;
use super::input::Input;
use super::{BATCH_BYTES, LONGEST_RECORD, Notes, RawBatch, RowReader, kept_aside};
use crate::error::Result;
use crate::schema::{Reason, Rejected};
use crate::task::Task;

/// Whether the beginning of a file looks like it: a tag that only this format has.
pub(super) fn is_medline(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    head.starts_with(b"PMID- ") || (is_tag(head) && memchr::memmem::find(head, b"\nPMID- ").is_some())
}

/// `TI  - `, `PMID- `.
fn is_tag(line: &[u8]) -> bool {
    let Some((tag, rest)) = line.split_at_checked(4) else {
        return false;
    };
    let name = tag.trim_ascii_end();
    name.len() >= 2
        && name
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && matches!(rest, [b'-', b' ' | b'\r' | b'\n', ..] | [b'-'])
}

/// The tags of running text, which goes on in a line without blanks where somebody's program broke lines anew.
const TEXTS: [&str; 4] = ["TI", "TT", "BTI", "AB"];

/// The values of one record, reused from record to record.
#[derive(Debug, Default)]
struct Values {
    id: String,
    title: String,
    /// The title in its own language.
    own_title: String,
    book_title: String,
    summary: String,
    date: String,
    journal: String,
    nlm_id: String,
    issn: String,
    abbreviation: String,
    /// How many lines had a tag.
    tags: usize,
}

impl Values {
    fn clear(&mut self) {
        for text in [
            &mut self.id,
            &mut self.title,
            &mut self.own_title,
            &mut self.book_title,
            &mut self.summary,
            &mut self.date,
            &mut self.journal,
            &mut self.nlm_id,
            &mut self.issn,
            &mut self.abbreviation,
        ] {
            text.clear();
        }
        self.tags = 0;
    }

    fn of_tag(&mut self, tag: &str) -> Option<&mut String> {
        Some(match tag {
            "PMID" => &mut self.id,
            "TI" => &mut self.title,
            "TT" => &mut self.own_title,
            "BTI" => &mut self.book_title,
            "AB" => &mut self.summary,
            "DP" => &mut self.date,
            "JT" => &mut self.journal,
            "TA" => &mut self.abbreviation,
            "JID" => &mut self.nlm_id,
            "IS" => &mut self.issn,
            _ => return None,
        })
    }

    fn read(&mut self, record: &str) {
        self.clear();
        let mut tag = "";
        for line in record.lines() {
            let value = if is_tag(line.as_bytes()) {
                self.tags += 1;
                tag = line[..4].trim_end();
                line.get(6..).unwrap_or_default()
            } else if line.starts_with([' ', '\t']) || TEXTS.contains(&tag) {
                line
            } else {
                // No line of the record's own: an id or a date with it would be another one.
                continue;
            };
            let value = value.trim();
            // A tag that comes twice goes on, as a title over several lines does.
            if let Some(text) = self.of_tag(tag) {
                if !text.is_empty() && !value.is_empty() {
                    text.push(' ');
                }
                text.push_str(value);
            }
        }
    }

    fn value(&self, field: &str) -> Option<&str> {
        let text = match field {
            "id" => &self.id,
            "title" => [&self.title, &self.own_title, &self.book_title]
                .into_iter()
                .find(|title| {
                    let bare = title.trim_end_matches('.');
                    !bare.is_empty() && !bare.eq_ignore_ascii_case("[Not Available]")
                })?,
            "abstract" => &self.summary,
            "date" => &self.date,
            "journal" if self.journal.is_empty() => &self.abbreviation,
            "journal" => &self.journal,
            "nlm_id" => &self.nlm_id,
            // All that there are: `0006-2952 (Print) 0006-2952 (Linking)`.
            "issn" => &self.issn,
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}

#[derive(Debug)]
pub(super) struct MedlineReader<'f> {
    fields: &'f Fields,
    buffer: Buffer,
    /// The line that the next byte stands on.
    line: u64,
    values: Values,
    remarks: Remarks,
}

impl<'f> MedlineReader<'f> {
    pub(super) fn new(input: Input, fields: &'f Fields) -> Self {
        Self {
            fields,
            buffer: Buffer::new(input),
            line: 1,
            values: Values::default(),
            remarks: Remarks::default(),
        }
    }

    /// Where the record that begins at `at` ends: before a blank line, or before the `PMID` of the next one. Nothing where
    /// the bytes end before it does.
    fn record_end(&self, at: usize) -> Option<usize> {
        let bytes = &self.buffer.bytes;
        let mut line = at;
        // Other tags may stand before the record's own PMID; text before it belongs to no record.
        let (mut has_id, mut has_tag) = (false, false);
        while line < bytes.len() {
            let end = memchr(b'\n', &bytes[line..]).map(|length| line + length);
            let text = &bytes[line..end.unwrap_or(bytes.len())];
            let whole = end.is_some() || self.buffer.ended;
            let is_id = text.starts_with(b"PMID- ");
            let is_next = is_id && (has_id || !has_tag);
            if line > at && (is_next || text.trim_ascii().is_empty()) && whole {
                return Some(line);
            }
            has_id |= is_id;
            has_tag = has_tag || is_tag(text);
            match end {
                Some(end) => line = end + 1,
                None => break,
            }
        }
        self.buffer.ended.then_some(bytes.len())
    }

    fn read_record(&mut self, start: usize, end: usize, draft: &mut Draft) -> Result<()> {
        let bytes = &self.buffer.bytes[start..end];
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let at = error.valid_up_to();
            let byte = self.buffer.offset + (start + at) as u64;
            self.buffer.input.not_utf8(byte, bytes[at])
        })?;
        self.values.read(text);
        if self.values.tags == 0 {
            draft.rejected.push(Rejected {
                reason: Reason::MalformedRow,
                message: format!("line {}: no tag such as `PMID- ` in the record", self.line),
                raw: kept_aside(bytes),
                source_row: self.line,
            });
        } else {
            let values = self.fields.iter().map(|field| self.values.value(field.name));
            draft.push(self.line, (start, end), values);
        }
        Ok(())
    }
}

impl RowReader for MedlineReader<'_> {
    fn format(&self) -> &'static str {
        "medline"
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        self.buffer.fill(BATCH_BYTES, task)?;
        let mut draft = self.buffer.draft(self.fields, 512);
        let mut at = 0;
        while at < BATCH_BYTES && at < self.buffer.bytes.len() {
            // Blank lines part records and are nothing else.
            let line_end = memchr(b'\n', &self.buffer.bytes[at..]).map(|length| at + length);
            let line = &self.buffer.bytes[at..line_end.unwrap_or(self.buffer.bytes.len())];
            if line.trim_ascii().is_empty() && (line_end.is_some() || self.buffer.ended) {
                at = line_end.map_or(self.buffer.bytes.len(), |end| end + 1);
                self.line += 1;
                continue;
            }
            match self.record_end(at) {
                Some(end) => {
                    self.read_record(at, end, &mut draft)?;
                    let lines = memchr::memchr_iter(b'\n', &self.buffer.bytes[at..end]).count();
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
                        "records are parted by blank lines",
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

    fn notes(&self) -> Notes {
        Notes {
            remarks: self.remarks.all(),
            ..Notes::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_text() {
        for line in ["PMID- 1", "TI  - A title", "AB  -", "FAU - Name", "AB  -\r"] {
            assert!(is_tag(line.as_bytes()), "{line}");
        }
        for line in [
            "      going on",
            "ti  - small",
            "T   - one letter",
            "TITLE- x",
            "",
            "PMID",
            "TI - x",
        ] {
            assert!(!is_tag(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_record_goes_on_over_lines() {
        let mut values = Values::default();
        values.read("PMID- 7\nTI  - A long\n      title.\nAB  - One\n\t two\nJT  - A journal\nTA  - A J\nDP  - 2020 Jan-Feb\n");
        let read = ["id", "title", "abstract", "date", "journal", "version"].map(|field| values.value(field));
        let wanted = ["7", "A long title.", "One two", "2020 Jan-Feb", "A journal"].map(Some);
        assert_eq!(read[..5], wanted);
        assert_eq!(read[5], None);
        values.read("PMID- 9\nstray\nTI  - A title\nbroken anew\nDP  - 2020 Jan\nstray\n");
        let read = ["id", "title", "date"].map(|field| values.value(field));
        assert_eq!(read, ["9", "A title broken anew", "2020 Jan"].map(Some));
        values.read("PMID- 8\nTI  - [Not Available].\nTT  - Titre propre\nTA  - A J\n");
        assert_eq!(values.value("title"), Some("Titre propre"));
        assert_eq!(values.value("journal"), Some("A J"));
        assert_eq!(values.value("date"), None);
    }
}
