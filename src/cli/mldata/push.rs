//! `git mldata push`: what a remote lacks, sent.

use std::io;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;

use crate::base::{Advice, RepoPath, typed};
use crate::cli::amounts::{counted, duration, rate, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::{FormatOptions, percent};
use crate::cli::page::{Cell, Page};
use crate::cli::recorded::needed_by_runs_of_all;
use crate::cli::report::{CliError, Outcome};
use crate::data::Workspace;
use crate::data::collect::drop_pushed;
use crate::data::remotes::{self, RemoteSettings};
use crate::data::transfer::{PushOptions, Pushed, PushedVersion, With, push_versions};
use crate::data::versions::{Commits, Version};
use crate::git::Repository;
use crate::runs::{Logs, Recorded, Role, RunsError, recorded_contents, recover};

use super::drop;

/// Send data that a remote lacks
///
/// Sends every version that the commits of HEAD and the index name, older ones too; what the remote has is not sent again.
/// What the runs of this clone read and logged goes with it, where it is here.
/// An interrupted push goes on where it stopped. The pre-push hook does this for what 'git push' sends.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// The data remote; the default one if not given
    #[arg(value_name = "REMOTE")]
    remote: Option<String>,
    /// Send to every remote that can be written, one after the other; what fails at one does not stop the others
    #[arg(long, conflicts_with = "remote")]
    all_remotes: bool,
    /// The versions of every branch, tag, remote-tracking branch and stash, and all that runs read and made
    #[arg(long)]
    all: bool,
    /// Read so many percent of what is reused in packs that others sent, 1% if not given, and send anew what is damaged
    /// there
    #[arg(
        long,
        value_name = "N%",
        value_parser = percent,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1"
    )]
    verify: Option<u8>,
    /// Tell what would be sent, and send nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

/// A version that nobody can send from here.
#[derive(Debug, thiserror::Error)]
#[error("'{path}' ({}, {}) cannot be sent: neither this store nor '{remote}' has it", version.root.short(), size(version.size), path = version.path)]
struct MissingError {
    version: PushedVersion,
    remote: String,
}

impl Advice for MissingError {
    fn hints(&self) -> Vec<String> {
        let path: &RepoPath = &self.version.path;
        vec![
            format!("git mldata add {path}      where the data lies here unchanged", path = typed(path)),
            format!(
                "git mldata fetch REMOTE {path}      from a remote that has it, or push from the clone that made it",
                path = typed(path)
            ),
        ]
    }
}

pub(crate) fn run(context: &Context, args: &PushArgs) -> Outcome {
    let workspace = context.workspace()?;
    let commits = if args.all { Commits::All } else { Commits::Head };
    let beside = recorded(workspace.repository(), args.all)?;
    let how = PushOptions { dry_run: args.dry_run, verify: args.verify };
    let send = |remote: Option<&str>| -> Outcome {
        let start = Instant::now();
        let pushed = push_versions(&workspace, remote, &commits, &beside, how, &context.progress)?;
        let took = start.elapsed();
        context
            .output
            .done(args.format.chosen(), &pushed, |page| write(page, &pushed, args.dry_run, took))?;
        Ok(tell_missing(context, &pushed))
    };
    let exit =
        if args.all_remotes { to_all(context, &workspace, send)? } else { send(args.remote.as_deref())? };
    if !args.dry_run {
        keep_room(context, &workspace);
    }
    Ok(exit)
}

/// Sends to one remote after the other; the worst end counts.
fn to_all(context: &Context, workspace: &Workspace, send: impl Fn(Option<&str>) -> Outcome) -> Outcome {
    let (mirrors, remotes): (Vec<_>, Vec<_>) =
        remotes::list(workspace)?.into_iter().partition(RemoteSettings::is_read_only);
    for mirror in &mirrors {
        context.output.note(format!("'{}' can only be read: nothing is sent there", mirror.name));
    }
    if remotes.is_empty() {
        return send(None);
    }
    let mut worst = Exit::Done;
    for remote in remotes {
        let exit = send(Some(&remote.name)).unwrap_or_else(|error| {
            context.tell(&error);
            error.exit()
        });
        worst = if exit == Exit::Done { worst } else { exit };
    }
    Ok(worst)
}

/// What runs name and no commit need name: without inputs and points a run cannot be repeated or looked at, so these go
/// always. What runs made can be large and many, and can be made again.
fn recorded(repository: &Repository, all: bool) -> Result<Vec<Version>, RunsError> {
    let logs = if all { Logs::All } else { Logs::Own };
    recover(repository)?;
    let recorded = recorded_contents(repository, logs)?.contents;
    let wanted = recorded.iter().filter(|found| all || found.role != Role::Output);
    Ok(wanted.filter_map(Recorded::version).collect())
}

fn write(page: &mut Page<'_>, pushed: &With<Pushed>, dry_run: bool, took: Duration) -> io::Result<()> {
    let With { remote, done } = pushed;
    let row = |version: &PushedVersion| {
        vec![Cell::left(&version.path), Cell::left(version.root.short()), Cell::right(size(version.size))]
    };
    page.table(0, &done.sent.iter().map(row).collect::<Vec<_>>())?;
    page.line(format_args!("{}", summary(remote, done, dry_run, took)))?;
    match done.renewed {
        renewed if renewed > 0 && !dry_run => {
            page.line(format_args!("renewed the records of {}", counted(renewed, "version")))
        }
        _ => Ok(()),
    }
}

/// One line: what, how much, how fast.
pub(crate) fn summary(remote: &str, done: &Pushed, dry_run: bool, took: Duration) -> String {
    let versions = counted(done.sent.len() as u64, "version");
    match (done.sent.len(), dry_run) {
        (0, _) if !done.missing.is_empty() => format!("nothing was sent to '{remote}'"),
        (0, _) => format!("everything is on '{remote}' ({})", counted(done.known + done.renewed, "version")),
        (_, true) => format!("would send {versions} to '{remote}', at most {}", size(done.bytes)),
        (_, false) => {
            let (bytes, packs) = (size(done.bytes), counted(done.packs, "pack"));
            format!(
                "sent {versions} to '{remote}': {bytes} in {packs}, {}{}",
                duration(took),
                rate(done.bytes, took)
            )
        }
    }
}

/// Drops what is on a remote now, where local copies are not wanted. That it cannot be done takes nothing from the push.
pub(super) fn keep_room(context: &Context, workspace: &Workspace) {
    let needed = || needed_by_runs_of_all(workspace, SystemTime::now());
    match drop_pushed(workspace, needed, &context.progress) {
        Ok(Some(done)) if done.swept.freed > 0 => context.output.note(drop::summary(&done)),
        Ok(_) => {}
        Err(error) => context.warn("what was pushed stays in the local store", &error),
    }
}

/// Tells what could not be sent, and the code to end with.
pub(super) fn tell_missing(context: &Context, pushed: &With<Pushed>) -> Exit {
    for pack in &pushed.done.distrusted {
        let (pack, remote) = (pack.short(), &pushed.remote);
        context.output.warning(format!(
            "the pack {pack} on '{remote}' is damaged, or never was what its sender said: what was reused of it was sent anew"
        ));
        context.hint(format!(
            "git mldata fsck --remote {remote} --read-data      tells what else is damaged there"
        ));
    }
    for version in &pushed.done.missing {
        let (version, remote) = (version.clone(), pushed.remote.clone());
        context.tell(&CliError::from(MissingError { version, remote }));
    }
    if pushed.done.missing.is_empty() { Exit::Done } else { Exit::CouldNotDo }
}
