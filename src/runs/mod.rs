//! `git mlrun`: what was run, with which code and data, and what came of it, kept in Git.
//!
//! A demanding user expects that nothing is lost that was acknowledged, whoever is killed; that recording never changes what
//! a command does; that no server is needed and a plain `git push` and `git fetch` stay as they were; that several
//! clones and jobs never wait for each other; and that a model leads back to its data and code in any clone, after any
//! rewriting of history.
//!
//! So each writer appends to a log of its own ([`log`]), of which every file is written once ([`layout`], [`mod@record`],
//! [`metric_chunk`]); all logs are read as one ([`View`]), and a run is the fold of its operations ([`Run`]). What happens
//! goes to a [`spool`] first; points of metrics that are too many for Git lie in the store (`points`). [`execute()`] runs a command, [`sync()`] shares the logs, [`lineage()`] answers where something
//! comes from, by the ids of contents.

pub mod layout;
pub mod log;
pub mod metric_chunk;
pub mod number;
pub mod record;
pub mod spool;

mod batch;
mod code;
mod command;
mod commits;
mod environment;
mod error;
mod execute;
mod flush;
mod history;
mod lineage;
mod logged;
mod metric;
mod notes;
mod points;
mod recorded;
mod recorder;
mod state;
mod sync;
mod view;
mod writer;

pub use commits::{
    CommitRecord, FoundBy, Origin, Rewriting, Source, after_commit, after_rewrite, remember_sources,
};
pub use error::{DataFailure, RunsError};
pub use execute::{Data, Execution, Request, execute};
pub use flush::recover;
pub use history::{Filter, MetricHistory, find, list, metric_history};
pub use lineage::{Lineage, Link, Relation, Thing, lineage};
pub use logged::{LoggedPoints, absent};
pub use metric::{Drawing, ROLLUP_POINTS, Rollup};
pub use points::{MOST_IN_GIT, PointsError, PointsPart, StoredPoints};
pub use recorded::{Logs, Recorded, RecordedContents, Role, contents_of, recorded_contents};
pub use recorder::{RUN_VARIABLE, SPOOL_VARIABLE, record, record_inside};
pub use state::{ParamConflict, Run};
pub use sync::{Shared, SyncOptions, SyncReport, fetch_refspec, has_news, receive, share, sync};
pub use view::View;
