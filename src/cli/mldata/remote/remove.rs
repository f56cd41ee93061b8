//! `git mldata remote remove`.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::remotes::remove;

/// Forget a remote
///
/// Its settings go; what lies there is not touched.
#[derive(Debug, Args)]
pub(crate) struct RemoteRemoveArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Do not stage 'ml.toml'
    #[arg(long)]
    no_stage: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(super) fn run(context: &Context, args: &RemoteRemoveArgs) -> Outcome {
    let removed = remove(&context.workspace()?, &args.name, !args.no_stage)?;
    context.output.done(args.format.chosen(), &removed, |page| {
        let (name, url) = (escape(&removed.name), escape(&removed.url));
        page.line(format_args!("remote '{name}' forgotten; what lies at {url} is untouched"))
    })?;
    Ok(Exit::Done)
}
