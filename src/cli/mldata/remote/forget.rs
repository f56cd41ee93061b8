//! `git mldata remote forget`.

use std::io;
use std::time::{Duration, SystemTime};

use clap::Args;

use crate::cli::age::age;
use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page};
use crate::cli::recorded::needed_by_runs;
use crate::cli::report::Outcome;
use crate::data::collect_remote::{FORGET_AGE, ForgetOptions, Forgotten, ForgottenRoot, forget};
use crate::data::transfer::With;
use crate::models;
use crate::runs::receive;

/// Forget pushed versions that nothing names any more
///
/// Fetches every ref of the Git remote, and forgets the records of versions that no commit of any of them names, nor
/// anything in this clone, nor a run, nor a registered model version, and that were pushed from this repository to the same Git remote
/// at least 30 days ago. 'git mldata gc --remote' frees their space later. Without --yes it is told what would be forgotten.
#[derive(Debug, Args)]
pub(crate) struct RemoteForgetArgs {
    /// The data remote
    #[arg(value_name = "NAME")]
    name: String,
    /// Do it, instead of telling what would be forgotten
    #[arg(long)]
    yes: bool,
    /// Forget only what was pushed before AGE, such as 60d or 12w; at least what the remote allows (8d)
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<Duration>,
    /// The moment that counts as now, in seconds since 1970
    #[arg(long, value_name = "SECONDS", hide = true)]
    now: Option<u64>,
    #[command(flatten)]
    format: FormatOptions,
}

pub(super) fn run(context: &Context, args: &RemoteForgetArgs) -> Outcome {
    let workspace = context.workspace()?;
    let repository = workspace.repository();
    let catalog = models::catalog(repository)?;
    let versions = catalog.models().flat_map(|model| &model.versions);
    // What others' runs name counts as it is on the server now.
    if let Some(remote) = models::git_remote(repository, None) {
        receive(repository, &remote)?;
    }
    let of_runs = needed_by_runs(repository)?.into_iter().map(|root| root.id);
    let registered = versions.filter_map(|version| Some(version.content.as_ref()?.blake3));
    let options = ForgetOptions {
        dry_run: !args.yes,
        age: args.older_than.unwrap_or(FORGET_AGE),
        now: args.now.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        needed: registered.chain(of_runs).collect(),
    };
    let done = forget(&workspace, &args.name, &options, &context.progress)?;
    context.output.done(args.format.chosen(), &done, |page| write(page, &done))?;
    if done.done.dry_run && !done.done.forgotten.is_empty() {
        context.hint(format!("git mldata remote forget {} --yes", done.remote));
    }
    Ok(Exit::Done)
}

fn write(page: &mut Page<'_>, forgotten: &With<Forgotten>) -> io::Result<()> {
    let With { remote, done } = forgotten;
    let row = |root: &ForgottenRoot| {
        let commit = root.commits.first().map(|commit| commit.chars().take(10).collect::<String>());
        vec![
            Cell::left(root.root.short()),
            Cell::right(size(root.bytes)),
            Cell::right(counted(root.files, "file")),
            Cell::left(commit.map(|commit| format!("of commit {commit}")).unwrap_or_default()),
        ]
    };
    page.table(0, &done.forgotten.iter().map(row).collect::<Vec<_>>())?;
    let records = counted(done.records, "record");
    match (done.forgotten.len() as u64, done.dry_run) {
        (0, _) => page.line(format_args!("nothing to forget on '{remote}' ({records})"))?,
        (some, true) => page.line(format_args!("would forget {some} of {records} on '{remote}'"))?,
        (some, false) => page.line(format_args!("forgot {some} of {records} on '{remote}'"))?,
    }
    if done.young > 0 {
        page.line(format_args!("{} that nothing names are young, and stay", counted(done.young, "record")))?;
    }
    match done.elsewhere {
        0 => Ok(()),
        some => page.line(format_args!("{} of other Git remotes stay", counted(some, "record"))),
    }
}
