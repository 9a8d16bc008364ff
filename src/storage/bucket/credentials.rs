//! Builds a store from the environment. Credentials are found where the clouds' own tools look for them; no message
//! repeats one.

use std::env;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{
    BackoffConfig, ClientConfigKey, CredentialProvider, ObjectStore, RetryConfig, StaticCredentialProvider,
};

use super::environment::{Setting, ValueForm, checked, refused, settings, variable};
use super::{Client, refusal};
use crate::error::{Error, Result};
use crate::storage::uri::{BucketUri, Scheme};

/// The endpoint of an emulator of Google's storage, which is used without credentials.
const EMULATOR: &str = "STORAGE_EMULATOR_HOST";

/// A metadata server answers within moments, or never on a machine that has none.
const IDENTITY: Duration = Duration::from_secs(10);

/// The library retries lost connections, 429 and 5xx for up to a minute; `patience.rs` retries for longer.
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

/// The store of a bucket, configured by the environment.
pub(super) fn store(uri: &BucketUri) -> Result<(Arc<dyn ObjectStore>, Identity)> {
    match uri.scheme() {
        Scheme::Gs => google(uri),
        Scheme::S3 => amazon(uri),
    }
}

/// A request that checks whether there are credentials; `None` if none are needed.
type Identity = Option<std::pin::Pin<Box<dyn Future<Output = object_store::Result<()>> + Send>>>;

fn google(uri: &BucketUri) -> Result<(Arc<dyn ObjectStore>, Identity)> {
    let (builder, settings) = match variable(EMULATOR, ValueForm::Plain)? {
        Some(host) => {
            let base = if host.contains("://") {
                host
            } else {
                format!("http://{host}")
            };
            checked(EMULATOR, OsStr::new(&base), ValueForm::Url)?;
            // Real credentials are not looked up: an emulator must never see them.
            let nobody = GcpCredential {
                bearer: String::new(),
            };
            let builder = GoogleCloudStorageBuilder::new()
                .with_base_url(base.trim_end_matches('/'))
                .with_credentials(Arc::new(StaticCredentialProvider::new(nobody)))
                .with_skip_signature(true);
            (builder, Vec::new())
        }
        None => {
            // The library reads these itself.
            for name in ["GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"] {
                variable(name, ValueForm::Host)?;
            }
            let mut settings = settings("GOOGLE_")?;
            if let Some(value) = variable("SERVICE_ACCOUNT", ValueForm::File)? {
                let (name, key) = ("SERVICE_ACCOUNT".to_owned(), GoogleConfigKey::ServiceAccount);
                settings.insert(0, Setting { name, key, value });
            }
            let builder = settings
                .iter()
                .fold(GoogleCloudStorageBuilder::new(), |builder, setting| {
                    builder.with_config(setting.key, &setting.value)
                });
            (builder, settings)
        }
    };
    let skips = builder.get_config_value(&GoogleConfigKey::SkipSignature);
    let store = builder
        .with_bucket_name(uri.bucket())
        .with_retry(retries())
        .build()
        .map_err(|_| {
            let fails_alone = |setting: &Setting<GoogleConfigKey>| {
                let nobody = GcpCredential {
                    bearer: String::new(),
                };
                GoogleCloudStorageBuilder::new()
                    .with_bucket_name(uri.bucket())
                    .with_credentials(Arc::new(StaticCredentialProvider::new(nobody)))
                    .with_config(setting.key, &setting.value)
                    .build()
                    .is_err()
            };
            let of_credentials = [
                GoogleConfigKey::ServiceAccount,
                GoogleConfigKey::ServiceAccountKey,
                GoogleConfigKey::ApplicationCredentials,
            ];
            blamed(uri, &settings, |setting| {
                !of_credentials.contains(&setting.key) && fails_alone(setting)
            })
        })?;
    let credentials = Arc::clone(store.credentials());
    Ok(identified(store, credentials, skips.as_deref()))
}

fn amazon(uri: &BucketUri) -> Result<(Arc<dyn ObjectStore>, Identity)> {
    let settings: Vec<Setting<AmazonS3ConfigKey>> = settings("AWS_")?;
    let with = |builder: AmazonS3Builder, setting: &Setting<AmazonS3ConfigKey>| {
        builder.with_config(setting.key, &setting.value)
    };
    let builder = settings.iter().fold(AmazonS3Builder::new(), with);
    let allows_http = builder.get_config_value(&AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
    let skips = builder.get_config_value(&AmazonS3ConfigKey::SkipSignature);
    let store = builder
        .with_bucket_name(uri.bucket())
        .with_retry(retries())
        .build()
        .map_err(|_| {
            blamed(uri, &settings, |setting| {
                let bare = AmazonS3Builder::new()
                    .with_bucket_name(uri.bucket())
                    .with_access_key_id("key")
                    .with_secret_access_key("secret");
                with(bare, setting).build().is_err()
            })
        })?;
    if allows_http.as_deref() != Some("true") {
        refuse_without_tls(&settings)?;
    }
    let credentials = Arc::clone(store.credentials());
    Ok(identified(store, credentials, skips.as_deref()))
}

/// Checked here, because the library's own error does not name the cause.
fn refuse_without_tls(settings: &[Setting<AmazonS3ConfigKey>]) -> Result<()> {
    // The S3 endpoint takes precedence over the general one.
    let endpoint = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .into_iter()
        .find_map(|key| settings.iter().rev().find(|setting| setting.key == key));
    match endpoint {
        Some(setting) if setting.value.to_ascii_lowercase().starts_with("http://") => Err(refused(
            &setting.name,
            "an endpoint without TLS",
            "https:// at its beginning, or AWS_ALLOW_HTTP=true beside it where the network is trusted",
        )),
        _ => Ok(()),
    }
}

/// The error for a store that cannot be built: it names the variable that fails by itself, or else the credentials.
fn blamed<K>(uri: &BucketUri, settings: &[Setting<K>], fails: impl Fn(&Setting<K>) -> bool) -> Error {
    match settings.iter().find(|setting| fails(setting)) {
        Some(setting) => refused(
            &setting.name,
            "a value that cannot be used",
            "what its name asks for, such as true or false, a number, a duration (`30 seconds`)",
        ),
        None => unusable(uri),
    }
}

/// A store with a check of its credentials; without a check if requests are not signed.
fn identified<C: Send + Sync + 'static>(
    store: impl ObjectStore,
    credentials: Arc<dyn CredentialProvider<Credential = C>>,
    skips_signature: Option<&str>,
) -> (Arc<dyn ObjectStore>, Identity) {
    let asks = skips_signature != Some("true");
    let identity = async move { credentials.get_credential().await.map(|_| ()) };
    (Arc::new(store), asks.then(|| Box::pin(identity) as _))
}

/// Requests credentials once, so that missing ones are reported as such and not as a server that cannot be reached.
pub(super) fn check(client: &Client, uri: &BucketUri, identity: Identity) -> Result<()> {
    let Some(identity) = identity else { return Ok(()) };
    match client.wait(async { tokio::time::timeout(IDENTITY, identity).await })? {
        Ok(Ok(())) => Ok(()),
        Ok(Err(answer)) if refusal::remedy_of_cause(&answer).is_some() => {
            Err(refusal::storage(&uri.root(), "connect", &answer))
        }
        Ok(Err(_)) | Err(_) => Err(unusable(uri)),
    }
}

/// The library's message may repeat a part of a key, so this error names only the variables.
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
