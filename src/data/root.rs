//! What a pointer names, apart from its shape.

use serde::{Deserialize, Serialize};

use crate::base::Digest;
use crate::data::content::{
    Difference, WalkError, difference, empty_directory, is_empty_directory, walk_leaves,
};
use crate::data::worktree::{FileRecord, Files, FilesBuilder, PathRecord};
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::tree::{EntryKind, TreeEntry, TreeSummary};
use crate::storage::store::Store;

/// The identity of one version of a path: what its pointer names. Two roots are the same version when kind and id are
/// equal; manifest and size follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RootName {
    /// A file or a tree.
    pub kind: PointerKind,
    /// The content id, or the id of the tree's top node.
    pub id: Digest,
    /// The manifest of a content of more than one chunk.
    pub manifest: Option<Digest>,
    /// Bytes of all contents.
    pub size: u64,
}

impl From<&Pointer> for RootName {
    fn from(pointer: &Pointer) -> Self {
        Self { kind: pointer.kind, id: pointer.id, manifest: pointer.manifest, size: pointer.size }
    }
}

impl RootName {
    /// Whether both name the same version.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.kind, self.id) == (other.kind, other.id)
    }

    /// The version in which nothing is.
    pub fn nothing() -> Self {
        Self { kind: PointerKind::Tree, id: empty_directory(), manifest: None, size: 0 }
    }

    /// The whole as the entry of a directory; how many files it has is not known.
    pub const fn tree(&self) -> TreeEntry {
        TreeEntry::directory(Vec::new(), TreeSummary { id: self.id, size: self.size, files: 0 })
    }

    /// All [`RootName::files`]. What the version has in common with the one that `known` holds all of comes from there, and is
    /// not looked at.
    ///
    /// # Errors
    ///
    /// [`WalkError`].
    pub fn files_beside(&self, store: &Store, known: Option<&PathRecord>) -> Result<Files, WalkError> {
        let Some(known) = known.filter(|known| known.complete) else { return self.files(store, &|_| true) };
        if known.root.is_same(self) {
            return Ok(known.files.clone());
        }
        let are_trees = [known.root.kind, self.kind] == [PointerKind::Tree; 2];
        let news = are_trees.then(|| difference(store, &[], Some(known.root.tree()), Some(self.tree())));
        match news.transpose() {
            Ok(Some(news)) if news.iter().all(|new| new.missing.is_none()) => {
                let file = |new: Difference| (new.path, new.after.as_ref().map(FileRecord::of_leaf));
                Ok(known.files.changed(&news.into_iter().map(file).collect()))
            }
            // The older version need not be in the store.
            _ => self.files(store, &|_| true),
        }
    }

    /// Files, links and empty directories of the version by path below; a file is one under the empty path. Directories
    /// that `enter` refuses are left out. Of their stats only the sizes are told.
    ///
    /// # Errors
    ///
    /// [`WalkError`].
    pub fn files(&self, store: &Store, enter: &dyn Fn(&[u8]) -> bool) -> Result<Files, WalkError> {
        let mut files = FilesBuilder::default();
        let mut take = |path: &[u8], leaf: &TreeEntry| {
            if leaf.kind != EntryKind::Directory || is_empty_directory(leaf) {
                files.push(path, &FileRecord::of_leaf(leaf));
            }
        };
        match self.kind {
            PointerKind::Tree if self.id == empty_directory() => {}
            PointerKind::Tree => walk_leaves(store, self.id, enter, &mut take)?,
            PointerKind::File => {
                take(b"", &TreeEntry::file(Vec::new(), false, self.id, self.size, self.manifest));
            }
        }
        Ok(files.finish())
    }
}
