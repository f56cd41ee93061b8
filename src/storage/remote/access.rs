//! What the user, not the clone, brings to a remote: trust and a password.
//!
//! An address comes with a clone, so it may be somebody's trap. Where the way of signing never sends the secret itself
//! (S3, the key of an Azure account), nothing is lost by asking. A password, a bearer token and a shared access
//! signature are sent as they are: only to what the user's own configuration names.

use std::fmt;

/// What the user brings to a remote.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// The name of the remote, for hints.
    pub name: String,
    /// Whether the user's own configuration names this address and endpoint.
    pub trusted: bool,
    /// The command that stands for `ssh`, as Git knows it; `None`: `ssh`.
    pub ssh: Option<String>,
    /// Name and password out of Git's credential helpers.
    pub login: Option<Login>,
}

/// A name and a password. The password is never shown.
#[derive(Clone)]
pub struct Login {
    user: String,
    password: String,
}

impl Login {
    /// A name with its password.
    pub fn new(user: String, password: String) -> Self {
        Self { user, password }
    }

    /// The name.
    pub fn user(&self) -> &str {
        &self.user
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}, …)", self.user)
    }
}
