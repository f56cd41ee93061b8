//! `git mlrun`: runs are recorded in Git, in logs of which each has one writer, so nothing conflicts and nothing is lost.

pub mod layout;
pub mod metric_chunk;
pub mod number;
pub mod record;
pub mod spool;

mod metric;
mod state;

pub use metric::{ROLLUP_POINTS, Rollup};
pub use state::{ParamConflict, Run};
