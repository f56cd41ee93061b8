//! A remote, opened: what one can do with its objects.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::TryStreamExt;
use opendal::options::{ListOptions, ReadOptions};
use opendal::{ErrorKind, Metadata, Operator};

use super::credentials::Identity;
use super::error::{Attempt, RemoteError, RemoteErrorKind};
use super::options::RemoteOptions;
use super::service::{CallError, Service};
use super::url::RemoteUrl;
use crate::storage::durable::{create_folders, write_through};

/// Larger objects than this are not ours: a pack of 64 MiB and its footer lie well below.
const LARGEST_OBJECT: usize = 80 << 20;
/// Up to here the upload of an object is a quick call.
const SMALL_UPLOAD: usize = 1 << 20;
/// Where a folder remote keeps files that are not whole yet.
const TEMPORARIES: &str = "tmp";

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

/// What a [`Watch`] lets happen to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    /// It is carried out.
    Through,
    /// It fails, and nothing is carried out.
    Refused,
    /// It is carried out, and fails all the same: its answer is lost.
    Lost,
    /// It is not carried out; a listing answers this, a question after one object the first of these, and a write or
    /// delete says that it is done. A read fails.
    Answered(Vec<Listed>),
}

/// Asked before each call what is to happen to it, by the step (`read`, `write`, `list`, `ask for`, `delete`, `reach`) and
/// the name of the object.
pub type Watch = Arc<dyn Fn(&str, &str) -> Passage + Send + Sync>;

/// An opened remote. Cheap to clone; every method may be called from any thread, and blocks.
///
/// Names of objects are paths with `/`, relative to the top of the remote.
#[derive(Clone)]
pub struct Remote {
    address: String,
    identity: Identity,
    service: Service,
    /// The folder of a folder remote, which is written without OpenDAL: see [`Remote::put`].
    folder: Option<PathBuf>,
    watch: Option<Watch>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({} as {})", self.address, self.identity)
    }
}

impl Remote {
    /// Opens the remote at `url`; a relative folder lies under `base`. A bucket is not asked anything yet; a folder is
    /// created if only it itself is missing.
    ///
    /// # Errors
    ///
    /// [`RemoteErrorKind::NoRemote`] for a folder whose parent does not exist either, and
    /// [`RemoteErrorKind::Misconfigured`] for options that contradict.
    pub fn open(url: &RemoteUrl, options: &RemoteOptions, base: &Path) -> Result<Self, RemoteError> {
        let address = url.to_string();
        let attempt = Attempt { step: "open", object: "", remote: &address, identity: None };
        match url {
            RemoteUrl::Folder(_) => {
                let folder = url.folder_under(base).unwrap_or_default();
                open_folder(&folder, &attempt)?;
                let service = Service::folder(&folder.to_string_lossy());
                let service = service.map_err(|error| RemoteError::of_service(&attempt, &error))?;
                let identity = Identity::of_folder(&folder);
                Ok(Self { address, identity, service, folder: Some(folder), watch: None })
            }
            RemoteUrl::S3 { bucket, prefix } => {
                let opened = Service::s3(bucket, prefix, options);
                let (service, identity) =
                    opened.map_err(|error| RemoteError::of_service(&attempt, &error))?;
                Ok(Self { address, identity, service, folder: None, watch: None })
            }
        }
    }

    /// An empty remote in the memory of this process, for tests. Its clones share the objects.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the service cannot be set up.
    pub fn memory() -> Result<Self, RemoteError> {
        let address = "memory".to_owned();
        let attempt = Attempt { step: "open", object: "", remote: &address, identity: None };
        let service = Service::memory().map_err(|error| RemoteError::of_service(&attempt, &error))?;
        Ok(Self { address, identity: Identity::Process, service, folder: None, watch: None })
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
        self.folder.is_none()
    }

    /// Asks whether the remote is there and may be listed: one request.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] that says why not.
    pub fn check(&self) -> Result<(), RemoteError> {
        let operator = self.service.quick.clone();
        self.run("reach", "", |_| Some(()), async move { operator.check().await })
    }

    /// The bytes of an object.
    ///
    /// # Errors
    ///
    /// [`RemoteErrorKind::NotFound`], [`RemoteErrorKind::WrongSize`] for more than any object may have, and others.
    pub fn get(&self, name: &str) -> Result<Vec<u8>, RemoteError> {
        let (operator, path) = (self.service.quick.clone(), name.to_owned());
        let reading = async move {
            let mut stream = operator.reader(&path).await?.into_stream(..).await?;
            let mut bytes = Vec::new();
            while let Some(piece) = stream.try_next().await? {
                if bytes.len() + piece.len() > LARGEST_OBJECT {
                    return Ok(None);
                }
                piece.for_each(|part| bytes.extend_from_slice(&part));
            }
            Ok(Some(bytes))
        };
        let bytes = self.run("read", name, unanswered, reading)?;
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
        let (operator, path) = (self.service.quick.clone(), name.to_owned());
        let range = (offset..offset.saturating_add(length)).into();
        let options = ReadOptions { range, ..ReadOptions::default() };
        let reading = async move { operator.read_options(&path, options).await };
        let bytes = self.run("read", name, unanswered, reading)?.to_vec();
        if bytes.len() as u64 != length {
            let said = format!("{} bytes came instead of {length} from {offset} on", bytes.len());
            return Err(RemoteError::new(RemoteErrorKind::WrongSize, &self.attempt("read", name), &said));
        }
        Ok(bytes)
    }

    /// Writes an object. It appears whole or not at all, and lasts when this returns.
    ///
    /// In a folder remote the file is written beside, in `tmp/`, synced, renamed, and its folder is synced: OpenDAL's
    /// own writer neither syncs the folder nor removes what a full disk left.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when it could not be written, also after some tries where the failure was temporary.
    pub fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        if bytes.len() <= SMALL_UPLOAD {
            return self.write(&self.service.quick, name, bytes);
        }
        if !self.service.has_answered() {
            // A long upload has minutes, so whether anybody is there is asked before.
            self.stat(name)?;
        }
        self.write(&self.service.bulk, name, bytes)
    }

    /// Writes an object as [`Remote::put`] does, but never sends it a second time: for root records, of which a late
    /// copy must not appear after the writer looked for the last time.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] at the first failure; whether the object was written is not known then.
    pub fn put_once_without_retry(&self, name: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        self.write(&self.service.once, name, bytes)
    }

    /// All objects under `folder` and its folders, in no order; empty where there is no such folder.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the listing fails or is not complete.
    pub fn list(&self, folder: &str) -> Result<Vec<Listed>, RemoteError> {
        let operator = self.service.quick.clone();
        let path = format!("{}/", folder.trim_matches('/'));
        let listing = async move {
            let options = ListOptions { recursive: true, ..ListOptions::default() };
            let entries = operator.list_options(&path, options).await?;
            let files = entries.into_iter().filter(|entry| entry.metadata().is_file());
            let all = files.map(|entry| listed(entry.path(), entry.metadata()));
            Ok(all.filter(|object| !object.name.starts_with("tmp/")).collect())
        };
        self.run("list", folder, Some, listing)
    }

    /// Size and time of an object; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the service does not say.
    pub fn stat(&self, name: &str) -> Result<Option<Listed>, RemoteError> {
        let (operator, path) = (self.service.quick.clone(), name.to_owned());
        let answer = async move {
            match operator.stat(&path).await {
                Ok(metadata) => Ok(Some(listed(&path, &metadata))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        self.run("ask for", name, |answer| Some(answer.into_iter().next()), answer)
    }

    /// Removes an object; no error where there is none.
    ///
    /// # Errors
    ///
    /// [`RemoteError`] when the service refuses.
    pub fn delete(&self, name: &str) -> Result<(), RemoteError> {
        let (operator, path) = (self.service.quick.clone(), name.to_owned());
        self.run("delete", name, |_| Some(()), async move { operator.delete(&path).await })
    }

    fn write(&self, operator: &Operator, name: &str, bytes: Vec<u8>) -> Result<(), RemoteError> {
        if let Some(folder) = &self.folder {
            return self.write_file(folder, name, &bytes);
        }
        let (operator, path) = (operator.clone(), name.to_owned());
        let writing = async move { operator.write(&path, bytes).await.map(|_| ()) };
        self.run("write", name, |_| Some(()), writing)
    }

    fn write_file(&self, folder: &Path, name: &str, bytes: &[u8]) -> Result<(), RemoteError> {
        let attempt = self.attempt("write", name);
        let inside = !name.is_empty() && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !inside {
            return Err(RemoteError::new(RemoteErrorKind::Other, &attempt, "the name leaves the folder"));
        }
        let (path, temporaries) = (folder.join(name), folder.join(TEMPORARIES));
        self.pass(
            &attempt,
            |_| Some(()),
            || {
                let written = create_folders(path.parent().unwrap_or(folder))
                    .and_then(|()| create_folders(&temporaries))
                    .and_then(|()| write_through(&temporaries, &path, bytes));
                written.map_err(|error| RemoteError::of_file(&attempt, &error))
            },
        )
    }

    fn attempt<'a>(&'a self, step: &'static str, object: &'a str) -> Attempt<'a> {
        Attempt { step, object, remote: &self.address, identity: Some(&self.identity) }
    }

    fn run<T, F>(
        &self,
        step: &'static str,
        object: &str,
        answer: fn(Vec<Listed>) -> Option<T>,
        call: F,
    ) -> Result<T, RemoteError>
    where
        T: Send + 'static,
        F: Future<Output = opendal::Result<T>> + Send + 'static,
    {
        let attempt = self.attempt(step, object);
        let run = || {
            self.service.run(call).map_err(|error| match error {
                CallError::Service(error) => RemoteError::of_service(&attempt, &error),
                CallError::Silence(waited, trouble) => {
                    RemoteError::no_answer(&attempt, waited, trouble.as_deref())
                }
                CallError::Runtime(said) => RemoteError::new(RemoteErrorKind::Other, &attempt, &said),
            })
        };
        self.pass(&attempt, answer, run)
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

/// Nobody but the remote can answer this call.
fn unanswered<T>(_: Vec<Listed>) -> Option<T> {
    None
}

fn listed(name: &str, metadata: &Metadata) -> Listed {
    let modified = metadata.last_modified().map(SystemTime::from);
    Listed { name: name.to_owned(), size: metadata.content_length(), modified }
}

/// Refuses what is no folder, and a folder that is missing together with its parent (a disk that is not mounted, a slip
/// of the pen); creates a folder of which only the last step is missing.
fn open_folder(folder: &Path, attempt: &Attempt<'_>) -> Result<(), RemoteError> {
    if folder.is_dir() {
        return Ok(());
    }
    if folder.exists() {
        return Err(RemoteError::new(RemoteErrorKind::NoRemote, attempt, "it is a file"));
    }
    if !folder.parent().is_some_and(Path::is_dir) {
        return Err(RemoteError::new(
            RemoteErrorKind::NoRemote,
            attempt,
            "nor does the folder above it exist",
        ));
    }
    let made = fs::create_dir(folder).or_else(|error| if folder.is_dir() { Ok(()) } else { Err(error) });
    made.map_err(|error| RemoteError::new(RemoteErrorKind::Denied, attempt, &error.to_string()))
}
