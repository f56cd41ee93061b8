//! `git mldata remote copy`.

use std::time::{Duration, Instant};

use clap::Args;

use crate::base::Advice;
use crate::cli::amounts::{counted, duration, rate, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::{CliError, Outcome};
use crate::data::transfer::{Copied, CopyOptions, DamagedVersion, copy_versions};

/// Copy versions from one remote to another
///
/// Sends every version of this repository that FROM has and TO lacks, older ones too, without going through the work tree;
/// what lies on TO is not sent again, and each byte is verified on the way. An interrupted copy goes on where it stopped.
#[derive(Debug, Args)]
pub(crate) struct RemoteCopyArgs {
    /// The data remote that is read
    #[arg(value_name = "FROM")]
    from: String,
    /// The data remote that is written
    #[arg(value_name = "TO")]
    to: String,
    /// The versions of every repository that shares FROM
    #[arg(long)]
    all: bool,
    /// Tell what would be copied, and copy nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

/// A version that could not be copied.
#[derive(Debug, thiserror::Error)]
#[error("'{path}' ({}, {}) is damaged on '{from}' and was not copied: {problem}", damaged.version.root.short(), size(damaged.version.size), path = damaged.version.path, problem = damaged.problem)]
struct DamagedError {
    damaged: DamagedVersion,
    from: String,
}

impl Advice for DamagedError {
    fn hints(&self) -> Vec<String> {
        vec![format!("git mldata fsck --remote {} --repair      where the data is whole", self.from)]
    }
}

pub(super) fn run(context: &Context, args: &RemoteCopyArgs) -> Outcome {
    let workspace = context.workspace()?;
    let options = CopyOptions { all: args.all, dry_run: args.dry_run };
    let start = Instant::now();
    let copied = copy_versions(&workspace, &args.from, &args.to, options, &context.progress)?;
    let took = start.elapsed();
    context.output.done(args.format.chosen(), &copied, |page| {
        page.line(format_args!("{}", summary(&copied, args.dry_run, took)))
    })?;
    for damaged in &copied.damaged {
        let error = DamagedError { damaged: damaged.clone(), from: copied.from.clone() };
        context.tell(&CliError::from(error));
    }
    Ok(if copied.damaged.is_empty() { Exit::Done } else { Exit::CouldNotDo })
}

/// One line: what, how much, how fast.
fn summary(done: &Copied, dry_run: bool, took: Duration) -> String {
    let Copied { from, to, known, packs, bytes, .. } = done;
    let versions = counted(done.copied.len() as u64, "version");
    match (done.copied.len(), dry_run) {
        (0, _) if !done.damaged.is_empty() => format!("nothing was copied from '{from}' to '{to}'"),
        (0, _) => format!("everything of '{from}' is on '{to}' ({})", counted(*known, "version")),
        (_, true) => format!("would copy {versions} from '{from}' to '{to}', at most {}", size(*bytes)),
        (_, false) => {
            let (sent, packs) = (size(*bytes), counted(*packs, "pack"));
            let (time, rate) = (duration(took), rate(*bytes, took));
            format!("copied {versions} from '{from}' to '{to}': {sent} in {packs}, {time}{rate}")
        }
    }
}
