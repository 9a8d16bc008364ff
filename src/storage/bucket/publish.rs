//! Copies of some files under their plain names, for people and programs that do not read a lake's state.
//!
//! A copy is written after the commit and is no part of it: for a moment `gold/drug_graph.json` may be the file of the
//! state before. Each copy carries the digest of its file. It is replaced by a conditional put, and the newest state is
//! read after the copy was looked at, so a slow run never replaces a newer copy by an older one.

use object_store::{Attribute, AttributeValue, Attributes, PutMode, PutOptions, UpdateVersion};

use super::handle::LakeHandle;
use super::refusal;
use super::state::{StateEntry, is_in};
use crate::error::{Error, Result};

/// The attribute of a copy that holds the SHA-256 of its file.
const DIGEST: &str = "drugs-rs-sha256";

/// Attempts to replace a copy while others replace it at the same time.
const TRIES: usize = 16;

fn digest() -> Attribute {
    Attribute::Metadata(DIGEST.into())
}

/// Whether the published copy is a copy of exactly this file.
pub(super) fn is_published(lake: &LakeHandle, path: &str, entry: &StateEntry) -> Result<bool> {
    let found = lake.client.head(&lake.key(path))?;
    Ok(found.is_some_and(|found| is_copy(&found.attributes, entry)))
}

fn is_copy(attributes: &Attributes, entry: &StateEntry) -> bool {
    attributes
        .get(&digest())
        .is_some_and(|value| value.as_ref() == entry.sha256)
}

/// Publishes the files of the units that have a copy.
pub(super) fn publish(lake: &LakeHandle, units: &[String]) -> Result<()> {
    let paths = lake.places.published.iter().filter(|path| is_in(units, path));
    paths.copied().try_for_each(|path| publish_one(lake, path))
}

fn publish_one(lake: &LakeHandle, path: &str) -> Result<()> {
    let key = lake.key(path);
    for _ in 0..TRIES {
        let copy = lake.client.head(&key)?;
        let state = lake.refresh()?.state;
        let Some(entry) = state.files.get(path) else {
            if copy.is_some() {
                lake.client.remove(&[key], None);
            }
            return Ok(());
        };
        let version = match copy {
            Some(copy) if is_copy(&copy.attributes, entry) => return Ok(()),
            Some(copy) => PutMode::Update(UpdateVersion {
                e_tag: copy.meta.e_tag,
                version: copy.meta.version,
            }),
            None => PutMode::Create,
        };
        // A missing object means that a newer state has replaced this one.
        let Some(bytes) = lake.bytes(path, entry)? else {
            continue;
        };
        let mut options = PutOptions::from(version);
        options
            .attributes
            .insert(digest(), AttributeValue::from(entry.sha256.clone()));
        options
            .attributes
            .insert(Attribute::ContentType, AttributeValue::from("application/json"));
        match lake.client.put(&key, bytes, &options)? {
            Ok(_) => return Ok(()),
            Err(error) if refusal::is_lost_race(&error) || refusal::is_unclear(&error) => {}
            Err(error) => return Err(refusal::storage(&lake.client.uri(&key), "publish", &error)),
        }
    }
    Err(Error::Conflict {
        path: lake.client.uri(&key),
        found: "the lake holds the new state, but others kept replacing this copy of it".to_owned(),
    })
}
