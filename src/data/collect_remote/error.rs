//! Why a collection stopped.

use crate::base::{Advice, Digest, Failure, typed};
use crate::data::collect::CollectError;
use crate::data::remotes::RemotesError;
use crate::data::transfer::TransferError;
use crate::git::GitError;
use crate::objects::FormatError;
use crate::storage::remote::RemoteError;

/// Why a collection stopped. Whatever it had done until then harms nobody, and a second run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum CollectRemoteError {
    /// A root that was certified is gone, and nobody forgot it.
    #[error("roots are missing that the newest certificate names and no record forgets: {}", objects.join(", "))]
    RootsMissing {
        /// The names of their records.
        objects: Vec<String>,
        /// Whether one of them is there although the listing does not show it.
        listing_is_short: bool,
    },
    /// A root needs a pack that is not there.
    #[error("the pack {pack} is missing, which '{needed_by}' needs")]
    PackMissing {
        /// The pack.
        pack: Digest,
        /// The name of a root record that needs it.
        needed_by: String,
    },
    /// An index object names a pack that is not there and that nobody condemned.
    #[error("'{index}' names the pack {pack}, which is neither there nor condemned")]
    PackUnknown {
        /// The pack.
        pack: Digest,
        /// The name of the index object.
        index: String,
    },
    /// Records cannot be read.
    #[error("cannot understand {}", objects.join(", "))]
    Unreadable {
        /// Their names.
        objects: Vec<String>,
    },
    /// Claims went while they were read.
    #[error("the remote changed while it was looked at: {} went", objects.join(", "))]
    ClaimsGone {
        /// Their names.
        objects: Vec<String>,
    },
    /// The service tells no times.
    #[error("'{remote}' does not tell when its objects were written: nothing can be collected there")]
    NoTime {
        /// Its address.
        remote: String,
    },
    /// There is no Git remote: nobody can tell which refs there are.
    #[error("there is no Git remote whose refs could tell which versions are still named")]
    NoHome,
    /// This clone does not see all of the history.
    #[error("this clone is {what}: it does not see which versions other commits name")]
    NotAll {
        /// How.
        what: &'static str,
    },
    /// Younger records must not be forgotten.
    #[error("the remote lets no record be forgotten that is younger than {days} days")]
    TooYoung {
        /// The least age in days.
        days: u32,
    },
    /// What this clone names cannot be told.
    #[error(transparent)]
    Here(#[from] CollectError),
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// What remotes and records say.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The remote.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The settings.
    #[error(transparent)]
    Remotes(#[from] RemotesError),
    /// A record cannot be made.
    #[error("cannot write a record")]
    Format(#[from] FormatError),
}

impl Advice for CollectRemoteError {
    fn hints(&self) -> Vec<String> {
        let force = |object: &String| format!("--force-record {}", typed(object));
        let go_on = |objects: &[String]| {
            let options: Vec<_> = objects.iter().take(3).map(force).collect();
            format!("git mldata gc --remote NAME --yes {}      only if you know why", options.join(" "))
        };
        match self {
            Self::RootsMissing { listing_is_short: true, .. } => {
                vec!["the listing of the remote is not complete: nothing was changed, try again later".into()]
            }
            Self::RootsMissing { objects, .. } => {
                vec!["somebody deleted them by hand: put them back from a copy".into(), go_on(objects)]
            }
            Self::PackMissing { .. } => {
                vec![
                    "the listing may not be complete: try again later".into(),
                    "git mldata fsck --remote NAME --repair      in a clone that has the data".into(),
                ]
            }
            Self::PackUnknown { index, .. } => {
                vec![
                    "the listing may not be complete: try again later".into(),
                    go_on(std::slice::from_ref(index)),
                ]
            }
            Self::Unreadable { objects } => {
                vec!["a newer git-ml may have written them: cargo install git-ml".into(), go_on(objects)]
            }
            Self::Transfer(error) => error.hints(),
            Self::Remote(error) => error.hints(),
            Self::Remotes(error) => error.hints(),
            Self::Here(error) => error.hints(),
            Self::Git(error) => error.hints(),
            Self::ClaimsGone { .. } => vec!["try again".into()],
            Self::NoHome => vec!["git remote add origin URL".into()],
            Self::NotAll { .. } => vec!["do it in a full clone: git clone URL".into()],
            Self::TooYoung { days } => vec![format!("--older-than {days}d, or more")],
            Self::NoTime { .. } | Self::Format(_) => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::Transfer(error) => error.failure(),
            Self::Remotes(error) => error.failure(),
            Self::Git(error) => error.failure(),
            Self::TooYoung { .. } => Failure::WrongUse,
            _ => Failure::CouldNotDo,
        }
    }
}
