//! Runs and verdicts in CI: an agent that begins from nothing must know what others recorded, and leave what it recorded.

use clap::Args;

use crate::cli::context::{Context, in_ci};
use crate::cli::recorded::send_points;
use crate::cli::report::CliError;
use crate::runs::{Shared, SyncOptions, sync};

/// Whether runs are shared on the way.
#[derive(Debug, Args)]
pub(super) struct SharingOptions {
    /// Do not share runs with the Git remote in CI (where CI is set; elsewhere only 'git mlrun sync' does)
    #[arg(long)]
    no_sync: bool,
}

/// Before: what others recorded.
pub(super) fn receive(context: &Context, options: &SharingOptions) {
    share(context, options, "the runs of others were not fetched");
}

/// After: what was recorded here.
pub(super) fn send(context: &Context, options: &SharingOptions) {
    share(context, options, "what was recorded is here, not shared");
}

/// Without permission it warns: a job is not to fail for it.
fn share(context: &Context, options: &SharingOptions, otherwise: &str) {
    if options.no_sync || !in_ci() {
        return;
    }
    let Ok(repository) = context.repository() else { return };
    if repository.remotes().is_empty() {
        return;
    }
    send_points(context, repository, None);
    match sync(repository, &SyncOptions::default()) {
        Ok(report) => {
            if let Shared::Refused { reason } = report.shared {
                context.output.warning(format!("{otherwise}: '{}' refused it: {reason}", report.remote));
            }
        }
        Err(error) => context.warn(otherwise, &CliError::from(error)),
    }
}
