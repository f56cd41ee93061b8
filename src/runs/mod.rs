//! `git mlrun`: runs are recorded in Git, in logs of which each has one writer, so nothing conflicts and nothing is lost.

pub mod layout;
pub mod log;
pub mod metric_chunk;
pub mod number;
pub mod record;
pub mod spool;

mod code;
mod command;
mod commits;
mod environment;
mod error;
mod execute;
mod flush;
mod history;
mod lineage;
mod metric;
mod notes;
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
pub use metric::{ROLLUP_POINTS, Rollup};
pub use recorder::{RUN_VARIABLE, SPOOL_VARIABLE, record, record_inside};
pub use state::{ParamConflict, Run};
pub use sync::{Shared, SyncOptions, SyncReport, fetch_refspec, share, sync};
pub use view::View;
