//! What can go wrong with runs.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::base::{Advice, Digest, Failure, RandomId};
use crate::git::{GitError, ObjectId};
use crate::models::RegistryError;
use crate::storage::durable::DurableError;
use crate::storage::store::StoreError;

use super::metric_chunk::MetricChunkError;
use super::points::PointsError;
use super::record::RecordError;
use super::spool::SpoolError;

/// Why the caller's data layer could not do what a run needs, with its hints.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct DataFailure {
    source: Box<dyn Error + Send + Sync>,
    hints: Vec<String>,
}

impl<E: Advice> From<E> for DataFailure {
    fn from(error: E) -> Self {
        Self { hints: error.hints(), source: Box::new(error) }
    }
}

/// Why something could not be done with runs.
#[derive(Debug, thiserror::Error)]
pub enum RunsError {
    /// The repository.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The registry of models.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A spool.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A file of our own.
    #[error(transparent)]
    File(#[from] DurableError),
    /// The file system refused.
    #[error("cannot {action} '{}'", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A record in a log cannot be read.
    #[error("cannot read '{path}' of the log of runs")]
    Record {
        /// Where it lies in the log.
        path: String,
        /// Why not.
        source: RecordError,
    },
    /// A record cannot be written.
    #[error("cannot write a record of a run")]
    NewRecord(#[source] RecordError),
    /// A chunk of metric points in a log cannot be read.
    #[error("cannot read the metric points in object {id}")]
    Chunk {
        /// The blob.
        id: ObjectId,
        /// Why not.
        source: MetricChunkError,
    },
    /// The run has no such metric.
    #[error("run {} has no metric '{key}'", run.short())]
    NoSuchMetric {
        /// The run.
        run: RandomId,
        /// As it was named.
        key: String,
    },
    /// Points of a metric that lie in the store are not here.
    #[error("{missing} of {all} contents with points of '{key}' are not in the store")]
    PointsAbsent {
        /// The run.
        run: RandomId,
        /// The name of the metric.
        key: String,
        /// How many contents are not here.
        missing: u64,
        /// How many there are.
        all: u64,
    },
    /// Points in the store cannot be read.
    #[error("cannot read the metric points in content {}", id.short())]
    StoredPoints {
        /// The content.
        id: Digest,
        /// Why not.
        source: Box<PointsError>,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Points that are no chunk.
    #[error("cannot write metric points")]
    NewChunk(#[source] MetricChunkError),
    /// Other writers kept moving the log.
    #[error("the log of this clone was busy all the time")]
    Busy,
    /// No run of this name or id.
    #[error("there is no run '{named}'")]
    NoSuchRun {
        /// As it was named.
        named: String,
    },
    /// An abbreviation of several ids.
    #[error("'{named}' is the beginning of several runs: {}", ids.iter().map(RandomId::short).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// As it was named.
        named: String,
        /// The runs.
        ids: Vec<RandomId>,
    },
    /// The name of a metric is empty or too long.
    #[error("'{key}' cannot be the name of a metric: it is empty, or too long")]
    MetricName {
        /// The name.
        key: String,
    },
    /// Neither a run, nor a model version, nor a path with data, nor a content id.
    #[error("'{named}' is no run, no model version, no path with data and no content id that is known here")]
    NoSuchSubject {
        /// As it was named.
        named: String,
    },
    /// The repository has no Git remote.
    #[error("there is no Git remote to share runs with")]
    NoRemote,
    /// An input could not be stored.
    #[error("cannot store the input '{path}'")]
    Input {
        /// The path as it was named.
        path: String,
        /// Why not.
        source: DataFailure,
    },
    /// An output could not be added.
    #[error("cannot add the output '{path}'")]
    Output {
        /// The path as it was named.
        path: String,
        /// Why not.
        source: DataFailure,
    },
    /// The signals that end a command cannot be watched.
    #[error("cannot watch for signals")]
    Signals(#[source] io::Error),
}

impl RunsError {
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

impl Advice for RunsError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Git(error) => error.hints(),
            Self::Registry(error) => error.hints(),
            Self::File(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::NoSuchMetric { run, .. } => vec![format!("git mlrun show {}", run.short())],
            Self::PointsAbsent { run, .. } => vec![format!("git mldata fetch --metrics {}", run.short())],
            Self::Busy => vec!["nothing is lost; run the command again".into()],
            Self::NoSuchRun { .. } => {
                vec!["git mlrun ls".into(), "runs of others come with 'git mlrun sync'".into()]
            }
            Self::Ambiguous { .. } => vec!["give more digits".into()],
            Self::NoSuchSubject { .. } => vec!["runs and models of others come with 'git mlrun sync'".into()],
            Self::NoRemote => vec!["git remote add origin URL".into()],
            Self::Input { source, .. } | Self::Output { source, .. } => source.hints.clone(),
            _ => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        match self {
            Self::MetricName { .. } => Failure::WrongUse,
            _ => Failure::CouldNotDo,
        }
    }
}
