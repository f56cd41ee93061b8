//! What the hooks call: `git-mldata hook NAME ARGS…`.
//!
//! Only pre-commit, pre-merge-commit and pre-push may refuse. The others watch: whatever goes wrong in them is a warning, and
//! they exit 0, for Git's work is done.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::report::Outcome;

use super::{pre_commit, pre_push, watching};

/// What a hook of Git does; called by the hooks
#[derive(Debug, Args)]
pub(crate) struct HookArgs {
    /// The hook
    #[arg(value_name = "NAME")]
    name: String,
    /// What Git gave it
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(context: &Context, args: &HookArgs) -> Outcome {
    let watched = match args.name.as_str() {
        "pre-commit" | "pre-merge-commit" => return pre_commit::run(context),
        "pre-push" => return pre_push::run(context, &args.arguments),
        "prepare-commit-msg" => watching::prepare_commit_message(context),
        "post-commit" => watching::post_commit(context),
        "post-rewrite" => watching::post_rewrite(context, args.arguments.first().map(String::as_str)),
        "post-checkout" | "post-merge" | "post-applypatch" | "post-index-change" => {
            watching::follow_pointers(context)
        }
        // A hook that an other version of this program installed.
        _ => Ok(()),
    };
    if let Err(error) = watched {
        context.warn("git-mldata", &error);
    }
    Ok(Exit::Done)
}
