//! `git mlrun sync`: runs of others here, own ones there.

use clap::Args;

use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::recorded::send_points;
use crate::cli::report::Outcome;
use crate::runs::{Shared, SyncOptions, sync};

/// Share runs by the Git remote
///
/// Fetches the runs of others and sends those of this clone. Each clone writes a ref of its own, so nothing conflicts, and
/// 'git fetch' and 'git push' of branches stay as they are. Points of metrics that are too many for Git go to the data remote
/// first.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// The Git remote; the one that 'git fetch' would use, if not given
    #[arg(value_name = "REMOTE")]
    remote: Option<String>,
    /// Fold the logs of all writers into one, however few they are
    #[arg(long)]
    fold: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &SyncArgs) -> Outcome {
    let options = SyncOptions { remote: args.remote.clone(), fold: args.fold };
    let repository = context.repository()?;
    send_points(context, repository, options.remote.as_deref());
    let report = sync(repository, &options)?;
    context.output.done(args.format.chosen(), &report, |page| {
        let remote = escape(&report.remote);
        let received = match report.received {
            0 => "nothing new".to_owned(),
            logs => format!("{} changed", counted(logs as u64, "log")),
        };
        let sent = match &report.shared {
            Shared::Nothing => "no runs to send yet",
            Shared::UpToDate => "all runs were sent before",
            Shared::Sent => "runs sent",
            Shared::Refused { .. } => "runs not sent",
        };
        let folded = match report.folded {
            0 => String::new(),
            logs => format!("; {} folded into one", counted(logs as u64, "log")),
        };
        page.line(format_args!("'{remote}': {received}; {sent}{folded}"))
    })?;
    if let Shared::Refused { reason } = &report.shared {
        context.output.warning(format!("'{}' refused the runs of this clone: {reason}", report.remote));
        context.hint("the runs are safe here; ask who may push to that host, or set mlrun.refPrefix");
        return Ok(Exit::CouldNotDo);
    }
    Ok(Exit::Done)
}
