//! `git mldata import dvc`: what DVC tracks becomes ours.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::cli::amounts::{counted, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::Outcome;
use crate::interop::dvc::{DvcImport, DvcOptions, Planned, import};

/// Take over what DVC tracks
///
/// Reads '.dvc' files, 'dvc.lock', the cache and the remotes of DVC 1 to 3, without DVC. What lies in the work tree is taken
/// as it is where its MD5 fits; the rest comes from the cache or a remote, and is held against its MD5. Each output gets a
/// pointer, its line in '.gitignore' moves over, its '.dvc' file goes; 'dvc.yaml' and 'dvc.lock' stay, and so does history.
/// Data that was edited is left alone, and what cannot be found is listed: then the exit code is 1. Run it again when that is
/// mended; what was taken over before is not looked at again.
#[derive(Debug, Args)]
pub(crate) struct DvcArgs {
    /// The folder to look at; the whole repository if not given
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Read from this remote of DVC's configuration, instead of its default
    #[arg(long, value_name = "NAME")]
    remote: Option<String>,
    /// Leave the '.dvc' files where they are
    #[arg(long)]
    keep: bool,
    /// Tell what would be taken over, and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &DvcArgs) -> Outcome {
    let workspace = context.workspace()?;
    let folder = args.folder.as_ref().map(|folder| workspace.repository().resolve_or_top(folder));
    let options = DvcOptions {
        folder: folder.transpose()?.flatten(),
        remote: args.remote.clone(),
        keep: args.keep,
        dry_run: args.dry_run,
    };
    let done = import(&workspace, &options, &context.progress)?;
    context.output.done(args.format.chosen(), &done, |page| write(page, &done, args.dry_run))?;
    for remote in &done.unusable {
        context.output.warning(format!("DVC's remote '{}' cannot be used: {}", remote.path, remote.why));
    }
    let next = done.is_whole() && !args.dry_run;
    if next && done.added.is_some() {
        context.hint("git commit      then git mldata push brings the data to a remote");
    }
    if next && !done.pipelines && !args.keep {
        context.hint("git rm -r .dvc      when nobody needs DVC here any more");
    }
    Ok(if done.is_whole() { Exit::Done } else { Exit::AnswerIsNo })
}

fn write(page: &mut Page<'_>, done: &DvcImport, dry_run: bool) -> io::Result<()> {
    let row = |planned: &Planned| {
        let parts = [
            (planned.here, "here"),
            (planned.from_cache, "from the cache"),
            (planned.from_remote, "from the remote"),
        ];
        let parts =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!("{count} {words}"));
        vec![
            Cell::left(&planned.path),
            Cell::right(counted(planned.files, "file")),
            Cell::right(size(planned.bytes)),
            Cell::left(parts.collect::<Vec<_>>().join(", ")),
        ]
    };
    page.table(0, &done.imported.iter().map(row).collect::<Vec<_>>())?;
    let problem = |words: &'static str, path: &str, why: String| {
        vec![Cell::left(words).paint(Paint::Bad), Cell::left(path), Cell::left(why)]
    };
    let missing = done.missing.iter().map(|missing| {
        let words = if missing.damaged { "damaged" } else { "missing" };
        problem(words, missing.path.as_str(), format!("md5 {}", missing.md5))
    });
    let modified = done.modified.iter();
    let modified =
        modified.map(|path| problem("modified", path.as_str(), "dvc commit, or dvc checkout".into()));
    let left = done.left.iter().map(|left| problem("left", &left.path, left.why.clone()));
    page.table(0, &missing.chain(modified).chain(left).collect::<Vec<_>>())?;
    if done.imported.is_empty() && done.is_whole() {
        return page.line(format_args!("DVC tracks nothing that is not taken over"));
    }
    let Some(added) = done.added.as_ref().filter(|_| !dry_run) else { return Ok(()) };
    if !done.removed.is_empty() {
        let names: Vec<_> = done.removed.iter().map(|path| escape(path.as_str()).into_owned()).collect();
        page.line(format_args!("removed: {}", names.join(" ")))?;
    }
    let files = added.added.iter().map(|added| added.files).sum();
    page.line(format_args!("took over {}, stored {}", counted(files, "file"), size(added.stored)))
}
