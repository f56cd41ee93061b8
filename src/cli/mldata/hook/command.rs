//! Which hook it is.

use std::ffi::OsString;
use std::io::{self, Read};

use clap::{Args, ValueEnum};

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::{CliError, Outcome};

use super::{guard, lineage, push, watch};

/// Called by the hooks
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct HookArgs {
    /// The hook
    #[arg(value_name = "NAME", value_enum)]
    name: HookName,
    /// What Git gives it
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

/// The hooks, by the names that Git gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HookName {
    PreCommit,
    PreMergeCommit,
    PrepareCommitMsg,
    PostCommit,
    PostCheckout,
    PostMerge,
    PostApplypatch,
    PostRewrite,
    PostIndexChange,
    PrePush,
}

pub(crate) fn run(context: &Context, args: &HookArgs) -> Outcome {
    match args.name {
        HookName::PreCommit | HookName::PreMergeCommit => guard::run(context),
        HookName::PrePush => {
            let url = args.args.get(1).and_then(|url| url.to_str());
            push::run(context, url, &standard_input()?)
        }
        HookName::PrepareCommitMsg => watched(context, lineage::remember),
        HookName::PostCommit => {
            // After a conflict was solved, no other hook tells that the merge is done.
            watched(context, |context| watch::run(context, false))?;
            watched(context, lineage::record_commit)
        }
        HookName::PostRewrite => {
            let kind = args.args.first().and_then(|kind| kind.to_str()).unwrap_or_default();
            watched(context, |context| watch::run(context, kind == "rebase"))?;
            watched(context, |context| lineage::record_rewrite(context, kind, &standard_input()?))
        }
        HookName::PostCheckout
        | HookName::PostMerge
        | HookName::PostApplypatch
        | HookName::PostIndexChange => watched(context, |context| watch::run(context, false)),
    }
}

/// Runs a hook that only watches: what goes wrong is a warning.
fn watched(context: &Context, hook: impl FnOnce(&Context) -> Result<(), CliError>) -> Outcome {
    if let Err(error) = hook(context) {
        context.warn("git-mldata", &error);
    }
    Ok(Exit::Done)
}

/// What Git tells on the standard input.
fn standard_input() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(CliError::writing)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
