//! The formats: bytes to types and back, pure functions.
//!
//! Every format is final in shape, carries a version and must-understand flags, and has one encoding for one meaning:
//! what decodes encodes to the same bytes again, and anything else is refused. All bytes are somebody else's input, so
//! each length, count and depth is held against a limit before memory is asked for. Integers are little-endian.
//!
//! What is what, lowest first:
//!
//! - [`chunker`]: where a content is cut; [`codec`]: how one item is compressed; [`encoder`]: which form suits a content;
//!   [`item`]: the kinds of items and their ids.
//! - [`node`]: what all nodes have in common; [`manifest`]: the chunks of a content; [`tree`]: a directory;
//!   [`mod@tree_change`]: one that differs from another in a few entries.
//! - [`mod@pointer`]: the text in Git that names a content or a tree; [`shape`]: what it tells reviewers.
//! - [`pack`]: many items in one stored object; [`pack_builder`]: writes one; [`pack_series`]: writes
//!   many, with the nodes that tell where things lie.
//! - [`locator`]: where the parts named by a node lie; [`pack_set`]: the packs that a root needs.
//! - [`layout`]: the names of the objects in a remote; [`remote_config`]: what it says about itself; [`root`]: a push that
//!   was whole, and the claim before it; [`index`]: hooks for writers; [`gc_record`], [`moves`]: what gc tells.
//! - [`session`]: names with an epoch.

pub mod chunker;
pub mod codec;
pub mod encoder;
pub mod gc_record;
pub mod index;
pub mod item;
pub mod layout;
pub mod locator;
pub mod manifest;
pub mod moves;
pub mod node;
pub mod pack;
pub mod pack_builder;
pub mod pack_series;
pub mod pack_set;
pub mod pointer;
mod pointer_text;
pub mod remote_config;
pub mod root;
pub mod session;
pub mod shape;
pub mod tree;
pub mod tree_change;
mod wire;

pub use chunker::ChunkReader;
pub use codec::Codec;
pub use encoder::Encoder;
pub use gc_record::{Certificate, GcRecord, RootName};
pub use index::{Index, IndexBuilder};
pub use item::ItemKind;
pub use locator::{Located, LocatorNode};
pub use manifest::{ChunkWalk, ManifestBuilder, ManifestNode};
pub use moves::Moves;
pub use pack::{FooterEntry, PackFooter, PackHeader, PackRef, Place};
pub use pack_builder::{FinishedPack, PackBuilder};
pub use pack_series::{Berth, PackSeries, ToLocate};
pub use pack_set::build_pack_set;
pub use pointer::{Pointer, PointerKind};
pub use remote_config::RemoteConfig;
pub use root::{BaseRoot, Home, RootPacks, RootRecord};
pub use session::{RecordName, SessionId};
pub use shape::Shape;
pub use tree::{EntryKind, TreeEntry, TreeNode, TreeSummary, build_tree};
pub use tree_change::{DirectoryChange, change_tree};
pub use wire::{Extension, FormatError};
