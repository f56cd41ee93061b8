//! Why a transfer failed.

use std::error::Error;

use crate::base::{Advice, Digest, Failure, RepoPath, typed};
use crate::data::content::WalkError;
use crate::data::remotes::RemotesError;
use crate::data::versions::VersionsError;
use crate::git::GitError;
use crate::objects::FormatError;
use crate::objects::pack_builder::PackError;
use crate::objects::remote_config::RemoteConfigError;
use crate::storage::durable::DurableError;
use crate::storage::remote::RemoteError;
use crate::storage::remote_reader::ReadError;
use crate::storage::store::StoreError;

/// Why a transfer failed. What was sent or fetched until then stays, and a second try goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The remote.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// An item of the remote.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The remote's configuration.
    #[error("the remote '{remote}' cannot be used")]
    Config {
        /// Its address.
        remote: String,
        /// Why.
        #[source]
        source: RemoteConfigError,
    },
    /// There are objects, but no configuration.
    #[error("the remote '{remote}' has lost its configuration: it has objects of ours, but no 'config'")]
    ConfigLost {
        /// Its address.
        remote: String,
    },
    /// There is nothing of ours yet.
    #[error("nothing was ever pushed to '{remote}'")]
    Empty {
        /// Its address.
        remote: String,
    },
    /// An object of the remote is not what its name says.
    #[error("the object '{name}' of the remote is damaged")]
    Object {
        /// Its name.
        name: String,
        /// Why, where more is known.
        #[source]
        source: Option<FormatError>,
    },
    /// The version was never pushed there.
    #[error("'{path}' ({}) is not on '{remote}'", root.short())]
    NotThere {
        /// The path.
        path: RepoPath,
        /// The version.
        root: Digest,
        /// The remote's name.
        remote: String,
    },
    /// The store lacks what is to be sent.
    #[error("the store lacks {} of '{path}', and the remote has it not either", id.short())]
    MissingHere {
        /// The path.
        path: RepoPath,
        /// A chunk or node.
        id: Digest,
    },
    /// No pack that the root names has it.
    #[error("{} is in none of the packs that the remote names for it", id.short())]
    Unlocated {
        /// A chunk or node.
        id: Digest,
    },
    /// Collections kept condemning what was about to be named.
    #[error(
        "the remote was cleaned {0} times while this push went on; nothing was lost, and nothing is named yet"
    )]
    Unsettled(u32),
    /// What was packed is not what was planned.
    #[error("what was packed is not what was planned: this is a fault of git-ml; nothing is named")]
    Inconsistent,
    /// A record could not be made.
    #[error("cannot write what is to be pushed")]
    Format(#[from] FormatError),
    /// A pack could not be made.
    #[error("cannot make a pack")]
    Pack(#[from] PackError),
    /// The tree.
    #[error("cannot read '{path}' from the store")]
    Walk {
        /// The path.
        path: RepoPath,
        /// Why.
        #[source]
        source: WalkError,
    },
    /// The store.
    #[error("the store cannot take what was fetched")]
    Store(#[from] StoreError),
    /// What is known of the remote cannot be noted.
    #[error("cannot note what is known of the remote")]
    Durable(#[from] DurableError),
    /// There is no room for what is known of others' versions.
    #[error("cannot make a temporary folder")]
    Scratch(#[source] std::io::Error),
    /// The settings.
    #[error(transparent)]
    Remotes(#[from] RemotesError),
    /// The commits.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl TransferError {
    /// Whether something of a version is gone or damaged on the remote: another record of it, or another remote, may help.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Read(error) => !matches!(error, ReadError::Remote(_)),
            Self::Unlocated { .. } | Self::Format(_) | Self::Object { .. } => true,
            _ => false,
        }
    }

    /// The message, with its causes.
    pub(super) fn with_causes(&self) -> String {
        let (mut text, mut cause) = (self.to_string(), self.source());
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

impl Advice for TransferError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Remote(error) => error.hints(),
            Self::Read(error) => error.hints(),
            Self::Config { source, .. } => source.hints(),
            Self::ConfigLost { .. } => vec!["put 'config' back from a copy; nothing was written".into()],
            Self::Empty { .. } => vec!["whoever has the data: git mldata push".into()],
            Self::Object { .. } | Self::Unlocated { .. } => {
                vec!["whoever has the data can push it again; nothing was changed here".into()]
            }
            Self::NotThere { .. } => vec!["whoever made this version: git mldata push".into()],
            Self::MissingHere { path, .. } => {
                vec![format!(
                    "git mldata fetch {path}      from a remote that has it, or add the data again",
                    path = typed(path)
                )]
            }
            Self::Unsettled(_) => vec!["try again".into()],
            Self::Walk { source, .. } => source.hints(),
            Self::Store(error) => error.hints(),
            Self::Durable(error) => error.hints(),
            Self::Remotes(error) => error.hints(),
            Self::Versions(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::Inconsistent => vec!["please report it, with the output of git mldata status".into()],
            Self::Format(_) | Self::Pack(_) | Self::Scratch(_) => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Remotes(error) => error.failure(),
            Self::Git(error) => error.failure(),
            _ => Failure::CouldNotDo,
        }
    }
}
