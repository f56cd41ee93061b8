//! Wrong use, told as Git tells it.

use std::io::{self, Write};

use clap::error::{ContextKind, ContextValue};

/// Writes what was wrong with the arguments on stderr: `error:`, `hint:` where there is one, `usage:`.
pub(crate) fn tell(error: &clap::Error) {
    // That nobody listens is not an error.
    let _ = io::stderr().lock().write_all(lines(error).as_bytes());
}

/// clap's own words in Git's form: its `tip:` is our `hint:`, paragraphs are lines.
fn lines(error: &clap::Error) -> String {
    let mut lines = String::new();
    for line in error.render().to_string().lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        if line.starts_with("For more information") {
            continue;
        }
        let line = match line.trim_start().strip_prefix("tip: ") {
            Some(tip) => format!("hint: {tip}"),
            None => line.replacen("Usage: ", "usage: ", 1),
        };
        lines += &line;
        lines.push('\n');
    }
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
        let words = usage.to_string();
        let command = words.trim_start_matches("Usage: ").split(['[', '<']).next().unwrap_or_default();
        let command = command.split(" -").next().unwrap_or_default().trim();
        lines += &format!("hint: '{command} -h' shows what it takes\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    #[test]
    fn wrong_use_reads_as_from_git() {
        let push = Command::new("push")
            .arg(Arg::new("remote").required(true))
            .arg(Arg::new("dry-run").long("dry-run"));
        let tool = Command::new("git-mldata").bin_name("git mldata").subcommand(push);
        let told = |words: &[&str]| lines(&tool.clone().try_get_matches_from(words).unwrap_err());
        assert_eq!(
            told(&["git-mldata", "push", "--dry-ru", "x"]),
            "error: unexpected argument '--dry-ru' found\n\
             hint: a similar argument exists: '--dry-run'\n\
             usage: git mldata push --dry-run <dry-run> <remote>\n\
             hint: 'git mldata push -h' shows what it takes\n"
        );
        assert_eq!(
            told(&["git-mldata", "psuh"]),
            "error: unrecognized subcommand 'psuh'\n\
             hint: a similar subcommand exists: 'push'\n\
             usage: git mldata [COMMAND]\n\
             hint: 'git mldata -h' shows what it takes\n"
        );
    }
}
