//! Why a remote cannot be used or set.

use crate::base::{Advice, Failure, typed};
use crate::git::{GitError, TeamFileError};
use crate::storage::remote::{OptionError, RemoteError, UrlError};

use super::trust::TRUST;

/// Why a remote cannot be used or set.
#[derive(Debug, thiserror::Error)]
pub enum RemotesError {
    /// No remote of this name.
    #[error("there is no data remote '{name}'")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// None was named, and none is the default.
    #[error("no data remote is named, and none is the default")]
    NoDefault {
        /// The names that there are.
        known: Vec<String>,
    },
    /// It is a mirror.
    #[error("nothing can be pushed to '{name}': it can only be read")]
    ReadOnly {
        /// The name.
        name: String,
        /// The names of those that can be written.
        others: Vec<String>,
    },
    /// Nobody but the clone says that data should go there.
    #[error("'{name}' is named by 'ml.toml' alone, and nothing was sent there from this clone yet: {place}")]
    Unconfirmed {
        /// The name.
        name: String,
        /// The address, and where options lead.
        place: String,
    },
    /// The name is taken.
    #[error("the data remote '{0}' exists already")]
    Exists(String),
    /// The name cannot be one.
    #[error("'{0}' cannot be the name of a data remote")]
    Name(String),
    /// The repository is not set up.
    #[error("this repository keeps no data yet: there is no ml.toml")]
    NotSetUp,
    /// The URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// An option.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The remote refused or cannot be reached.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The team's settings.
    #[error(transparent)]
    TeamFile(#[from] TeamFileError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for RemotesError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown { known, .. } | Self::NoDefault { known } if known.is_empty() => {
                vec!["git mldata remote add NAME URL".into()]
            }
            Self::Unknown { known, .. } => vec![format!("there are: {}", known.join(", "))],
            Self::NoDefault { known } => vec![format!("name one of: {}", known.join(", "))],
            Self::ReadOnly { others, .. } if others.is_empty() => {
                vec!["git mldata remote add NAME URL      names a place to push to".into()]
            }
            Self::ReadOnly { others, .. } => {
                others.iter().map(|other| format!("git mldata push {other}")).collect()
            }
            Self::Unconfirmed { name, place } => vec![
                format!("git mldata remote trust {name}      if that is where your data should go"),
                format!("export {TRUST}={place}      says the same in CI", place = typed(place)),
            ],
            Self::Exists(name) => vec![format!("git mldata remote remove {name}, or choose another name")],
            Self::Name(name) if name == "origin" => {
                vec!["'origin' is where Git pushes to; call the place of the data 'main' or 'data'".into()]
            }
            Self::Name(_) => vec!["use letters, digits, '-' and '_'".into()],
            Self::NotSetUp => vec!["git mldata init".into()],
            Self::Url(error) => error.hints(),
            Self::Option(error) => error.hints(),
            Self::Remote(error) => error.hints(),
            Self::TeamFile(error) => error.hints(),
            Self::Git(error) => error.hints(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Url(_) | Self::Option(_) | Self::Name(_) => Failure::WrongUse,
            Self::Git(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
