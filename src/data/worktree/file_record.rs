//! What is known of one file.

use crate::base::Digest;
use crate::data::content::{empty_directory, is_empty_directory};
use crate::objects::tree::{EntryKind, TreeEntry, TreeSummary};

use super::Fingerprint;

/// One file that this worktree wrote or added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRecord {
    /// File, link or empty directory.
    pub kind: EntryKind,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Its stat right after.
    pub fingerprint: Fingerprint,
    /// Its content.
    pub id: Digest,
    /// The content's manifest, when it has more than one chunk.
    pub manifest: Option<Digest>,
}

impl FileRecord {
    /// What a leaf of a tree says: of its stat only the size.
    pub fn of_leaf(leaf: &TreeEntry) -> Self {
        let TreeEntry { kind, executable, size, id, manifest, .. } = *leaf;
        let id = if kind == EntryKind::Directory { Digest::ZERO } else { id };
        let fingerprint = Fingerprint { size, ..Fingerprint::default() };
        Self { kind, executable, fingerprint, id, manifest }
    }

    /// Bytes.
    pub const fn size(&self) -> u64 {
        self.fingerprint.size
    }

    /// The file as a leaf of a tree, without its name.
    pub fn leaf(&self) -> TreeEntry {
        let (executable, id, size) = (self.executable, self.id, self.fingerprint.size);
        match self.kind {
            EntryKind::Directory | EntryKind::Split => {
                TreeEntry::directory(Vec::new(), TreeSummary { id: empty_directory(), size: 0, files: 0 })
            }
            EntryKind::File => TreeEntry::file(Vec::new(), executable, id, size, self.manifest),
            EntryKind::Link => {
                TreeEntry { kind: EntryKind::Link, ..TreeEntry::file(Vec::new(), false, id, size, None) }
            }
        }
    }

    /// Whether it is what the leaf says.
    pub fn is_leaf(&self, leaf: &TreeEntry) -> bool {
        match self.kind {
            EntryKind::Directory | EntryKind::Split => is_empty_directory(leaf),
            kind => (kind, self.executable, self.id) == (leaf.kind, leaf.executable, leaf.id),
        }
    }

    /// Whether both are the same data: kind, executable bit, content.
    pub fn is_same_data(&self, other: &Self) -> bool {
        (self.kind, self.executable, self.id) == (other.kind, other.executable, other.id)
    }
}
