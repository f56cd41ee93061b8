//! OpenDAL's operators behind a remote, and the runtime they run on: async ends here.
//!
//! Three operators share one service, one pool of connections and one limit of requests at once:
//!
//! - `quick` for listings, reads and small writes: no step may be silent for longer than [`QUIET`];
//! - `bulk` for the upload of a pack, which is one step of many minutes on a slow line (a dead line is noticed by TCP);
//! - `once`, like `quick`, but nothing is sent twice: for records whose late second arrival would break the protocol.
//!
//! What is temporary (a broken connection, "slow down", 5xx) is tried again up to [`RETRIES`] times, with waits that
//! double and jitter. A service that never answered since the program started is given up after [`FIRST_CONTACT`].

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use opendal::layers::{ConcurrentLimitLayer, RetryEvent, RetryLayer, TimeoutLayer};
use opendal::{Operator, services};
use tokio::runtime::{Builder, Runtime};

use super::credentials::{AwsSettings, Identity};
use super::error::{RemoteErrorKind, kind_of, words_of};
use super::options::RemoteOptions;

/// How long a service may take to give its very first answer, all tries together.
const FIRST_CONTACT: Duration = Duration::from_secs(10);
/// How long a step of a transfer may be silent.
const QUIET: Duration = Duration::from_secs(20);
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

/// The operators of one remote.
#[derive(Clone)]
pub(super) struct Service {
    pub quick: Operator,
    pub bulk: Operator,
    pub once: Operator,
    answered: Arc<AtomicBool>,
    trouble: Trouble,
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

    /// A bucket, and as whom it is used.
    pub fn s3(bucket: &str, prefix: &str, options: &RemoteOptions) -> opendal::Result<(Self, Identity)> {
        opendal::install_default();
        let settings = AwsSettings::of_process(options);
        let identity = settings.identity(options);
        let mut builder =
            services::S3::default().bucket(bucket).root(prefix).region(&settings.region(options));
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
        Ok((Self::network(Operator::new(builder)?), identity))
    }

    /// Nothing of this machine is temporary: no layers.
    fn local(operator: Operator) -> Self {
        let answered = Arc::new(AtomicBool::new(true));
        Self {
            quick: operator.clone(),
            bulk: operator.clone(),
            once: operator,
            answered,
            trouble: Trouble::default(),
        }
    }

    fn network(operator: Operator) -> Self {
        let trouble = Trouble::default();
        let limit = ConcurrentLimitLayer::new(REQUESTS_AT_ONCE);
        let patient = |step: Duration| TimeoutLayer::new().with_timeout(step).with_io_timeout(step);
        let noted = Arc::clone(&trouble);
        let note = move |event: RetryEvent<'_>| {
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(words_of(event.err));
        };
        let again = RetryLayer::new().with_jitter().with_factor(2.0).with_min_delay(FIRST_WAIT);
        let again = again.with_max_times(RETRIES).with_notify(note);
        Self {
            quick: operator.clone().layer(patient(QUIET)).layer(again.clone()).layer(limit.clone()),
            bulk: operator.clone().layer(patient(LONGEST_UPLOAD)).layer(again).layer(limit.clone()),
            once: operator.layer(patient(QUIET)).layer(limit),
            answered: Arc::new(AtomicBool::new(false)),
            trouble,
        }
    }

    /// Whether the service was heard of since the program started.
    pub fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// Runs a call to its end on the runtime; the calling thread waits.
    pub fn run<T, F>(&self, call: F) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = opendal::Result<T>> + Send + 'static,
    {
        let runtime = RUNTIME.as_ref().map_err(|error| CallError::Runtime(error.to_string()))?;
        let answered = self.has_answered();
        let task = runtime.spawn(async move {
            if answered {
                return Ok(call.await);
            }
            tokio::time::timeout(FIRST_CONTACT, call).await.map_err(|_| FIRST_CONTACT)
        });
        let outcome = runtime.block_on(task).map_err(|error| CallError::Runtime(error.to_string()))?;
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
