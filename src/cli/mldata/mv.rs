//! `git mldata mv`: pointer, data and ignore line, moved together.

use std::path::PathBuf;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::rename::rename;

/// Move or rename a tracked path
///
/// Pointer, data and ignore line move together; nothing is read or stored anew.
#[derive(Debug, Args)]
pub(crate) struct MvArgs {
    /// The tracked path
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// Where it goes, or the folder that it goes into
    #[arg(value_name = "TO")]
    to: PathBuf,
    /// Do not stage what changes
    #[arg(long)]
    no_stage: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &MvArgs) -> Outcome {
    let workspace = context.workspace()?;
    let repository = context.repository()?;
    let (from, to) = (repository.resolve(&args.from)?, repository.resolve(&args.to)?);
    let renamed = rename(&workspace, &from, &to, !args.no_stage)?;
    context.output.done(args.format.chosen(), &renamed, |page| {
        let (from, to) = (escape(renamed.from.as_str()), escape(renamed.to.as_str()));
        let note = if renamed.data_moved { "" } else { " (the pointer; the data is not here)" };
        page.line(format_args!("'{from}' -> '{to}'{note}"))
    })?;
    Ok(Exit::Done)
}
