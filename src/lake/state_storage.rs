//! An earlier state of a lake, as a lake that can only be read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::str::FromStr;

use super::documents::{PublishedGold, SilverManifest};
use super::dt::Dt;
use super::states::{StateRecord, states};
use super::{layout, manifest};
use crate::error::{Error, Refusal, Result};
use crate::storage::{Reservation, Sharing, Storage, Transaction, sha256_hex};
use crate::tables::output_file::OutputFile;

/// Which state is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WantedState {
    Number(u64),
    /// The newest one that holds no partition after this date.
    Date(Dt),
}

impl FromStr for WantedState {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.contains(|letter: char| !letter.is_ascii_digit()) {
            return Dt::parse(text).map(Self::Date);
        }
        text.parse()
            .map(Self::Number)
            .map_err(|_| Error::argument("state", format!("`{text}`"), "the number of a state, or a date"))
    }
}

/// Attempts to find the files of a state while runs commit.
const TRIES: usize = 5;

/// Paths by paths, bytes by paths, and digests by paths of manifests.
type FoundFiles = (
    BTreeMap<String, String>,
    BTreeMap<String, Vec<u8>>,
    BTreeMap<String, String>,
);

/// A lake in an earlier state.
pub(crate) struct StateStorage {
    lake: Box<dyn Storage>,
    /// The files whose bytes are here: the manifest of gold, which lists what is kept, and the holds.
    virtual_files: BTreeMap<String, Vec<u8>>,
    /// For each manifest of the state whose files are partly those of now: the digest of the manifest of now. When that is
    /// replaced, these files may be.
    shared: BTreeMap<String, String>,
    /// Where the files of the state are now, by their paths.
    files: BTreeMap<String, String>,
}

/// The record of the state that is wanted.
pub fn find_state(storage: &dyn Storage, wanted: WantedState) -> Result<StateRecord> {
    let mut all = states(storage)?;
    let found = match wanted {
        WantedState::Number(number) => all.iter().position(|record| record.state == number),
        WantedState::Date(dt) => {
            let is_before = |record: &StateRecord| Dt::parse(&record.as_of).is_ok_and(|as_of| as_of <= dt);
            all.iter().rposition(is_before)
        }
    };
    if let Some(found) = found {
        return Ok(all.swap_remove(found));
    }
    let expected = match (all.first(), all.last()) {
        (Some(first), Some(last)) => {
            let given_up = match first.state {
                1 => "",
                _ => "; earlier ones were given up (see `keep`)",
            };
            if first.state == last.state {
                format!(
                    "state {}, the only one, which holds the partitions up to {}{given_up}",
                    first.state, first.as_of
                )
            } else {
                format!(
                    "one of the states {} to {}, which hold the partitions up to {} and {}{given_up}",
                    first.state, last.state, first.as_of, last.as_of
                )
            }
        }
        _ => "a lake with states: run the gold step first".to_owned(),
    };
    let name = match wanted {
        WantedState::Number(number) => number.to_string(),
        WantedState::Date(dt) => dt.to_string(),
    };
    Err(Error::SourceNotFound {
        uri: format!("{}, state {name}", storage.root()),
        expected,
    })
}

impl StateStorage {
    /// Finds all files of a state.
    pub(crate) fn open(lake: Box<dyn Storage>, wanted: WantedState) -> Result<Self> {
        let mut tries = 0;
        let (files, virtual_files, shared) = loop {
            let record = find_state(lake.as_ref(), wanted)?;
            match Self::find(lake.as_ref(), &record) {
                // A commit moved files while they were looked for.
                Err(Error::SourceNotFound { .. }) if tries < TRIES => tries += 1,
                found => break found?,
            }
        };
        Ok(Self {
            lake,
            virtual_files,
            shared,
            files,
        })
    }

    /// Where the files of a state are, those that are not files, and the manifests of now that some belong to.
    fn find(lake: &dyn Storage, record: &StateRecord) -> Result<FoundFiles> {
        let mut found = StateFileFinder {
            lake,
            kept: kept_files(lake, record.state)?,
            state: record.state,
            files: BTreeMap::new(),
            shared: BTreeMap::new(),
        };
        let current = read_outputs::<PublishedGold>(lake, layout::GOLD_MANIFEST)?;
        let bytes = found.manifest(layout::GOLD_MANIFEST, &record.gold)?;
        let gold = found.without_lost(&bytes)?;
        for output in parse::<PublishedGold>(&gold)?.outputs {
            found.add(layout::GOLD_MANIFEST, &output, &current)?;
        }
        for (path, sha256) in &record.silver {
            let current = read_outputs::<SilverManifest>(lake, path)?;
            let bytes = found.manifest(path, sha256)?;
            for output in parse::<SilverManifest>(&bytes)?.outputs {
                found.add(path, &output, &current)?;
            }
        }
        let StateFileFinder {
            mut files, shared, ..
        } = found;
        let mut virtual_files = BTreeMap::from([(layout::GOLD_MANIFEST.to_owned(), gold)]);
        for held in &record.held {
            if let Ok(dt) = Dt::parse(&held.dt) {
                let path = layout::held(dt);
                files.insert(path.clone(), path.clone());
                virtual_files.insert(path, manifest::to_bytes(held)?);
            }
        }
        Ok((files, virtual_files, shared))
    }

    fn now(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    fn read_only<T>(&self) -> Result<T> {
        let refusal = Refusal {
            found: "an earlier state of a lake cannot be changed".to_owned(),
            remedy: "open the lake itself",
        };
        Err(Error::storage(self.root(), "write", io::Error::other(refusal)))
    }

    /// The cause of an error of a file that is opened at this path: a kept one goes when its state is given up.
    fn cause(&self, now: &str, error: Error) -> Error {
        if !now.starts_with(layout::KEPT) || !matches!(self.lake.size(now), Ok(None)) {
            return error;
        }
        Error::SourceNotFound {
            uri: format!("{}/{now}", self.lake.root()),
            expected: "a file of an earlier state, which was given up meanwhile".to_owned(),
        }
    }

    fn missing(&self, path: &str) -> Error {
        Error::storage(
            format!("{}/{path}", self.root()),
            "read",
            io::ErrorKind::NotFound.into(),
        )
    }
}

/// Looks for the files of a state.
struct StateFileFinder<'f> {
    lake: &'f dyn Storage,
    state: u64,
    /// By digest.
    kept: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    shared: BTreeMap<String, String>,
}

impl StateFileFinder<'_> {
    /// The bytes of a manifest of the state.
    fn manifest(&mut self, path: &str, sha256: &str) -> Result<Vec<u8>> {
        if let Some(bytes) = self.lake.read(path)?.filter(|bytes| sha256_hex(bytes) == sha256) {
            self.files.insert(path.to_owned(), path.to_owned());
            return Ok(bytes);
        }
        let kept = self.kept.get(sha256).ok_or_else(|| self.gone(path))?;
        let bytes = self.lake.read(kept)?.ok_or_else(|| self.gone(path))?;
        self.files.insert(path.to_owned(), kept.clone());
        Ok(bytes)
    }

    /// The manifest of gold without the files that are not kept.
    fn without_lost(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut value: serde_json::Value = parse(bytes)?;
        if let Some(outputs) = value.get_mut("outputs").and_then(serde_json::Value::as_array_mut) {
            outputs.retain(|output| {
                let path = output.get("path").and_then(serde_json::Value::as_str);
                path.is_some_and(layout::is_kept)
            });
        }
        if let Some(fields) = value.as_object_mut() {
            fields.remove("sha256");
        }
        manifest::to_bytes(&value)
    }

    fn add(&mut self, manifest: &str, output: &OutputFile, current: &CurrentFiles) -> Result<()> {
        let is_current = current
            .outputs
            .iter()
            .any(|now| now.path == output.path && now.sha256 == output.sha256);
        if is_current {
            self.shared.insert(manifest.to_owned(), current.sha256.clone());
        }
        let place = match self.kept.get(&output.sha256) {
            _ if is_current => output.path.clone(),
            Some(kept) => kept.clone(),
            None => return Err(self.gone(&output.path)),
        };
        self.files.insert(output.path.clone(), place);
        Ok(())
    }

    fn gone(&self, path: &str) -> Error {
        Error::SourceNotFound {
            uri: format!("{}/{path} of state {}", self.lake.root(), self.state),
            expected: "a file that is kept as long as its state; somebody removed it, or the state was given up meanwhile"
                .to_owned(),
        }
    }
}

/// The files that states after this one replaced, by digest.
fn kept_files(lake: &dyn Storage, state: u64) -> Result<BTreeMap<String, String>> {
    let mut kept = BTreeMap::new();
    for folder in lake.list(layout::KEPT)? {
        if folder.parse::<u64>().is_ok_and(|number| number > state) {
            let folder = format!("{}/{folder}", layout::KEPT);
            for name in lake.list(&folder)? {
                let sha256 = name.split('.').next().unwrap_or(&name).to_owned();
                kept.entry(sha256).or_insert_with(|| format!("{folder}/{name}"));
            }
        }
    }
    Ok(kept)
}

fn parse<M: for<'de> serde::Deserialize<'de>>(bytes: &[u8]) -> Result<M> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::internal(format!("a manifest with the right digest: {error}")))
}

/// Manifests that list files.
trait ListsFiles: for<'de> serde::Deserialize<'de> {
    fn files(self) -> Vec<OutputFile>;
}

impl ListsFiles for PublishedGold {
    fn files(self) -> Vec<OutputFile> {
        self.outputs
    }
}

impl ListsFiles for SilverManifest {
    fn files(self) -> Vec<OutputFile> {
        self.outputs
    }
}

/// What a manifest lists now, and its digest.
struct CurrentFiles {
    outputs: Vec<OutputFile>,
    sha256: String,
}

/// The files that a manifest lists now; none if it is missing or damaged.
fn read_outputs<M: ListsFiles>(lake: &dyn Storage, path: &str) -> Result<CurrentFiles> {
    let (found, (_, bytes)) = manifest::read_own::<M>(lake, path.to_owned())?;
    Ok(CurrentFiles {
        outputs: found.map(ListsFiles::files).unwrap_or_default(),
        sha256: sha256_hex(&bytes.unwrap_or_default()),
    })
}

/// Whether a path is that of a report: those are about runs, and belong to no state.
fn is_report(path: &str) -> bool {
    path.strip_prefix(layout::REPORTS)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Storage for StateStorage {
    fn root(&self) -> String {
        self.lake.root()
    }

    fn uri(&self, path: &str) -> Result<String> {
        let now = self.now(path).ok_or_else(|| self.missing(path))?;
        self.lake.uri(now)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        if is_report(path) {
            return self.lake.read(path);
        }
        if let Some(sha256) = self.shared.get(path) {
            let now = self.lake.read(path)?.unwrap_or_default();
            if sha256_hex(&now) != *sha256 {
                return Err(Error::Conflict {
                    path: format!("{}/{path}", self.root()),
                    found: "another run replaced files of this state, which are kept under other names now"
                        .to_owned(),
                });
            }
        }
        match (self.virtual_files.get(path), self.now(path)) {
            (Some(bytes), _) => Ok(Some(bytes.clone())),
            (None, Some(now)) => self.lake.read(now),
            (None, None) => Ok(None),
        }
    }

    fn size(&self, path: &str) -> Result<Option<u64>> {
        match (self.virtual_files.get(path), self.now(path)) {
            (Some(bytes), _) => Ok(Some(bytes.len() as u64)),
            (None, Some(now)) => self.lake.size(now),
            (None, None) => Ok(None),
        }
    }

    fn open_file(&self, path: &str) -> Result<File> {
        let now = self.now(path).ok_or_else(|| self.missing(path))?;
        self.lake.open_file(now).map_err(|error| self.cause(now, error))
    }

    fn open_stream(&self, path: &str) -> Result<Box<dyn Read + Send>> {
        let now = self.now(path).ok_or_else(|| self.missing(path))?;
        self.lake.open_stream(now).map_err(|error| self.cause(now, error))
    }

    fn list(&self, path: &str) -> Result<Vec<String>> {
        if is_report(path) {
            return self.lake.list(path);
        }
        let folder = format!("{}/", path.trim_end_matches('/'));
        let below = self.files.range(folder.clone()..);
        let below = below.map_while(|(path, _)| path.strip_prefix(folder.as_str()));
        let mut names: Vec<String> = below
            .map(|rest| rest.split('/').next().unwrap_or(rest).to_owned())
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn begin(&self, _units: &[String]) -> Result<Box<dyn Transaction>> {
        self.read_only()
    }

    fn reserve(&self, _name: &str, _sharing: Sharing) -> Result<Reservation> {
        self.read_only()
    }

    fn put(&self, _path: &str, _bytes: &[u8]) -> Result<()> {
        self.read_only()
    }
}
