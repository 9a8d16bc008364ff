//! A lake below a prefix of a bucket.
//!
//! A handle reads one state of the lake: the newest one when the handle was opened, reserved or last committed. So what
//! it reads is consistent, whatever others commit meanwhile. Objects that they replaced stay readable for a day.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Write};
use std::sync::Arc;

use object_store::GetOptions;

use super::ahead::{MIDDLING, SMALL, with_neighbours};
use super::handle::{LakeHandle, SpecialPaths, locked};
use super::reader::{FoundObject, ObjectReader, download};
use super::transaction::BucketTransaction;
use super::{Client, publish};
use crate::error::{Error, Result};
use crate::storage::uri::BucketUri;
use crate::storage::{Reservation, Sharing, Storage, Transaction};
use crate::task::Task;

/// Copies of tables on this machine's disk take at most this many bytes, or one copy if that alone is larger.
const MOST_COPIES: u64 = 2 << 30;

/// At most this many copies are open.
const MOST_OPEN: usize = 64;

/// A lake in a bucket.
#[derive(Debug, Clone)]
pub struct BucketLake(Arc<LakeHandle>);

impl BucketLake {
    /// A lake that may not exist yet; the first commit creates it. The bucket must exist.
    pub fn create(uri: &BucketUri, places: SpecialPaths, task: &Task) -> Result<Self> {
        Self::open(Client::connect(uri, task)?, uri.key(), places)
    }

    /// A lake that must exist.
    pub fn existing(uri: &BucketUri, places: SpecialPaths, task: &Task) -> Result<Self> {
        let lake = Self::create(uri, places, task)?;
        if lake.0.snapshot().version.is_none() {
            return Err(Error::SourceNotFound {
                uri: lake.root(),
                expected: "the prefix of a lake, as `run(out=...)` writes it".to_owned(),
            });
        }
        Ok(lake)
    }

    /// A lake in any store, for tests.
    pub fn over(
        store: Arc<dyn object_store::ObjectStore>,
        places: SpecialPaths,
        task: &Task,
    ) -> Result<Self> {
        Self::open(
            Client::over("memory://bucket".to_owned(), store, task)?,
            "lake",
            places,
        )
    }

    fn open(client: Client, root: &str, places: SpecialPaths) -> Result<Self> {
        let lake = LakeHandle::open(client, root, places)?;
        Ok(Self(Arc::new(lake)))
    }
}

impl Storage for BucketLake {
    fn root(&self) -> String {
        self.0.uri("")
    }

    fn uri(&self, path: &str) -> Result<String> {
        if self.0.is_plain(path) {
            return Ok(self.0.uri(path));
        }
        Ok(self.0.client.uri(&self.0.found(path)?.key))
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        if self.0.is_plain(path) {
            let found = self
                .0
                .client
                .get(&self.0.key(path), &GetOptions::default(), "read")?;
            return Ok(found.map(|found| found.bytes));
        }
        let state = self.0.snapshot().state;
        match state.files.get(path) {
            Some(entry) => self.0.bytes_in_a_row(&state, path, entry),
            None => Ok(None),
        }
    }

    fn size(&self, path: &str) -> Result<Option<u64>> {
        if self.0.is_plain(path) {
            let found = self.0.client.head(&self.0.key(path))?;
            return Ok(found.map(|found| found.meta.size));
        }
        let state = self.0.snapshot().state;
        let Some(entry) = state.files.get(path) else {
            return Ok(None);
        };
        // This shows a run that was killed after its commit and before publishing; the file is then written again.
        let stands = self.0.stands(path, entry)?
            && (!self.0.is_published(path) || publish::is_published(&self.0, path, entry)?);
        Ok(stands.then_some(entry.bytes))
    }

    fn open_file(&self, path: &str) -> Result<File> {
        let found = self.0.found(path)?;
        let failed = |error| Error::storage(self.0.uri(path), "keep a temporary copy of it", error);
        let mut copies = locked(&self.0.copies);
        if let Some((_, file, _)) = copies.iter().find(|(key, _, _)| *key == found.key) {
            return crate::scratch::reopened(file).map_err(failed);
        }
        // Gold reads tables from the newest day back to the oldest.
        let state = self.0.snapshot().state;
        let (entries, wanted): (Vec<_>, Vec<FoundObject>) =
            with_neighbours(&state.files, path, MIDDLING, true)
                .into_iter()
                .map(|(path, entry)| ((path, entry), self.0.found_as(path, entry)))
                .filter(|(_, found)| copies.iter().all(|(key, _, _)| *key != found.key))
                .unzip();
        // The requested copy comes last, so that it is evicted last.
        let made = entries.into_iter().zip(download(&self.0.client, wanted)?);
        for ((its_path, entry), (found, file)) in made.rev() {
            match self.0.check_copy(its_path, entry, &file) {
                Ok(()) => copies.push_back((found.key, file, found.bytes)),
                Err(error) if its_path == path => return Err(error),
                // The error is raised when this file itself is requested.
                Err(_) => {}
            }
        }
        let opened = match copies.back() {
            Some((key, file, _)) if *key == found.key => crate::scratch::reopened(file).map_err(failed)?,
            _ => return Err(failed(ErrorKind::NotFound.into())),
        };
        while copies.len() > MOST_OPEN
            || (copies.len() > 1 && copies.iter().map(|(_, _, bytes)| bytes).sum::<u64>() > MOST_COPIES)
        {
            copies.pop_front();
        }
        Ok(opened)
    }

    fn open_stream(&self, path: &str) -> Result<Box<dyn Read + Send>> {
        let found = self.0.found(path)?;
        if found.bytes <= SMALL {
            let state = self.0.snapshot().state;
            if let Some(entry) = state.files.get(path)
                && let Some(bytes) = self.0.bytes_in_a_row(&state, path, entry)?
            {
                return Ok(Box::new(Cursor::new(bytes)));
            }
        }
        Ok(Box::new(ObjectReader::open(self.0.client.clone(), found)?))
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        let folder = format!("{}/", path.trim_end_matches('/'));
        if self.0.is_plain(&folder) {
            let prefix = self.0.key(&folder);
            let objects = self.0.client.list(&prefix)?.into_iter();
            let mut names: Vec<String> = objects
                .filter_map(|object| {
                    let rest = object.location.as_ref().strip_prefix(&prefix)?;
                    Some(rest.split('/').next().unwrap_or(rest).to_owned())
                })
                .collect();
            names.sort();
            names.dedup();
            return Ok(names);
        }
        let state = self.0.snapshot().state;
        let mut names: Vec<String> = state
            .files
            .range(folder.clone()..)
            .map_while(|(path, _)| path.strip_prefix(folder.as_str()))
            .map(|rest| rest.split('/').next().unwrap_or(rest).to_owned())
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn begin(&self, units: &[String]) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(BucketTransaction::new(Arc::clone(&self.0), units)))
    }

    fn reserve(&self, _name: &str, _sharing: Sharing) -> Result<Reservation> {
        // No lease: one that outlives its holder would block the next run. The check at commit keeps runs apart.
        self.0.refresh()?;
        Ok(Reservation::unheld())
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        if self.0.is_plain(path) {
            return self.0.client.replace(&self.0.key(path), bytes);
        }
        let mut transaction = self.begin(&[path.to_owned()])?;
        let mut file = transaction.create(path)?;
        file.write_all(bytes)
            .and_then(|()| file.flush())
            .map_err(|error| Error::storage(self.0.uri(path), "write", error))?;
        drop(file);
        transaction.commit(&[])
    }
}
