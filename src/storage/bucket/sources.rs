//! Sources in buckets: objects, prefixes and globs, by the same rules as files, folders and globs of a disk.
//!
//! A URI names one object. If there is no such object, it names the objects directly below it, as a folder does. With
//! `*`, `?` or `[` it names the objects that match. Both lists are sorted and leave out objects whose own name begins
//! with `.` or `_`.

use std::cell::Cell;
use std::io::Read;

use object_store::{ObjectMeta, ObjectStore};

use super::patience::{Patience, patiently};
use super::reader::{FoundObject, ObjectReader};
use super::{Client, refusal};
use crate::error::{Error, Result};
use crate::storage::hidden::is_below_hidden;
use crate::storage::uri::BucketUri;
use crate::task::Task;

/// An object of a source, as it was when it was found.
#[derive(Debug, Clone)]
pub(crate) struct ObjectFile {
    client: Client,
    found: FoundObject,
}

impl ObjectFile {
    fn new(client: &Client, object: ObjectMeta) -> (String, Self) {
        let found = FoundObject {
            key: object.location.to_string(),
            bytes: object.size,
            tag: object.e_tag,
        };
        let client = client.clone();
        (client.uri(&found.key), Self { client, found })
    }

    pub(crate) fn name(&self) -> &str {
        let key = self.found.key.as_str();
        key.rsplit('/').next().unwrap_or(key)
    }

    pub(crate) fn size(&self) -> u64 {
        self.found.bytes
    }

    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>> {
        let reader = ObjectReader::open(self.client.clone(), self.found.clone())?;
        Ok(Box::new(reader))
    }
}

/// The objects of one source argument, with their URIs.
pub(crate) fn expand(
    uri: &str,
    place: &BucketUri,
    expected: &str,
    task: &Task,
) -> Result<Vec<(String, ObjectFile)>> {
    let client = Client::connect(place, task)?;
    let not_found = |found: &str| Error::SourceNotFound {
        uri: uri.to_owned(),
        expected: format!("{expected}{found}"),
    };
    let key = place.key();
    let is_folder = key.is_empty() || key.ends_with('/');
    let is_glob = key.contains(['*', '?', '[']);
    let named = if is_folder { None } else { find(&client, key)? };
    if let Some(object) = named.as_ref().filter(|_| !is_glob) {
        return Ok(vec![ObjectFile::new(&client, object.clone())]);
    }
    let (any, mut objects) = if is_glob {
        match matching(&client, uri, key) {
            // A malformed glob may still be the name of an object.
            Err(Error::Argument { .. }) if named.is_some() => (true, Vec::new()),
            found => found?,
        }
    } else {
        directly_below(&client, key.trim_end_matches('/'))?
    };
    objects.retain(|object| {
        let name = object.location.filename().unwrap_or_default();
        let hidden =
            name.starts_with(['.', '_']) || (is_glob && is_below_hidden(key, object.location.as_ref()));
        !hidden
    });
    // An object whose name looks like a glob is one of the matches and replaces no other.
    objects.extend(named);
    objects.sort_by(|left, right| left.location.cmp(&right.location));
    objects.dedup_by(|left, right| left.location == right.location);
    match (objects.is_empty(), is_glob, any) {
        (false, _, _) => Ok(objects
            .into_iter()
            .map(|object| ObjectFile::new(&client, object))
            .collect()),
        (true, true, _) => Err(not_found("; the glob matches no object")),
        (true, false, true) => Err(Error::EmptyFolder {
            uri: uri.to_owned(),
            expected: expected.to_owned(),
        }),
        (true, false, false) => Err(not_found("; there is no object of this name and none below it")),
    }
}

/// The object of a key, if there is one.
fn find(client: &Client, key: &str) -> Result<Option<ObjectMeta>> {
    let Some(found) = client.head(key)? else {
        return Ok(None);
    };
    Ok(Some(found.meta))
}

/// The objects directly below a prefix, and whether there is anything below it at all.
pub(super) fn directly_below(client: &Client, prefix: &str) -> Result<(bool, Vec<ObjectMeta>)> {
    let path = client.path(prefix)?;
    let store = client.store();
    let listed = client
        .wait(patiently(Patience::new(), || {
            store.list_with_delimiter(Some(&path))
        }))?
        .map_err(|error| failed(client, prefix, &error))?;
    let any = !listed.common_prefixes.is_empty() || !listed.objects.is_empty();
    let mut objects = listed.objects;
    // Consoles mark an empty folder by an object that has its name with a slash at the end.
    objects.retain(|object| object.location != path);
    Ok((any, objects))
}

/// The objects that a glob matches, listed below its longest prefix without wildcards.
fn matching(client: &Client, uri: &str, key: &str) -> Result<(bool, Vec<ObjectMeta>)> {
    let pattern = glob::Pattern::new(key).map_err(|error| {
        Error::argument(
            uri.to_owned(),
            error.to_string(),
            "an object or a glob such as in/*.csv",
        )
    })?;
    let literal = &key[..key.find(['*', '?', '[']).unwrap_or(key.len())];
    let prefix = literal.rsplit_once('/').map_or("", |(prefix, _)| prefix);
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: false,
    };
    let any = Cell::new(false);
    let objects = client
        .try_list(prefix, |object| {
            any.set(true);
            pattern.matches_with(object.location.as_ref(), options)
        })?
        .map_err(|error| failed(client, prefix, &error))?;
    Ok((any.get(), objects))
}

fn failed(client: &Client, prefix: &str, error: &object_store::Error) -> Error {
    if refusal::is_missing_bucket(error) {
        return Error::SourceNotFound {
            uri: client.uri(prefix),
            expected: "a bucket that exists: correct its name".to_owned(),
        };
    }
    refusal::storage(&client.uri(prefix), "list the objects below", error)
}
