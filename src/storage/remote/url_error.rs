//! Why an address is refused.

use crate::base::{Advice, Failure};

/// Why an address is refused. No variant holds a text that may contain a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing, or only blanks.
    #[error("the address of a remote is empty")]
    Empty,
    /// A scheme that is not known.
    #[error("'{scheme}://' is not a kind of remote that is known")]
    Scheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// A user name or password.
    #[error("the address of a remote holds a user name or a password")]
    Secret,
    /// Like `host:path`, which the programs of SSH take.
    #[error("'{host}:…' looks like a host reached by SSH, which is written in another way here")]
    Ssh {
        /// What stands before the colon.
        host: String,
    },
    /// `?…` or `#…`.
    #[error("'{url}' has a query or a fragment")]
    Query {
        /// The address before it.
        url: String,
    },
    /// A bucket name that the service does not take.
    #[error("'{bucket}' is not a bucket's name")]
    Bucket {
        /// The name.
        bucket: String,
    },
    /// No host, or a strange one.
    #[error("'{host}' is not a host with a port")]
    Host {
        /// What stands there.
        host: String,
    },
    /// A path with `.`, `..`, `%` or an empty part, or a folder's address with a host.
    #[error("'{path}' is not a path that a remote can have")]
    Path {
        /// The path.
        path: String,
    },
    /// Control characters, or a dash in front, which programs take for an option.
    #[error("the address of a remote begins with a dash or has control characters")]
    Characters,
}

impl Advice for UrlError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Secret => vec![
                "for a bucket, set the variables of its service (AWS_ACCESS_KEY_ID, AZURE_STORAGE_KEY, …) or use its own files".into(),
                "for a web server, keep the password with Git's credential helpers, and name the user by the option user".into(),
                "a secret that was written into a file or a command line should be replaced".into(),
            ],
            Self::Query { url } => {
                vec![format!("give '{url}' as the address, and what follows as options (endpoint, region, …)")]
            }
            Self::Bucket { .. } => {
                vec!["a bucket's name has 3 to 63 small letters, digits, dots and dashes; a container's no dots".into()]
            }
            Self::Path { .. } => {
                vec!["write the path as it is, absolute, without '..', '//' and codes like %20".into()]
            }
            Self::Ssh { host } => vec![format!("write it as sftp://USER@{host}/PATH")],
            _ => vec![
                "known are a folder's path, file:///PATH, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, gs://BUCKET/PREFIX, webdavs://HOST/PATH, sftp://USER@HOST/PATH and https://HOST/PATH"
                    .into(),
            ],
        }
    }

    fn failure(&self) -> Failure {
        Failure::WrongUse
    }
}
