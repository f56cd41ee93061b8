//! What lies in the work tree: found, compared with what was last written or added, never changed.

mod compare;
mod fingerprint;
mod record;
mod scan;
mod snapshot;

pub use compare::{Changes, PathState, compare};
pub use fingerprint::Fingerprint;
pub use record::{FileRecord, PathRecord, WorktreeRecord};
pub use scan::{DiskEntry, ScanError, scan};
pub use snapshot::{Reading, Snapshot, SnapshotError, located, snapshot};
