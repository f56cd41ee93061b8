//! Other tools' repositories: what they keep where, read without them.
//!
//! - [`dvc`]: `.dvc` files, `dvc.lock`, caches and remotes of DVC.
//! - [`git_lfs`]: pointers, stores and servers of Git LFS.
//!
//! What is read is somebody else's input: limits on sizes, names are checked before anything is written, and every content
//! is held against the checksum that names it before it appears in the work tree. Nothing of theirs is changed but what
//! would contradict our pointers, and never history.

mod checksum;
mod copying;
pub mod dvc;
pub mod git_lfs;
mod place;
