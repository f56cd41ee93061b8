//! What can go wrong in the local store.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::{Advice, Digest};
use crate::objects::codec::CodecError;
use crate::storage::durable::DurableError;

/// The local store cannot give or take an item.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The item is not here.
    #[error("{id} is not in the store")]
    Missing {
        /// The id of the item.
        id: Digest,
    },
    /// The bytes of the item are not those that its id promises.
    #[error("{id} is damaged in '{}'", path.display())]
    Damaged {
        /// The id of the item.
        id: Digest,
        /// The pack that holds it.
        path: PathBuf,
        /// What the codec said, if it was the codec that noticed.
        source: Option<CodecError>,
    },
    /// Lengths, kind and codec do not fit together.
    #[error("{id} cannot be kept: {raw} bytes stored in {stored} are no item")]
    BadItem {
        /// The id of the item.
        id: Digest,
        /// Length of the item, in bytes.
        raw: u32,
        /// Length as stored, in bytes.
        stored: usize,
    },
    /// What was written is not what is read back.
    #[error("'{}' does not hold what was written to it", path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
    },
    /// This writer failed before; what it was given since the last sync is not kept.
    #[error("nothing more is kept after the failure before")]
    Failed,
    /// Others work with the store, so nothing can be removed from it.
    #[error("the store is in use by {}", by.join(", "))]
    InUse {
        /// Each process, with its entry.
        by: Vec<String>,
    },
    /// Something is being removed from the store, for too long.
    #[error("{} removes data from the store and does not end", by.join(", "))]
    Collected {
        /// Each process, with its entry.
        by: Vec<String>,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] DurableError),
}

impl StoreError {
    /// The error of one `step` on `path`; for a full disk, `bytes` were to be written.
    pub(super) fn io(step: &'static str, path: &Path, bytes: usize, source: io::Error) -> Self {
        Self::File(DurableError::new(step, path, bytes as u64, source))
    }
}

impl Advice for StoreError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Missing { .. } => vec!["'git mldata pull' brings what a remote has".into()],
            Self::Damaged { .. } => vec![
                "git mldata fsck --repair      brings back what a remote or the work tree has".into(),
                "check the disk: files of the store never change once they are written".into(),
            ],
            Self::NotKept { .. } => vec!["check the disk, and run the command again".into()],
            Self::File(error) => error.hints(),
            Self::InUse { .. } | Self::Collected { .. } => vec![
                "run it again when that has ended".into(),
                "if no such process runs there any more, remove its entry, the file in brackets".into(),
            ],
            Self::BadItem { .. } | Self::Failed => Vec::new(),
        }
    }
}
