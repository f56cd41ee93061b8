//! Points of metrics that do not lie in Git.
//!
//! Git is made for texts of a few KB: a log that carries gigabytes of points makes each clone and fetch of runs slow, and
//! nobody can take them out again. The other trackers keep points in a database on a server (MLflow, W&B), or rewrite a file
//! of each metric with every commit (DVCLive). Here the first [`MOST_IN_GIT`] bytes of a run's metric chunks lie in its log,
//! which is all of them for nearly every run; further ones lie in the object store, as contents that the log names.
//!
//! What is counted are the bytes of the `.mcol` files that one writer has put into its log for the run, before Git packs
//! them; each batch says how many there are with it (`metric_bytes`). A batch whose chunks would exceed the limit puts all of
//! them into one content, one after the other, by metric, and an operation names it with what a pointer holds:
//!
//! ```json
//! {"op": "points", "time": "…", "kind": "file", "blake3": "6f1e…", "size": 2400321, "manifest": "93ab…",
//!  "parts": [{"key": "loss", "offset": 0, "length": 1310744}, {"key": "val/loss", "offset": 1310744, "length": 1089577}]}
//! ```
//!
//! Batches of less than [`LEAST_IN_STORE`] bytes of chunks stay in Git: the operation would be as long. So that contents are
//! few and large, a run that is going on waits with a batch for the store until [`WORTH_A_CONTENT`] bytes of its spool have
//! come together or the oldest is [`LONGEST_WAIT`] old; the spool keeps them meanwhile.
//!
//! Such contents are data like others: `git mldata push` sends them, `git mldata fetch --metrics RUN` brings them, and gc
//! keeps what [`super::recorded_contents`] lists.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::Digest;
use crate::data::{ReadError, RootName, read_range, store_bytes};
use crate::models::ContentKind;
use crate::objects::pointer::PointerKind;
use crate::storage::store::{Store, StoreError};

use super::metric_chunk::{self, MetricChunkError};
use super::record::Point;

/// Up to so many bytes of metric chunks of one run lie in the log of one writer.
pub const MOST_IN_GIT: u64 = 1_000_000;
/// Fewer bytes of one batch are not worth an operation that names them.
pub const LEAST_IN_STORE: u64 = 1 << 10;
/// So many bytes of a spool are worth a content while the run goes on.
pub const WORTH_A_CONTENT: u64 = 4 << 20;
/// Points wait at most so long for others while the run goes on.
pub const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);

/// Longer parts are not read: no batch has so many points.
const LONGEST_PART: u64 = 64 << 20;

/// The chunks of one metric in a content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointsPart {
    /// The name of the metric.
    pub key: String,
    /// Where the first chunk begins, in bytes.
    pub offset: u64,
    /// Bytes of all chunks.
    pub length: u64,
}

/// A content that holds metric chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredPoints {
    /// Always a file.
    pub kind: ContentKind,
    /// Its id.
    pub blake3: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its manifest, if it has more than one chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// Where the chunks of which metric lie.
    pub parts: Vec<PointsPart>,
}

/// Why points in the store cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PointsError {
    /// The content cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What lies there are no metric chunks.
    #[error(transparent)]
    Chunk(#[from] MetricChunkError),
    /// Longer than any.
    #[error("{0} bytes of metric chunks in one batch: too many")]
    TooLong(u64),
}

impl StoredPoints {
    /// Puts chunks into the store, given with the names of their metrics. When this returns well, they are durable.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn store(store: &Store, chunks: &[(String, Vec<u8>)]) -> Result<Self, StoreError> {
        let mut bytes = Vec::new();
        let mut parts: Vec<PointsPart> = Vec::new();
        for (key, chunk) in chunks {
            let (offset, length) = (bytes.len() as u64, chunk.len() as u64);
            match parts.last_mut().filter(|part| part.key == *key) {
                Some(part) => part.length += length,
                None => parts.push(PointsPart { key: key.clone(), offset, length }),
            }
            bytes.extend_from_slice(chunk);
        }
        let RootName { id, manifest, size, .. } = store_bytes(store, &bytes)?;
        Ok(Self { kind: ContentKind::File, blake3: id, size, manifest, parts })
    }

    /// The content, as the name of a version.
    pub fn root(&self) -> RootName {
        let Self { blake3: id, manifest, size, .. } = *self;
        RootName { kind: PointerKind::File, id, manifest, size }
    }

    /// The points of a metric, in the order in which they were logged; none of a metric that it does not have.
    ///
    /// # Errors
    ///
    /// [`PointsError`].
    pub fn read(&self, store: &Store, key: &str) -> Result<Vec<Point>, PointsError> {
        let mut points = Vec::new();
        for part in self.parts.iter().filter(|part| part.key == key) {
            if part.length > LONGEST_PART {
                return Err(PointsError::TooLong(part.length));
            }
            let bytes = read_range(store, &self.root(), part.offset, part.length)?;
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let (chunk, after) = metric_chunk::split_first(rest)?;
                points.extend(metric_chunk::decode(chunk)?);
                rest = after;
            }
        }
        Ok(points)
    }
}
