//! `git mldata remote add`.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::{FormatOptions, pair};
use crate::cli::report::Outcome;
use crate::data::remotes::add;

/// Name a place for the data
///
/// Checks that it can be reached and tells as whom, then writes it to 'ml.toml' and stages that. The first remote is the
/// default.
///
/// Known are a folder (PATH or file:///PATH), s3://BUCKET/PREFIX, az://CONTAINER/PREFIX, gs://BUCKET/PREFIX,
/// webdavs://HOST/PATH, sftp://USER@HOST/PATH and, to read only, https://HOST/PATH. Options: access=read for a mirror that
/// is only read; of all but a folder connections, retries, timeout; of buckets anonymous, endpoint; of S3 also profile, region,
/// virtual-host; of Azure account; of servers user.
#[derive(Debug, Args)]
pub(crate) struct RemoteAddArgs {
    /// Its name, such as 'main'
    #[arg(value_name = "NAME")]
    name: String,
    /// A folder, or an address as above
    #[arg(value_name = "URL")]
    url: String,
    /// An option of the remote: endpoint, region, …
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = pair)]
    option: Vec<(String, String)>,
    /// Keep the options in this clone's Git configuration, not in 'ml.toml'
    #[arg(long)]
    local: bool,
    /// Do not stage 'ml.toml'
    #[arg(long)]
    no_stage: bool,
    #[command(flatten)]
    format: FormatOptions,
}

pub(super) fn run(context: &Context, args: &RemoteAddArgs) -> Outcome {
    let workspace = context.workspace()?;
    let options = args.option.iter().cloned().collect();
    let added = add(&workspace, &args.name, &args.url, options, args.local, !args.no_stage)?;
    context.output.done(args.format.chosen(), &added, |page| {
        let remote = &added.remote;
        let default = if remote.default { " (default)" } else { "" };
        let state = if added.empty { "empty" } else { "holds data" };
        let url = escape(&remote.url);
        let whom = escape(&added.identity);
        page.line(format_args!("remote '{}'{default}: {url}, reachable as {whom}, {state}", remote.name))?;
        match &added.written {
            Some(file) if args.no_stage => page.line(format_args!("written to {file}")),
            Some(file) => page.line(format_args!("written to {file} and staged")),
            None => page.line(format_args!("written to this clone's configuration")),
        }
    })?;
    Ok(Exit::Done)
}
