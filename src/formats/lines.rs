//! Plain text: every line is a text.

use memchr::memrchr;

use super::buffer::{BATCH_BYTES, Buffer, LONGEST_RECORD};
use super::bytes::input::Input;
use crate::error::{Error, Result};
use crate::task::Task;

/// The lines of an input, batch by batch.
#[derive(Debug)]
pub struct TextLines {
    buffer: Buffer,
    /// The number of the next line.
    line: u64,
}

impl TextLines {
    pub fn new(input: Input) -> Self {
        Self {
            buffer: Buffer::new(input),
            line: 1,
        }
    }

    /// Some whole lines without their ends; `None` at the end of the input. A blank line is an empty text.
    pub fn next_batch(&mut self, task: &Task) -> Result<Option<Vec<String>>> {
        self.buffer.fill(BATCH_BYTES, task)?;
        let end = loop {
            if let Some(last) = memrchr(b'\n', &self.buffer.bytes) {
                break last + 1;
            }
            if self.buffer.ended {
                break self.buffer.bytes.len();
            }
            if self.buffer.bytes.len() > LONGEST_RECORD {
                return Err(Error::format(
                    self.buffer.input.uri(),
                    format!("line {}", self.line),
                    format!("more than {LONGEST_RECORD} bytes without a line end"),
                    "expected one text a line; look for missing line ends",
                ));
            }
            self.buffer.fill_more(task)?;
        };
        if end == 0 {
            return Ok(None);
        }
        let text = self.buffer.take(end)?;
        let lines = text.strip_suffix('\n').unwrap_or(&text).split('\n');
        let lines: Vec<String> = lines
            .map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned())
            .collect();
        self.line += lines.len() as u64;
        Ok(Some(lines))
    }
}
