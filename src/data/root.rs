//! What a pointer names, apart from its shape.

use serde::Serialize;

use crate::base::Digest;
use crate::objects::pointer::{Pointer, PointerKind};

/// The identity of one version of a path: what its pointer names. Two roots are the same version when kind and id are
/// equal; manifest and size follow from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
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
}
