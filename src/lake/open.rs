//! Opens a lake on a disk or in a bucket.

use super::layout;
use super::state_storage::{StateStorage, WantedState};
use crate::error::{Error, Result};
use crate::storage::uri::Location;
#[cfg(feature = "cloud")]
use crate::storage::{BucketLake, SpecialPaths};
use crate::storage::{LocalStorage, Storage};
use crate::task::Task;

/// Opens the lake at `out`; a step creates it if it does not exist.
pub fn open_lake(out: &str) -> Result<Box<dyn Storage>> {
    open_lake_for(out, &Task::new())
}

/// Opens the lake at `lake`, which must exist.
pub fn existing_lake(lake: &str) -> Result<Box<dyn Storage>> {
    existing_lake_for(lake, &Task::new())
}

/// Opens the lake at `out`; a step creates it if it does not exist. Requests to a server end when the task is
/// cancelled.
pub fn open_lake_for(out: &str, task: &Task) -> Result<Box<dyn Storage>> {
    match place("out", out, task)? {
        Location::Local(path) => Ok(Box::new(LocalStorage::create(path)?)),
        #[cfg(feature = "cloud")]
        Location::Bucket(uri) => Ok(Box::new(BucketLake::create(&uri, PLACES, task)?)),
        #[cfg(not(feature = "cloud"))]
        Location::Bucket(_) => Ok(Box::new(LocalStorage::create(crate::storage::uri::local_path(
            out,
        )?)?)),
    }
}

/// Opens the lake at `lake`, which must exist. Requests to a server end when the task is cancelled.
pub fn existing_lake_for(lake: &str, task: &Task) -> Result<Box<dyn Storage>> {
    match place("lake", lake, task)? {
        Location::Local(path) => Ok(Box::new(LocalStorage::existing(path)?)),
        #[cfg(feature = "cloud")]
        Location::Bucket(uri) => Ok(Box::new(BucketLake::existing(&uri, PLACES, task)?)),
        #[cfg(not(feature = "cloud"))]
        Location::Bucket(_) => Ok(Box::new(LocalStorage::existing(
            crate::storage::uri::local_path(lake)?,
        )?)),
    }
}

/// A lake as a reader names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeAddress {
    pub root: String,
    /// An earlier state; the current one for `None`.
    pub state: Option<WantedState>,
}

impl LakeAddress {
    /// Opens the lake, or an earlier state of it, for reading.
    pub fn open(&self, task: &Task) -> Result<Box<dyn Storage>> {
        let lake = existing_lake_for(&self.root, task)?;
        match self.state {
            None => Ok(lake),
            Some(state) => Ok(Box::new(StateStorage::open(lake, state)?)),
        }
    }
}

#[cfg(feature = "cloud")]
const PLACES: SpecialPaths = SpecialPaths {
    published: layout::PUBLISHED,
    plain: &[layout::REPORTS],
};

fn place(argument: &str, uri: &str, task: &Task) -> Result<Location> {
    task.check()?;
    // A blank path would be the current folder.
    if uri.trim().is_empty() {
        let expected = "the folder of a lake, or a prefix such as gs://bucket/lake";
        return Err(Error::argument(argument, "a blank path", expected));
    }
    Location::parse(uri)
}
