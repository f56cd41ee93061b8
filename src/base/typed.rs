//! Words as they are typed into a shell.

use std::fmt::Display;

/// `word` as it can be typed (or pasted) into a POSIX shell: as it is where it is plain, else in single quotes. For the
/// commands that hints name: a path may hold blanks, and a clone's path may hold anything.
pub fn typed(word: impl Display) -> String {
    let word = word.to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "_./-+=:,@%^".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word;
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_take_apart_is_quoted() {
        assert_eq!(typed("data/größe-1.csv"), "data/größe-1.csv");
        assert_eq!(typed("my data"), "'my data'");
        assert_eq!(typed("it's $HOME;rm"), r"'it'\''s $HOME;rm'");
        assert_eq!(typed(""), "''");
    }
}
