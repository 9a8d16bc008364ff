//! An object as a stream of bytes, requested in pieces; the next pieces are fetched while one is read.
//!
//! Every piece is requested with the entity tag of the object that was found, so a reader never mixes two uploads.
//! After a lost connection the library resumes in the middle of a piece.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use futures::StreamExt;
use object_store::{GetOptions, GetRange, ObjectStore};
use tokio::task::JoinHandle;

use super::patience::{Patience, patiently};
use super::{Client, refusal};
use crate::error::{Error, Result};

/// Bytes of one request.
const PIECE: u64 = 4 << 20;

/// Pieces that are fetched while one is read.
const AHEAD: usize = 2;

/// Parallel requests for files that are needed whole.
const SIDE_BY_SIDE: usize = 8;

/// An object, as it was found.
#[derive(Debug, Clone)]
pub(super) struct FoundObject {
    pub key: String,
    pub bytes: u64,
    pub tag: Option<String>,
}

/// Reads an object from its beginning to its end.
pub(super) struct ObjectReader {
    client: Client,
    found: FoundObject,
    /// Where the next request begins.
    next: u64,
    ahead: VecDeque<JoinHandle<object_store::Result<Vec<u8>>>>,
    piece: Vec<u8>,
    used: usize,
}

impl ObjectReader {
    /// Opens an object and starts to fetch its first piece.
    pub(super) fn open(client: Client, found: FoundObject) -> Result<Self> {
        let mut reader = Self {
            client,
            found,
            next: 0,
            ahead: VecDeque::new(),
            piece: Vec::new(),
            used: 0,
        };
        reader.ask(1)?;
        Ok(reader)
    }

    fn ask(&mut self, most: usize) -> Result<()> {
        while self.ahead.len() < most && self.next < self.found.bytes {
            let end = (self.next + PIECE).min(self.found.bytes);
            let (store, path) = (self.client.store(), self.client.path(&self.found.key)?);
            let options = options(&self.found, self.next, end);
            let piece = async move { piece(store.as_ref(), &path, options).await };
            self.ahead.push_back(self.client.start(piece)?);
            self.next = end;
        }
        Ok(())
    }

    fn next_piece(&mut self) -> Result<Option<object_store::Result<Vec<u8>>>> {
        self.ask(AHEAD)?;
        let Some(first) = self.ahead.front_mut() else {
            return Ok(None);
        };
        let got = self.client.wait(first)?;
        self.ahead.pop_front();
        self.ask(AHEAD)?;
        let got =
            got.map_err(|error| Error::internal(format!("a request ended without a result: {error}")))?;
        Ok(Some(got))
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.used == self.piece.len() {
            match self.next_piece() {
                Ok(Some(Ok(piece))) => {
                    self.piece = piece;
                    self.used = 0;
                }
                Ok(Some(Err(error))) => return Err(refusal::io_error(&error)),
                Ok(None) => return Ok(0),
                // Not `Interrupted`, on which readers retry.
                Err(error) => return Err(io::Error::other(error.to_string())),
            }
        }
        let rest = &self.piece[self.used..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.used += count;
        Ok(count)
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        self.ahead.iter().for_each(JoinHandle::abort);
    }
}

/// Downloads whole objects into unnamed files, by several parallel requests.
pub(super) fn download(client: &Client, objects: Vec<FoundObject>) -> Result<Vec<(FoundObject, File)>> {
    let mut files = Vec::with_capacity(objects.len());
    for found in objects {
        let file = crate::scratch::unnamed().map_err(|error| no_room(client, &found, error))?;
        files.push((client.path(&found.key)?, found, file));
    }
    let store = client.store();
    let wanted = files.iter().flat_map(|(path, found, file)| {
        let store = &store;
        (0..found.bytes).step_by(PIECE as usize).map(move |start| {
            let options = options(found, start, (start + PIECE).min(found.bytes));
            async move { (found, file, start, piece(store.as_ref(), path, options).await) }
        })
    });
    let mut pieces = futures::stream::iter(wanted).buffer_unordered(SIDE_BY_SIDE);
    while let Some((found, file, start, piece)) = client.wait(pieces.next())? {
        let piece = piece.map_err(|error| refusal::storage(&client.uri(&found.key), "read", &error))?;
        file.write_all_at(&piece, start)
            .map_err(|error| no_room(client, found, error))?;
    }
    drop(pieces);
    Ok(files.into_iter().map(|(_, found, file)| (found, file)).collect())
}

fn no_room(client: &Client, found: &FoundObject, error: io::Error) -> Error {
    Error::storage(client.uri(&found.key), "keep a temporary copy of it", error)
}

fn options(found: &FoundObject, start: u64, end: u64) -> GetOptions {
    GetOptions {
        if_match: found.tag.clone(),
        range: Some(GetRange::Bounded(start..end)),
        ..GetOptions::default()
    }
}

async fn piece(
    store: &dyn ObjectStore,
    path: &object_store::path::Path,
    options: GetOptions,
) -> object_store::Result<Vec<u8>> {
    patiently(Patience::with_a_known_server(), || async {
        let piece = store.get_opts(path, options.clone()).await?.bytes().await?;
        Ok(piece.into())
    })
    .await
}
