//! `git mlmodel ls`: what is registered.

use clap::Args;
use serde::Serialize;

use crate::cli::amounts::{moment, size};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Paint};
use crate::cli::report::Outcome;
use crate::models::{Alias, Model, ModelName, RegisteredVersion, catalog};

/// List models and their versions
///
/// The greatest version of each model comes first, with the aliases that name it now. Reads the tags that are here: 'git
/// fetch --tags' brings those of others.
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// Only this model
    #[arg(value_name = "NAME")]
    model: Option<ModelName>,
    /// Also versions that were taken back
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    format: FormatOptions,
}

/// One line of the list.
#[derive(Serialize)]
struct Listed<'a> {
    model: &'a ModelName,
    #[serde(flatten)]
    version: &'a RegisteredVersion,
}

pub(crate) fn run(context: &Context, args: &LsArgs) -> Outcome {
    let catalog = catalog(context.repository()?)?;
    let wanted = |model: &&Model| args.model.as_ref().is_none_or(|name| *name == model.name);
    let listed: Vec<Listed<'_>> = catalog
        .models()
        .filter(wanted)
        .flat_map(|model| model.versions.iter().map(move |version| Listed { model: &model.name, version }))
        .filter(|listed| args.all || !listed.version.deregistered)
        .collect();
    let rows: Vec<Vec<Cell>> = listed.iter().map(row).collect();
    context.output.show_list(args.format.chosen(), &listed, |page| page.table(0, &rows))?;
    if listed.is_empty() {
        context.hint("git mlmodel register NAME PATH      registers the first version");
    }
    Ok(Exit::Done)
}

fn row(listed: &Listed<'_>) -> Vec<Cell> {
    let version = listed.version;
    let aliases: Vec<&str> = version.aliases.iter().map(Alias::as_str).collect();
    let state = if version.deregistered { "taken back".to_owned() } else { aliases.join(", ") };
    let content = version.content.as_ref();
    vec![
        Cell::left(listed.model).paint(Paint::Heading),
        Cell::left(&version.version),
        Cell::left(state).paint(if version.deregistered { Paint::Bad } else { Paint::Good }),
        Cell::left(content.map_or("", |content| &content.path)),
        Cell::right(content.map_or_else(String::new, |content| size(content.size))),
        Cell::left(moment(version.time)).paint(Paint::Faint),
    ]
}
