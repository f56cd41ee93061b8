//! What the local store may lose: `gc` what nobody needs, `drop` what a remote holds.
//!
//! What a demanding user expects: nothing goes that any branch, tag, stash, reflog, worktree, index or half-done rebase
//! needs, nor what became unneeded less than two weeks ago (`git gc` keeps as long, and so takes back a wrong reset); it
//! may run beside everything else; a kill at any moment loses nothing; it tells beforehand what it would free.
//!
//! [`roots`] gathers what is needed, [`reach`] follows it, [`sweep`] removes the rest.

mod drop;
mod du;
mod error;
mod gc;
mod reach;
pub(in crate::data) mod roots;
mod shared;
mod sweep;
mod vacate;

pub use drop::{DropOptions, DropSummary, Dropped, Refused, drop_data, drop_pushed};
pub use du::{Bytes, PathUsage, Usage, VersionUsage, usage};
pub use error::CollectError;
pub use gc::{GRACE, GcOptions, GcSummary, fold, gc};
pub use roots::other_clones;
