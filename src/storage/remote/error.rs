//! What can go wrong at a remote, sorted by what one does about it, in the service's own words.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::answer::{kind_of, kind_of_io, words_of};
use super::identity::Identity;
use super::url::ServiceKind;
use crate::storage::durable::DurableError;

/// What an error of a remote means to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteErrorKind {
    /// The object does not exist.
    NotFound,
    /// The bucket or folder itself does not exist.
    NoRemote,
    /// The service knows who asks and says no.
    Denied,
    /// The service does not take the credentials, or there are none that can be used.
    BadCredentials,
    /// The bucket lies in another region.
    WrongRegion,
    /// The service did not answer, or the way to it is broken.
    Unreachable,
    /// The service answers, but asked for patience for too long.
    Busy,
    /// It can only be read.
    ReadOnly,
    /// There is no room.
    Full,
    /// The object is shorter than what was asked for, or longer than any object of a remote.
    WrongSize,
    /// The address or the options cannot be used.
    Misconfigured,
    /// Anything else; the service's words say what.
    Other,
}

/// A call to a remote failed.
#[derive(Debug)]
pub struct RemoteError(Box<Details>);

#[derive(Debug)]
pub(super) struct Details {
    pub kind: RemoteErrorKind,
    pub step: &'static str,
    pub object: String,
    pub remote: String,
    pub name: String,
    pub service: ServiceKind,
    pub identity: Option<Identity>,
    pub said: String,
}

/// What was being done when a call failed.
pub(super) struct Attempt<'a> {
    /// A verb: "read", "write", "list".
    pub step: &'static str,
    /// The name of the object; empty for the remote itself.
    pub object: &'a str,
    /// The address of the remote.
    pub remote: &'a str,
    /// How the user calls it; empty where that is not known.
    pub name: &'a str,
    /// What it lies on.
    pub service: ServiceKind,
    /// As whom.
    pub identity: Option<&'a Identity>,
}

impl RemoteError {
    pub(super) fn new(kind: RemoteErrorKind, attempt: &Attempt<'_>, said: &str) -> Self {
        Self(Box::new(Details {
            kind,
            step: attempt.step,
            object: attempt.object.to_owned(),
            remote: attempt.remote.to_owned(),
            name: attempt.name.to_owned(),
            service: attempt.service,
            identity: attempt.identity.cloned(),
            said: one_line(said),
        }))
    }

    pub(super) fn of_service(attempt: &Attempt<'_>, error: &opendal::Error) -> Self {
        Self::new(kind_of(error), attempt, &words_of(error))
    }

    pub(super) fn of_file(attempt: &Attempt<'_>, error: &DurableError) -> Self {
        let (kind, source) = match error {
            DurableError::Full { source, .. } => (RemoteErrorKind::Full, source),
            DurableError::Io { source, .. } => (kind_of_io(source), source),
        };
        Self::new(kind, attempt, &source.to_string())
    }

    pub(super) fn no_answer(attempt: &Attempt<'_>, waited: Duration, trouble: Option<&str>) -> Self {
        let trouble = trouble.map(|trouble| format!(" ({trouble})")).unwrap_or_default();
        let said = format!("no answer within {} s{trouble}", waited.as_secs());
        Self::new(RemoteErrorKind::Unreachable, attempt, &said)
    }

    pub(super) fn details(&self) -> &Details {
        &self.0
    }

    /// What it means.
    pub fn kind(&self) -> RemoteErrorKind {
        self.0.kind
    }

    /// Whether the same may succeed later, without anybody doing anything about it.
    pub fn is_passing(&self) -> bool {
        matches!(self.kind(), RemoteErrorKind::Unreachable | RemoteErrorKind::Busy)
    }

    /// The service's own words.
    pub fn said(&self) -> &str {
        &self.0.said
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { kind, step, object, remote, said, .. } = &*self.0;
        match object.as_str() {
            "" => write!(f, "cannot {step} '{remote}': ")?,
            object => write!(f, "cannot {step} '{object}' of '{remote}': ")?,
        }
        f.write_str(match kind {
            RemoteErrorKind::NotFound => "it does not exist",
            RemoteErrorKind::NoRemote => "no such bucket or folder",
            RemoteErrorKind::Denied => "access denied",
            RemoteErrorKind::BadCredentials => "the credentials are not accepted",
            RemoteErrorKind::WrongRegion => "the bucket is in another region",
            RemoteErrorKind::Unreachable => "the service cannot be reached",
            RemoteErrorKind::Busy => "the service is overloaded",
            RemoteErrorKind::ReadOnly => "it can only be read",
            RemoteErrorKind::Full => "no space left",
            RemoteErrorKind::WrongSize => "its size is not the expected one",
            RemoteErrorKind::Misconfigured => "the remote cannot be used as it is set",
            RemoteErrorKind::Other => "the service failed",
        })?;
        if said.is_empty() { Ok(()) } else { write!(f, ": {said}") }
    }
}

impl Error for RemoteError {}

/// One line of at most 300 characters, with nothing that a terminal would obey.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(300).collect()
}
