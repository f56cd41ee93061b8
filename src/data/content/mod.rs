//! Contents and trees, into the store and out of it.

mod change;
mod difference;
mod gather;
mod intake;
mod lane;
mod own;
mod pipeline;
mod presence;
mod read;
mod remains;
mod restore;
mod steady;
mod walk;
mod whole;
mod write;

pub use change::{ChangeError, store_changes};
pub use difference::{Difference, MadeNodes, difference};
pub use gather::{Observer, ToRead, read_all, store_file};
pub use intake::{Elsewhere, Intake};
pub use lane::Lane;
pub use own::{read_range, store_bytes};
pub use presence::{Presence, holds, holds_content, holds_some_content, presence};
pub use read::{ContentReader, ReadError, copy_content, read_content};
pub use remains::remains_of;
pub use restore::{Former, check_content, restore_content};
pub use steady::open_regular;
pub use walk::{
    WalkError, directory, empty_directory, entry_at, flatten_where, is_empty_directory, joined, walk_leaves,
};
pub use whole::WholeRoots;
pub use write::{Content, PutNode, WriteError, store_link, store_tree, tree_root_of};
