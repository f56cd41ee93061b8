//! Clean: from the work tree into Git.

use std::io::{self, Read};
use std::path::Path;

use super::store_door::StoreDoor;
use crate::base::{Advice, PathError, RepoPath};
use crate::data::content::{Lane, WriteError};
use crate::git::{GitError, Repository};
use crate::objects::pointer::{MAX_IN_PLACE, Pointer, PointerError, PointerKind};
use crate::storage::store::Store;

/// What every pointer of ours begins with, whatever its version.
const BEGINNING: &[u8] = b"# git-mldata pointer";

/// Why a file could not be taken in. Git is told an error for that file, and fails: its content must not go into Git.
#[derive(Debug, thiserror::Error)]
pub enum CleanError {
    /// It cannot be read or stored.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// No other clone would write such a name, and no push would find it.
    #[error(transparent)]
    Name(#[from] PathError),
    /// Git broke off.
    #[error("Git did not send all of the content")]
    Git(#[source] io::Error),
    /// There is no store, for the repository cannot be opened.
    #[error("there is no store to put the content into")]
    NoStore(#[source] Option<GitError>),
}

impl Advice for CleanError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Write(error) => error.hints(),
            Self::Name(_) => {
                vec!["rename it, or leave it to Git: a line 'NAME -filter' in .gitattributes".into()]
            }
            Self::Git(_) => Vec::new(),
            Self::NoStore(error) => error.as_ref().map(Advice::hints).unwrap_or_default(),
        }
    }
}

/// What Git is to keep for a file.
pub(super) struct Cleaned {
    /// The text of the pointer, or nothing for an empty file.
    pub(super) text: Vec<u8>,
    /// Why what looks like a pointer was taken as content.
    pub(super) unlike: Option<PointerError>,
}

/// Takes in one file after the other.
pub(super) struct Cleaner {
    repository: Repository,
    door: StoreDoor,
    lane: Lane,
}

impl Cleaner {
    pub(super) fn new(repository: &Repository, store: &Store) -> Self {
        Self { repository: repository.clone(), door: StoreDoor::new(store.clone()), lane: Lane::default() }
    }

    /// Puts what `content` gives into the store, and makes it last. A pointer stays what it is, and so does nothing at all.
    pub(super) fn clean(&mut self, path: &[u8], content: &mut dyn Read) -> Result<Cleaned, CleanError> {
        let mut head = Vec::new();
        content.take(MAX_IN_PLACE as u64 + 1).read_to_end(&mut head).map_err(CleanError::Git)?;
        let mut unlike = None;
        if head.is_empty() {
            return Ok(Cleaned { text: head, unlike });
        }
        if head.len() <= MAX_IN_PLACE && head.starts_with(BEGINNING) {
            match Pointer::parse(&head) {
                Ok(pointer) if pointer.kind == PointerKind::File => {
                    let text = if head.contains(&b'\r') { pointer.to_text().into_bytes() } else { head };
                    return Ok(Cleaned { text, unlike });
                }
                Ok(_) => {}
                Err(error) => unlike = Some(error),
            }
        }
        let name = String::from_utf8_lossy(path).into_owned();
        let path = RepoPath::new(name.as_str())?;
        let lane = &mut self.lane;
        let stored = self.door.with(|intake| {
            lane.begin();
            let stored = lane.take_stream(Path::new(&name), head.as_slice().chain(content), intake)?;
            lane.flush(Path::new(&name), Some(intake))?;
            let synced = intake.sync();
            synced.map_err(|source| WriteError::Store { path: name.clone().into(), source })?;
            Ok::<_, WriteError>(stored)
        })?;
        let pointer = Pointer::file(stored.id, stored.size, stored.manifest);
        let text = self.staged_words(&path, &pointer).unwrap_or_else(|| pointer.to_text().into_bytes());
        Ok(Cleaned { text, unlike })
    }

    /// The words in which the index names the same content.
    fn staged_words(&self, path: &RepoPath, pointer: &Pointer) -> Option<Vec<u8>> {
        let (_, id) = self.repository.staged_entry(path).ok()??;
        let text = self.repository.read_blob(id, MAX_IN_PLACE as u64).ok()?;
        let staged = Pointer::parse(&text).ok()?;
        (staged.same_content(pointer) && staged.manifest == pointer.manifest).then_some(text)
    }
}
