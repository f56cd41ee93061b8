//! Contents and trees, into the store and out of it.

mod difference;
mod intake;
mod presence;
mod read;
mod walk;
mod write;

pub use difference::{Difference, MadeNodes, difference};
pub use intake::Intake;
pub use presence::{Presence, holds, holds_content, presence};
pub use read::{ContentReader, ReadError, copy_content, read_content};
pub use walk::{
    WalkError, directory, empty_directory, entry_at, flatten, flatten_where, is_empty_directory, joined,
};
pub use write::{
    WriteError, hash_file, link_target, open_regular, store_file, store_link, store_tree, tree_root_of,
};
