//! Reads a JSON array of objects, objects one after the other, or pages that hold such arrays, element by element.
//!
//! The reader only counts brackets to find each element, and then parses the element by itself. So a broken element
//! costs only itself, and the file never has to fit into memory. A file that ends inside an element, or before its
//! array is closed, is an error: it is unknown what else is missing.

use super::head;
use super::object::ObjectRow;
use super::value_end::{brackets_end, value_end};
use crate::error::{Error, Result};
use crate::formats::batch::{BatchBuilder, RawBatch, ReaderNotes, Remarks, RowReader, raw_excerpt};
use crate::formats::buffer::{BATCH_BYTES, Buffer, LONGEST_RECORD};
use crate::formats::bytes::input::Input;
use crate::formats::fields::Fields;
use crate::schema::Rejected;
use crate::task::Task;

/// What encloses the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Around {
    Nothing,
    /// One array for the whole file.
    Array,
    /// Pages of an API one after the other, with one array in each.
    Pages,
}

/// The reader's place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ArrayPlace {
    /// Before the opening bracket of the array, or before a page.
    Start,
    /// An element or the closing bracket must follow.
    Element,
    /// A comma or the closing bracket must follow.
    Separator,
    /// After the closing bracket of the array.
    Behind,
    /// After the closing bracket of an array in a page.
    PageEnd,
}

#[derive(Debug)]
pub(crate) struct JsonReader<'f> {
    fields: &'f Fields,
    buffer: Buffer,
    around: Around,
    place: ArrayPlace,
    /// The byte of a comma that no element has followed yet.
    comma: Option<u64>,
    element: u64,
    row: ObjectRow,
    checked: bool,
    remarks: Remarks,
}

impl<'f> JsonReader<'f> {
    /// A reader of an array.
    pub(crate) fn new(input: Input, fields: &'f Fields) -> Self {
        Self::with_buffer(Buffer::new(input), fields, Around::Array)
    }

    /// A reader of objects one after the other.
    pub(crate) fn of_objects(buffer: Buffer, fields: &'f Fields) -> Self {
        Self::with_buffer(buffer, fields, Around::Nothing)
    }

    /// A reader of one page, or of several one after the other.
    pub(crate) fn of_pages(buffer: Buffer, fields: &'f Fields) -> Self {
        Self::with_buffer(buffer, fields, Around::Pages)
    }

    fn with_buffer(buffer: Buffer, fields: &'f Fields, around: Around) -> Self {
        Self {
            fields,
            buffer,
            around,
            place: match around {
                Around::Nothing => ArrayPlace::Element,
                Around::Array | Around::Pages => ArrayPlace::Start,
            },
            comma: None,
            element: 0,
            row: ObjectRow::new(fields),
            checked: false,
            remarks: Remarks::default(),
        }
    }

    fn error(&self, at: usize, found: impl Into<String>, remedy: &str) -> Error {
        let byte = self.buffer.offset + at as u64;
        let input = &self.buffer.input;
        Error::format(input.uri(), input.place(byte), found, remedy)
    }

    fn cut(&self, at: usize) -> Error {
        let end = self.buffer.offset + self.buffer.bytes.len() as u64;
        let found = match self.place {
            ArrayPlace::Element if at < self.buffer.bytes.len() => {
                format!(
                    "the file ends at byte {end} inside element {}, which begins here",
                    self.element + 1
                )
            }
            ArrayPlace::PageEnd => format!(
                "the file ends before the page is closed, after {} elements",
                self.element
            ),
            _ => format!(
                "the file ends before the array is closed, after {} elements",
                self.element
            ),
        };
        self.error(at, found, "the JSON was cut off: deliver the file again")
    }

    /// Reads the element at `at..end` into the draft, or rejects it.
    fn read_element(&mut self, at: usize, end: usize, draft: &mut BatchBuilder) -> Result<()> {
        self.element += 1;
        let bytes = &self.buffer.bytes[at..end];
        let byte = self.buffer.offset + at as u64;
        let text = std::str::from_utf8(bytes).map_err(|error| {
            self.buffer
                .input
                .not_utf8(byte + error.valid_up_to() as u64, bytes[error.valid_up_to()])
        })?;
        match self.row.read(text, self.fields) {
            Ok(mended) => {
                if mended {
                    self.remarks.add(format!(
                        "trailing comma inside element {} at byte {byte}",
                        self.element
                    ));
                }
                draft.push(self.element, (at, end), self.row.values());
            }
            Err(fault) => draft.rejected.push(Rejected {
                reason: fault.reason,
                message: format!("element {} at byte {byte}: {}", self.element, fault.message),
                raw: raw_excerpt(bytes),
                source_row: self.element,
            }),
        }
        Ok(())
    }

    /// Takes one step from `at` and returns where to continue; `None` if more bytes are needed or the file is read.
    fn step(&mut self, at: usize, draft: &mut BatchBuilder) -> Result<Option<usize>> {
        let Some(offset) = self.buffer.bytes[at..]
            .iter()
            .position(|byte| !byte.is_ascii_whitespace())
        else {
            return Ok(None);
        };
        let start = at + offset;
        let byte = self.buffer.bytes[start];
        match (self.place, byte) {
            (ArrayPlace::Start, b'[') if self.around == Around::Array => {
                self.place = ArrayPlace::Element;
                Ok(Some(start + 1))
            }
            (ArrayPlace::Start, _) if self.around == Around::Pages => self.begin_page(start),
            (ArrayPlace::PageEnd, _) => self.end_page(start),
            (ArrayPlace::Element | ArrayPlace::Separator, b']') if self.around != Around::Nothing => {
                if let Some(comma) = self.comma.take() {
                    self.remarks.add(format!("trailing comma at byte {comma}"));
                }
                self.place = match self.around {
                    Around::Pages => ArrayPlace::PageEnd,
                    _ => ArrayPlace::Behind,
                };
                Ok(Some(start + 1))
            }
            (ArrayPlace::Separator, b',') => {
                self.comma = Some(self.buffer.offset + start as u64);
                self.place = ArrayPlace::Element;
                Ok(Some(start + 1))
            }
            (ArrayPlace::Element, b',') => {
                Err(self.error(start, "a comma where an element was expected", "remove the comma"))
            }
            (ArrayPlace::Separator, _) => Err(self.error(
                start,
                format!("`{}` between two elements", char::from(byte).escape_default()),
                "elements of an array are separated by commas; for one object a line drop the brackets",
            )),
            (ArrayPlace::Behind, _) => Err(self.error(
                start,
                "text after the end of the array",
                "keep one array a file, or use NDJSON",
            )),
            (ArrayPlace::Element | ArrayPlace::Start, _) => {
                match value_end(&self.buffer.bytes, start, self.buffer.ended) {
                    Some(end) => {
                        self.read_element(start, end, draft)?;
                        self.comma = None;
                        self.place = match self.around {
                            Around::Nothing => ArrayPlace::Element,
                            Around::Array | Around::Pages => ArrayPlace::Separator,
                        };
                        Ok(Some(end))
                    }
                    None if self.buffer.bytes.len() - start > LONGEST_RECORD => Err(self.error(
                        start,
                        format!("an element of more than {LONGEST_RECORD} bytes"),
                        "look for a quote or bracket that is not closed",
                    )),
                    None => Ok(None),
                }
            }
        }
    }

    /// Reads the beginning of a page, up to its first row.
    fn begin_page(&mut self, start: usize) -> Result<Option<usize>> {
        let page = &self.buffer.bytes[start..];
        match head::rows(page, self.fields) {
            Some(rows) => {
                self.place = ArrayPlace::Element;
                Ok(Some(start + rows))
            }
            None if self.buffer.ended || page.len() >= BATCH_BYTES => Err(self.error(
                start,
                "no page with a list of rows where another one was expected",
                "keep pages of one API a file, or one page a file",
            )),
            None => Ok(None),
        }
    }

    /// Reads the rest of a page after its list, up to its closing brace.
    fn end_page(&mut self, start: usize) -> Result<Option<usize>> {
        let end = brackets_end(&self.buffer.bytes, start, 1);
        if let Some(end) = end {
            if let Err(found) = head::check_end(&self.buffer.bytes[start..end]) {
                return Err(self.error(
                    start,
                    found,
                    "write each page as one JSON object with one list of rows",
                ));
            }
            self.place = ArrayPlace::Start;
        } else if self.buffer.bytes.len() - start > LONGEST_RECORD {
            let found = format!("more than {LONGEST_RECORD} bytes after the list of a page");
            return Err(self.error(start, found, "look for a quote or bracket that is not closed"));
        }
        Ok(end)
    }

    /// Whether the file may end here.
    fn is_whole(&self) -> bool {
        match self.around {
            Around::Nothing => true,
            Around::Array => self.place == ArrayPlace::Behind,
            Around::Pages => self.place == ArrayPlace::Start,
        }
    }

    /// Checks that the required keys occur in some object of the first batch with objects.
    fn check_keys(&mut self, rows: usize) -> Result<()> {
        if self.checked || rows == 0 {
            return Ok(());
        }
        self.checked = true;
        let input = &self.buffer.input;
        self.fields
            .check_keys(input, self.buffer.offset, &self.row.seen, self.row.extra.names())
    }
}

impl RowReader for JsonReader<'_> {
    fn format(&self) -> &'static str {
        "json"
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        self.buffer.fill(BATCH_BYTES, task)?;
        let mut draft = self.buffer.batch_builder(self.fields, 1024);
        let mut at = 0;
        while at < BATCH_BYTES {
            match self.step(at, &mut draft)? {
                Some(next) => at = next,
                None if self.buffer.ended => {
                    let rest = self.buffer.bytes[at..]
                        .iter()
                        .position(|byte| !byte.is_ascii_whitespace());
                    if rest.is_some() || !self.is_whole() {
                        return Err(self.cut(at + rest.unwrap_or(self.buffer.bytes.len() - at)));
                    }
                    at = self.buffer.bytes.len();
                    break;
                }
                None if at > 0 => break,
                // Skips blanks in bulk: there may be gigabytes of them between two elements.
                None if self.buffer.bytes.trim_ascii().is_empty() => {
                    let blanks = self.buffer.bytes.len();
                    self.buffer.skip(blanks);
                    self.buffer.fill(BATCH_BYTES, task)?;
                }
                None => self.buffer.fill_more(task)?,
            }
        }
        if at == 0 {
            return Ok(None);
        }
        self.check_keys(draft.spans.len())?;
        let text = self.buffer.take(at)?;
        draft.finish(text).map(Some)
    }

    fn notes(&self) -> ReaderNotes {
        let mut notes = ReaderNotes {
            remarks: self.remarks.all(),
            ..ReaderNotes::default()
        };
        self.row.extra.note(&mut notes);
        notes
    }
}
