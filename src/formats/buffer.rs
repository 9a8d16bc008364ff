//! A window that moves forward over an input. Readers parse its bytes, and a batch takes them with it.

use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use super::bytes::input::Input;
use crate::error::Result;
use crate::task::Task;

/// A batch is about this many bytes of a file: large enough to spread its fixed costs, small enough to hold many in
/// memory.
///
/// The fuzz targets read files of 4 KiB, so a small batch lets them test batch ends and records that are too long.
pub(crate) const BATCH_BYTES: usize = if cfg!(fuzzing) { 1 << 6 } else { 1 << 20 };

/// A longer record is none: it is an unclosed quote or a file without line ends.
pub(crate) const LONGEST_RECORD: usize = BATCH_BYTES << 4;

/// Bytes of an input from some offset on.
#[derive(Debug)]
pub(crate) struct Buffer {
    pub input: Input,
    /// The bytes that were read and not yet taken.
    pub bytes: Window,
    /// The offset of `bytes` in the decompressed input: how many bytes were taken or skipped.
    pub offset: u64,
    /// Whether `bytes` reaches the end of the input.
    pub ended: bool,
    spare: Spare,
}

/// Bytes, with spare capacity after them.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// The memory, all of it initialised, so that a reader can write into it.
    room: Vec<u8>,
    /// How many bytes at the beginning of `room` belong to the window; never more than there are.
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

/// Buffers of texts that were dropped, for the next texts of the same file: new memory from the system would have its
/// pages cleared each time.
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
        // The buffers of small files and giant records have no useful size for others.
        if (BATCH_BYTES / 2..BATCH_BYTES * 4).contains(&room.len()) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        }
    }
}

/// A text that was taken from the window.
#[derive(Debug, Default)]
pub(crate) struct Taken {
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

/// The bytes that are read from a file at first.
const FIRST_BYTES: usize = BATCH_BYTES >> 6;

impl Buffer {
    pub(crate) fn new(input: Input) -> Self {
        Self {
            input,
            bytes: Window::default(),
            offset: 0,
            ended: false,
            spare: Spare::default(),
        }
    }

    /// Reads until the window holds at least `wanted` bytes, or to the end.
    pub(crate) fn fill(&mut self, wanted: usize, task: &Task) -> Result<()> {
        if self.bytes.len() >= wanted || self.ended {
            return Ok(());
        }
        let wanted = wanted.max(BATCH_BYTES);
        while self.bytes.length < wanted {
            task.check()?;
            let length = self.bytes.length;
            if length == self.bytes.room.len() {
                // A new file may be small, and a hundred thousand small files must not each allocate a large buffer.
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

    /// At least doubles the bytes in the window.
    pub(crate) fn fill_more(&mut self, task: &Task) -> Result<()> {
        self.fill(self.bytes.len() * 2 + 1, task)
    }

    /// Removes the first `length` bytes and returns them as text.
    pub(crate) fn take(&mut self, length: usize) -> Result<Taken> {
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

    /// Drops the first `length` bytes.
    pub(crate) fn skip(&mut self, length: usize) {
        self.bytes.room.copy_within(length..self.bytes.length, 0);
        self.bytes.length -= length;
        self.offset += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::*;
    use crate::formats::bytes::input::Encoding;

    /// Returns a few bytes at a time, as a pipe does.
    struct Drops(io::Cursor<Vec<u8>>, usize);

    impl Read for Drops {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(into.len());
            self.0.read(&mut into[..length])
        }
    }

    fn buffer(bytes: &[u8], at_a_time: usize) -> Result<Buffer> {
        let input = Input::new(
            "drops",
            Box::new(Drops(io::Cursor::new(bytes.to_vec()), at_a_time)),
            Encoding::Utf8,
        );
        input.map(Buffer::new)
    }

    #[test]
    fn what_is_taken_and_skipped_is_the_input() -> Result<()> {
        let bytes: Vec<u8> = (0..400_000_u32)
            .flat_map(|number| format!("{number};").into_bytes())
            .collect();
        let task = Task::new();
        for at_a_time in [1, 7, 4096, usize::MAX] {
            let mut buffer = buffer(&bytes, at_a_time)?;
            let (mut found, mut turn) = (Vec::new(), 0);
            loop {
                buffer.fill(1, &task)?;
                if buffer.bytes.is_empty() {
                    break;
                }
                assert_eq!(buffer.offset, found.len() as u64);
                assert!(bytes[found.len()..].starts_with(&buffer.bytes));
                let length = (turn * 99_991 % buffer.bytes.len()).max(1);
                found.extend_from_slice(&buffer.bytes[..length]);
                if turn % 2 == 0 {
                    buffer.skip(length);
                } else {
                    let taken = buffer.take(length)?;
                    assert!(found.ends_with(taken.as_bytes()));
                }
                turn += 1;
            }
            assert!(
                found == bytes && buffer.ended && turn > 10,
                "{at_a_time} at a time"
            );
        }
        Ok(())
    }

    #[test]
    fn a_window_grows_as_far_as_a_record_needs() -> Result<()> {
        let task = Task::new();
        let mut buffer = buffer(&vec![b'x'; BATCH_BYTES * 3], BATCH_BYTES / 2)?;
        buffer.fill(1, &task)?;
        assert!((BATCH_BYTES..BATCH_BYTES * 2).contains(&buffer.bytes.len()) && !buffer.ended);
        buffer.fill_more(&task)?;
        assert!(buffer.bytes.len() > BATCH_BYTES * 2);
        buffer.fill_more(&task)?;
        assert!(buffer.bytes.len() == BATCH_BYTES * 3 && buffer.ended);
        let before = buffer.bytes.len();
        buffer.fill_more(&task)?;
        assert_eq!(buffer.bytes.len(), before);
        Ok(())
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_their_offset_in_the_input() -> Result<()> {
        let mut buffer = buffer(b"abcdef\xffgh", 2)?;
        buffer.fill(1, &Task::new())?;
        drop(buffer.take(4)?);
        let error = buffer
            .take(5)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains("byte 6") && error.contains("0xff"), "{error}");
        Ok(())
    }
}
