//! `git mldata`: data into the store and out of it, to remotes and back, and what changed in it.
//!
//! The first place where contents meet the repository. Operations take a [`Workspace`] and return structs; nothing here
//! speaks to a terminal.

pub mod add;
pub mod check_remote;
pub mod checkout;
pub mod collect;
pub mod collect_remote;
mod compose;
mod content;
pub mod diff;
mod drivers;
pub mod export;
pub mod follow;
pub mod fsck;
pub mod guard;
pub mod in_place;
pub mod kept;
pub mod merge;
mod needs;
pub mod read;
pub mod remotes;
pub mod remove;
pub mod rename;
mod root;
pub mod setup;
mod shape;
pub mod source;
pub mod status;
mod tracked;
pub mod transfer;
pub mod uninit;
pub mod versions;
mod workspace;
mod worktree;

pub use content::{
    ContentReader, Presence, ReadError, WalkError, copy_content, presence, read_range, store_bytes,
};
pub use root::RootName;
pub use tracked::{Tracked, TrackedError, without_suffix};
pub use workspace::{Workspace, WorkspaceError};
pub use worktree::{Changes, PathState};
