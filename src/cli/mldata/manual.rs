//! `git mldata manual`: man pages and completions where man and the shells find them.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::base::Advice;
use crate::cli::amounts::counted;
use crate::cli::context::Context;
use crate::cli::escape::escape;
use crate::cli::exit::Exit;
use crate::cli::invocation::{Tool, command};
use crate::cli::manual::files;
use crate::cli::options::FormatOptions;
use crate::cli::report::Outcome;

/// Man pages and shell completions
///
/// Git shows 'git mldata --help' by man, so the pages have to lie where man looks.
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum ManualCommand {
    Install(InstallArgs),
}

/// Write man pages and completions for bash, zsh and fish
///
/// They go to 'share' beside the folder of the program, where man and the shells find them without a setting. Installing
/// again replaces them.
#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// Write below PREFIX/share instead
    #[arg(long, value_name = "PREFIX")]
    to: Option<PathBuf>,
    #[command(flatten)]
    format: FormatOptions,
}

/// Why the manual could not be written.
#[derive(Debug, thiserror::Error)]
enum ManualError {
    #[error("cannot tell in which folder this program lies")]
    NoPrefix,
    #[error("cannot write '{}'", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Advice for ManualError {
    fn hints(&self) -> Vec<String> {
        vec!["git mldata manual install --to ~/.local".into()]
    }
}

#[derive(Serialize)]
struct Installed {
    prefix: String,
    files: Vec<String>,
}

pub(crate) fn run(context: &Context, command: &ManualCommand) -> Outcome {
    match command {
        ManualCommand::Install(args) => install(context, args),
    }
}

fn install(context: &Context, args: &InstallArgs) -> Outcome {
    let prefix = args.to.clone().or_else(default_prefix).ok_or(ManualError::NoPrefix)?;
    let mut installed = Installed { prefix: prefix.display().to_string(), files: Vec::new() };
    for tool in Tool::ALL {
        for file in files(&command(tool)).map_err(|source| write_error(&prefix, source))? {
            let path = prefix.join(&file.path);
            write(&path, &file.bytes).map_err(|source| write_error(&path, source))?;
            installed.files.push(file.path.display().to_string());
        }
    }
    context.output.done(args.format.chosen(), &installed, |page| {
        let files = counted(installed.files.len() as u64, "file");
        page.line(format_args!("manual: {files} written below '{}'", escape(&installed.prefix)))
    })?;
    if args.to.is_none() {
        context.hint("git help mldata");
    }
    Ok(Exit::Done)
}

/// Installs the manual where it is not there yet and can be: a newcomer's first `git mldata --help` should show it. That it
/// cannot be is no reason to say anything.
pub(super) fn install_if_missing() {
    let Some(prefix) = default_prefix() else { return };
    if prefix.join("share/man/man1/git-mldata.1").exists() {
        return;
    }
    for file in Tool::ALL.into_iter().filter_map(|tool| files(&command(tool)).ok()).flatten() {
        if write(&prefix.join(&file.path), &file.bytes).is_err() {
            return;
        }
    }
}

fn write_error(path: &Path, source: io::Error) -> ManualError {
    ManualError::Write { path: path.to_owned(), source }
}

/// The folder above the one that the program lies in.
fn default_prefix() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    Some(program.parent()?.parent()?.to_owned())
}

/// Written aside and renamed, so that a page is never half there.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}
