//! `git mldata remote trust`.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;
use crate::data::remotes::trust;

/// Allow data, a password or a token to be sent to a remote
///
/// The address of a remote comes with a clone, so it may be anybody's. Data is read from it without asking, but data, a
/// password, a bearer token or a shared access signature is sent only where you added the remote yourself, or trust it. Kept in
/// this clone's Git configuration; a changed address has to be trusted anew. In CI, GIT_MLDATA_TRUST=URL does the same.
#[derive(Debug, Args)]
pub(crate) struct RemoteTrustArgs {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    format: FormatOptions,
}

pub(super) fn run(context: &Context, args: &RemoteTrustArgs) -> Outcome {
    let trusted = trust(&context.workspace()?, &args.name)?;
    context.output.done(args.format.chosen(), &trusted, |page| {
        let (name, url) = (escape(&trusted.name), escape(&trusted.url));
        page.line(format_args!("remote '{name}' trusted: data, and what opens it, may be sent to {url}"))
    })?;
    Ok(Exit::Done)
}
