//! Who did something, and when.

use gix::bstr::ByteSlice;
use serde::{Deserialize, Serialize};

use crate::git::GitError;
use crate::git::Repository;

/// Name, email and time of an author, committer or tagger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The name, as Git has it.
    pub name: String,
    /// The address, without angle brackets.
    pub email: String,
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// Offset of the local clock from UTC, in seconds, positive to the east.
    pub offset: i32,
}

/// In which capacity somebody signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Who made the change.
    Author,
    /// Who recorded it.
    Committer,
}

impl Signature {
    pub(super) fn from_gix(signature: gix::actor::SignatureRef<'_>) -> Self {
        let time = signature.time().unwrap_or_default();
        Self {
            name: signature.name.trim().to_str_lossy().into_owned(),
            email: signature.email.trim().to_str_lossy().into_owned(),
            seconds: time.seconds,
            offset: time.offset,
        }
    }

    pub(super) fn to_gix(&self) -> gix::actor::Signature {
        gix::actor::Signature {
            name: self.name.as_str().into(),
            email: self.email.as_str().into(),
            time: gix::date::Time { seconds: self.seconds, offset: self.offset },
        }
    }
}

impl Repository {
    /// Who the user is by environment and settings, now (or at `GIT_AUTHOR_DATE`, `GIT_COMMITTER_DATE`).
    ///
    /// # Errors
    ///
    /// [`GitError::NoIdentity`] when name or email is not known: nothing is guessed.
    pub fn signature(&self, role: Role) -> Result<Signature, GitError> {
        let (found, name) = match role {
            Role::Author => (self.gix.author(), "author"),
            Role::Committer => (self.gix.committer(), "committer"),
        };
        let found = found.and_then(Result::ok).ok_or(GitError::NoIdentity { role: name })?;
        Ok(Signature::from_gix(found))
    }
}
