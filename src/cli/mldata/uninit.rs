//! `git mldata uninit`: a plain repository again.

use std::io;

use clap::Args;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::Page;
use crate::cli::report::Outcome;
use crate::data::uninit::{Uninit, UninitOptions, uninit};

/// Leave a plain repository: pointers, hooks and settings go, the data stays
///
/// Every file of the data stays where it lies, and Git sees it from now on. What goes is ours: pointers, ignore lines,
/// attributes, 'ml.toml', hooks, settings of this clone. It is refused while the work tree lacks something that a pointer
/// names. The store stays, so that older versions can be had if you set the repository up again, unless you ask for it.
#[derive(Debug, Args)]
pub(crate) struct UninitArgs {
    /// Remove the store, too: only if each version in it is also in the work tree or on a remote
    #[arg(long)]
    drop_store: bool,
    /// Tell what would be done, and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &UninitArgs) -> Outcome {
    let workspace = context.workspace()?;
    let options = UninitOptions { dry_run: args.dry_run, drop_store: args.drop_store };
    let done = uninit(&workspace, options, &context.progress)?;
    context.output.done(args.format.chosen(), &done, |page| write(page, &done, args.dry_run))?;
    if !args.dry_run {
        context.hint("git commit -m 'No git-ml any more'      records what was taken away");
        context.hint("do not 'git add' large data: Git keeps every version of it for ever");
    }
    Ok(Exit::Done)
}

fn write(page: &mut Page<'_>, done: &Uninit, dry_run: bool) -> io::Result<()> {
    let names = |paths: &[crate::base::RepoPath]| {
        let names: Vec<_> = paths.iter().map(|path| escape(path.as_str()).into_owned()).collect();
        names.join(" ")
    };
    let would = if dry_run { "would stay" } else { "stay" };
    let (paths, bytes) = (counted(done.data.len() as u64, "path"), size(done.bytes));
    page.line(format_args!("{paths} of data, {bytes}, {would} where they are: {}", names(&done.data)))?;
    let (in_place, gone): (Vec<_>, Vec<_>) =
        done.staged.iter().cloned().partition(|path| done.data.contains(path));
    if !gone.is_empty() {
        let would = if dry_run { "would go" } else { "gone, and staged" };
        page.line(format_args!("{would}: {}", names(&gone)))?;
    }
    if !in_place.is_empty() {
        let would = if dry_run { "would no longer be tracked by Git" } else { "no longer tracked by Git" };
        page.line(format_args!(
            "{would}, and {} here: {}",
            if dry_run { "stay" } else { "still" },
            names(&in_place)
        ))?;
    }
    if !done.hooks.is_empty() {
        page.line(format_args!("hooks: removed {}", done.hooks.join(" ")))?;
    }
    if let Some(store) = &done.store {
        let would = if dry_run { "would be removed" } else { "was removed" };
        page.line(format_args!("the store '{}' {would}", escape(&store.display().to_string())))?;
    }
    Ok(())
}
