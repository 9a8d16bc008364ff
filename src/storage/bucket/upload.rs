//! Uploads a file of a transaction.
//!
//! Its length and digest are known only at its end. Until then a small file stays in memory and a large one in an
//! unnamed file on this machine; then it is uploaded in the background.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, PutMode, PutOptions, PutPayload, WriteMultipart};

use super::patience::Patience;
use super::refusal;
use crate::storage::{Digest256, HashingWriter};

/// A file of at most this many bytes stays in memory and is sent by one request.
const SMALL: usize = 8 << 20;

/// Bytes of one request for a large file, several of which run in parallel.
const PART: u64 = 8 << 20;
const SIDE_BY_SIDE: usize = 3;

/// Stores accept at most ten thousand parts of one object.
const MOST_PARTS: u64 = 9_000;

/// The bytes of a finished file.
pub(super) enum Body {
    Memory(Vec<u8>),
    Disk(File, u64),
}

impl Body {
    /// The body of a finished file with this many bytes.
    pub(super) fn of(file: File, bytes: u64) -> io::Result<Self> {
        if bytes > SMALL as u64 {
            return Ok(Self::Disk(file, bytes));
        }
        let mut memory = vec![0; bytes as usize];
        file.read_exact_at(&mut memory, 0)?;
        Ok(Self::Memory(memory))
    }
}

/// A file that is being written.
pub(super) struct UploadFile {
    body: HashingWriter<KeptPart>,
    digest: Digest256,
}

struct KeptPart {
    memory: Vec<u8>,
    disk: Option<File>,
}

impl Write for KeptPart {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.disk.is_none() && self.memory.len() + bytes.len() > SMALL {
            let mut file = crate::scratch::unnamed()?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.disk = Some(file);
        }
        match &mut self.disk {
            Some(file) => file.write(bytes),
            None => self.memory.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl UploadFile {
    pub(super) fn new() -> Self {
        let kept = KeptPart {
            memory: Vec::new(),
            disk: None,
        };
        let (body, digest) = HashingWriter::new(kept);
        Self { body, digest }
    }

    /// The body, its number of bytes and its SHA-256.
    pub(super) fn finish(self) -> io::Result<(Body, u64, String)> {
        let (bytes, sha256) = self.digest.finish();
        let kept = self.body.into_inner();
        let body = match kept.disk {
            Some(mut file) => {
                file.seek(SeekFrom::Start(0))?;
                Body::Disk(file, bytes)
            }
            None => Body::Memory(kept.memory),
        };
        Ok((body, bytes, sha256))
    }
}

impl Write for UploadFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.body.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why an upload failed.
pub(super) enum Failure {
    Store(object_store::Error),
    Disk(io::Error),
}

/// Creates the object. Its name belongs to this run alone, so an object that exists already is this one, created by a
/// request whose answer was lost.
pub(super) async fn send(store: Arc<dyn ObjectStore>, path: Path, body: Body) -> Result<(), Failure> {
    send_as(store, path, body, PutMode::Create).await
}

/// Writes the object, whole or not at all, and replaces one that exists.
pub(super) async fn replace(store: Arc<dyn ObjectStore>, path: Path, body: Body) -> Result<(), Failure> {
    send_as(store, path, body, PutMode::Overwrite).await
}

async fn send_as(store: Arc<dyn ObjectStore>, path: Path, body: Body, mode: PutMode) -> Result<(), Failure> {
    let mut patience = Patience::with_a_known_server();
    loop {
        let sent = match &body {
            Body::Memory(bytes) => send_small(store.as_ref(), &path, bytes, mode.clone()).await,
            Body::Disk(file, bytes) => send_large(store.as_ref(), &path, file, *bytes).await,
        };
        match sent {
            Err(Failure::Store(error)) if patience.asks_again(&error).await => {}
            other => return other,
        }
    }
}

async fn send_small(
    store: &dyn ObjectStore,
    path: &Path,
    bytes: &[u8],
    mode: PutMode,
) -> Result<(), Failure> {
    let payload = PutPayload::from(bytes.to_vec());
    let created = store.put_opts(path, payload, PutOptions::from(mode)).await;
    match created {
        Err(error) if !refusal::is_lost_race(&error) => Err(Failure::Store(error)),
        _ => Ok(()),
    }
}

async fn send_large(store: &dyn ObjectStore, path: &Path, file: &File, bytes: u64) -> Result<(), Failure> {
    let part = PART.max(bytes / MOST_PARTS);
    let upload = store
        .put_multipart_opts(path, object_store::PutMultipartOptions::default())
        .await
        .map_err(Failure::Store)?;
    let mut parts = WriteMultipart::new_with_chunk_size(upload, part as usize);
    let mut start = 0;
    while start < bytes {
        let mut buffer = vec![0; part.min(bytes - start) as usize];
        file.read_exact_at(&mut buffer, start).map_err(Failure::Disk)?;
        start += buffer.len() as u64;
        parts
            .wait_for_capacity(SIDE_BY_SIDE)
            .await
            .map_err(Failure::Store)?;
        parts.put(buffer.into());
    }
    parts.finish().await.map(|_| ()).map_err(Failure::Store)
}
