//! A prefix that downloaded files are put below: objects under plain names, each whole or not there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use object_store::GetOptions;

use super::reader::{FoundObject, ObjectReader};
use super::sources::directly_below;
use super::upload::{Body, Failure, replace};
use super::{Client, refusal};
use crate::error::{Error, Result};
use crate::storage::uri::BucketUri;
use crate::task::Task;

#[derive(Debug, Clone)]
pub(in crate::storage) struct BucketPrefix {
    client: Client,
    /// Without a slash at its end; empty for a whole bucket.
    root: String,
}

impl BucketPrefix {
    pub(in crate::storage) fn connect(uri: &BucketUri, task: &Task) -> Result<Self> {
        Ok(Self {
            client: Client::connect(uri, task)?,
            root: uri.key().trim_matches('/').to_owned(),
        })
    }

    fn key(&self, path: &str) -> String {
        match (self.root.as_str(), path) {
            ("", path) => path.to_owned(),
            (root, "") => root.to_owned(),
            (root, path) => format!("{root}/{path}"),
        }
    }

    pub(in crate::storage) fn uri(&self, path: &str) -> String {
        self.client.uri(&self.key(path))
    }

    /// The objects directly below a folder, with their sizes.
    pub(in crate::storage) fn sizes(&self, folder: &str) -> Result<BTreeMap<String, u64>> {
        let (_, objects) = directly_below(&self.client, &self.key(folder))?;
        let named = objects.into_iter().filter_map(|object| {
            let name = object.location.filename()?.to_owned();
            Some((name, object.size))
        });
        Ok(named.collect())
    }

    pub(in crate::storage) fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let found = self.client.get(&self.key(path), &GetOptions::default(), "read")?;
        Ok(found.map(|found| found.bytes))
    }

    /// Opens an object for reading; `None` if there is none.
    pub(in crate::storage) fn open(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>> {
        let key = self.key(path);
        let Some(found) = self.client.head(&key)? else {
            return Ok(None);
        };
        let found = FoundObject {
            key,
            bytes: found.meta.size,
            tag: found.meta.e_tag,
        };
        Ok(Some(Box::new(ObjectReader::open(self.client.clone(), found)?)))
    }

    /// Uploads a finished file, which replaces an object of this name.
    pub(in crate::storage) fn put(&self, path: &str, file: File, bytes: u64) -> Result<()> {
        let key = self.key(path);
        let failed = |error| Error::storage(self.uri(path), "keep a temporary copy of it", error);
        let body = Body::of(file, bytes).map_err(failed)?;
        let target = self.client.path(&key)?;
        let sent = self.client.wait(replace(self.client.store(), target, body))?;
        sent.map_err(|failure| match failure {
            Failure::Store(error) => refusal::storage(&self.uri(path), "write", &error),
            Failure::Disk(error) => failed(error),
        })
    }

    pub(in crate::storage) fn remove(&self, path: &str) {
        self.client.remove(&[self.key(path)], None);
    }
}
