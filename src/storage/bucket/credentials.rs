//! From the environment to a store. Credentials are found where the clouds' own tools look for them; none is ever told.

use std::env;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{BackoffConfig, CredentialProvider, ObjectStore, RetryConfig, StaticCredentialProvider};

use super::{Client, refusal};
use crate::error::{Error, Result};
use crate::storage::uri::{BucketUri, Scheme};

/// The endpoint of an emulator of Google's storage, which is asked without credentials.
const EMULATOR: &str = "STORAGE_EMULATOR_HOST";

/// Asking a machine for its identity answers within moments, or not at all where there is nobody to ask.
const IDENTITY: Duration = Duration::from_secs(10);

/// Lost connections, 429 and 5xx are asked again, for about a minute in all.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        max_retries: 10,
        retry_timeout: Duration::from_secs(60),
    }
}

/// The store of a bucket, by the environment.
pub(super) fn store(uri: &BucketUri) -> Result<(Arc<dyn ObjectStore>, Identity)> {
    match uri.scheme() {
        Scheme::Gs => google(uri),
        Scheme::S3 => amazon(uri),
    }
}

/// How to find out whether there are credentials; nothing where none are needed.
type Identity = Option<std::pin::Pin<Box<dyn Future<Output = object_store::Result<()>> + Send>>>;

fn google(uri: &BucketUri) -> Result<(Arc<dyn ObjectStore>, Identity)> {
    let emulator = env::var(EMULATOR).ok().filter(|host| !host.trim().is_empty());
    let builder = match &emulator {
        Some(host) => {
            let base = if host.contains("://") {
                host.clone()
            } else {
                format!("http://{host}")
            };
            // Real credentials are not even looked for: an emulator must never see them.
            let nobody = GcpCredential {
                bearer: String::new(),
            };
            GoogleCloudStorageBuilder::new()
                .with_base_url(base.trim_end_matches('/'))
                .with_credentials(Arc::new(StaticCredentialProvider::new(nobody)))
                .with_skip_signature(true)
        }
        None => GoogleCloudStorageBuilder::from_env(),
    };
    let skips = builder.get_config_value(&GoogleConfigKey::SkipSignature);
    let store = builder
        .with_bucket_name(uri.bucket())
        .with_retry(retries())
        .build()
        .map_err(|_| unusable(uri))?;
    let credentials = Arc::clone(store.credentials());
    Ok(identified(store, credentials, skips.as_deref()))
}

fn amazon(uri: &BucketUri) -> Result<(Arc<dyn ObjectStore>, Identity)> {
    let builder = AmazonS3Builder::from_env();
    let skips = builder.get_config_value(&AmazonS3ConfigKey::SkipSignature);
    let store = builder
        .with_bucket_name(uri.bucket())
        .with_retry(retries())
        .build()
        .map_err(|_| unusable(uri))?;
    let credentials = Arc::clone(store.credentials());
    Ok(identified(store, credentials, skips.as_deref()))
}

/// A store with the question who one is there; nobody is asked where requests are not signed.
fn identified<C: Send + Sync + 'static>(
    store: impl ObjectStore,
    credentials: Arc<dyn CredentialProvider<Credential = C>>,
    skips_signature: Option<&str>,
) -> (Arc<dyn ObjectStore>, Identity) {
    let asks = skips_signature != Some("true");
    let identity = async move { credentials.get_credential().await.map(|_| ()) };
    (Arc::new(store), asks.then(|| Box::pin(identity) as _))
}

/// Asks once for credentials, so that their absence is told as such and not as a server that cannot be reached.
pub(super) fn check(client: &Client, uri: &BucketUri, identity: Identity) -> Result<()> {
    let Some(identity) = identity else { return Ok(()) };
    match client.wait(async { tokio::time::timeout(IDENTITY, identity).await })? {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(unusable(uri)),
    }
}

/// The library's own words may repeat a part of a key, so that only the names of the variables are told.
fn unusable(uri: &BucketUri) -> Error {
    let (names, remedy): (&[&str], _) = match uri.scheme() {
        Scheme::Gs => (
            &[
                "GOOGLE_APPLICATION_CREDENTIALS",
                "GOOGLE_SERVICE_ACCOUNT",
                "GOOGLE_SERVICE_ACCOUNT_PATH",
                "GOOGLE_SERVICE_ACCOUNT_KEY",
                "SERVICE_ACCOUNT",
            ],
            "run on a machine with a service account, name a key file in GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth \
             application-default login`; for a public bucket set GOOGLE_SKIP_SIGNATURE=true, for an emulator \
             STORAGE_EMULATOR_HOST",
        ),
        Scheme::S3 => (
            &[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_ENDPOINT_URL",
                "AWS_PROFILE",
            ],
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (profiles of ~/.aws are not read), run where a role is given to \
             the machine, or set AWS_SKIP_SIGNATURE=true for a public bucket; an endpoint without TLS needs \
             AWS_ALLOW_HTTP=true",
        ),
    };
    let set: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| env::var_os(name).is_some())
        .collect();
    let found = if set.is_empty() {
        "no credentials were found: no variable names any, and the machine gave none".to_owned()
    } else {
        format!(
            "no usable credentials were found; set in the environment: {}",
            set.join(", ")
        )
    };
    let source = refusal::of_our_own(ErrorKind::PermissionDenied, found, remedy);
    Error::storage(uri.root(), "connect", source)
}
