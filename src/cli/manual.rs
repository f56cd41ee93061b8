//! Man pages and completions, made from the arguments.
//!
//! `git mldata --help` never reaches the program: Git runs `man git-mldata`. man finds `PREFIX/share/man` for a program
//! in `PREFIX/bin` by itself, so pages that are written there need no setting.

use std::io;
use std::path::PathBuf;

use clap::Command;
use clap_complete::aot::{Bash, Fish, Zsh, generate};
use clap_mangen::Man;

/// A file of the manual.
#[derive(Debug)]
pub(crate) struct ManualFile {
    /// Where it belongs, relative to the prefix.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
}

/// All pages and completions of one tool.
pub(crate) fn files(tool: &Command) -> io::Result<Vec<ManualFile>> {
    let mut files = Vec::new();
    let mut built = unabridged(tool.clone());
    built.build();
    pages(&built, &mut files)?;
    files.extend(completions(tool));
    Ok(files)
}

/// The command with every option in full: the short help leaves some out, and a page must not.
fn unabridged(command: Command) -> Command {
    command.mut_args(|option| option.hide_short_help(false)).mut_subcommands(unabridged)
}

/// The page of a command and of those below it, hidden ones left out.
fn pages(command: &Command, files: &mut Vec<ManualFile>) -> io::Result<()> {
    let page = Man::new(command.clone())
        .source(concat!("git-ml ", env!("CARGO_PKG_VERSION")))
        .manual("git-ml manual");
    let mut bytes = Vec::new();
    page.render(&mut bytes)?;
    files.push(ManualFile { path: PathBuf::from("share/man/man1").join(page.get_filename()), bytes });
    command.get_subcommands().filter(|below| !below.is_hide_set()).try_for_each(|below| pages(below, files))
}

/// Completions for three shells, each where that shell looks.
fn completions(tool: &Command) -> [ManualFile; 3] {
    let name = tool.get_name();
    let (mut zsh, mut fish) = (Vec::new(), Vec::new());
    generate(Zsh, &mut tool.clone(), name, &mut zsh);
    generate(Fish, &mut tool.clone(), name, &mut fish);
    let file = |path: String, bytes| ManualFile { path: path.into(), bytes };
    [
        file(format!("share/bash-completion/completions/{name}"), bash(tool).into_bytes()),
        file(format!("share/zsh/site-functions/_{name}"), zsh),
        file(format!("share/fish/vendor_completions.d/{name}.fish"), fish),
    ]
}

/// For bash, `git-mldata` and `git mldata`. The generator mixes up names with a dash, so it is given one without; and
/// Git's own completion calls `_git_mldata` with variables of its own, from which a wrapper leads to ours.
fn bash(tool: &Command) -> String {
    let name = tool.get_name();
    let plain = name.replace('-', "");
    let git_calls = name.replace('-', "_");
    let mut bytes = Vec::new();
    generate(Bash, &mut tool.clone(), &plain, &mut bytes);
    let script =
        String::from_utf8_lossy(&bytes).replace(&format!("default {plain}\n"), &format!("default {name}\n"));
    format!(
        r#"{script}
_{git_calls}() {{
    local COMP_WORDS=({name} "${{words[@]:__git_cmd_idx+1}}")
    local COMP_CWORD=$((cword - __git_cmd_idx))
    _{plain} {name} "$cur" "$prev"
}}
"#
    )
}
