//! Copies of some files under their plain names, for people and for programs that know nothing of a lake's state.
//!
//! They follow the commit and are no part of it: `gold/drug_graph.json` itself may be of the state before for the moments
//! between. Each copy bears the digest of the file that it is a copy of. It is replaced by a conditional put, and only after
//! a look at the newest state that was taken later than the look at the copy: so a slow run never puts an older copy over
//! a newer one.

use object_store::{Attribute, AttributeValue, Attributes, PutMode, PutOptions, UpdateVersion};

use super::handle::LakeHandle;
use super::refusal;
use super::state::{StateEntry, is_in};
use crate::error::{Error, Result};

/// The attribute of a copy that holds the SHA-256 of its file.
const DIGEST: &str = "drugs-rs-sha256";

/// So often a copy is tried that somebody else replaces at the same moment.
const TRIES: usize = 16;

fn digest() -> Attribute {
    Attribute::Metadata(DIGEST.into())
}

/// Whether the copy of a file is one of this very file.
pub(super) fn is_published(lake: &LakeHandle, path: &str, entry: &StateEntry) -> Result<bool> {
    let found = lake.client.head(&lake.key(path))?;
    Ok(found.is_some_and(|found| is_copy(&found.attributes, entry)))
}

fn is_copy(attributes: &Attributes, entry: &StateEntry) -> bool {
    attributes
        .get(&digest())
        .is_some_and(|value| value.as_ref() == entry.sha256)
}

/// Publishes what of the units is to be published.
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
        // Gone already means that the state is newer than this one by now.
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
