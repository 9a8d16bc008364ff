//! A lake below a prefix of a bucket.
//!
//! A handle reads one state of the lake, the one that stood when it was opened, reserved or last committed: what it reads
//! fits together, whatever others commit meanwhile. What they replaced stays readable for a day.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object_store::{GetOptions, UpdateVersion};

use super::ahead::{KEPT, MIDDLING, SMALL, with_neighbours};
use super::reader::{Found, ObjectReader, download};
use super::state::{Entry, RUNS, STATE, State};
use super::transaction::BucketTransaction;
use super::{Client, publish, refusal};
use crate::error::{Error, Result};
use crate::storage::uri::BucketUri;
use crate::storage::{Digest256, Reservation, Sharing, Storage, Transaction, sha256_hex};
use crate::task::Task;

/// Copies of tables that were read stay on this machine's disk, up to so many bytes and the last one.
const MOST_COPIES: u64 = 2 << 30;

/// So much of a copy is hashed at once.
const HASHED: usize = 1 << 20;

/// So many open copies are kept.
const MOST_OPEN: usize = 64;

/// So many folders are listed one by one before all are listed together.
const MOST_FOLDERS: usize = 16;

/// Which paths of a lake are treated in another way than the rest.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// Files that have a copy under their plain name, for people and programs that know nothing of states.
    pub published: &'static [&'static str],
    /// Folders of files that belong to no state: each is replaced for itself, under its plain name.
    pub plain: &'static [&'static str],
}

/// The state that a handle reads.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub state: Arc<State>,
    /// What the next state replaces; nothing where there is no state yet.
    pub version: Option<UpdateVersion>,
    /// When the state was committed, by the server's clock.
    pub at: Option<i64>,
}

/// A lake in a bucket.
#[derive(Debug, Clone)]
pub struct BucketLake(Arc<Lake>);

#[derive(Debug)]
pub(super) struct Lake {
    pub client: Client,
    /// The key of the root, without a slash at its end; empty for a whole bucket.
    root: String,
    pub places: Places,
    snapshot: Mutex<Snapshot>,
    /// By folder of objects their names and sizes, as they were listed.
    standing: Mutex<HashMap<String, BTreeMap<String, u64>>>,
    /// By key, small objects that were asked for together with another one.
    fetched: Mutex<HashMap<String, Vec<u8>>>,
    copies: Mutex<VecDeque<(String, File, u64)>>,
}

impl BucketLake {
    /// A lake that may not exist yet; the first commit creates it. The bucket must exist.
    pub fn create(uri: &BucketUri, places: Places, task: &Task) -> Result<Self> {
        Self::open(Client::connect(uri, task)?, uri.key(), places)
    }

    /// A lake that must exist.
    pub fn existing(uri: &BucketUri, places: Places, task: &Task) -> Result<Self> {
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
    pub fn over(store: Arc<dyn object_store::ObjectStore>, places: Places, task: &Task) -> Result<Self> {
        Self::open(
            Client::over("memory://bucket".to_owned(), store, task)?,
            "lake",
            places,
        )
    }

    fn open(client: Client, root: &str, places: Places) -> Result<Self> {
        let nothing = Snapshot {
            state: Arc::default(),
            version: None,
            at: None,
        };
        let lake = Lake {
            client,
            root: root.trim_matches('/').to_owned(),
            places,
            snapshot: Mutex::new(nothing),
            standing: Mutex::default(),
            fetched: Mutex::default(),
            copies: Mutex::default(),
        };
        lake.refresh()?;
        Ok(Self(Arc::new(lake)))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lake {
    /// The key of a path below the root.
    pub(super) fn key(&self, path: &str) -> String {
        match (self.root.as_str(), path) {
            ("", path) => path.to_owned(),
            (root, "") => root.to_owned(),
            (root, path) => format!("{root}/{path}"),
        }
    }

    /// The key of the object `<run>/<path>`.
    pub(super) fn object_key(&self, object: &str) -> String {
        self.key(&format!("{RUNS}/{object}"))
    }

    pub(super) fn entry_key(&self, path: &str, entry: &Entry) -> String {
        self.object_key(&super::state::object(&entry.run, path))
    }

    pub(super) fn uri(&self, path: &str) -> String {
        self.client.uri(&self.key(path))
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        locked(&self.snapshot).clone()
    }

    /// Asks for the newest state and reads that one from now on.
    pub(super) fn refresh(&self) -> Result<Snapshot> {
        let key = self.key(STATE);
        let found = self
            .client
            .get(&key, &GetOptions::default(), "open the lake's state")?;
        let snapshot = match found {
            None => Snapshot {
                state: Arc::default(),
                version: None,
                at: None,
            },
            Some(found) => Snapshot {
                state: Arc::new(State::parse(&found.bytes, &self.client.uri(&key))?),
                version: Some(UpdateVersion {
                    e_tag: found.meta.e_tag.clone(),
                    version: found.meta.version.clone(),
                }),
                at: Some(found.meta.last_modified.timestamp()),
            },
        };
        self.read_from(snapshot.clone());
        Ok(snapshot)
    }

    fn read_from(&self, snapshot: Snapshot) {
        locked(&self.standing).clear();
        *locked(&self.snapshot) = snapshot;
    }

    /// Whether the object of a file stands in the bucket as it was written, by its size. Its folder is listed once for all;
    /// who asks for many folders gets all of them listed.
    pub(super) fn stands(&self, path: &str, entry: &Entry) -> Result<bool> {
        let key = self.entry_key(path, entry);
        let everything = self.key(RUNS);
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut standing = locked(&self.standing);
        let known = standing.get(folder).or_else(|| standing.get(&everything));
        if let Some(listed) = known {
            return Ok(listed.get(&key) == Some(&entry.bytes));
        }
        let folder = if standing.len() < MOST_FOLDERS {
            folder.to_owned()
        } else {
            everything
        };
        let objects = self.client.list(&folder)?;
        let listed: BTreeMap<String, u64> = objects
            .into_iter()
            .map(|object| (object.location.to_string(), object.size))
            .collect();
        let stands = listed.get(&key) == Some(&entry.bytes);
        standing.insert(folder, listed);
        Ok(stands)
    }

    pub(super) fn is_published(&self, path: &str) -> bool {
        self.places.published.contains(&path)
    }

    fn is_plain(&self, path: &str) -> bool {
        self.places.plain.iter().any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The bytes of a file of a state; nothing where somebody removed its object.
    pub(super) fn bytes(&self, path: &str, entry: &Entry) -> Result<Option<Vec<u8>>> {
        let key = self.entry_key(path, entry);
        let Some(found) = self.client.get(&key, &GetOptions::default(), "read")? else {
            return Ok(None);
        };
        self.check(path, entry, found.bytes).map(Some)
    }

    fn check(&self, path: &str, entry: &Entry, bytes: Vec<u8>) -> Result<Vec<u8>> {
        if sha256_hex(&bytes) == entry.sha256 {
            return Ok(bytes);
        }
        Err(self.other_bytes(path, entry))
    }

    /// A copy on this machine's disk, held against its digest whenever it is made: who has looked at a table once may read a
    /// later copy of it.
    fn check_copy(&self, path: &str, entry: &Entry, file: &File) -> Result<()> {
        let digest = Digest256::default();
        let (mut at, mut piece) = (0, vec![0; HASHED]);
        loop {
            let read = file
                .read_at(&mut piece, at)
                .map_err(|error| Error::storage(self.uri(path), "read a temporary copy of it", error))?;
            if read == 0 {
                break;
            }
            digest.add(&piece[..read]);
            at += read as u64;
        }
        if digest.finish().1 == entry.sha256 {
            return Ok(());
        }
        Err(self.other_bytes(path, entry))
    }

    fn other_bytes(&self, path: &str, entry: &Entry) -> Error {
        let source = refusal::of_our_own(
            ErrorKind::InvalidData,
            "its bytes are not those that were written",
            "somebody replaced the object by hand: run the step that writes it again, into a new lake if it must be",
        );
        let uri = self.client.uri(&self.entry_key(path, entry));
        Error::storage(uri, "read", source)
    }

    /// The same for a small file that is read in a row with others: they are asked for together.
    fn bytes_in_a_row(&self, state: &State, path: &str, entry: &Entry) -> Result<Option<Vec<u8>>> {
        let key = self.entry_key(path, entry);
        let mut fetched = locked(&self.fetched);
        if let Some(bytes) = fetched.remove(&key) {
            return self.check(path, entry, bytes).map(Some);
        }
        let wanted: Vec<String> = with_neighbours(&state.files, path, SMALL, false)
            .into_iter()
            .map(|(path, entry)| self.entry_key(path, entry))
            .collect();
        if wanted.len() == 1 {
            drop(fetched);
            return self.bytes(path, entry);
        }
        if fetched.len() > KEPT {
            fetched.clear();
        }
        fetched.extend(self.client.get_all(&wanted)?);
        let Some(bytes) = fetched.remove(&key) else {
            return Ok(None);
        };
        self.check(path, entry, bytes).map(Some)
    }

    fn found(&self, path: &str) -> Result<Found> {
        let state = self.snapshot().state;
        let entry = state
            .files
            .get(path)
            .ok_or_else(|| Error::storage(self.uri(path), "read", ErrorKind::NotFound.into()))?;
        Ok(self.found_as(path, entry))
    }

    fn found_as(&self, path: &str, entry: &Entry) -> Found {
        Found {
            key: self.entry_key(path, entry),
            bytes: entry.bytes,
            tag: None,
        }
    }
}

impl Storage for BucketLake {
    fn root(&self) -> String {
        self.0.uri("")
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
        // A run that was killed before it had published what it committed shows here, and the file is made again.
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
        let (entries, wanted): (Vec<_>, Vec<Found>) = with_neighbours(&state.files, path, MIDDLING, true)
            .into_iter()
            .map(|(path, entry)| ((path, entry), self.0.found_as(path, entry)))
            .filter(|(_, found)| copies.iter().all(|(key, _, _)| *key != found.key))
            .unzip();
        // The one that is asked for comes last, so that it is the last one to go.
        let made = entries.into_iter().zip(download(&self.0.client, wanted)?);
        for ((its_path, entry), (found, file)) in made.rev() {
            match self.0.check_copy(its_path, entry, &file) {
                Ok(()) => copies.push_back((found.key, file, found.bytes)),
                Err(error) if its_path == path => return Err(error),
                // Whoever asks for it is told.
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
        // No lease: one that outlives its holder would stop the next run, and the check of the commit keeps runs apart.
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
