//! A remote, opened: what one can do with its objects.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::access::Access;
use super::error::{Attempt, RemoteError, RemoteErrorKind};
use super::folder::open_folder;
use super::identity::Identity;
use super::index_page::IndexPages;
use super::options::RemoteOptions;
use super::service::{CallError, Service};
use super::sftp::{Destination, Sftp, SftpError};
use super::url::{RemoteUrl, ServiceKind};
use super::watch::{Passage, Watch};

/// Where objects lie that are not whole yet, on services that show what is being written.
pub(super) const TEMPORARIES: &str = "tmp";

/// An object of a remote, as a listing tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name, from the top of the remote.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, by the clock of the service.
    pub modified: Option<SystemTime>,
}

/// An opened remote. Cheap to clone; every method may be called from any thread, and blocks.
///
/// Names of objects are paths with `/`, relative to the top of the remote.
#[derive(Clone)]
pub struct Remote {
    address: String,
    name: String,
    pub(super) kind: ServiceKind,
    identity: Identity,
    pub(super) carrier: Carrier,
    /// The folder of a folder remote, which is written without OpenDAL: see [`Remote::put`].
    pub(super) folder: Option<PathBuf>,
    /// What a web server shows of its folders.
    pub(super) pages: Option<IndexPages>,
    watch: Option<Watch>,
    /// Why nothing may be written; `None` where that may be.
    pub(super) read_only: Option<&'static str>,
}

/// What carries the calls.
#[derive(Clone)]
pub(super) enum Carrier {
    OpenDal(Box<Service>),
    Ssh(Sftp),
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({} as {})", self.address, self.identity)
    }
}

impl Remote {
    /// Opens the remote at `url`; a relative folder lies under `base`. No service is asked anything yet; a folder is
    /// created if only it itself is missing.
    ///
    /// # Errors
    ///
    /// [`RemoteErrorKind::NoRemote`] for a folder whose parent does not exist either, and
    /// [`RemoteErrorKind::Misconfigured`] for options that contradict.
    pub fn open(
        url: &RemoteUrl,
        options: &RemoteOptions,
        access: &Access,
        base: &Path,
    ) -> Result<Self, RemoteError> {
        let (address, kind) = (url.to_string(), url.service());
        let attempt = Attempt {
            step: "open",
            object: "",
            remote: &address,
            name: &access.name,
            service: kind,
            identity: None,
        };
        let refused = |error| RemoteError::of_service(&attempt, &error);
        let (mut folder, mut pages) = (None, None);
        let (carrier, identity) = match url {
            RemoteUrl::Folder(_) => {
                let path = url.folder_under(base).unwrap_or_default();
                open_folder(&path, &attempt)?;
                let service = Service::folder(&path.to_string_lossy()).map_err(refused)?;
                let identity = Identity::of_folder(&path);
                folder = Some(path);
                (Carrier::OpenDal(Box::new(service)), identity)
            }
            RemoteUrl::Bucket { bucket, prefix, .. } => {
                let (service, identity) =
                    Service::bucket(kind, bucket, prefix, options, access).map_err(refused)?;
                (Carrier::OpenDal(Box::new(service)), identity)
            }
            RemoteUrl::Sftp { user, host, port, path } => {
                let to = Destination {
                    command: access.ssh.clone().unwrap_or_else(|| "ssh".into()),
                    user: user.clone().or_else(|| options.user.clone()),
                    host: host.clone(),
                    port: *port,
                    patience: options.timeout.unwrap_or(super::service::QUIET),
                };
                let identity = Identity::Ssh { user: to.user.clone() };
                (Carrier::Ssh(Sftp::new(to, path, options.connections, options.retries)), identity)
            }
            RemoteUrl::Web { secure, host, path, .. } => {
                let endpoint = format!("{}://{host}", if *secure { "https" } else { "http" });
                if kind == ServiceKind::Http {
                    let patience = options.timeout.unwrap_or(super::service::QUIET);
                    pages = Some(IndexPages::new(
                        format!("{endpoint}/{path}").trim_end_matches('/').into(),
                        access.login.clone(),
                        patience,
                    ));
                }
                let (service, identity) =
                    Service::web(kind, &endpoint, path, options, access).map_err(refused)?;
                (Carrier::OpenDal(Box::new(service)), identity)
            }
        };
        let name = access.name.clone();
        let read_only = match kind {
            ServiceKind::Http => Some("a web server takes nothing by HTTP"),
            _ => options.read_only.then_some("the option access says so"),
        };
        Ok(Self { address, name, kind, identity, carrier, folder, pages, watch: None, read_only })
    }

    /// An empty remote in the memory of this process, for tests. Its clones share the objects.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the service cannot be set up.
    pub fn memory() -> Result<Self, RemoteError> {
        let (address, kind) = ("memory".to_owned(), ServiceKind::Memory);
        let attempt =
            Attempt { step: "open", object: "", remote: &address, name: "", service: kind, identity: None };
        let service = Service::memory().map_err(|error| RemoteError::of_service(&attempt, &error))?;
        let (name, identity) = (String::new(), Identity::Process);
        let (folder, pages, watch, read_only) = (None, None, None, None);
        let carrier = Carrier::OpenDal(Box::new(service));
        Ok(Self { address, name, kind, identity, carrier, folder, pages, watch, read_only })
    }

    /// This remote with a watch over its calls: tests count them, let them fail, or stop everything after the n-th.
    pub fn watched(self, watch: Watch) -> Self {
        Self { watch: Some(watch), ..self }
    }

    /// The address, for people.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// As whom it is used. Holds no secret.
    pub fn whoami(&self) -> &Identity {
        &self.identity
    }

    /// Whether a listing of a folder with all that lies below it is one request for each thousand objects; otherwise each
    /// folder below is asked for by itself.
    pub fn lists_flat(&self) -> bool {
        use ServiceKind::{Folder, Http, Sftp, WebDav};
        !matches!(self.kind, Folder | Http | Sftp | WebDav)
    }

    pub(super) fn by_ssh<T>(
        &self,
        step: &'static str,
        object: &str,
        answer: fn(Vec<Listed>) -> Option<T>,
        call: impl FnOnce() -> Result<T, SftpError>,
    ) -> Result<T, RemoteError> {
        let attempt = self.attempt(step, object);
        let failure = |error: SftpError| RemoteError::new(error.kind(), &attempt, &error.said());
        self.pass(&attempt, answer, || call().map_err(failure))
    }

    pub(super) fn attempt<'a>(&'a self, step: &'static str, object: &'a str) -> Attempt<'a> {
        Attempt {
            step,
            object,
            remote: &self.address,
            name: &self.name,
            service: self.kind,
            identity: Some(&self.identity),
        }
    }

    pub(super) fn run<T, F>(
        &self,
        service: &Service,
        step: &'static str,
        object: &str,
        answer: fn(Vec<Listed>) -> Option<T>,
        call: impl Fn() -> F + Send + 'static,
    ) -> Result<T, RemoteError>
    where
        T: Send + 'static,
        F: Future<Output = opendal::Result<T>> + Send + 'static,
    {
        let attempt = self.attempt(step, object);
        self.pass(&attempt, answer, || service.run(call).map_err(|error| failure(&attempt, error)))
    }

    /// Carries a call out, as far as the watch lets it; `answer` makes what the watch answers instead into an answer.
    pub(super) fn pass<T>(
        &self,
        attempt: &Attempt<'_>,
        answer: fn(Vec<Listed>) -> Option<T>,
        call: impl FnOnce() -> Result<T, RemoteError>,
    ) -> Result<T, RemoteError> {
        let stopped = || RemoteError::new(RemoteErrorKind::Unreachable, attempt, "the call was stopped");
        match self.watch.as_ref().map(|watch| watch(attempt.step, attempt.object)) {
            None | Some(Passage::Through) => call(),
            Some(Passage::Refused) => Err(stopped()),
            Some(Passage::Lost) => call().and_then(|_| Err(stopped())),
            Some(Passage::Answered(listed)) => answer(listed).ok_or_else(stopped),
        }
    }
}

pub(super) fn failure(attempt: &Attempt<'_>, error: CallError) -> RemoteError {
    match error {
        CallError::Service(error) => RemoteError::of_service(attempt, &error),
        CallError::Silence(waited, trouble) => RemoteError::no_answer(attempt, waited, trouble.as_deref()),
        CallError::Runtime(said) => RemoteError::new(RemoteErrorKind::Other, attempt, &said),
    }
}
