//! The kinds of things that packs hold, and how each gets its id.
//!
//! A chunk's id is the plain BLAKE3 of its bytes (`b3sum` checks it). Nodes and records use BLAKE3's `derive_key` mode
//! with a context each, so that no file can pose as a node:
//!
//! | number | item | id |
//! | ---: | --- | --- |
//! | 0 | chunk | BLAKE3 |
//! | 1 | tree node | `derive_key`, context `git-ml 1 tree` |
//! | 2 | manifest node | `git-ml 1 manifest` |
//! | 3 | locator | `git-ml 1 locator` |
//! | 4 | pack set node | `git-ml 1 pack set` |
//! | 5 | profile | `git-ml 1 profile` |
//!
//! Records that are objects of their own end in a hash of themselves, with a context of their own as well
//! ([`context`]). A chunk has 1 to 98,304 bytes, every other item 1 to 1,048,576.

use crate::base::Digest;
use crate::objects::chunker::MAX_CHUNK;

/// No item is longer, in bytes.
pub const MAX_ITEM: usize = 1 << 20;

/// The id of a content without bytes, which has no chunk.
pub const EMPTY_CONTENT: Digest = Digest::from_bytes([
    0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6, 0xa0, 0x40, 0x4d, 0xea, 0x36, 0xdc, 0xc9, 0x49, 0x9b,
    0xcb, 0x25, 0xc9, 0xad, 0xc1, 0x12, 0xb7, 0xcc, 0x9a, 0x93, 0xca, 0xe4, 0x1f, 0x32, 0x62,
]);

/// The contexts of `derive_key`, all of them.
pub mod context {
    /// Of tree nodes.
    pub const TREE: &str = "git-ml 1 tree";
    /// Of manifest nodes.
    pub const MANIFEST: &str = "git-ml 1 manifest";
    /// Of locators.
    pub const LOCATOR: &str = "git-ml 1 locator";
    /// Of pack set nodes.
    pub const PACK_SET: &str = "git-ml 1 pack set";
    /// Of profiles.
    pub const PROFILE: &str = "git-ml 1 profile";
    /// Of root records.
    pub const ROOT: &str = "git-ml 1 root";
    /// Of claims.
    pub const CLAIM: &str = "git-ml 1 claim";
    /// Of index objects.
    pub const INDEX: &str = "git-ml 1 index";
    /// Of gc records.
    pub const GC: &str = "git-ml 1 gc";
    /// Of records of folded packs.
    pub const MOVES: &str = "git-ml 1 moves";
    /// Of a remote's configuration.
    pub const CONFIG: &str = "git-ml 1 config";
    /// Of homes: the URL of a Git remote.
    pub const HOME: &str = "git-ml 1 home";
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ItemKind {
    /// A piece of a content.
    Chunk = 0,
    /// A node of a tree.
    Tree = 1,
    /// A node of a manifest.
    Manifest = 2,
    /// Where the parts named by a node lie.
    Locator = 3,
    /// A node of a set of packs.
    PackSet = 4,
    /// What the columns of a table look like.
    Profile = 5,
}

impl ItemKind {
    /// The kind with this number; `None` if this version knows none.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Chunk),
            1 => Some(Self::Tree),
            2 => Some(Self::Manifest),
            3 => Some(Self::Locator),
            4 => Some(Self::PackSet),
            5 => Some(Self::Profile),
            _ => None,
        }
    }

    /// Its number.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// The id of an item of this kind with these bytes.
    pub fn id_of(self, bytes: &[u8]) -> Digest {
        match self {
            Self::Chunk => Digest::of(bytes),
            Self::Tree => Digest::derived(context::TREE, bytes),
            Self::Manifest => Digest::derived(context::MANIFEST, bytes),
            Self::Locator => Digest::derived(context::LOCATOR, bytes),
            Self::PackSet => Digest::derived(context::PACK_SET, bytes),
            Self::Profile => Digest::derived(context::PROFILE, bytes),
        }
    }

    /// No item of this kind is longer, in bytes.
    pub const fn longest(self) -> usize {
        match self {
            Self::Chunk => MAX_CHUNK,
            _ => MAX_ITEM,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_content_has_the_id_of_no_bytes() {
        assert_eq!(ItemKind::Chunk.id_of(b""), EMPTY_CONTENT);
    }
}
