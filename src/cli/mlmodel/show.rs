//! `git mlmodel show`: one model, or one of its versions.

use std::io;

use clap::Args;
use serde::Serialize;

use crate::cli::amounts::{moment, size};
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Cell, Page, Paint};
use crate::cli::report::Outcome;
use crate::models::{self, Alias, AliasMove, Model, ModelName, ModelRef, RegisteredVersion, catalog};

/// Show a model, or one of its versions
///
/// A version may be named by its number, by an alias, or as the latest: NAME@v1.2.0, NAME#prod or NAME@prod, NAME@latest.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The model, or one of its versions
    #[arg(value_name = "NAME[@VERSION]")]
    named: ModelRef,
    #[command(flatten)]
    format: FormatOptions,
}

/// A version with its model's name.
#[derive(Serialize)]
struct Shown<'a> {
    model: &'a ModelName,
    #[serde(flatten)]
    version: &'a RegisteredVersion,
}

pub(crate) fn run(context: &Context, args: &ShowArgs) -> Outcome {
    let catalog = catalog(context.repository()?)?;
    let model = models::model(&catalog, &args.named.model)?;
    let format = args.format.chosen();
    if args.named.which.is_none() {
        context.output.show(format, model, |page| write_model(page, model))?;
    } else {
        let version = models::version(&catalog, &args.named)?;
        let shown = Shown { model: &model.name, version };
        context.output.show(format, &shown, |page| write_version(page, &model.name, version))?;
    }
    Ok(Exit::Done)
}

fn write_model(page: &mut Page<'_>, model: &Model) -> io::Result<()> {
    let note = if model.deprecated { " (deprecated)" } else { "" };
    page.painted(Paint::Heading, &format!("{}{note}", escape(model.name.as_str())))?;
    let versions: Vec<Vec<Cell>> = model.versions.iter().map(version_row).collect();
    page.table(2, &versions)?;
    if !model.history.is_empty() {
        page.line(format_args!(""))?;
        page.painted(Paint::Heading, "moves of aliases, the newest first")?;
        let moves: Vec<Vec<Cell>> = model.history.iter().map(move_row).collect();
        page.table(2, &moves)?;
    }
    Ok(())
}

fn version_row(version: &RegisteredVersion) -> Vec<Cell> {
    let aliases: Vec<&str> = version.aliases.iter().map(Alias::as_str).collect();
    let state = if version.deregistered { "taken back".to_owned() } else { aliases.join(", ") };
    vec![
        Cell::left(&version.version),
        Cell::left(state).paint(if version.deregistered { Paint::Bad } else { Paint::Good }),
        Cell::left(version.content.as_ref().map_or("", |content| &content.path)),
        Cell::right(version.content.as_ref().map_or_else(String::new, |content| size(content.size))),
        Cell::left(version.run.map_or_else(String::new, |run| format!("run {}", run.short()))),
        Cell::left(moment(version.time)),
        Cell::left(&version.by).paint(Paint::Faint),
    ]
}

fn move_row(moved: &AliasMove) -> Vec<Cell> {
    let to = match &moved.version {
        Some(version) => format!("-> {version}"),
        None if moved.unassigned => "taken away".to_owned(),
        None => "-> no registered version".to_owned(),
    };
    vec![
        Cell::left(moved.alias.as_str()),
        Cell::left(to),
        Cell::left(moment(moved.time)),
        Cell::left(&moved.by).paint(Paint::Faint),
    ]
}

fn write_version(page: &mut Page<'_>, model: &ModelName, version: &RegisteredVersion) -> io::Result<()> {
    let aliases: String = version.aliases.iter().map(|alias| format!("  {}", alias.as_str())).collect();
    page.painted(Paint::Heading, &format!("{model}@{}{aliases}", version.version))?;
    let mut fields = vec![("registered", format!("{} by {}", moment(version.time), version.by))];
    if version.deregistered {
        fields.push(("state", "taken back".to_owned()));
    }
    fields.push(("commit", version.commit.clone()));
    match &version.content {
        Some(content) => {
            fields.push(("path", content.path.clone()));
            fields.push(("size", size(content.size)));
            fields.push(("blake3", content.blake3.to_string()));
        }
        None => fields.push(("content", "unknown: the tag was not made by git mlmodel".to_owned())),
    }
    fields.extend(version.run.map(|run| ("run", run.to_string())));
    page.fields(2, &fields)
}
