//! The command line as a whole: help, wrong use, codes, streams.

use std::fs;
use std::path::Path;

use git_ml::cli::{Tool, command};

use crate::support::Sandbox;

/// clap's own checks: no option twice, no contradiction.
#[test]
fn arguments_are_consistent() {
    Tool::ALL.into_iter().for_each(|tool| command(tool).debug_assert());
}

/// `git mldata`, `git mldata remote` … are families; every command that does something is run by some test.
#[test]
fn every_command_is_run_by_some_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let sources = fs::read_dir(folder).expect("tests/cli").map(|entry| entry.expect("an entry").path());
    let text: String = sources.filter_map(|path| fs::read_to_string(path).ok()).collect();
    let mut missing = Vec::new();
    for tool in Tool::ALL {
        for words in leaves(&command(tool)) {
            if !text.contains(&format!("(\"{words}")) && !text.contains(&format!("&& {words}")) {
                missing.push(words);
            }
        }
    }
    assert!(missing.is_empty(), "no test runs: {}", missing.join(", "));
}

/// The words of every command that has none below it, hidden ones left out.
fn leaves(command: &clap::Command) -> Vec<String> {
    let mut built = command.clone();
    built.build();
    let below: Vec<String> =
        built.get_subcommands().filter(|below| !below.is_hide_set()).flat_map(leaves).collect();
    if below.is_empty() { vec![built.get_bin_name().unwrap_or_default().to_owned()] } else { below }
}

#[test]
fn no_further_word_is_wrong_use_and_shows_the_short_help() {
    let place = Sandbox::new().folder("nowhere");
    place.run("git mldata").fails(129).prints("").tells("Usage: git mldata");
    place.run("git mldata manual").fails(129).prints("").tells("Usage: git mldata manual");
}

#[test]
fn wrong_use_is_129_with_a_hint_and_help_is_0_on_stdout() {
    let place = Sandbox::new().folder("nowhere");
    place.run("git mldata psuh").fails(129).prints("").tells("error: unrecognized subcommand 'psuh'");
    place.run("git mldata manual install --no-such").fails(129).tells(
        "error: unexpected argument '--no-such' found\nusage: git mldata manual install [OPTIONS]\n\
         hint: 'git mldata manual install -h' shows what it takes\n",
    );
    place.run("git mldata -h").ok().says("").shows("Usage: git mldata [OPTIONS] <COMMAND>");
    place.run("git mldata manual install --help").ok().says("").shows("--to <PREFIX>");
    place.run("git mldata --version").ok().says("").shows("git-mldata 0.");
}

#[test]
fn a_closed_pipe_is_quiet() {
    let place = Sandbox::new().folder("nowhere");
    place.run("git mldata manual install --to there --json | true").ok().says("");
    place.run("{ git mldata manual install --to there; echo $? >&2; } | true").ok();
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = Sandbox::new().folder("nowhere");
    place
        .run("git-mldata -C no/such manual install")
        .fails(128)
        .prints("")
        .says("error: cannot change to 'no/such'\ncause: No such file or directory (os error 2)\n");
}

#[test]
fn colour_is_only_where_it_is_wanted() {
    let place = Sandbox::new().folder("nowhere");
    let failing = "git-mldata -C no/such manual install";
    place.run(failing).fails(128).lacks("\x1b[");
    place.run(&format!("{failing} --color=always")).fails(128).tells("\x1b[31merror:\x1b[m ");
    place.run(&format!("{failing} --color=never")).fails(128).lacks("\x1b[");
}
