//! Objects in buckets: `gs://` and `s3://`, as sources and as lakes.
//!
//! Code above this module is synchronous: futures end in [`Client::wait`], which checks for cancellation ten times a
//! second. The runtime (`waiting.rs`) starts with the first use of a bucket and ends with its last user.
//!
//! - [`environment`] checks the variables, [`credentials`] builds a store from them, and [`refusal`] turns a server's
//!   answer into an error without secrets.
//! - [`ahead`] chooses what to prefetch; [`reader`] reads an object in pieces; [`upload`] writes an object whose length
//!   is known only at its end.
//! - [`lake`] is the lake in a bucket: [`state`] its content, [`transaction`] the commit by one conditional put,
//!   [`run`] the marker of a live run, [`sweep`] the removal of leftovers, [`publish`] the copies under plain names.
//! - [`prefix`] is a prefix outside of a lake, for downloaded files.

mod ahead;
mod credentials;
mod environment;
mod handle;
mod lake;
mod patience;
mod prefix;
mod publish;
mod reader;
mod refusal;
mod run;
mod sources;
mod state;
mod sweep;
mod transaction;
mod upload;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutOptions, PutPayload,
};

pub use handle::SpecialPaths;
pub use lake::BucketLake;
use patience::{Patience, patiently};
pub(super) use prefix::BucketPrefix;
pub(super) use sources::{ObjectFile, expand};

use super::uri::{BucketUri, Scheme};
use crate::error::{Error, Result};
use crate::task::Task;
use crate::waiting::AsyncRuntime;

/// The connection to one bucket.
struct Bucket {
    /// `gs://bucket`
    root: String,
    runtime: AsyncRuntime,
    store: Arc<dyn ObjectStore>,
}

/// A bucket, with the task that cancels its requests.
#[derive(Clone)]
pub(crate) struct Client {
    bucket: Arc<Bucket>,
    task: Task,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.bucket.root)
    }
}

/// An object, or only its metadata.
struct Got {
    meta: ObjectMeta,
    attributes: Attributes,
    bytes: Vec<u8>,
}

/// The key of a connection. It has the process id, because a forked child has none of its parent's threads.
type ConnectionKey = (u32, Scheme, String);

/// The connections in use, so that a thousand sources of one bucket share one.
static CONNECTIONS: Mutex<Option<HashMap<ConnectionKey, Weak<Bucket>>>> = Mutex::new(None);

impl Client {
    /// Connects to the bucket of a URI.
    pub(crate) fn connect(uri: &BucketUri, task: &Task) -> Result<Self> {
        // An invalid name fails before a connection is made.
        parse(&uri.root(), uri.key())?;
        let key = (std::process::id(), uri.scheme(), uri.bucket().to_owned());
        if let Some(bucket) = known(&key) {
            return Ok(Self {
                bucket,
                task: task.clone(),
            });
        }
        let (store, identity) = credentials::store(uri)?;
        let client = Self::over(uri.root(), store, task)?;
        credentials::check(&client, uri, identity)?;
        // Never waits: a fork may have copied the lock while a thread of the parent held it.
        if let Ok(mut connections) = CONNECTIONS.try_lock() {
            let connections = connections.get_or_insert_default();
            connections.retain(|_, bucket| bucket.strong_count() > 0);
            connections.insert(key, Arc::downgrade(&client.bucket));
        }
        Ok(client)
    }

    /// A bucket over any store; `root` is its name in messages.
    pub(crate) fn over(root: String, store: Arc<dyn ObjectStore>, task: &Task) -> Result<Self> {
        Ok(Self {
            bucket: Arc::new(Bucket {
                root,
                runtime: AsyncRuntime::new("drugs_rs-bucket")?,
                store,
            }),
            task: task.clone(),
        })
    }

    /// The URI of an object.
    pub(crate) fn uri(&self, key: &str) -> String {
        format!("{}/{key}", self.bucket.root)
    }

    /// Waits for an answer, or for the task to be stopped.
    pub(crate) fn wait<T>(&self, answer: impl Future<Output = T>) -> Result<T> {
        self.bucket.runtime.wait(&self.task, answer)
    }

    /// Waits at most this long, even if the task is cancelled: for cleaning up.
    fn wait_at_most<T>(&self, time: Duration, answer: impl Future<Output = T>) -> Option<T> {
        self.bucket.runtime.wait_at_most(time, answer)
    }

    /// Starts work in the background. It must not hold a [`Client`], because dropping the last one ends the runtime.
    fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<tokio::task::JoinHandle<T>> {
        self.bucket.runtime.start(work)
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.bucket.store)
    }

    /// The path of a key.
    fn path(&self, key: &str) -> Result<Path> {
        parse(&self.bucket.root, key)
    }

    /// Reads an object; `None` if there is none.
    fn get(&self, key: &str, options: &GetOptions, action: &'static str) -> Result<Option<Got>> {
        let path = self.path(key)?;
        let ask = |options: GetOptions| async {
            let found = self.bucket.store.get_opts(&path, options).await?;
            let (meta, attributes) = (found.meta.clone(), found.attributes.clone());
            let bytes = found.bytes().await?.into();
            Ok(Got {
                meta,
                attributes,
                bytes,
            })
        };
        let answer = self.wait(patiently(Patience::new(), || ask(options.clone())))?;
        let error = match answer {
            Ok(got) => return Ok(Some(got)),
            Err(error) if refusal::is_missing_object(&error) => return Ok(None),
            Err(error) => error,
        };
        if options.head && refusal::is_unexplained(&error) {
            // The answer to a HEAD request has no body, so it cannot name the cause.
            let first_byte = GetOptions {
                range: Some(GetRange::Bounded(0..1)),
                ..GetOptions::default()
            };
            if let Err(explained) = self.wait(ask(first_byte))? {
                return Err(refusal::storage(&self.uri(key), action, &explained));
            }
        }
        Err(refusal::storage(&self.uri(key), action, &error))
    }

    /// Reads several small objects at once; missing ones are left out.
    fn get_all(&self, keys: &[String]) -> Result<HashMap<String, Vec<u8>>> {
        let paths: Vec<Path> = keys.iter().map(|key| self.path(key)).collect::<Result<_>>()?;
        let answers: Vec<object_store::Result<Vec<u8>>> = self.wait(
            futures::stream::iter(paths.iter().map(|path| {
                patiently(Patience::with_a_known_server(), move || async move {
                    let bytes = self.bucket.store.get(path).await?.bytes().await?;
                    Ok(bytes.into())
                })
            }))
            .buffered(ahead::TOGETHER)
            .collect(),
        )?;
        let mut found = HashMap::new();
        for (key, answer) in keys.iter().zip(answers) {
            match answer {
                Ok(bytes) => drop(found.insert(key.clone(), bytes)),
                Err(error) if refusal::is_missing_object(&error) => {}
                Err(error) => return Err(refusal::storage(&self.uri(key), "read", &error)),
            }
        }
        Ok(found)
    }

    /// The metadata of an object; `None` if there is none.
    fn head(&self, key: &str) -> Result<Option<Got>> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        self.get(key, &options, "look at")
    }

    /// Writes a small object. Returns the store's own error, because only the caller knows what a failed condition
    /// means.
    fn put(
        &self,
        key: &str,
        bytes: Vec<u8>,
        options: &PutOptions,
    ) -> Result<object_store::Result<object_store::PutResult>> {
        let path = self.path(key)?;
        let payload = PutPayload::from(bytes);
        self.wait(async {
            let mut patience = Patience::with_a_known_server();
            loop {
                let put = self
                    .bucket
                    .store
                    .put_opts(&path, payload.clone(), options.clone());
                match put.await {
                    Err(answer) if patience.asks_a_busy_one_again(&answer).await => {}
                    other => return other,
                }
            }
        })
    }

    /// Replaces one object, whole or not at all.
    pub(crate) fn replace(&self, key: &str, bytes: &[u8]) -> Result<()> {
        self.put(key, bytes.to_vec(), &PutOptions::default())?
            .map(|_| ())
            .map_err(|error| refusal::storage(&self.uri(key), "write", &error))
    }

    /// All objects below a prefix, which must end at a `/`.
    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        self.try_list(prefix, |_| true)?
            .map_err(|error| refusal::storage(&self.uri(prefix), "list the objects below", &error))
    }

    /// The wanted objects below a prefix. Returns the store's own error.
    fn try_list(
        &self,
        prefix: &str,
        wanted: impl Fn(&ObjectMeta) -> bool,
    ) -> Result<object_store::Result<Vec<ObjectMeta>>> {
        let path = self.path(prefix)?;
        // A broken page restarts the list: a single page cannot be requested.
        self.wait(patiently(Patience::new(), || {
            self.bucket
                .store
                .list(Some(&path))
                .try_filter(|object| std::future::ready(wanted(object)))
                .try_collect()
        }))
    }

    /// Removes objects. What cannot be removed now is left to a later sweep.
    fn remove(&self, keys: &[String], most: Option<Duration>) {
        let paths: Vec<_> = keys.iter().filter_map(|key| Path::parse(key).ok()).collect();
        let store = self.store();
        let removal = async move {
            let mut removed = futures::stream::iter(paths)
                .map(|path| {
                    let store = Arc::clone(&store);
                    async move { store.delete(&path).await }
                })
                .buffer_unordered(8);
            while removed.next().await.is_some() {}
        };
        match most {
            Some(most) => drop(self.wait_at_most(most, removal)),
            None => drop(self.wait(removal)),
        }
    }
}

fn parse(root: &str, key: &str) -> Result<Path> {
    Path::parse(key).map_err(|_| {
        Error::argument(
            format!("{root}/{key}"),
            "a name with empty parts, `.`, `..` or control characters between its slashes",
            "an object's name without them",
        )
    })
}

/// Writes one object, whole or not at all.
pub fn replace_object(uri: &BucketUri, bytes: &[u8], task: &Task) -> Result<()> {
    if uri.key().is_empty() || uri.key().ends_with('/') {
        return Err(Error::argument(
            format!("{}/{}", uri.root(), uri.key()),
            "the name of a bucket or of a folder",
            "the URI of an object to write",
        ));
    }
    Client::connect(uri, task)?.replace(uri.key(), bytes)
}

fn known(key: &ConnectionKey) -> Option<Arc<Bucket>> {
    let connections = CONNECTIONS.try_lock().ok()?;
    connections.as_ref()?.get(key)?.upgrade()
}
