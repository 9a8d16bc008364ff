//! SHA-256 while writing, so that no file is read again for its digest.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

/// The SHA-256 of some bytes, in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest
        .iter()
        .fold(String::with_capacity(digest.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Passes bytes on and tells a [`Digest256`] about them.
#[derive(Debug)]
pub struct HashingWriter<W> {
    inner: W,
    digest: Digest256,
}

/// What went through a [`HashingWriter`], also after a library has swallowed the writer.
#[derive(Debug, Clone, Default)]
pub struct Digest256(Arc<Mutex<(u64, Sha256)>>);

impl Digest256 {
    /// The number of bytes and their SHA-256 in hexadecimal.
    pub fn finish(&self) -> (u64, String) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.0, hexadecimal(&state.1.clone().finalize()))
    }
}

impl<W: Write> HashingWriter<W> {
    /// A writer and the digest of what goes through it.
    pub fn new(inner: W) -> (Self, Digest256) {
        let digest = Digest256::default();
        (
            Self {
                inner,
                digest: digest.clone(),
            },
            digest,
        )
    }

    /// Where the bytes went.
    #[cfg(feature = "cloud")]
    pub(super) fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        let mut state = self.digest.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += written as u64;
        state.1.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
