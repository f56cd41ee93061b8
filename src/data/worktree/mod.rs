//! What lies in the work tree: found, compared with what was last written or added, never changed.

mod collide;
mod compare;
mod file_record;
mod files;
mod fingerprint;
mod form;
mod page;
mod reboot;
mod record;
mod scan;
mod settle;
mod snapshot;
mod switch;

pub use collide::colliding;
pub use compare::{Changes, PathState, compare};
pub use file_record::FileRecord;
pub use files::{Beside, Files, FilesBuilder};
pub use fingerprint::Fingerprint;
pub use record::{PathRecord, WorktreeRecord};
pub use scan::{DiskEntry, Found, Scan, ScanError, scan};
pub use settle::Interrupted;
pub use snapshot::{Reading, Snapshot, SnapshotError, Survey, located, snapshot};
