//! A remote, opened: what one can do with its objects.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use opendal::options::ReadOptions;
use opendal::{Buffer, Operator};

use super::access::Access;
use super::calls::{LARGEST_OBJECT, first_of, list_pages, list_service, read_whole, stat_of};
use super::error::{Attempt, RemoteError, RemoteErrorKind};
use super::folder::{open_folder, write_into};
use super::identity::Identity;
use super::index_page::IndexPages;
use super::options::RemoteOptions;
use super::service::{CallError, Service};
use super::sftp::{Destination, Sftp, SftpError};
use super::url::{RemoteUrl, ServiceKind};
use super::watch::{Passage, Watch};
use crate::base::RandomId;

/// Up to here the upload of an object is a quick call.
const SMALL_UPLOAD: usize = 1 << 20;
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
    kind: ServiceKind,
    identity: Identity,
    carrier: Carrier,
    /// The folder of a folder remote, which is written without OpenDAL: see [`Remote::put`].
    folder: Option<PathBuf>,
    /// What a web server shows of its folders.
    pages: Option<IndexPages>,
    watch: Option<Watch>,
    /// Why nothing may be written; `None` where that may be.
    read_only: Option<&'static str>,
}

/// What carries the calls.
#[derive(Clone)]
enum Carrier {
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

    /// Asks whether the remote is there and may be listed: one request.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] that says why not.
    pub fn check(&self) -> Result<(), RemoteError> {
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("reach", "", |_| Some(()), || sftp.check()),
            Carrier::OpenDal(service) => service,
        };
        let (operator, pages) = (service.quick.clone(), self.pages.clone());
        let answer = self.run(
            service,
            "reach",
            "",
            |_| Some(()),
            move || {
                let (operator, pages) = (operator.clone(), pages.clone());
                async move {
                    match pages {
                        Some(pages) => pages.check().await,
                        None => first_of(&operator).await,
                    }
                }
            },
        );
        match answer {
            // A folder of a server is made by the first object; a bucket is not.
            Err(error) if error.kind() == RemoteErrorKind::NotFound => match self.kind {
                ServiceKind::WebDav => Ok(()),
                ServiceKind::Http => Err(error),
                _ => {
                    Err(RemoteError::new(RemoteErrorKind::NoRemote, &self.attempt("reach", ""), error.said()))
                }
            },
            other => other,
        }
    }

    /// The bytes of an object.
    ///
    /// # Errors
    ///
    /// [`RemoteErrorKind::NotFound`], [`RemoteErrorKind::WrongSize`] for more than any object may have, and others.
    pub fn get(&self, name: &str) -> Result<Vec<u8>, RemoteError> {
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("read", name, unanswered, || sftp.get(name)),
            Carrier::OpenDal(service) => service,
        };
        let (operator, path) = (service.quick.clone(), name.to_owned());
        let bytes =
            self.run(service, "read", name, unanswered, move || read_whole(operator.clone(), path.clone()))?;
        bytes.ok_or_else(|| {
            let said = format!("more than {LARGEST_OBJECT} bytes");
            RemoteError::new(RemoteErrorKind::WrongSize, &self.attempt("read", name), &said)
        })
    }

    /// Exactly `length` bytes of an object, from `offset` on.
    ///
    /// # Errors
    ///
    /// [`RemoteErrorKind::WrongSize`] when the object ends before, and others.
    pub fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Vec<u8>, RemoteError> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => {
                return self.by_ssh("read", name, unanswered, || sftp.get_range(name, offset, length));
            }
            Carrier::OpenDal(service) => service,
        };
        let (operator, path) = (service.quick.clone(), name.to_owned());
        let range = (offset..offset.saturating_add(length)).into();
        let options = ReadOptions { range, ..ReadOptions::default() };
        let reading = move || {
            let (operator, path, options) = (operator.clone(), path.clone(), options.clone());
            async move { operator.read_options(&path, options).await }
        };
        let bytes = self.run(service, "read", name, unanswered, reading)?.to_vec();
        if bytes.len() as u64 != length {
            let said = format!("{} bytes came instead of {length} from {offset} on", bytes.len());
            return Err(RemoteError::new(RemoteErrorKind::WrongSize, &self.attempt("read", name), &said));
        }
        Ok(bytes)
    }

    /// Writes an object. It appears whole or not at all, and lasts when this returns.
    ///
    /// In a folder remote the file is written beside, in `tmp/`, synced, renamed, and its folder is synced: OpenDAL's
    /// own writer neither syncs the folder nor removes what a full disk left. A WebDAV server, too, may show what was
    /// only begun under its final name, so there it is written to `tmp/` and moved.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when it could not be written, also after some tries where the failure was temporary.
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.write_by_ssh(sftp, name, &bytes, true),
            Carrier::OpenDal(service) => service,
        };
        if bytes.len() <= SMALL_UPLOAD {
            return self.write(service, &service.quick, name, bytes, true);
        }
        if !service.has_answered() {
            // A long upload has minutes, so whether anybody is there is asked before.
            self.stat(name)?;
        }
        self.write(service, &service.bulk, name, bytes, true)
    }

    /// Writes an object as [`Remote::put`] does, but never sends it a second time: for root records, of which a late
    /// copy must not appear after the writer looked for the last time.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] at the first failure; whether the object was written is not known then.
    pub fn put_once_without_retry(&self, name: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        match &self.carrier {
            Carrier::Ssh(sftp) => self.write_by_ssh(sftp, name, &bytes, false),
            Carrier::OpenDal(service) => self.write(service, &service.once, name, bytes, false),
        }
    }

    /// All objects under `folder` and its folders, in no order; empty where there is no such folder.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the listing fails or is not complete.
    pub fn list(&self, folder: &str) -> Result<Vec<Listed>, RemoteError> {
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("list", folder, Some, || sftp.list(folder)),
            Carrier::OpenDal(service) => service,
        };
        let operator = service.quick.clone();
        let folder_path = folder.trim_matches('/').to_owned();
        let pages = self.pages.clone();
        let entries = self.run(service, "list", folder, Some, move || {
            let (operator, pages, folder) = (operator.clone(), pages.clone(), folder_path.clone());
            async move {
                match pages {
                    Some(pages) => list_pages(operator, pages, &folder).await,
                    None => list_service(operator, &folder).await,
                }
            }
        })?;
        Ok(entries.into_iter().filter(|object| !object.name.starts_with("tmp/")).collect())
    }

    /// Size and time of an object; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the service does not say.
    pub fn stat(&self, name: &str) -> Result<Option<Listed>, RemoteError> {
        let first = |answer: Vec<Listed>| Some(answer.into_iter().next());
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("ask for", name, first, || sftp.stat(name)),
            Carrier::OpenDal(service) => service,
        };
        let (operator, path) = (service.quick.clone(), name.to_owned());
        let asking = move || {
            let (operator, path) = (operator.clone(), path.clone());
            async move { stat_of(&operator, &path).await }
        };
        self.run(service, "ask for", name, first, asking)
    }

    /// Removes an object; no error where there is none.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the service refuses.
    pub fn delete(&self, name: &str) -> Result<(), RemoteError> {
        self.refuse_if_read_only("delete", name)?;
        let service = match &self.carrier {
            Carrier::Ssh(sftp) => return self.by_ssh("delete", name, |_| Some(()), || sftp.delete(name)),
            Carrier::OpenDal(service) => service,
        };
        let (operator, path) = (service.quick.clone(), name.to_owned());
        self.run(
            service,
            "delete",
            name,
            |_| Some(()),
            move || {
                let (operator, path) = (operator.clone(), path.clone());
                async move { operator.delete(&path).await }
            },
        )
    }

    fn write_by_ssh(&self, sftp: &Sftp, name: &str, bytes: &[u8], again: bool) -> Result<(), RemoteError> {
        self.refuse_if_read_only("write", name)?;
        self.by_ssh("write", name, |_| Some(()), || sftp.put(name, bytes, again))
    }

    fn by_ssh<T>(
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

    fn write(
        &self,
        service: &Service,
        operator: &Operator,
        name: &str,
        bytes: Vec<u8>,
        again: bool,
    ) -> Result<(), RemoteError> {
        self.refuse_if_read_only("write", name)?;
        if let Some(folder) = &self.folder {
            return self.write_file(folder, name, &bytes);
        }
        let (operator, path, bytes) = (operator.clone(), name.to_owned(), Buffer::from(bytes));
        let aside = matches!(self.kind, ServiceKind::WebDav);
        let aside = aside.then(|| format!("{TEMPORARIES}/{}", RandomId::generate()));
        let writing = move || {
            let (operator, path, bytes, aside) =
                (operator.clone(), path.clone(), bytes.clone(), aside.clone());
            async move {
                let Some(aside) = aside else { return operator.write(&path, bytes).await.map(|_| ()) };
                operator.write(&aside, bytes).await?;
                operator.rename(&aside, &path).await
            }
        };
        let attempt = self.attempt("write", name);
        self.pass(
            &attempt,
            |_| Some(()),
            || {
                let done = if again { service.run(writing) } else { service.run_once(writing) };
                done.map_err(|error| failure(&attempt, error))
            },
        )
    }

    fn refuse_if_read_only(&self, step: &'static str, name: &str) -> Result<(), RemoteError> {
        let Some(said) = self.read_only else { return Ok(()) };
        Err(RemoteError::new(RemoteErrorKind::ReadOnly, &self.attempt(step, name), said))
    }

    fn write_file(&self, folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RemoteError> {
        let attempt = self.attempt("write", name);
        self.pass(&attempt, |_| Some(()), || write_into(folder, name, bytes, &attempt))
    }

    fn attempt<'a>(&'a self, step: &'static str, object: &'a str) -> Attempt<'a> {
        Attempt {
            step,
            object,
            remote: &self.address,
            name: &self.name,
            service: self.kind,
            identity: Some(&self.identity),
        }
    }

    fn run<T, F>(
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
    fn pass<T>(
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

fn failure(attempt: &Attempt<'_>, error: CallError) -> RemoteError {
    match error {
        CallError::Service(error) => RemoteError::of_service(attempt, &error),
        CallError::Silence(waited, trouble) => RemoteError::no_answer(attempt, waited, trouble.as_deref()),
        CallError::Runtime(said) => RemoteError::new(RemoteErrorKind::Other, attempt, &said),
    }
}

/// Nobody but the remote can answer this call.
fn unanswered<T>(_: Vec<Listed>) -> Option<T> {
    None
}
