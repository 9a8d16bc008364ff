//! Plain text: every line is a text.

use memchr::memrchr;

use super::BATCH_BYTES;
use super::buffer::Buffer;
use super::input::Input;
use crate::error::Result;
use crate::task::Task;

/// The lines of an input, batch by batch.
#[derive(Debug)]
pub struct TextLines {
    buffer: Buffer,
}

impl TextLines {
    pub fn new(input: Input) -> Self {
        Self {
            buffer: Buffer::new(input),
        }
    }

    /// Some whole lines without their ends; nothing at the end of the input. A blank line is a text without letters.
    pub fn next_batch(&mut self, task: &Task) -> Result<Option<Vec<String>>> {
        self.buffer.fill(BATCH_BYTES, task)?;
        let end = loop {
            if let Some(last) = memrchr(b'\n', &self.buffer.bytes) {
                break last + 1;
            }
            if self.buffer.ended {
                break self.buffer.bytes.len();
            }
            self.buffer.fill_more(task)?;
        };
        if end == 0 {
            return Ok(None);
        }
        let text = self.buffer.take(end)?;
        let lines = text.strip_suffix('\n').unwrap_or(&text).split('\n');
        Ok(Some(
            lines
                .map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned())
                .collect(),
        ))
    }
}
