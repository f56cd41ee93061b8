//! `git mlrun lineage`: where something comes from, and what came of it.

use std::io;

use clap::Args;

use crate::cli::amounts::size;
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::options::FormatOptions;
use crate::cli::page::{Page, Paint};
use crate::cli::report::Outcome;
use crate::models::{Alias, ContentRecord};
use crate::runs::record::CodeState;
use crate::runs::{Link, Relation, Thing, lineage};

/// Show where something comes from, and what came of it
///
/// Goes from a model or a file back to the run that made it, the code that it ran and the data that it read; and forward to
/// the runs and model versions that came of it. Content ids hold it together, so it survives rewritten history.
#[derive(Debug, Args)]
pub(crate) struct LineageArgs {
    /// A path with data, a run, a model version such as NAME@v1.2.0 or NAME#prod, a content id, or a commit
    #[arg(value_name = "THING")]
    thing: String,
    #[command(flatten)]
    format: FormatOptions,
}

pub(crate) fn run(context: &Context, args: &LineageArgs) -> Outcome {
    let repository = context.repository()?;
    let found = lineage(repository, &args.thing)?;
    context.output.show(args.format.chosen(), &found, |page| {
        page.painted(Paint::Heading, &words(&found.subject))?;
        write_links(page, &found.back, 1)?;
        if !found.forward.is_empty() {
            page.painted(Paint::Heading, "what came of it")?;
            write_links(page, &found.forward, 1)?;
        }
        Ok(())
    })?;
    if found.back.is_empty() && found.forward.is_empty() {
        context.hint("nothing is recorded of it here; runs of others come with 'git mlrun sync'");
    }
    Ok(Exit::Done)
}

fn write_links(page: &mut Page<'_>, links: &[Link], depth: usize) -> io::Result<()> {
    for link in links {
        page.line(format_args!(
            "{:indent$}{} {}",
            "",
            relation(link.relation),
            words(&link.thing),
            indent = depth * 2
        ))?;
        write_links(page, &link.links, depth + 1)?;
    }
    Ok(())
}

const fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::MadeBy => "made by",
        Relation::Ran => "ran",
        Relation::Read => "read",
        Relation::StandsFor => "stands for",
        Relation::Made => "made",
        Relation::ReadBy => "read by",
        Relation::RegisteredAs => "registered as",
    }
}

/// A thing in a few words, escaped.
fn words(thing: &Thing) -> String {
    let text = match thing {
        Thing::Content(ContentRecord { path, blake3, size: bytes, .. }) => {
            format!("{path}  {}  {}", blake3.short(), size(*bytes))
        }
        Thing::ContentId { blake3 } => format!("content {blake3}"),
        Thing::Run { id, name, command, .. } => {
            let name = name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            format!("run {}{name}  {}", id.short(), command.join(" "))
        }
        Thing::Code(code) => code_words(code),
        Thing::Version { model, version, aliases, .. } => {
            let aliases: Vec<String> =
                aliases.iter().map(|alias: &Alias| format!("  {}", alias.as_str())).collect();
            format!("{model}@{version}{}", aliases.concat())
        }
        Thing::Commit { commit, .. } => format!("commit {}", short(commit)),
    };
    escape(&text).into_owned()
}

fn code_words(code: &CodeState) -> String {
    let commit = code.commit.as_deref().map_or("no commit", short);
    let branch = code.branch.as_ref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    let changed = match code.changed_files {
        0 => String::new(),
        1 => ", with 1 file changed (kept)".to_owned(),
        files => format!(", with {files} files changed (kept)"),
    };
    format!("code {commit}{branch}{changed}")
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}
