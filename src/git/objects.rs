//! Blobs and trees: read within limits, written, edited.

use gix::bstr::ByteSlice;
use gix::objs::Kind;
use gix::objs::tree::EntryKind;

use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryMode {
    /// A folder: its object is a tree.
    Folder,
    /// A file: its object is a blob.
    File,
    /// A file with the executable bit.
    Executable,
    /// A symbolic link: its blob is the target.
    Link,
    /// A submodule: its object is a commit of another repository.
    Submodule,
}

impl EntryMode {
    pub(super) fn from_gix(kind: EntryKind) -> Self {
        match kind {
            EntryKind::Tree => Self::Folder,
            EntryKind::Blob => Self::File,
            EntryKind::BlobExecutable => Self::Executable,
            EntryKind::Link => Self::Link,
            EntryKind::Commit => Self::Submodule,
        }
    }

    pub(super) const fn to_gix(self) -> EntryKind {
        match self {
            Self::Folder => EntryKind::Tree,
            Self::File => EntryKind::Blob,
            Self::Executable => EntryKind::BlobExecutable,
            Self::Link => EntryKind::Link,
            Self::Submodule => EntryKind::Commit,
        }
    }

    /// Whether this is a file, executable or not.
    pub const fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }
}

/// One entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeItem {
    /// The name, as bytes: Git allows all but NUL and slash.
    pub name: Vec<u8>,
    /// What it is.
    pub mode: EntryMode,
    /// Its object.
    pub id: ObjectId,
}

impl Repository {
    /// Whether the object is here. A partial clone does not fetch for this.
    pub fn has_object(&self, id: ObjectId) -> bool {
        self.gix.has_object(id.0)
    }

    /// The bytes of the blob `id`, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// [`GitError::TooLarge`] before anything is read, [`GitError::Missing`], [`GitError::WrongKind`].
    pub fn read_blob(&self, id: ObjectId, limit: u64) -> Result<Vec<u8>, GitError> {
        self.check_header(id, Kind::Blob, limit)?;
        self.read(id, Kind::Blob)
    }

    /// Stores `bytes` as a blob.
    ///
    /// # Errors
    ///
    /// [`GitError::WriteObject`].
    pub fn write_blob(&self, bytes: &[u8]) -> Result<ObjectId, GitError> {
        let written = self.gix.write_blob(bytes);
        let id = written.map_err(|error| GitError::WriteObject { kind: "blob", source: error.into() })?;
        Ok(ObjectId(id.detach()))
    }

    /// The entries of the tree `id`, in Git's order.
    ///
    /// # Errors
    ///
    /// [`GitError::Missing`], [`GitError::WrongKind`], [`GitError::Object`].
    pub fn read_tree(&self, id: ObjectId) -> Result<Vec<TreeItem>, GitError> {
        let bytes = self.read(id, Kind::Tree)?;
        let entries = gix::objs::TreeRefIter::from_bytes(&bytes, id.0.kind());
        let item = |entry: gix::objs::tree::EntryRef<'_>| TreeItem {
            name: entry.filename.to_vec(),
            mode: EntryMode::from_gix(entry.mode.kind()),
            id: ObjectId(entry.oid.to_owned()),
        };
        let items = entries.map(|entry| entry.map(item)).collect::<Result<_, _>>();
        items.map_err(|error| GitError::Object { id, source: error.into() })
    }

    /// Stores a tree of `items`, in any order, names distinct.
    ///
    /// # Errors
    ///
    /// [`GitError::WriteObject`].
    pub fn write_tree(&self, items: impl IntoIterator<Item = TreeItem>) -> Result<ObjectId, GitError> {
        let entry = |item: TreeItem| gix::objs::tree::Entry {
            mode: item.mode.to_gix().into(),
            filename: item.name.into(),
            oid: item.id.0,
        };
        let mut entries: Vec<_> = items.into_iter().map(entry).collect();
        entries.sort();
        let written = self.gix.write_object(gix::objs::Tree { entries });
        let id = written.map_err(|error| GitError::WriteObject { kind: "tree", source: error.into() })?;
        Ok(ObjectId(id.detach()))
    }

    /// The tree `base` (the empty one for `None`) with each path set to an entry, or removed for `None`. Folders come
    /// and go as needed. One call writes each changed folder once, so give all changes together.
    ///
    /// # Errors
    ///
    /// [`GitError::WriteObject`], or the errors of reading `base`.
    pub fn edit_tree(
        &self,
        base: Option<ObjectId>,
        changes: impl IntoIterator<Item = (RepoPath, Option<(EntryMode, ObjectId)>)>,
    ) -> Result<ObjectId, GitError> {
        let base = base.unwrap_or_else(ObjectId::empty_tree);
        let failed = |error: gix::Error| GitError::WriteObject { kind: "tree", source: error.into() };
        let mut editor = self.gix.edit_tree(base.0).map_err(failed)?;
        for (path, change) in changes {
            match change {
                Some((mode, id)) => editor.upsert(path.as_str(), mode.to_gix(), id.0).map_err(failed)?,
                None => editor.remove(path.as_str()).map_err(failed)?,
            };
        }
        Ok(ObjectId(editor.write().map_err(failed)?.detach()))
    }

    /// What lies at `path` in the tree `tree`; `None` when nothing does.
    ///
    /// # Errors
    ///
    /// As [`Repository::read_tree`].
    pub fn entry_at(
        &self,
        tree: ObjectId,
        path: &RepoPath,
    ) -> Result<Option<(EntryMode, ObjectId)>, GitError> {
        let unreadable = |error: gix::Error| GitError::Object { id: tree, source: error.into() };
        let found = self
            .gix
            .find_tree(tree.0)
            .and_then(|tree| tree.lookup_entry(path.parts()))
            .map_err(unreadable)?;
        Ok(found.map(|entry| (EntryMode::from_gix(entry.mode().kind()), ObjectId(entry.object_id()))))
    }

    /// The bytes of the file at `path` in the tree of `commit`, at most `limit` of them; `None` when there is no file.
    ///
    /// # Errors
    ///
    /// As [`Repository::read_blob`].
    pub fn read_file_at(
        &self,
        commit: ObjectId,
        path: &RepoPath,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, GitError> {
        let tree = self.commit_info(commit)?.tree;
        match self.entry_at(tree, path)? {
            Some((mode, id)) if mode.is_file() => self.read_blob(id, limit).map(Some),
            _ => Ok(None),
        }
    }

    /// The whole object `id`, which must be of kind `wanted`.
    pub(super) fn read(&self, id: ObjectId, wanted: Kind) -> Result<Vec<u8>, GitError> {
        let find = || {
            let found = self.gix.try_find_object(id.0);
            found.map_err(|error| GitError::Object { id, source: error.into() })
        };
        let object = match find()? {
            None if self.fetch_missing(id) => find()?,
            found => found,
        };
        let object = object.ok_or(GitError::Missing { id })?;
        if object.kind != wanted {
            return Err(wrong_kind(id, object.kind, wanted));
        }
        Ok(object.detach().data)
    }

    /// In a partial clone, asks the `git` program for the object, which fetches it; whether it came.
    fn fetch_missing(&self, id: ObjectId) -> bool {
        let promises =
            |name: &gix::bstr::BString| self.setting_switch(&format!("remote.{name}.promisor")) == Some(true);
        let partial = self.gix.remote_names().iter().any(promises);
        partial && self.program().args(["cat-file", "-e", &id.to_string()]).run().is_ok()
    }

    fn check_header(&self, id: ObjectId, wanted: Kind, limit: u64) -> Result<(), GitError> {
        let find = || {
            let found = self.gix.try_find_header(id.0);
            found.map_err(|error| GitError::Object { id, source: error.into() })
        };
        let header = match find()? {
            None if self.fetch_missing(id) => find()?,
            found => found,
        };
        let header = header.ok_or(GitError::Missing { id })?;
        if header.kind() != wanted {
            return Err(wrong_kind(id, header.kind(), wanted));
        }
        if header.size() > limit {
            return Err(GitError::TooLarge { id, size: header.size(), limit });
        }
        Ok(())
    }
}

fn wrong_kind(id: ObjectId, found: Kind, wanted: Kind) -> GitError {
    let wanted = match wanted {
        Kind::Blob => "blob",
        Kind::Tree => "tree",
        Kind::Commit => "commit",
        Kind::Tag => "tag",
    };
    GitError::WrongKind { id, found: found.as_bytes().to_str_lossy().into_owned(), wanted }
}
