//! `git mlmodel register`: a new version.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

use crate::base::{Digest, RandomId, RepoPath};
use crate::cli::amounts::size;
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::{CliError, Outcome};
use crate::data::remotes;
use crate::data::transfer::{PushOptions, push_versions};
use crate::data::versions::Commits;
use crate::git::Repository;
use crate::models::{Bump, ModelName, Number, Registration, Version, committed_content, register};
use crate::runs::{Filter, find, list};

/// Register what lies at a path as a version of a model
///
/// Registers what the commit that is checked out has at PATH. The version is a tag, and it is claimed by pushing the tag to
/// the Git remote first: of several clones, one gets the number. Without a Git remote the tag is made here alone.
#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// The model
    #[arg(value_name = "NAME")]
    model: ModelName,
    /// Its content: a tracked path, or a file that is in Git itself
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The run that made it; the latest run that has it as an output, if not given
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// The version, such as v1.2.0
    #[arg(long, value_name = "VERSION", conflicts_with = "bump")]
    version: Option<Version>,
    /// Which part of the greatest version is counted up
    #[arg(long, value_name = "PART", value_enum, default_value_t)]
    bump: Part,
    /// Register what is a version already once more
    #[arg(long)]
    again: bool,
    /// The Git remote to claim it on
    #[arg(long, value_name = "REMOTE")]
    remote: Option<String>,
    #[command(flatten)]
    format: FormatOptions,
}

/// A part of a version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Part {
    /// What callers rely on changed
    Major,
    /// Something was added
    Minor,
    /// The same, better
    #[default]
    Patch,
}

impl From<Part> for Bump {
    fn from(part: Part) -> Self {
        match part {
            Part::Major => Self::Major,
            Part::Minor => Self::Minor,
            Part::Patch => Self::Patch,
        }
    }
}

pub(crate) fn run(context: &Context, args: &RegisterArgs) -> Outcome {
    let repository = context.repository()?;
    let path = repository.resolve(&args.path)?;
    let maker = match (&args.run, repository.head_commit()?) {
        (Some(named), _) => Some(find(repository, named)?.id),
        (None, Some(commit)) => maker_of(repository, committed_content(repository, commit, &path)?.blake3)?,
        (None, None) => None,
    };
    let number = match &args.version {
        Some(version) => Number::Exactly(version.clone()),
        None => Number::Next(args.bump.into()),
    };
    let (model, remote) = (args.model.clone(), args.remote.clone());
    let wanted = Registration { model, path, number, run: maker, remote, again: args.again };
    upload(context, &wanted.path)?;
    let registered = register(repository, &wanted)?;
    context.output.done(args.format.chosen(), &registered, |page| {
        let content = &registered.content;
        let place = claim(registered.claimed_on.as_deref());
        page.line(format_args!("{} {place}", registered.tag))?;
        let path = escape(&content.path);
        let made_by = registered.run.map(|run| format!(", made by run {}", run.short())).unwrap_or_default();
        page.line(format_args!("  {path}  {}  {}{made_by}", content.blake3.short(), size(content.size)))
    })?;
    Ok(Exit::Done)
}

/// Sends the content before the tag can name it: a version on the Git remote must be one that others can get. A file that
/// is in Git itself needs nothing.
fn upload(context: &Context, path: &RepoPath) -> Result<(), CliError> {
    let workspace = context.workspace()?;
    if workspace.repository().work_tree_pointer(path).is_ok_and(|pointer| pointer.is_none()) {
        return Ok(());
    }
    if remotes::list(&workspace)?.is_empty() {
        context
            .output
            .warning(format!("'{path}' is on no data remote: others cannot get what this version names"));
        context.hint("git mldata remote add NAME URL && git mldata push");
        return Ok(());
    }
    push_versions(&workspace, None, &Commits::Head, &[], PushOptions::default(), &context.progress)?;
    Ok(())
}

/// The latest run that has this content as an output.
fn maker_of(repository: &Repository, content: Digest) -> Result<Option<RandomId>, CliError> {
    let runs = list(repository, &Filter::default())?;
    let made_it = runs.into_iter().find(|run| run.outputs.iter().any(|output| output.blake3 == content));
    Ok(made_it.map(|run| run.id))
}

/// Where a tag is.
pub(super) fn claim(remote: Option<&str>) -> String {
    match remote {
        Some(remote) => format!("claimed on '{}'", escape(remote)),
        None => "made here alone: there is no Git remote to claim it on".to_owned(),
    }
}
