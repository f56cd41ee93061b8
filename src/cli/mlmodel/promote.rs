//! `git mlmodel promote`: an alias, moved.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::models::{Alias, ModelRef, promote};

use super::register::claim;

/// Move an alias such as 'prod' to a version
///
/// The move is a tag, NAME#ALIAS#NUMBER, which is claimed on the Git remote as a version is: every CI that reacts to a
/// tag can deploy.
#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// The version
    #[arg(value_name = "NAME@VERSION")]
    version: ModelRef,
    /// The alias
    #[arg(value_name = "ALIAS", value_parser = Alias::fresh)]
    alias: Alias,
    /// The Git remote to claim it on
    #[arg(long, value_name = "REMOTE")]
    remote: Option<String>,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &PromoteArgs) -> Outcome {
    let promoted = promote(context.repository()?, &args.version, &args.alias, args.remote.as_deref())?;
    context.output.done(args.format.chosen(), &promoted, |page| {
        let (model, alias, to) = (&promoted.model, promoted.alias.as_str(), &promoted.to);
        let Some(tag) = &promoted.tag else {
            return page.line(format_args!("{model}#{alias} is {to} already"));
        };
        let from = promoted.from.as_ref().map(|from| format!(" (was {from})")).unwrap_or_default();
        page.line(format_args!("{model}#{alias} is now {to}{from}"))?;
        page.line(format_args!("{tag} {}", claim(promoted.claimed_on.as_deref())))
    })?;
    Ok(Exit::Done)
}
