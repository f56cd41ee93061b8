//! The whole command line as one text: a change of the interface is seen in review.
//!
//! To accept a change: `GIT_ML_UPDATE=1 cargo test --test cli reference`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use git_ml::cli::{Tool, command};

#[test]
fn reference_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/reference.txt");
    let mut text = String::new();
    for tool in Tool::ALL {
        let mut built = command(tool).term_width(100);
        built.build();
        describe(&mut built, &mut text);
    }
    if std::env::var_os("GIT_ML_UPDATE").is_some() {
        fs::write(&path, &text).expect("a file");
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(known == text, "the command line differs from {}: see the head of this test", path.display());
}

/// The long help of a command and of those below it.
fn describe(command: &mut clap::Command, text: &mut String) {
    let words = command.get_bin_name().unwrap_or_default().to_owned();
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    writeln!(text, "## {words}\n\n{}\n", lines.join("\n").trim_end()).expect("memory");
    command
        .get_subcommands_mut()
        .filter(|below| !below.is_hide_set())
        .for_each(|below| describe(below, text));
}
