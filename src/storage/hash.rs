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

/// A writer that adds the bytes it passes on to a [`Digest256`].
#[derive(Debug)]
pub struct HashingWriter<W> {
    inner: W,
    digest: Digest256,
}

/// The digest of what went through a [`HashingWriter`]; it stays readable after a library has consumed the writer.
#[derive(Debug, Clone, Default)]
pub struct Digest256(Arc<Mutex<(u64, Sha256)>>);

impl Digest256 {
    /// Adds bytes.
    pub fn add(&self, bytes: &[u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += bytes.len() as u64;
        state.1.update(bytes);
    }

    /// The number of bytes.
    pub fn bytes(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// The number of bytes and their SHA-256 in hexadecimal.
    pub fn finish(&self) -> (u64, String) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.0, hexadecimal(&state.1.clone().finalize()))
    }
}

impl<W: Write + Send> HashingWriter<W> {
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

    /// The inner writer.
    #[cfg(feature = "cloud")]
    pub(super) fn into_inner(self) -> W {
        self.inner
    }
}

/// From this many bytes on, hashing runs on a second thread while the bytes are written.
const SHARED: usize = 1 << 17;

impl<W: Write + Send> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Only on a thread of the pool: others would have to enter the pool for this.
        if bytes.len() >= SHARED && rayon::current_thread_index().is_some() {
            let (inner, digest) = (&mut self.inner, &self.digest);
            let (written, ()) = rayon::join(|| inner.write_all(bytes), || digest.add(bytes));
            return written.map(|()| bytes.len());
        }
        let written = self.inner.write(bytes)?;
        self.digest.add(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
