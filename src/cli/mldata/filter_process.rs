//! `git mldata filter-process`: what Git starts for paths that are tracked in place; nobody types it.

use std::error::Error;
use std::fmt;
use std::io;

use clap::Args;

use crate::base::{Advice, typed};
use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::{CliError, Outcome};
use crate::data::in_place::{CleanError, FilterNews, serve};
use crate::git::Repository;

/// Called by Git for what is tracked in place
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct FilterProcessArgs {}

/// Git broke off, or is none.
#[derive(Debug, thiserror::Error)]
#[error("cannot go on filtering for Git")]
struct FilterError(#[source] io::Error);

impl Advice for FilterError {}

/// A file that Git is about to add could not be taken in.
#[derive(Debug)]
struct NotCleanedError {
    path: String,
    source: CleanError,
}

impl fmt::Display for NotCleanedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' cannot be taken in, so Git stops here", self.path)
    }
}

impl Error for NotCleanedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl Advice for NotCleanedError {
    fn hints(&self) -> Vec<String> {
        self.source.hints()
    }
}

pub(crate) fn run(context: &Context) -> Outcome {
    let served = serve(Repository::discover(), io::stdin(), io::stdout(), &mut |news| tell(context, news));
    served.map_err(FilterError)?;
    Ok(Exit::Done)
}

fn tell(context: &Context, news: FilterNews) {
    match news {
        FilterNews::NotCleaned { path, error } => {
            context.tell(&CliError::from(NotCleanedError { path, source: error }));
        }
        FilterNews::UnlikePointer { path, error } => {
            context.output.warning(format!(
                "'{path}' begins as a pointer and is none ({error}): it is taken as content, as it is"
            ));
            context.hint(format!("to get what Git has: git checkout HEAD -- {path}", path = typed(&path)));
        }
        FilterNews::Damaged { path, id, error } => {
            context.warn(&format!("the content of '{path}' ({})", id.short()), &CliError::from(error));
        }
        FilterNews::NotFetched { paths, error } => {
            let files = counted(paths as u64, "file");
            context.warn(&format!("{files} could not be fetched and stay pointers"), &CliError::from(error));
            context.hint("git mldata pull");
        }
    }
}
