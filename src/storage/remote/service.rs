//! OpenDAL's operators behind a remote, and the runtime they run on: async ends here.
//!
//! Three operators share one service, one pool of connections and one limit of requests at once (`connections`):
//!
//! - `quick` for listings, reads and small writes: no step may be silent for longer than `timeout`;
//! - `bulk` for the upload of a pack, which is one step of many minutes on a slow line (a dead line is noticed by TCP);
//! - `once`, like `quick`, but nothing is sent twice: for records whose late second arrival would break the protocol.
//!
//! What is temporary (a broken connection, "slow down", 5xx) is tried again up to `retries` times, with waits that double
//! and jitter. For buckets OpenDAL does that, page by page of a listing; the other services do not tell well what is
//! temporary (OpenDAL tries a 403 of WebDAV again), so [`Service::run`] decides there. A service that never answered since
//! the program started is given up after [`FIRST_CONTACT`].

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use opendal::layers::{ConcurrentLimitLayer, RetryEvent, RetryLayer, TimeoutLayer};
use opendal::{Operator, services};
use tokio::runtime::{Builder, Runtime};

use super::access::Access;
use super::answer::{kind_of, words_of};
use super::aws::AwsSettings;
use super::azure::AzureSettings;
use super::error::RemoteErrorKind;
use super::google::GoogleSettings;
use super::identity::Identity;
use super::options::RemoteOptions;
use super::url::ServiceKind;

/// How long a service may take to give its very first answer, all tries together.
const FIRST_CONTACT: Duration = Duration::from_secs(10);
/// How long a step of a transfer may be silent.
pub(super) const QUIET: Duration = Duration::from_secs(20);
/// How long the upload of one object may take: 64 MiB at 0.6 Mbit/s.
const LONGEST_UPLOAD: Duration = Duration::from_secs(15 * 60);
/// How often a step is tried again.
const RETRIES: usize = 5;
/// The wait before the first of them; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// How many requests are on their way at once.
const REQUESTS_AT_ONCE: usize = 16;

/// One runtime for all remotes of the process. It only waits: the work is done by the caller's threads.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(2).thread_name("remote").enable_all().build()
});

/// The runtime of all remotes, for other calls over the network.
///
/// # Errors
///
/// When the program may not start threads.
pub(in crate::storage) fn runtime() -> Result<&'static Runtime, &'static io::Error> {
    RUNTIME.as_ref()
}

/// The operators of one remote.
#[derive(Clone)]
pub(super) struct Service {
    pub quick: Operator,
    pub bulk: Operator,
    pub once: Operator,
    answered: Arc<AtomicBool>,
    trouble: Trouble,
    first_contact: Duration,
    /// How often [`Service::run`] tries again.
    retries: usize,
}

/// The last thing that made a call wait and try again.
type Trouble = Arc<Mutex<Option<String>>>;

/// Why a call did not succeed.
pub(super) enum CallError {
    /// The service, or the way to it, said no.
    Service(opendal::Error),
    /// Nothing was heard for so long; the last trouble on the way.
    Silence(Duration, Option<String>),
    /// The program may not start threads.
    Runtime(String),
}

impl Service {
    /// A folder.
    pub fn folder(root: &str) -> opendal::Result<Self> {
        let operator = Operator::new(services::Fs::default().root(root))?;
        Ok(Self::local(operator))
    }

    /// Objects in the memory of this process.
    pub fn memory() -> opendal::Result<Self> {
        Ok(Self::local(Operator::new(services::Memory::default())?))
    }

    /// A bucket or container of `kind`, and as whom it is used.
    pub fn bucket(
        kind: ServiceKind,
        bucket: &str,
        prefix: &str,
        options: &RemoteOptions,
        access: &Access,
    ) -> opendal::Result<(Self, Identity)> {
        opendal::install_default();
        let (operator, identity) = match kind {
            ServiceKind::Azure => azure(bucket, prefix, options, access)?,
            ServiceKind::Google => google(bucket, prefix, options, access)?,
            _ => s3(bucket, prefix, options)?,
        };
        Ok((Self::network(operator, options, true), identity))
    }

    /// A folder of the server at `endpoint`, and as whom it is used.
    pub fn web(
        kind: ServiceKind,
        endpoint: &str,
        path: &str,
        options: &RemoteOptions,
        access: &Access,
    ) -> opendal::Result<(Self, Identity)> {
        opendal::install_default();
        let user = access.login.as_ref().map_or("", |login| login.user());
        let password = access.login.as_ref().map_or("", |login| login.password());
        let operator = if kind == ServiceKind::WebDav {
            let builder = services::Webdav::default().endpoint(endpoint).root(path);
            Operator::new(builder.username(user).password(password))?
        } else {
            let builder = services::Http::default().endpoint(endpoint).root(path);
            Operator::new(builder.username(user).password(password))?
        };
        let login = access.login.as_ref();
        let identity =
            login.map_or(Identity::Anonymous, |login| Identity::Login { user: login.user().into() });
        Ok((Self::network(operator, options, false), identity))
    }

    /// Nothing of this machine is temporary: no layers.
    fn local(operator: Operator) -> Self {
        Self {
            quick: operator.clone(),
            bulk: operator.clone(),
            once: operator,
            answered: Arc::new(AtomicBool::new(true)),
            trouble: Trouble::default(),
            first_contact: FIRST_CONTACT,
            retries: 0,
        }
    }

    /// With `layered` retries OpenDAL tries again, otherwise [`Service::run`].
    fn network(operator: Operator, options: &RemoteOptions, layered: bool) -> Self {
        let trouble = Trouble::default();
        let limit = ConcurrentLimitLayer::new(options.connections.unwrap_or(REQUESTS_AT_ONCE));
        let quiet = options.timeout.unwrap_or(QUIET);
        let retries = options.retries.unwrap_or(RETRIES);
        let patient = |step: Duration| TimeoutLayer::new().with_timeout(step).with_io_timeout(step);
        let noted = Arc::clone(&trouble);
        let note = move |event: RetryEvent<'_>| {
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(words_of(event.err));
        };
        let again = RetryLayer::new().with_jitter().with_factor(2.0).with_min_delay(FIRST_WAIT);
        let again = again.with_max_times(retries).with_notify(note);
        let tried = |operator: Operator| if layered { operator.layer(again.clone()) } else { operator };
        Self {
            quick: tried(operator.clone().layer(patient(quiet))).layer(limit.clone()),
            bulk: tried(operator.clone().layer(patient(LONGEST_UPLOAD.max(quiet)))).layer(limit.clone()),
            once: operator.layer(patient(quiet)).layer(limit),
            answered: Arc::new(AtomicBool::new(false)),
            trouble,
            first_contact: options.timeout.unwrap_or(FIRST_CONTACT),
            retries: if layered { 0 } else { retries },
        }
    }

    /// Whether the service was heard of since the program started.
    pub fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Runs a call to its end on the runtime, again where it failed for a passing reason; the calling thread waits.
    pub fn run<T, F>(&self, call: impl Fn() -> F + Send + 'static) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = opendal::Result<T>> + Send + 'static,
    {
        self.carry_out(call, self.retries)
    }

    /// Runs a call to its end, once.
    pub fn run_once<T, F>(&self, call: impl Fn() -> F + Send + 'static) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = opendal::Result<T>> + Send + 'static,
    {
        self.carry_out(call, 0)
    }

    fn carry_out<T, F>(&self, call: impl Fn() -> F + Send + 'static, retries: usize) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = opendal::Result<T>> + Send + 'static,
    {
        let runtime = RUNTIME.as_ref().map_err(|error| CallError::Runtime(error.to_string()))?;
        let (answered, patience) = (self.has_answered(), self.first_contact);
        let noted = Arc::clone(&self.trouble);
        let tries = async move {
            let mut tried = 0;
            loop {
                match call().await {
                    Err(error) if tried < retries && is_passing(&error) => {
                        *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(words_of(&error));
                        tokio::time::sleep(wait_before(tried)).await;
                        tried += 1;
                    }
                    outcome => break outcome,
                }
            }
        };
        let task = runtime.spawn(async move {
            if answered {
                return Ok(tries.await);
            }
            tokio::time::timeout(patience, tries).await.map_err(|_| patience)
        });
        let outcome = runtime.block_on(task).map_err(|error| CallError::Runtime(error.to_string()))?;
        self.heard(outcome)
    }

    /// Notes whether the service was heard of.
    fn heard<T>(&self, outcome: Result<opendal::Result<T>, Duration>) -> Result<T, CallError> {
        match outcome {
            Ok(Ok(value)) => {
                self.answered.store(true, Ordering::Relaxed);
                Ok(value)
            }
            Ok(Err(error)) => {
                let heard = kind_of(&error) != RemoteErrorKind::Unreachable;
                self.answered.fetch_or(heard, Ordering::Relaxed);
                Err(CallError::Service(error))
            }
            Err(waited) => {
                let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Err(CallError::Silence(waited, trouble))
            }
        }
    }
}

/// Whether the same call may succeed later. What OpenDAL has tried again already is persistent.
fn is_passing(error: &opendal::Error) -> bool {
    match kind_of(error) {
        RemoteErrorKind::Busy => !error.is_persistent(),
        RemoteErrorKind::Unreachable | RemoteErrorKind::Other => error.is_temporary(),
        _ => false,
    }
}

/// The wait after the try of this number: doubled each time, up to as much again by chance.
fn wait_before(tried: usize) -> Duration {
    let wait = FIRST_WAIT * 2_u32.saturating_pow(tried as u32);
    let chance = getrandom::u32().unwrap_or_default();
    wait + wait.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

fn s3(bucket: &str, prefix: &str, options: &RemoteOptions) -> opendal::Result<(Operator, Identity)> {
    let settings = AwsSettings::of_process(options);
    let identity = settings.identity(options);
    let mut builder = services::S3::default().bucket(bucket).root(prefix).region(&settings.region(options));
    if let Some(endpoint) = settings.endpoint(options) {
        builder = builder.endpoint(&endpoint);
    }
    if options.virtual_host {
        builder = builder.enable_virtual_host_style();
    }
    if let Some(profile) = &options.profile {
        builder = builder.profile(profile);
    }
    if identity != Identity::Machine {
        builder = builder.disable_ec2_metadata();
    }
    if identity == Identity::Anonymous {
        builder = builder.skip_signature();
    }
    Ok((Operator::new(builder)?, identity))
}

fn azure(
    container: &str,
    prefix: &str,
    options: &RemoteOptions,
    access: &Access,
) -> opendal::Result<(Operator, Identity)> {
    let settings = AzureSettings::of_process();
    let identity = settings.identity(options, access);
    let Some(endpoint) = settings.endpoint(options) else {
        let said = "neither the option account nor AZURE_STORAGE_ACCOUNT names the storage account";
        return Err(opendal::Error::new(opendal::ErrorKind::ConfigInvalid, said));
    };
    let mut builder = services::Azblob::default().container(container).root(prefix).endpoint(&endpoint);
    if let Some(account) = settings.account(options) {
        builder = builder.account_name(&account);
    }
    builder = match &identity {
        Identity::AccountKey { .. } => builder.account_key(&settings.secret("AZURE_STORAGE_KEY")),
        Identity::Signature { .. } => builder.sas_token(&settings.secret("AZURE_STORAGE_SAS_TOKEN")),
        Identity::Anonymous | Identity::Withheld { .. } => builder.skip_signature(),
        _ => builder,
    };
    Ok((Operator::new(builder)?, identity))
}

fn google(
    bucket: &str,
    prefix: &str,
    options: &RemoteOptions,
    access: &Access,
) -> opendal::Result<(Operator, Identity)> {
    let settings = GoogleSettings::of_process();
    let identity = settings.identity(options, access);
    let mut builder = services::Gcs::default().bucket(bucket).root(prefix);
    if let Some(endpoint) = settings.endpoint(options) {
        builder = builder.endpoint(&endpoint);
    }
    if identity != Identity::Machine {
        builder = builder.disable_vm_metadata();
    }
    if matches!(identity, Identity::Anonymous | Identity::Withheld { .. }) {
        builder = builder.skip_signature().disable_config_load();
    }
    Ok((Operator::new(builder)?, identity))
}
