//! A lake on a local disk (or a mount that behaves like one).

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::commit::{NEW, SYNC_ONE_BY_ONE, exchange, heal, sync_file_system, sync_folder};
use super::inside::{KnownFolders, is_inside, make_like, open_file};
use super::lock::Lock;
use super::reservation::{self, Reservation};
use super::staging::{Staging, create_folders, is_unfinished, journal_path};
use super::write_back::WriteBack;
use super::{Sharing, Storage, Transaction};
use crate::error::{Error, Result};

/// The file whose lock orders commits and listings.
const LOCK: &str = ".lock";

/// The lock file in a folder that is no lake. It is removed with the lock, and a `.lock` there may be the user's own.
const PLAIN_LOCK: &str = ".drugs_rs.lock";

/// The root folder of a lake.
#[derive(Debug, Clone)]
pub struct LocalStorage {
    root: PathBuf,
    /// Whether the root existed before, and so stays when it is empty.
    stood: bool,
    /// Whether the root is no lake, so that only the written files may stay in it.
    plain: bool,
    known: Arc<KnownFolders>,
}

impl LocalStorage {
    /// A lake that may not exist yet; the first transaction creates it.
    pub fn create(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        match root.metadata() {
            Ok(metadata) if !metadata.is_dir() => Err(Error::storage(
                root.display(),
                "use as the output folder",
                ErrorKind::NotADirectory.into(),
            )),
            Ok(_) => Ok(Self::at(root)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::at(root)),
            Err(error) => Err(Error::storage(root.display(), "use as the output folder", error)),
        }
    }

    /// A lake that must exist.
    pub fn existing(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        if root.is_dir() {
            return Ok(Self {
                stood: true,
                ..Self::at(root)
            });
        }
        Err(Error::SourceNotFound {
            uri: root.display().to_string(),
            expected: "the folder of a lake, as `run(out=...)` writes it".to_owned(),
        })
    }

    /// A folder that may exist. If it is new and the first transaction fails, it is removed.
    pub fn new_or_existing(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        if root.is_dir() {
            Self::existing(root)
        } else {
            Self::create(root)
        }
    }

    /// A user's folder that is no lake: only the written files stay in it, not even the lock.
    pub fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    fn at(root: PathBuf) -> Self {
        Self {
            root,
            stood: false,
            plain: false,
            known: Arc::default(),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The file-system path of a path that is read or replaced. Rejects one that leads out of the lake, directly or
    /// over a link.
    fn inside(&self, path: &str, action: &'static str) -> Result<PathBuf> {
        self.settle()?;
        self.known
            .path_inside(&self.root, path)
            .map_err(|error| Error::storage(self.path(path).display(), action, error))
    }

    fn lock_path(&self) -> PathBuf {
        self.root.join(if self.plain { PLAIN_LOCK } else { LOCK })
    }

    /// Takes the exclusive lock of the lake, as a commit does, and finishes the commit of a killed process.
    fn lock(&self) -> Result<Lock> {
        let path = self.lock_path();
        let lock = Lock::alone(&path, self.plain)
            .map_err(|source| Error::storage(path.display(), "lock the lake", source))?;
        heal(&self.root)?;
        Ok(lock)
    }

    /// Waits for a commit that is being finished, and finishes that of a killed process.
    fn settle(&self) -> Result<()> {
        if !is_unfinished(&self.root) {
            return Ok(());
        }
        // Who may only read can wait for the commit, but not finish it.
        drop(self.lock_to_read()?);
        if is_unfinished(&self.root) {
            let lock = Lock::alone(&self.lock_path(), self.plain).map_err(|source| {
                let journal = journal_path(&self.root);
                Error::storage(journal.display(), "finish the commit that it names", source)
            })?;
            heal(&self.root)?;
            drop(lock);
        }
        Ok(())
    }

    /// Takes the shared lock of the lake; `None` if this user may not open the lock file, so that a read-only lake can
    /// be read.
    fn lock_to_read(&self) -> Result<Option<Lock>> {
        let path = self.lock_path();
        Lock::shared(&path).map_err(|source| Error::storage(path.display(), "lock the lake", source))
    }
}

impl Storage for LocalStorage {
    fn root(&self) -> String {
        self.root.display().to_string()
    }

    fn uri(&self, path: &str) -> Result<String> {
        let place = self.inside(path, "read")?;
        let place = std::path::absolute(&place)
            .map_err(|error| Error::storage(place.display(), "make an absolute path of", error))?;
        Ok(place.display().to_string())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let place = self.inside(path, "read")?;
        let mut bytes = Vec::new();
        match open_file(&place).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Error::storage(self.path(path).display(), "read", error)),
        }
    }

    fn size(&self, path: &str) -> Result<Option<u64>> {
        match fs::metadata(self.inside(path, "read")?) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(Error::storage(self.path(path).display(), "read", error)),
        }
    }

    fn open_file(&self, path: &str) -> Result<File> {
        open_file(&self.inside(path, "read")?)
            .map_err(|error| Error::storage(self.path(path).display(), "read", error))
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        let folder = self.inside(path, "list the folder")?;
        let _lock = self.lock_to_read()?;
        let entries = match folder.read_dir() {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Vec::new());
            }
            Err(error) => return Err(Error::storage(folder.display(), "list the folder", error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Error::storage(folder.display(), "list the folder", error))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn begin(&self, units: &[String]) -> Result<Box<dyn Transaction>> {
        for unit in units {
            self.inside(unit, "replace")?;
        }
        let staging = Staging::create(&self.root, self.stood)?;
        let new = staging.path.join(NEW);
        create_folders(&new)?;
        let before = match units {
            [unit] if self.plain => fs::metadata(self.path(unit)).ok(),
            _ => None,
        };
        if let (Some(before), [unit]) = (before.as_ref().filter(|before| before.is_dir()), units) {
            create_folders(&new.join(unit))?;
            make_like(&new.join(unit), before)
                .map_err(|error| Error::storage(self.path(unit).display(), "write", error))?;
        }
        Ok(Box::new(LocalTransaction {
            storage: self.clone(),
            before,
            staging,
            units: units.to_vec(),
            kept: BTreeMap::new(),
            written: Arc::default(),
            folder: PathBuf::new(),
            write_back: WriteBack::default(),
        }))
    }

    fn reserve(&self, name: &str, sharing: Sharing) -> Result<Reservation> {
        reservation::reserve(&self.root, name, sharing)
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let mut transaction = self.begin(&[path.to_owned()])?;
        let mut file = transaction.create(path)?;
        file.write_all(bytes)
            .and_then(|()| file.flush())
            .map_err(|error| Error::storage(self.path(path).display(), "write", error))?;
        drop(file);
        transaction.commit(&[])
    }
}

/// A transaction that writes below `.staging/<its own folder>/new`.
#[derive(Debug)]
struct LocalTransaction {
    storage: LocalStorage,
    staging: Staging,
    units: Vec<String>,
    /// For files that are replaced, where they stay.
    kept: BTreeMap<String, String>,
    /// The metadata of a user's file or folder that is replaced; the new one gets its mode.
    before: Option<Metadata>,
    /// New files that must be made durable.
    written: Arc<Mutex<Vec<PathBuf>>>,
    /// The folder that was created last: most files share it with the file before.
    folder: PathBuf,
    write_back: WriteBack,
}

impl LocalTransaction {
    fn new_state(&self) -> PathBuf {
        self.staging.path.join(NEW)
    }

    fn place(&mut self, path: &str) -> Result<PathBuf> {
        let inside = self.units.iter().any(|unit| {
            path == unit
                || path
                    .strip_prefix(unit.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        });
        if !inside || !is_inside(path) {
            return Err(Error::internal(format!(
                "{path} lies in none of the units {:?}",
                self.units
            )));
        }
        let place = self.new_state().join(path);
        if let Some(folder) = place.parent().filter(|folder| *folder != self.folder) {
            create_folders(folder)?;
            folder.clone_into(&mut self.folder);
        }
        Ok(place)
    }

    fn sync(&mut self) -> Result<()> {
        self.write_back
            .end()
            .map_err(|error| Error::storage(self.staging.path.display(), "make durable", error))?;
        let written = self
            .written
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut folders: Vec<&Path> = written.iter().filter_map(|path| path.parent()).collect();
        folders.sort_unstable();
        folders.dedup();
        if written.len() > SYNC_ONE_BY_ONE {
            return sync_file_system(&self.staging.path);
        }
        for path in written.iter() {
            File::open(path)
                .and_then(|file| file.sync_all())
                .map_err(|error| Error::storage(path.display(), "make durable", error))?;
        }
        folders.into_iter().try_for_each(sync_folder)
    }
}

impl Transaction for LocalTransaction {
    fn shown(&self, path: &str) -> String {
        self.storage.path(path).display().to_string()
    }

    fn create(&mut self, path: &str) -> Result<Box<dyn Write + Send>> {
        let place = self.place(path)?;
        let shown = self.storage.path(path);
        let failed = |error| Error::storage(shown.display(), "write", error);
        let file = File::create(&place).map_err(failed)?;
        if let Some(before) = self.before.as_ref().filter(|before| before.is_file()) {
            // The mode is set before the file holds anything that others may not read.
            make_like(&place, before).map_err(failed)?;
        }
        self.written
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(place);
        Ok(Box::new(BufWriter::with_capacity(1 << 18, file)))
    }

    fn replace(&mut self, unit: &str) -> Result<()> {
        self.storage.inside(unit, "replace")?;
        self.units.push(unit.to_owned());
        Ok(())
    }

    fn keep(&mut self, path: &str, kept: &str) -> Result<()> {
        self.storage.inside(kept, "write")?;
        self.kept.insert(path.to_owned(), kept.to_owned());
        Ok(())
    }

    fn scratch(&mut self, name: &str) -> Result<File> {
        let path = self.staging.path.join(name);
        File::options()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| Error::storage(path.display(), "write", error))
    }

    fn write_back(&mut self, scratch: &File) {
        self.write_back.begin(scratch);
    }

    fn adopt(&mut self, name: &str, scratch: File, path: &str, _bytes: u64, _sha256: &str) -> Result<()> {
        drop(scratch);
        let place = self.place(path)?;
        fs::rename(self.staging.path.join(name), &place)
            .map_err(|error| Error::storage(self.storage.path(path).display(), "write", error))?;
        self.written
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(place);
        Ok(())
    }

    fn commit(mut self: Box<Self>, unchanged_since: &[(String, Option<Vec<u8>>)]) -> Result<()> {
        self.sync()?;
        let lock = self.storage.lock()?;
        let (mut made, mut made_already) = (0, 0);
        for (path, before) in unchanged_since {
            let now = self.storage.read(path)?;
            let mine = fs::read(self.new_state().join(path)).ok();
            made += usize::from(mine.is_some());
            if now == *before {
                continue;
            }
            if now.is_none() || now != mine {
                return Err(Error::Conflict {
                    path: self.storage.path(path).display().to_string(),
                    found: "another run replaced it with different content meanwhile".to_owned(),
                });
            }
            made_already += 1;
        }
        if made_already > 0 && made_already == made {
            // Another run has already committed the same result: there is nothing to do.
            return Ok(());
        }
        let exchanged = exchange(&self.storage.root, &self.staging.path, &self.units, &self.kept);
        // A commit that has happened and could not be finished is finished by whoever opens the lake next.
        self.staging.stays = exchanged.is_err() && is_unfinished(&self.storage.root);
        drop(lock);
        exchanged
    }
}
