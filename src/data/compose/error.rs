//! Why a new version cannot be composed.

use crate::base::{Advice, RepoPath, typed};
use crate::data::content::WalkError;

/// Why a new version cannot be composed.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// Paths of the last version are not here, and nothing tells whether they were deleted or never fetched.
    #[error("{missing} of {of} files of '{path}' are not here, and nothing tells whether they were deleted")]
    NoProof {
        /// The directory.
        path: RepoPath,
        /// Files of the last version that are not here.
        missing: u64,
        /// Files of the last version.
        of: u64,
    },
    /// Files were changed here and in the version that the pointer names.
    #[error(
        "of '{path}' changed here and in the version that its pointer names; nothing was added:{}",
        listed(path, names)
    )]
    Conflict {
        /// The directory.
        path: RepoPath,
        /// The files, by path below it.
        names: Vec<Vec<u8>>,
    },
    /// The last version must be known, and its nodes are not in the store.
    #[error("the last version of '{path}' is not in the store, and it is needed to keep what is not here")]
    Base {
        /// The directory.
        path: RepoPath,
        /// What is missing.
        #[source]
        source: WalkError,
    },
}

/// Each on a line of its own.
pub fn listed(path: &RepoPath, names: &[Vec<u8>]) -> String {
    let line = |name: &Vec<u8>| match name.as_slice() {
        b"" => format!("\n  {path}"),
        name => format!("\n  {path}/{}", String::from_utf8_lossy(name)),
    };
    names.iter().map(line).collect()
}

impl Advice for ComposeError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoProof { path, .. } => vec![
                format!(
                    "git mldata pull {path}      brings the rest, so that nothing is dropped",
                    path = typed(path)
                ),
                format!(
                    "git mldata add --all {path}      says that what is not here is to be dropped",
                    path = typed(path)
                ),
            ],
            Self::Conflict { path, names } => {
                let first = names.first().map(|name| String::from_utf8_lossy(name)).unwrap_or_default();
                let first = format!("{path}/{first}");
                vec![
                    format!(
                        "git mldata add {}      takes it as it is here; so name each of them",
                        typed(&first)
                    ),
                    format!(
                        "git mldata checkout --force {path}      takes what the pointer names, and keeps copies",
                        path = typed(path)
                    ),
                ]
            }
            Self::Base { path, source } if source.is_missing() => {
                vec![format!("git mldata fetch {path}", path = typed(path))]
            }
            Self::Base { source, .. } => source.hints(),
        }
    }
}
