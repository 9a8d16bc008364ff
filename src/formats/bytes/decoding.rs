//! Bytes on their way to UTF-8, and a beginning that is here as a whole.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, WINDOWS_1252};

use super::compression::{BUFFER, ByteStream};

/// A stream whose beginning is read at once: what it is taken for must not depend on how it arrives. A pipe, an unpacker or an
/// object store may give it in drops.
pub(crate) struct Ahead {
    head: io::Cursor<Vec<u8>>,
    /// The error that ended the head, returned once the head is read.
    error: Option<io::Error>,
    rest: ByteStream,
}

impl Ahead {
    pub(crate) fn of(mut bytes: ByteStream) -> ByteStream {
        let mut head = Vec::new();
        let error = (&mut bytes).take(BUFFER as u64).read_to_end(&mut head).err();
        Box::new(Self {
            head: io::Cursor::new(head),
            error,
            rest: bytes,
        })
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.head.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.rest.read(buffer),
        }
    }
}

/// A part of a pair, or of a unit, of UTF-16 without the other part.
#[derive(Debug, thiserror::Error)]
#[error("byte {byte} of the unpacked content: half a character of UTF-16")]
pub(crate) struct BrokenUtf16 {
    pub byte: u64,
}

/// UTF-16 on its way to UTF-8.
pub(crate) struct Utf16<R> {
    inner: R,
    decoder: Decoder,
    /// The bytes that were decoded.
    read: u64,
    ready: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl<R: BufRead> Utf16<R> {
    pub(crate) fn new(inner: R, decoder: Decoder) -> Self {
        Self {
            inner,
            decoder,
            read: 0,
            ready: Vec::new(),
            taken: 0,
            ended: false,
        }
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.ready.len() && !self.ended {
            let bytes = self.inner.fill_buf()?;
            self.ended = bytes.is_empty();
            let room = self
                .decoder
                .max_utf8_buffer_length_without_replacement(bytes.len())
                .unwrap_or(bytes.len() * 3 + 16);
            self.ready.resize(room, 0);
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(bytes, &mut self.ready, self.ended);
            self.ready.truncate(written);
            self.taken = 0;
            self.inner.consume(read);
            self.read += read as u64;
            if let DecoderResult::Malformed(wrong, behind) = result {
                let byte = self.read.saturating_sub(u64::from(wrong) + u64::from(behind));
                return Err(io::Error::other(BrokenUtf16 { byte }));
            }
        }
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}

/// Lines of Windows-1252 on their way to UTF-8; a line that is UTF-8 already passes as it is.
pub(crate) struct Lines1252<R> {
    inner: R,
    ready: Vec<u8>,
    /// The first bytes of a letter whose others are not read yet.
    cut: Vec<u8>,
    taken: usize,
}

impl<R: BufRead> Lines1252<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            ready: Vec::new(),
            cut: Vec::new(),
            taken: 0,
        }
    }
}

impl<R: BufRead> Read for Lines1252<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.ready.len() {
            self.ready.clear();
            self.taken = 0;
            // A line longer than this is decoded in pieces.
            self.ready.append(&mut self.cut);
            (&mut self.inner)
                .take(BUFFER as u64)
                .read_until(b'\n', &mut self.ready)?;
            if let Err(error) = std::str::from_utf8(&self.ready) {
                let whole = error.valid_up_to();
                if error.error_len().is_none() && whole > 0 && !self.inner.fill_buf()?.is_empty() {
                    // The piece ends inside a letter of UTF-8, whose rest comes with the next piece.
                    self.cut = self.ready.split_off(whole);
                } else {
                    let (text, _) = WINDOWS_1252.decode_without_bom_handling(&self.ready);
                    self.ready = text.into_owned().into_bytes();
                }
            }
        }
        let count = buffer.len().min(self.ready.len() - self.taken);
        buffer[..count].copy_from_slice(&self.ready[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }
}
