//! Smudge: from Git into the work tree.

use std::collections::BTreeMap;

use super::{LIMIT, LOOKED_AT_LIMIT, is_skipped};
use crate::base::{Digest, Progress, RepoPath};
use crate::data::content::{ReadError, read_content};
use crate::data::root::RootName;
use crate::data::transfer::{TransferError, Want, fetch_versions};
use crate::data::workspace::Workspace;
use crate::git::Repository;
use crate::objects::item::EMPTY_CONTENT;
use crate::objects::pointer::{Pointer, PointerKind};
use crate::storage::store::{ItemReader, Store, StoreError};

/// What a blob becomes in the work tree.
pub(super) enum Smudged {
    /// This content.
    Content(Vec<u8>),
    /// What it is: a pointer whose content comes later or not at all, or raw content.
    AsItIs,
    /// It is told later.
    Later,
}

/// Why a content that is here cannot be read.
pub(super) type Unreadable = (Digest, ReadError);

/// Answers with contents.
pub(super) struct Smudger {
    /// Where to fetch into; none for a bare repository.
    workspace: Option<Workspace>,
    store: Store,
    reader: ItemReader,
    limit: u64,
    may_fetch: bool,
    skips: bool,
    /// Paths that wait, with what Git has for them.
    waiting: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Paths that were told to be ready.
    ready: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Smudger {
    pub(super) fn new(repository: &Repository) -> Self {
        let limit = repository.setting_number("mldata.smudgeLimit");
        let workspace = Workspace::open(repository.clone()).ok();
        let of_workspace = workspace.as_ref().map(|workspace| workspace.store().clone());
        let store = of_workspace.unwrap_or_else(|| Workspace::store_of(repository));
        Self {
            reader: store.reader(),
            workspace,
            store,
            limit: limit.and_then(|limit| u64::try_from(limit).ok()).unwrap_or(LIMIT),
            may_fetch: repository.setting_switch("mldata.smudgeFetch").unwrap_or(true),
            skips: is_skipped(),
            waiting: BTreeMap::new(),
            ready: BTreeMap::new(),
        }
    }

    /// What the blob `blob` becomes at `path`. What is damaged is told beside, and stays a pointer.
    pub(super) fn smudge(
        &mut self,
        path: &[u8],
        blob: &[u8],
        can_delay: bool,
    ) -> (Smudged, Option<Unreadable>) {
        let Some(pointer) = Pointer::parse(blob).ok().filter(|it| it.kind == PointerKind::File) else {
            return (Smudged::AsItIs, None);
        };
        let is_written = can_delay || self.ready.contains_key(path);
        let limit = if is_written { self.limit } else { self.limit.min(LOOKED_AT_LIMIT) };
        if self.skips || pointer.size > limit {
            return (Smudged::AsItIs, None);
        }
        match self.read(&pointer) {
            Ok(content) => (Smudged::Content(content), None),
            Err(error) if error.is_missing() && can_delay && self.may_fetch => {
                self.waiting.insert(path.to_vec(), blob.to_vec());
                (Smudged::Later, None)
            }
            Err(error) if error.is_missing() => (Smudged::AsItIs, None),
            Err(error) => (Smudged::AsItIs, Some((pointer.id, error))),
        }
    }

    fn read(&mut self, pointer: &Pointer) -> Result<Vec<u8>, ReadError> {
        let Pointer { id, size, manifest, .. } = *pointer;
        if manifest.is_some() {
            return read_content(&self.store, id, manifest, size);
        }
        if id == EMPTY_CONTENT {
            return Ok(Vec::new());
        }
        let chunk = self.reader.read(&id).map_err(|source: StoreError| ReadError::Chunk { id, source })?;
        if chunk.len() as u64 == size { Ok(chunk.to_vec()) } else { Err(ReadError::Mismatch(id)) }
    }

    /// What Git has for a path that was delayed: it is not sent again.
    pub(super) fn delayed_blob(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.ready.get(path).cloned()
    }

    /// The paths that can be answered now; none when all were told. Before the first answer all that is missing is fetched,
    /// in one go; what cannot be fetched is answered as it is.
    pub(super) fn available(&mut self) -> (Vec<Vec<u8>>, Option<TransferError>) {
        let waiting = std::mem::take(&mut self.waiting);
        let failed = if waiting.is_empty() { None } else { self.fetch(&waiting).err() };
        // Who could not be reached once is not waited for again.
        self.may_fetch &= failed.is_none();
        let paths = waiting.keys().cloned().collect();
        self.ready.extend(waiting);
        (paths, failed)
    }

    fn fetch(&self, waiting: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<(), TransferError> {
        let wants: Vec<_> = waiting.iter().filter_map(|(path, blob)| want(path, blob)).collect();
        let Some(workspace) = &self.workspace else { return Ok(()) };
        fetch_versions(workspace, None, &wants, &Progress::hidden()).map(drop)
    }
}

fn want(path: &[u8], blob: &[u8]) -> Option<Want> {
    let path = RepoPath::new(std::str::from_utf8(path).ok()?).ok()?;
    let root = RootName::from(&Pointer::parse(blob).ok()?);
    Some(Want { path, root, parts: vec![Vec::new()] })
}
