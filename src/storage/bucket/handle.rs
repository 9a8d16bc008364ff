//! A handle on a lake in a bucket: the state that it reads, and a cache of what it has requested.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use object_store::{GetOptions, UpdateVersion};

use super::ahead::{KEPT, SMALL, with_neighbours};
use super::reader::FoundObject;
use super::state::{LakeState, RUNS, STATE, StateEntry};
use super::{Client, refusal};
use crate::error::{Error, Result};
use crate::storage::{Digest256, sha256_hex};

/// Bytes that are hashed at once.
const HASHED: usize = 1 << 20;

/// Up to this many folders are listed one by one; after that all are listed together.
const MOST_FOLDERS: usize = 16;

/// Paths of a lake that are stored differently from the rest.
#[derive(Debug, Clone, Copy)]
pub struct SpecialPaths {
    /// Files that also have a copy under their plain name, for people and programs that do not read the state.
    pub published: &'static [&'static str],
    /// Folders of files outside of the state: each file is replaced by itself, under its plain name.
    pub plain: &'static [&'static str],
}

/// The state that a handle reads.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub state: Arc<LakeState>,
    /// The version that the next state replaces; `None` if there is no state yet.
    pub version: Option<UpdateVersion>,
    /// When the state was committed, by the server's clock.
    pub at: Option<i64>,
}

#[derive(Debug)]
pub(super) struct LakeHandle {
    pub client: Client,
    /// The key of the root, without a slash at its end; empty for a whole bucket.
    root: String,
    pub places: SpecialPaths,
    snapshot: Mutex<Snapshot>,
    /// The names and sizes of objects, as listed, by folder.
    standing: Mutex<HashMap<String, BTreeMap<String, u64>>>,
    /// Small objects that were prefetched, by key.
    fetched: Mutex<HashMap<String, Vec<u8>>>,
    pub(super) copies: Mutex<VecDeque<(String, File, u64)>>,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LakeHandle {
    pub(super) fn open(client: Client, root: &str, places: SpecialPaths) -> Result<Self> {
        let nothing = Snapshot {
            state: Arc::default(),
            version: None,
            at: None,
        };
        let lake = Self {
            client,
            root: root.trim_matches('/').to_owned(),
            places,
            snapshot: Mutex::new(nothing),
            standing: Mutex::default(),
            fetched: Mutex::default(),
            copies: Mutex::default(),
        };
        lake.refresh()?;
        Ok(lake)
    }

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

    pub(super) fn entry_key(&self, path: &str, entry: &StateEntry) -> String {
        self.object_key(&entry.object(path))
    }

    pub(super) fn uri(&self, path: &str) -> String {
        self.client.uri(&self.key(path))
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        locked(&self.snapshot).clone()
    }

    /// Loads the newest state, which this handle reads from now on.
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
                state: Arc::new(LakeState::parse(&found.bytes, &self.client.uri(&key))?),
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

    /// Whether the object of a file is in the bucket with the size that was written. A folder is listed once for all
    /// its files; after many folders, one listing covers all of them.
    pub(super) fn stands(&self, path: &str, entry: &StateEntry) -> Result<bool> {
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

    pub(super) fn is_plain(&self, path: &str) -> bool {
        self.places.plain.iter().any(|folder| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The bytes of a file of a state; `None` if its object was removed.
    pub(super) fn bytes(&self, path: &str, entry: &StateEntry) -> Result<Option<Vec<u8>>> {
        let key = self.entry_key(path, entry);
        let Some(found) = self.client.get(&key, &GetOptions::default(), "read")? else {
            return Ok(None);
        };
        self.check(path, entry, found.bytes).map(Some)
    }

    fn check(&self, path: &str, entry: &StateEntry, bytes: Vec<u8>) -> Result<Vec<u8>> {
        if sha256_hex(&bytes) == entry.sha256 {
            return Ok(bytes);
        }
        Err(self.other_bytes(path, entry))
    }

    /// Compares a copy on this machine's disk with the digest of its file. Every copy is checked when it is made: a
    /// caller that has verified a table may later read a second copy of it.
    pub(super) fn check_copy(&self, path: &str, entry: &StateEntry, file: &File) -> Result<()> {
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

    fn other_bytes(&self, path: &str, entry: &StateEntry) -> Error {
        let source = refusal::of_our_own(
            ErrorKind::InvalidData,
            "its bytes are not those that were written",
            "somebody replaced the object by hand: run the step that writes it again, or write a new lake",
        );
        let uri = self.client.uri(&self.entry_key(path, entry));
        Error::storage(uri, "read", source)
    }

    /// The bytes of a small file that is read in a series with others, which are prefetched; `None` if its object was
    /// removed.
    pub(super) fn bytes_in_a_row(
        &self,
        state: &LakeState,
        path: &str,
        entry: &StateEntry,
    ) -> Result<Option<Vec<u8>>> {
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

    pub(super) fn found(&self, path: &str) -> Result<FoundObject> {
        let state = self.snapshot().state;
        let entry = state
            .files
            .get(path)
            .ok_or_else(|| Error::storage(self.uri(path), "read", ErrorKind::NotFound.into()))?;
        Ok(self.found_as(path, entry))
    }

    pub(super) fn found_as(&self, path: &str, entry: &StateEntry) -> FoundObject {
        FoundObject {
            key: self.entry_key(path, entry),
            bytes: entry.bytes,
            tag: None,
        }
    }
}
