//! Data follows Git: brings the work tree's data in step after Git moved pointers, from the store alone.
//!
//! Called by hooks, so it must be quick when nothing moved, never wait, never write the index, never fail what Git does.
//! The rules, found by simulating fifty commands:
//!
//! - Only paths whose pointer *changed* since this worktree last wrote them are touched. Data that is merely missing is left:
//!   `stash -a` and `pop` would otherwise find it in their way.
//! - Data that equals what was last written is replaced, or removed when Git dropped the pointer; but only while its bytes
//!   can be had again, from the store or a remote. Anything else is left, and said once.
//! - During a rebase all waits until no step is left. A pointer with a merge conflict is left alone.
//! - Where Git itself tracks the data now (an old commit), it is Git's, and nothing is known of it afterwards.

mod in_step;
mod memory;

pub use in_step::{FollowError, FollowOutcome, Followed, KeptBecause, follow};
