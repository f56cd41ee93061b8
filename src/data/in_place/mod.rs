//! Tracked in place: the pointer is the blob itself, under the data's own name.
//!
//! What a demanding user expects of a filter, and what peers make of it: one process for a whole command, not one for
//! each file; content that is missing fetched in one go while Git writes the others (`delay`, as Git LFS does); memory
//! that does not grow with the file on the way in; on the way out Git itself holds a whole file in memory, so what is
//! larger than a limit is answered with its pointer and written by the hooks afterwards, which Git LFS does not do;
//! `git status` clean after that, without a second look at the content; and a file that is raw in Git, or a pointer that
//! leads nowhere, in nobody's way.
//!
//! A pointer in place holds what identifies its content and nothing else: cleaning the same bytes must give the same text
//! for everybody and for ever, or `git status` would see a change where there is none. Where the index has a pointer to
//! the same content in other words (of a later version, say), its words stay.
//!
//! | setting | means | default |
//! | --- | --- | --- |
//! | `mldata.smudgeLimit` | larger files are written by the hooks, not through Git; bytes | 64 MiB |
//! | `mldata.smudgeFetch` | what the store lacks is fetched while Git checks out | true |
//! | `GIT_MLDATA_SKIP_SMUDGE=1` | Git writes pointers, and the hooks leave them | unset |

mod clean;
mod follow;
mod materialise;
mod serve;
mod smudge;
mod store_door;
mod track;

use std::env;

pub use clean::CleanError;
pub use follow::{FollowedInPlace, follow};
pub use materialise::{MaterialiseError, Materialised, Waiting, materialise, waiting};
pub use serve::{FilterNews, serve};
pub use track::{TrackChange, TrackError, Tracking, patterns, register, track, unregister, untrack};
pub(super) use track::{pattern_for, track_patterns};

/// Files of more bytes are not smudged through Git, unless `mldata.smudgeLimit` says otherwise.
const LIMIT: u64 = 64 << 20;
/// Where Git does not write a file but looks into one (a diff, an archive), the limit is this, in bytes.
const LOOKED_AT_LIMIT: u64 = 1 << 20;

/// Whether the user wants pointers in the work tree.
pub(super) fn is_skipped() -> bool {
    env::var_os("GIT_MLDATA_SKIP_SMUDGE").is_some_and(|value| !value.is_empty() && value != "0")
}
