//! A window on an input that moves forward: what the readers look at, and what a batch takes with it.

use super::columns::{Texts, frame};
use super::fields::Fields;
use super::input::Input;
use super::{BATCH_BYTES, Notes, RawBatch, RawTexts};
use crate::error::{Error, Result};
use crate::schema::Rejected;
use crate::task::Task;

/// Bytes of an input from some offset on.
#[derive(Debug)]
pub(super) struct Buffer {
    pub input: Input,
    /// The bytes that are here and not yet taken.
    pub bytes: Vec<u8>,
    /// Where `bytes` begins in the unpacked input.
    pub offset: u64,
    /// Whether `bytes` reaches to the end of the input.
    pub ended: bool,
}

/// What is read of a file at first.
const FIRST_BYTES: usize = 1 << 14;

/// Hardly any row is shorter; room for those that are is made when they come.
const SHORTEST_ROW: usize = 64;

impl Buffer {
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            bytes: Vec::new(),
            offset: 0,
            ended: false,
        }
    }

    /// Reads until at least `wanted` bytes are here, or the end.
    pub(super) fn fill(&mut self, wanted: usize, task: &Task) -> Result<()> {
        let mut length = self.bytes.len();
        if length >= wanted || self.ended {
            return Ok(());
        }
        let wanted = wanted.max(BATCH_BYTES);
        while length < wanted {
            task.check()?;
            if length == self.bytes.len() {
                // A new file may be a small one, and a hundred thousand of those need no room for a large one each.
                let room = if self.offset == 0 {
                    (length * 4).clamp(FIRST_BYTES, wanted)
                } else {
                    wanted
                };
                self.bytes.resize(room, 0);
            }
            match self
                .input
                .read(&mut self.bytes[length..], self.offset + length as u64)
            {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => {
                    length += read;
                    task.count_bytes(read);
                }
                Err(error) => {
                    self.bytes.truncate(length);
                    return Err(error);
                }
            }
        }
        self.bytes.truncate(length);
        Ok(())
    }

    /// A batch in the making, of about so many rows.
    pub(super) fn draft(&self, fields: &Fields, rows: usize) -> Draft {
        Draft::new(fields, rows.min(self.bytes.len() / SHORTEST_ROW + 1))
    }

    /// Doubles what is here.
    pub(super) fn fill_more(&mut self, task: &Task) -> Result<()> {
        self.fill(self.bytes.len() * 2 + 1, task)
    }

    /// Takes the first `length` bytes away, as text.
    pub(super) fn take(&mut self, length: usize) -> Result<String> {
        let rest = self.bytes.split_off(length);
        let taken = std::mem::replace(&mut self.bytes, rest);
        let offset = self.offset;
        self.offset += length as u64;
        String::from_utf8(taken).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            self.input.not_utf8(offset + at as u64, error.as_bytes()[at])
        })
    }
}

/// A batch in the making.
pub(super) struct Draft {
    source_rows: Vec<u64>,
    columns: Vec<Texts>,
    pub spans: Vec<(usize, usize)>,
    pub rejected: Vec<Rejected>,
}

impl Draft {
    fn new(fields: &Fields, rows: usize) -> Self {
        let columns = fields.iter().map(|field| Texts::new(field.name, rows)).collect();
        Self {
            source_rows: Vec::with_capacity(rows),
            columns,
            spans: Vec::with_capacity(rows),
            rejected: Vec::new(),
        }
    }

    /// Adds a row: its place, the span of its raw text and a value a field.
    pub(super) fn push<'v>(
        &mut self,
        source_row: u64,
        span: (usize, usize),
        values: impl Iterator<Item = Option<&'v str>>,
    ) {
        self.source_rows.push(source_row);
        self.spans.push(span);
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
    }

    /// The finished batch; `text` is what the spans point into.
    pub(super) fn finish(self, text: String) -> Result<RawBatch, Error> {
        let frame = frame(self.source_rows, self.columns)?;
        Ok(RawBatch {
            frame,
            raw: RawTexts {
                text,
                spans: self.spans,
                #[cfg(feature = "tables")]
                cells: None,
            },
            rejected: self.rejected,
            deletions: Vec::new(),
            member: None,
        })
    }
}

/// Collects the names of columns that no field takes, in the order of their appearance, a few of them.
#[derive(Debug, Default)]
pub(super) struct ExtraColumns(Vec<String>);

/// More names than this in a report would help nobody.
const MOST_NAMES: usize = 200;

impl ExtraColumns {
    pub(super) fn add(&mut self, name: &str) {
        if self.0.len() < MOST_NAMES && !self.0.iter().any(|known| known == name) {
            self.0.push(name.to_owned());
        }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.0
    }

    pub(super) fn note(&self, notes: &mut Notes) {
        notes.extra_columns = self.0.clone();
    }
}

/// Sentences about a file, the first of them word by word and the others counted.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    kept: Vec<String>,
    others: usize,
}

/// More sentences than this in a report would help nobody.
const MOST_REMARKS: usize = 20;

impl Remarks {
    pub(super) fn add(&mut self, remark: String) {
        if self.kept.len() < MOST_REMARKS {
            self.kept.push(remark);
        } else {
            self.others += 1;
        }
    }

    pub(super) fn all(&self) -> Vec<String> {
        let mut all = self.kept.clone();
        if self.others > 0 {
            all.push(format!("and {} more of the kind", self.others));
        }
        all
    }
}
