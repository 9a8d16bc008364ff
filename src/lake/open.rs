//! Opens a lake on a disk or in a bucket.

use super::layout;
use crate::error::{Error, Result};
use crate::storage::uri::Place;
#[cfg(feature = "cloud")]
use crate::storage::{BucketLake, Places};
use crate::storage::{LocalStorage, Storage};
use crate::task::Task;

/// Opens the lake at `out`, which a step may create.
pub fn open_lake(out: &str) -> Result<Box<dyn Storage>> {
    open_lake_for(out, &Task::new())
}

/// Opens the lake at `lake`, which must exist.
pub fn existing_lake(lake: &str) -> Result<Box<dyn Storage>> {
    existing_lake_for(lake, &Task::new())
}

/// Opens the lake at `out`, which a step may create. Waiting for a server ends when the task is stopped.
pub fn open_lake_for(out: &str, task: &Task) -> Result<Box<dyn Storage>> {
    match place("out", out, task)? {
        Place::Local(path) => Ok(Box::new(LocalStorage::create(path)?)),
        #[cfg(feature = "cloud")]
        Place::Bucket(uri) => Ok(Box::new(BucketLake::create(&uri, PLACES, task)?)),
        #[cfg(not(feature = "cloud"))]
        Place::Bucket(_) => Ok(Box::new(LocalStorage::create(crate::storage::uri::local_path(
            out,
        )?)?)),
    }
}

/// Opens the lake at `lake`, which must exist. Waiting for a server ends when the task is stopped.
pub fn existing_lake_for(lake: &str, task: &Task) -> Result<Box<dyn Storage>> {
    match place("lake", lake, task)? {
        Place::Local(path) => Ok(Box::new(LocalStorage::existing(path)?)),
        #[cfg(feature = "cloud")]
        Place::Bucket(uri) => Ok(Box::new(BucketLake::existing(&uri, PLACES, task)?)),
        #[cfg(not(feature = "cloud"))]
        Place::Bucket(_) => Ok(Box::new(LocalStorage::existing(
            crate::storage::uri::local_path(lake)?,
        )?)),
    }
}

#[cfg(feature = "cloud")]
const PLACES: Places = Places {
    published: layout::PUBLISHED,
    plain: &[layout::REPORTS],
};

fn place(argument: &str, uri: &str, task: &Task) -> Result<Place> {
    task.check()?;
    // It would be the folder that the program happens to run in.
    if uri.trim().is_empty() {
        let expected = "the folder of a lake, or a prefix such as gs://bucket/lake";
        return Err(Error::argument(argument, "a blank path", expected));
    }
    Place::parse(uri)
}
