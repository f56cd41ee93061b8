//! `git mldata remote list`.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Paint};
use crate::cli::report::Outcome;
use crate::data::remotes::{RemoteSettings, list};

/// List the remotes
#[derive(Debug, Args)]
pub(crate) struct RemoteListArgs {
    #[command(flatten)]
    format: FormatOptions,
}

pub(super) fn run(context: &Context, args: &RemoteListArgs) -> Outcome {
    let remotes = list(&context.workspace()?)?;
    let row = |remote: &RemoteSettings| {
        let options: Vec<String> =
            remote.options.iter().map(|(key, value)| format!("{key}={value}")).collect();
        vec![
            Cell::left(&remote.name).paint(Paint::Heading),
            Cell::left(&remote.url),
            Cell::left(options.join(" ")).paint(Paint::Faint),
            Cell::left(if remote.default { "(default)" } else { "" }),
        ]
    };
    let rows: Vec<Vec<Cell>> = remotes.iter().map(row).collect();
    context.output.show_list(args.format.chosen(), &remotes, |page| page.table(0, &rows))?;
    if remotes.is_empty() {
        context.hint("git mldata remote add NAME URL");
    }
    Ok(Exit::Done)
}
