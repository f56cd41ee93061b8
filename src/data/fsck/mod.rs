//! `fsck`: is everything that the pointers name here, whole, or at least on a remote?
//!
//! What a demanding user expects: a plain yes or no; every byte that is needed is read and hashed, in the order of the disk;
//! damage is told by the paths that it hurts, not by the names of packs alone; what is merely not here, because nobody
//! asked for it or because it was dropped, is no damage; a repair never makes anything worse: the damaged pack is set aside
//! and goes only when everything that was in it is here again, and whole.

mod check;
mod error;
mod repair;

pub use check::{Damaged, FsckOptions, FsckReport, Lost};
pub use error::FsckError;
pub use repair::{Repair, fsck};
