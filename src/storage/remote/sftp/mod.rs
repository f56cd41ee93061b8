//! A folder of an SSH server, through the user's own `ssh`.
//!
//! What a demanding user expects: what `ssh HOST` can reach, this can: keys, agents, jump hosts and host keys are those of
//! `~/.ssh/config`, and `GIT_SSH_COMMAND` and `core.sshCommand` count as they do for Git. Nothing hangs on a question, and
//! nothing is left running. An object appears whole or not at all, and lasts: it is written to `tmp/`, synced where the server
//! can (`fsync@openssh.com`), and renamed over (`posix-rename@openssh.com`). Peers: restic runs `ssh -s sftp` as well, with
//! one connection by default; rclone brings an SSH of its own, which knows little of the user's configuration.
//!
//! OpenDAL's service for SFTP was looked at and not taken: it starts a master process that outlives a killed program, sets a
//! host key policy over the user's, never syncs, and ends the task where a server names a file in a way that is not UTF-8.
//!
//! Many questions are on their way at once over each connection; connections are few, since servers refuse many (`MaxStartups`
//! of OpenSSH begins to at ten).

mod files;
mod packet;
mod session;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use self::files::{listed, read, refusal, rename, stat, write};
use self::packet::{Answer, Attributes, Question, ask, code};
use self::session::Session;
use super::calls::LARGEST_OBJECT;
use super::connection::{Listed, TEMPORARIES};
use super::error::RemoteErrorKind;
use crate::base::RandomId;

pub(super) use self::session::{Destination, SftpError};

/// Bytes of one question or answer: what every server takes.
const PIECE: usize = 32 << 10;
/// Folders that are read at once.
const FOLDERS_AT_ONCE: usize = 32;
/// Connections, where the options do not say.
const CONNECTIONS: usize = 4;
/// How often a call is tried again whose connection was lost, where the options do not say.
const RETRIES: usize = 5;
/// The wait before the first of them; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// A folder of a server. Clones share the connections.
#[derive(Debug, Clone)]
pub(super) struct Sftp(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    to: Destination,
    /// Where on the server, as it is asked for: absolute, or below the home folder.
    root: String,
    retries: usize,
    /// Idle connections, and how many more may be made.
    pool: Mutex<(Vec<Session>, usize)>,
    returned: Condvar,
    answered: AtomicBool,
}

impl SftpError {
    /// What it means.
    pub(super) fn kind(&self) -> RemoteErrorKind {
        match self {
            Self::Status(code::NO_SUCH_FILE, _) => RemoteErrorKind::NotFound,
            Self::Status(code::DENIED, _) => RemoteErrorKind::Denied,
            Self::Status(code::UNSUPPORTED, _) => RemoteErrorKind::ReadOnly,
            Self::WrongSize => RemoteErrorKind::WrongSize,
            Self::Status(..) | Self::Strange => RemoteErrorKind::Other,
            Self::Silence(_) => RemoteErrorKind::Unreachable,
            Self::Lost(said)
                if ["Permission denied", "Too many authentication"].iter().any(|it| said.contains(it)) =>
            {
                RemoteErrorKind::BadCredentials
            }
            Self::Lost(said) if said.contains("Host key verification failed") => RemoteErrorKind::Denied,
            Self::Lost(said) if said.contains("ubsystem request failed") => RemoteErrorKind::Misconfigured,
            Self::Lost(_) => RemoteErrorKind::Unreachable,
        }
    }

    /// The words of the server, or of `ssh`.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Status(code, words) if words.is_empty() => format!("status {code}"),
            Self::Status(_, words) | Self::Lost(words) => words.clone(),
            Self::Silence(waited) => format!("no answer within {} s", waited.as_secs()),
            Self::WrongSize => "it has another length".into(),
            Self::Strange => "the answer is not SFTP".into(),
        }
    }

    fn is_lost_connection(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Silence(_) | Self::Strange)
    }
}

impl Sftp {
    /// The folder `root` there; nothing is asked yet.
    pub(super) fn new(
        to: Destination,
        root: &str,
        connections: Option<usize>,
        retries: Option<usize>,
    ) -> Self {
        let (retries, connections) = (retries.unwrap_or(RETRIES), connections.unwrap_or(CONNECTIONS));
        let pool = Mutex::new((Vec::new(), connections));
        let (returned, answered) = (Condvar::new(), AtomicBool::new(false));
        Self(Arc::new(Shared { to, root: root.to_owned(), retries, pool, returned, answered }))
    }

    /// Whether the folder can be reached; that it does not exist yet is no error.
    pub(super) fn check(&self) -> Result<(), SftpError> {
        self.try_often(|session| match stat(session, &self.0.root) {
            Err(SftpError::Status(code::NO_SUCH_FILE, _)) => Ok(()),
            answer => answer.map(drop),
        })
    }

    /// The bytes of a file.
    pub(super) fn get(&self, name: &str) -> Result<Vec<u8>, SftpError> {
        let path = self.path(name);
        self.try_often(|session| {
            let size = stat(session, &path)?.size.ok_or(SftpError::Strange)?;
            if size > LARGEST_OBJECT as u64 {
                return Err(SftpError::WrongSize);
            }
            read(session, &path, 0, size)
        })
    }

    /// Exactly `length` bytes of a file from `offset` on.
    pub(super) fn get_range(&self, name: &str, offset: u64, length: u64) -> Result<Vec<u8>, SftpError> {
        let path = self.path(name);
        self.try_often(|session| read(session, &path, offset, length))
    }

    /// Writes a file, which appears whole. With `again` it is tried more than once.
    pub(super) fn put(&self, name: &str, bytes: &[u8], again: bool) -> Result<(), SftpError> {
        let (path, folder) = (self.path(name), self.path(TEMPORARIES));
        let write = |session: &mut Session| {
            let aside = format!("{folder}/{}", RandomId::generate());
            let written =
                write(session, &aside, &folder, bytes).and_then(|()| rename(session, &aside, &path));
            if matches!(written, Err(SftpError::Status(..))) {
                // It hurts nobody where it stays.
                let _ = session.demand(Question::new(ask::REMOVE).text(aside.as_bytes()));
            }
            written
        };
        if again { self.try_often(write) } else { self.attempt(write) }
    }

    /// Removes a file; no error where there is none.
    pub(super) fn delete(&self, name: &str) -> Result<(), SftpError> {
        let path = self.path(name);
        self.try_often(|session| match session.demand(Question::new(ask::REMOVE).text(path.as_bytes())) {
            Err(SftpError::Status(code::NO_SUCH_FILE, _)) => Ok(()),
            done => done,
        })
    }

    /// What is known of a file; `None` where there is none.
    pub(super) fn stat(&self, name: &str) -> Result<Option<Listed>, SftpError> {
        let path = self.path(name);
        self.try_often(|session| match stat(session, &path) {
            Err(SftpError::Status(code::NO_SUCH_FILE, _)) => Ok(None),
            Err(error) => Err(error),
            Ok(found) => Ok(listed(name.to_owned(), &found)),
        })
    }

    /// All files below a folder; none where there is no such folder.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<Listed>, SftpError> {
        self.try_often(|session| self.list_with(session, folder))
    }

    fn list_with(&self, session: &mut Session, folder: &str) -> Result<Vec<Listed>, SftpError> {
        let (mut found, mut open) = (Vec::new(), vec![folder.trim_matches('/').to_owned()]);
        while !open.is_empty() {
            let folders = open.split_off(open.len().saturating_sub(FOLDERS_AT_ONCE));
            for (folder, name, attributes) in self.read_folders(session, &folders)? {
                let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if attributes.is_folder() {
                    if name != TEMPORARIES {
                        open.push(name);
                    }
                } else if attributes.is_file() {
                    found.extend(listed(name, &attributes));
                }
            }
        }
        Ok(found)
    }

    /// The entries of some folders, each with its folder, names that no object of ours can have left out.
    fn read_folders(
        &self,
        session: &mut Session,
        folders: &[String],
    ) -> Result<Vec<(String, String, Attributes)>, SftpError> {
        let opening = |folder: &String| Question::new(ask::OPENDIR).text(self.path(folder).as_bytes());
        let mut handles = BTreeMap::new();
        for (at, answer) in session.ask_all(folders.iter().map(opening))?.into_iter().enumerate() {
            match answer {
                Answer::Handle(handle) => drop(handles.insert(at, handle)),
                Answer::Status(code::NO_SUCH_FILE, _) => {}
                other => return Err(refusal(other)),
            }
        }
        let (mut found, mut reading) = (Vec::new(), handles.clone());
        while !reading.is_empty() {
            let next = |handle: &Vec<u8>| Question::new(ask::READDIR).text(handle);
            let answers = session.ask_all(reading.values().map(next))?;
            let asked: Vec<usize> = reading.keys().copied().collect();
            for (at, answer) in asked.into_iter().zip(answers) {
                match answer {
                    Answer::Names(names) => {
                        found.extend(names.into_iter().filter_map(|(name, attributes)| {
                            let name =
                                String::from_utf8(name).ok().filter(|name| name != "." && name != "..")?;
                            Some((folders[at].clone(), name, attributes))
                        }))
                    }
                    Answer::Status(code::END, _) => drop(reading.remove(&at)),
                    other => return Err(refusal(other)),
                }
            }
        }
        let close = |handle: &Vec<u8>| Question::new(ask::CLOSE).text(handle);
        session.ask_all(handles.values().map(close))?;
        Ok(found)
    }

    /// Where an object lies on the server.
    fn path(&self, name: &str) -> String {
        match (self.0.root.trim_end_matches('/'), name) {
            ("", "") => "/".into(),
            (root, "") => root.to_owned(),
            (root, name) => format!("{root}/{name}"),
        }
    }

    /// Carries a call out, again where the connection was lost in between.
    fn try_often<T>(&self, call: impl Fn(&mut Session) -> Result<T, SftpError>) -> Result<T, SftpError> {
        let mut tried = 0;
        loop {
            match self.attempt(&call) {
                Err(error) if self.may_pass(&error) && tried < self.0.retries => {
                    thread::sleep(FIRST_WAIT * 2_u32.saturating_pow(tried as u32));
                    tried += 1;
                }
                outcome => return outcome,
            }
        }
    }

    /// A server that never answered is given up at once; `ssh` has waited long enough.
    fn may_pass(&self, error: &SftpError) -> bool {
        self.0.answered.load(Ordering::Relaxed) && error.kind() == RemoteErrorKind::Unreachable
    }

    fn attempt<T>(&self, call: impl Fn(&mut Session) -> Result<T, SftpError>) -> Result<T, SftpError> {
        let mut session = self.take()?;
        let outcome = call(&mut session);
        let is_lost = outcome.as_ref().is_err_and(SftpError::is_lost_connection);
        self.give_back((!is_lost).then_some(session));
        outcome
    }

    fn pool(&self) -> MutexGuard<'_, (Vec<Session>, usize)> {
        self.0.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that nobody uses: an old one, or a new one where there may be more.
    fn take(&self) -> Result<Session, SftpError> {
        let mut pool = self.pool();
        loop {
            if let Some(session) = pool.0.pop() {
                return Ok(session);
            }
            if pool.1 > 0 {
                pool.1 -= 1;
                drop(pool);
                let opened = Session::open(&self.0.to);
                match &opened {
                    Ok(_) => self.0.answered.store(true, Ordering::Relaxed),
                    Err(_) => self.give_back(None),
                }
                return opened;
            }
            pool = self.0.returned.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives a connection back, or the right to make another one in its place.
    fn give_back(&self, session: Option<Session>) {
        let mut pool = self.pool();
        match session {
            Some(session) => pool.0.push(session),
            None => pool.1 += 1,
        }
        drop(pool);
        self.0.returned.notify_one();
    }
}
