//! A commit in a bucket: new objects under names of their own, then one conditional put of the lake's state.
//!
//! Before that put, no reader sees anything of a run; after it, all of it. A put replaces exactly the state that was
//! read, so of two concurrent commits one is first. The other reads the state again and compares, by digests, what its
//! step has read.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use object_store::{PutMode, PutOptions};
use tokio::task::JoinHandle;

use super::handle::{LakeHandle, Snapshot};
use super::run::BucketRun;
use super::state::{LakeState, Next, STATE, StateEntry, is_in, object};
use super::upload::{Body, Failure, UploadFile, send};
use super::{publish, refusal, sweep};
use crate::error::{Error, Result};
use crate::storage::{Transaction, sha256_hex};

/// Parallel uploads of files.
const UPLOADS: usize = 8;

/// Attempts to commit, with a growing wait between them.
const TRIES: u32 = 16;
/// The commit fails at this many lost answers to a put; the library itself retries each for a minute.
const LOST: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A dropped transaction waits at most this long for uploads, and again for removals; a sweep does the rest.
const LEAVING: Duration = Duration::from_millis(500);

type Upload = (String, JoinHandle<std::result::Result<(), Failure>>);

/// Shared by a transaction and its open files.
struct SharedUploads {
    lake: Arc<LakeHandle>,
    /// The state that the step read.
    base: Snapshot,
    run: Option<BucketRun>,
    /// The files of the new state.
    files: BTreeMap<String, StateEntry>,
    /// The files that stay as they are in the base.
    kept: Vec<String>,
    uploads: VecDeque<Upload>,
    /// Objects of this run: `<run>/<path>`.
    sent: Vec<String>,
    /// Whether a state that names these objects may exist or still be written. If so, they are not removed.
    in_doubt: bool,
    failed: Option<Error>,
}

/// A transaction in a bucket; see the module for the protocol.
pub(super) struct BucketTransaction {
    units: Vec<String>,
    /// For files that are replaced, the paths under which they stay.
    moved: BTreeMap<String, String>,
    shared: Arc<Mutex<SharedUploads>>,
}

impl BucketTransaction {
    pub(super) fn new(lake: Arc<LakeHandle>, units: &[String]) -> Self {
        let base = lake.snapshot();
        let shared = SharedUploads {
            lake,
            base,
            run: None,
            files: BTreeMap::new(),
            kept: Vec::new(),
            uploads: VecDeque::new(),
            sent: Vec::new(),
            in_doubt: false,
            failed: None,
        };
        Self {
            units: units
                .iter()
                .map(|unit| unit.trim_matches('/').to_owned())
                .collect(),
            moved: BTreeMap::new(),
            shared: Arc::new(Mutex::new(shared)),
        }
    }

    fn shared(&self) -> MutexGuard<'_, SharedUploads> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_unit(&self, path: &str) -> Result<()> {
        if is_in(&self.units, path) {
            return Ok(());
        }
        Err(Error::internal(format!(
            "{path} lies in none of the units {:?}",
            self.units
        )))
    }
}

impl Transaction for BucketTransaction {
    fn shown(&self, path: &str) -> String {
        self.shared().lake.uri(path)
    }

    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>> {
        self.check_unit(path)?;
        Ok(Box::new(NewFile {
            path: path.to_owned(),
            shared: Arc::clone(&self.shared),
            spooled: Some(UploadFile::new()),
        }))
    }

    fn replace(&mut self, unit: &str) -> Result<()> {
        self.units.push(unit.trim_matches('/').to_owned());
        Ok(())
    }

    fn keep(&mut self, path: &str, kept: &str) -> Result<()> {
        self.moved.insert(path.to_owned(), kept.to_owned());
        Ok(())
    }

    fn scratch(&mut self, name: &str) -> Result<File> {
        crate::scratch::unnamed().map_err(|error| Error::storage(name, "write the scratch file", error))
    }

    fn adopt(&mut self, _name: &str, scratch: File, path: &str, bytes: u64, sha256: &str) -> Result<()> {
        self.check_unit(path)?;
        let mut shared = self.shared();
        let body = Body::of(scratch, bytes).map_err(|error| shared.not_kept(path, error))?;
        shared.take(path, body, bytes, sha256.to_owned())
    }

    fn commit(self: Box<Self>, unchanged_since: &[(String, Option<Vec<u8>>)]) -> Result<()> {
        let mut shared = self.shared();
        shared.settle(0);
        if let Some(error) = shared.failed.take() {
            return Err(error);
        }
        let committed = shared.commit((&self.units, &self.moved), unchanged_since)?;
        // The new state is committed; what follows is publishing and cleaning up. Without a change, the run that wrote
        // this state may have been killed before it published, so this run publishes.
        let lake = Arc::clone(&shared.lake);
        let Some(next) = committed else {
            drop(shared);
            return publish::publish(&lake, &self.units);
        };
        let run = shared.run.take();
        drop(shared);
        let published = publish::publish(&lake, &self.units);
        let mut gone: Vec<String> = next
            .expired
            .iter()
            .map(|object| lake.object_key(object))
            .collect();
        if let Some(run) = run {
            gone.push(run.key(&lake));
        }
        lake.client.remove(&gone, None);
        if next.sweeps {
            sweep::sweep(&lake);
        }
        published
    }
}

impl Drop for BucketTransaction {
    fn drop(&mut self) {
        let mut shared = self.shared();
        let uploads = std::mem::take(&mut shared.uploads);
        uploads.iter().for_each(|(_, upload)| upload.abort());
        let Some(run) = shared.run.take().filter(|_| !shared.in_doubt) else {
            return;
        };
        let lake = Arc::clone(&shared.lake);
        // An upload that is still running would create its object after the removal.
        let ended = join_all(uploads.into_iter().map(|(_, upload)| upload));
        lake.client.wait_at_most(LEAVING, ended);
        let mut keys: Vec<String> = shared.sent.iter().map(|object| lake.object_key(object)).collect();
        drop(shared);
        keys.push(run.key(&lake));
        lake.client.remove(&keys, Some(LEAVING));
    }
}

impl SharedUploads {
    /// Waits until at most this many uploads run. If the task is cancelled, the running uploads stay with the
    /// transaction, which removes them when it is dropped.
    fn settle(&mut self, most: usize) {
        while self.uploads.len() > most {
            let Some((path, upload)) = self.uploads.front_mut() else {
                return;
            };
            let uri = self.lake.uri(path);
            let failed = match self.lake.client.wait(upload) {
                Ok(Ok(Ok(()))) => None,
                Ok(Ok(Err(Failure::Store(error)))) => Some(refusal::storage(&uri, "write", &error)),
                Ok(Ok(Err(Failure::Disk(error)))) => Some(Error::storage(
                    uri,
                    "read its temporary copy on this machine",
                    error,
                )),
                Ok(Err(error)) => Some(Error::internal(format!(
                    "an upload ended without a result: {error}"
                ))),
                Err(stopped) => {
                    self.failed.get_or_insert(stopped);
                    return;
                }
            };
            self.uploads.pop_front();
            if let Some(failed) = failed {
                self.failed.get_or_insert(failed);
            }
        }
    }

    /// Takes a finished file. A file that the lake already holds with the same bytes is kept; any other is uploaded.
    fn take(&mut self, path: &str, body: Body, bytes: u64, sha256: String) -> Result<()> {
        let old = self.base.state.files.get(path);
        if let Some(old) = old.filter(|old| old.bytes == bytes && old.sha256 == sha256)
            && self.lake.stands(path, old)?
        {
            self.files.insert(path.to_owned(), old.clone());
            self.kept.push(path.to_owned());
            return Ok(());
        }
        let run = self.run()?.id.clone();
        let name = object(&run, path);
        let client = self.lake.client.clone();
        let target = client.path(&self.lake.object_key(&name))?;
        self.settle(UPLOADS - 1);
        if self.failed.is_some() {
            return Ok(());
        }
        self.uploads
            .push_back((path.to_owned(), client.start(send(client.store(), target, body))?));
        self.sent.push(name);
        self.files.insert(
            path.to_owned(),
            StateEntry {
                run,
                bytes,
                sha256,
                written_as: None,
            },
        );
        Ok(())
    }

    fn not_kept(&self, path: &str, error: io::Error) -> Error {
        Error::storage(self.lake.uri(path), "keep a temporary copy of it", error)
    }

    /// This run; its first file creates its marker in the bucket.
    fn run(&mut self) -> Result<&BucketRun> {
        let run = match self.run.take() {
            Some(run) => run,
            None => BucketRun::begin(&self.lake, self.base.state.commit + 1)?,
        };
        Ok(self.run.insert(run))
    }

    /// Commits the new state; `None` if there is nothing to change.
    fn commit(
        &mut self,
        (units, moved): (&[String], &BTreeMap<String, String>),
        unchanged_since: &[(String, Option<Vec<u8>>)],
    ) -> Result<Option<Next>> {
        let mut base = self.base.clone();
        let mut wait = FIRST_WAIT;
        let mut lost = 0;
        for attempt in 0..TRIES {
            if attempt > 0 {
                self.lake.client.wait(async { tokio::time::sleep(wait).await })?;
                wait = (wait * 2).min(LONGEST_WAIT);
                let before = std::mem::replace(&mut base, self.lake.refresh()?);
                if let Some(run) = &self.run
                    && base.state.runs.contains(&run.id)
                {
                    // The last put was executed, and only its answer was lost.
                    let state = (*base.state).clone();
                    return Ok(Some(Next {
                        state,
                        expired: Vec::new(),
                        sweeps: false,
                    }));
                }
                // The version that the last put would have replaced is gone, so that put can no longer succeed.
                self.in_doubt &= before.version.map(|version| version.e_tag)
                    == base.version.as_ref().map(|version| version.e_tag.clone());
            }
            if self.is_done_by_another(&base.state, unchanged_since)? {
                return Ok(None);
            }
            let run = match &self.run {
                Some(run) => run.id.clone(),
                None => "none".to_owned(),
            };
            let next = base.state.after(base.at, &run, units, &self.files, moved);
            if next.state.files == base.state.files {
                return Ok(None);
            }
            if let Some(run) = &mut self.run {
                run.check_alive(&self.lake, base.at)?;
            }
            let mode = match &base.version {
                Some(version) => PutMode::Update(version.clone()),
                None => PutMode::Create,
            };
            let key = self.lake.key(STATE);
            self.in_doubt = true;
            let put = self
                .lake
                .client
                .put(&key, next.state.to_bytes()?, &PutOptions::from(mode))?;
            match put {
                Ok(_) => {
                    self.lake.refresh()?;
                    return Ok(Some(next));
                }
                Err(error) if refusal::is_lost_race(&error) => {}
                Err(error) if refusal::is_unclear(&error) && lost + 1 < LOST => lost += 1,
                Err(error) => return Err(refusal::storage(&self.lake.client.uri(&key), "commit", &error)),
            }
        }
        Err(Error::Conflict {
            path: self.lake.uri(""),
            found: format!("other runs committed before this one {TRIES} times in a row"),
        })
    }

    /// Whether another run has already committed the same result. A different result, or a change of what this step
    /// read or kept, is a conflict.
    fn is_done_by_another(
        &self,
        now: &LakeState,
        unchanged_since: &[(String, Option<Vec<u8>>)],
    ) -> Result<bool> {
        let conflict = |path: &str| Error::Conflict {
            path: self.lake.uri(path),
            found: "another run replaced it with different content meanwhile".to_owned(),
        };
        let (mut made, mut made_already) = (0, 0);
        for (path, before) in unchanged_since {
            let found = now.files.get(path);
            let mine = self.files.get(path);
            made += usize::from(mine.is_some());
            let same = match (before, found) {
                (None, None) => true,
                (Some(before), Some(found)) => {
                    found.bytes == before.len() as u64 && found.sha256 == sha256_hex(before)
                }
                // A file whose object was removed counts as missing.
                (None, Some(found)) => {
                    self.base.state.files.get(path) == Some(found) && !self.lake.stands(path, found)?
                }
                (Some(_), None) => false,
            };
            if same {
                continue;
            }
            match (found, mine) {
                (Some(found), Some(mine)) if found.sha256 == mine.sha256 => made_already += 1,
                _ => return Err(conflict(path)),
            }
        }
        if made_already > 0 && made_already == made {
            return Ok(true);
        }
        for path in &self.kept {
            if now.files.get(path) != self.files.get(path) {
                return Err(conflict(path));
            }
        }
        Ok(false)
    }
}

/// An open file of the new state; dropping it finishes it.
struct NewFile {
    path: String,
    shared: Arc<Mutex<SharedUploads>>,
    spooled: Option<UploadFile>,
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.spooled {
            Some(spooled) => spooled.write(bytes),
            None => Err(ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        let Some(spooled) = self.spooled.take() else {
            return;
        };
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        // An error here is raised by the commit.
        let taken = match spooled.finish() {
            Ok((body, bytes, sha256)) => shared.take(&self.path, body, bytes, sha256),
            Err(error) => Err(shared.not_kept(&self.path, error)),
        };
        if let Err(error) = taken {
            shared.failed.get_or_insert(error);
        }
    }
}
