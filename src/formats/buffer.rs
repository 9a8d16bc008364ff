//! A window on an input that moves forward: what the readers look at, and what a batch takes with it.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use super::columns::{Texts, frame};
use super::fields::Fields;
use super::input::Input;
use super::{BATCH_BYTES, Notes, RawBatch, RawTexts, shown};
use crate::error::{Error, Result};
use crate::schema::Rejected;
use crate::task::Task;

/// Bytes of an input from some offset on.
#[derive(Debug)]
pub(super) struct Buffer {
    pub input: Input,
    /// The bytes that are here and not yet taken.
    pub bytes: Window,
    /// Where `bytes` begins in the unpacked input.
    pub offset: u64,
    /// Whether `bytes` reaches to the end of the input.
    pub ended: bool,
    spare: Spare,
}

/// Bytes with room behind them for more.
#[derive(Debug, Default)]
pub(super) struct Window {
    room: Vec<u8>,
    length: usize,
}

impl Deref for Window {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.room[..self.length]
    }
}

impl Window {
    fn make_room(&mut self, room: usize) {
        if self.room.len() < room {
            self.room.resize(room, 0);
        }
    }
}

/// The room of texts that nobody reads any more, for the next ones of the same file: asked of the system anew each time, its
/// pages would be cleared each time.
#[derive(Debug, Clone, Default)]
struct Spare(Arc<Mutex<Vec<Vec<u8>>>>);

impl Spare {
    fn take(&self) -> Vec<u8> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .unwrap_or_default()
    }

    fn give(&self, room: Vec<u8>) {
        // What a small file or a giant record needed is of no use to others.
        if (BATCH_BYTES / 2..BATCH_BYTES * 4).contains(&room.len()) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        }
    }
}

/// Text that was taken from the window.
#[derive(Debug, Default)]
pub(super) struct Taken {
    text: String,
    spare: Spare,
}

impl Deref for Taken {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.spare.give(std::mem::take(&mut self.text).into_bytes());
    }
}

/// What is read of a file at first.
const FIRST_BYTES: usize = BATCH_BYTES >> 6;

/// Hardly any row is shorter; room for those that are is made when they come.
const SHORTEST_ROW: usize = 64;

impl Buffer {
    pub(super) fn new(input: Input) -> Self {
        Self {
            input,
            bytes: Window::default(),
            offset: 0,
            ended: false,
            spare: Spare::default(),
        }
    }

    /// Reads until at least `wanted` bytes are here, or the end.
    pub(super) fn fill(&mut self, wanted: usize, task: &Task) -> Result<()> {
        if self.bytes.len() >= wanted || self.ended {
            return Ok(());
        }
        let wanted = wanted.max(BATCH_BYTES);
        while self.bytes.length < wanted {
            task.check()?;
            let length = self.bytes.length;
            if length == self.bytes.room.len() {
                // A new file may be a small one, and a hundred thousand of those need no room for a large one each.
                self.bytes.make_room(if self.offset == 0 {
                    (length * 4).clamp(FIRST_BYTES, wanted)
                } else {
                    wanted
                });
            }
            let read = self
                .input
                .read(&mut self.bytes.room[length..], self.offset + length as u64)?;
            if read == 0 {
                self.ended = true;
                break;
            }
            self.bytes.length += read;
            task.count_bytes(read);
        }
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
    pub(super) fn take(&mut self, length: usize) -> Result<Taken> {
        let mut next = Window {
            room: self.spare.take(),
            length: self.bytes.length - length,
        };
        next.make_room(next.length);
        next.room[..next.length].copy_from_slice(&self.bytes[length..]);
        let mut taken = std::mem::replace(&mut self.bytes, next).room;
        taken.truncate(length);
        let offset = self.offset;
        self.offset += length as u64;
        match String::from_utf8(taken) {
            Ok(text) => Ok(Taken {
                text,
                spare: self.spare.clone(),
            }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                Err(self.input.not_utf8(offset + at as u64, error.as_bytes()[at]))
            }
        }
    }

    /// Lets the first `length` bytes go unread.
    pub(super) fn skip(&mut self, length: usize) {
        self.bytes.room.copy_within(length..self.bytes.length, 0);
        self.bytes.length -= length;
        self.offset += length as u64;
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
    /// For so many rows, or about so many.
    pub(super) fn new(fields: &Fields, rows: usize) -> Self {
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
    pub(super) fn finish(self, text: Taken) -> Result<RawBatch, Error> {
        let frame = frame(self.source_rows, self.columns)?;
        Ok(RawBatch {
            shape: 0,
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
        if self.0.len() < MOST_NAMES {
            let name = shown(name);
            if !self.0.iter().any(|known| *known == name) {
                self.0.push(name.into_owned());
            }
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
