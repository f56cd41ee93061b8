//! The code of a run: the commit, and the work tree as it was, kept as a tree of Git.
//!
//! The tree goes wherever the log goes, so what looks like a secret is left out, and so is what is large: large files are
//! data and belong to `git mldata`.

use crate::git::{ObjectId, Repository, SnapshotLimits};

use super::error::RunsError;
use super::record::CodeState;

/// What is beyond this is left out.
const LIMITS: SnapshotLimits = SnapshotLimits { file: 4 << 20, sum: 64 << 20, files: 5000 };
/// So many names of files that were left out are recorded.
const MOST_NAMES: usize = 20;

/// The code as it was when a run began.
#[derive(Debug)]
pub struct Code {
    /// What the record says.
    pub state: CodeState,
    /// The tree that is kept; none in an empty repository.
    pub tree: Option<ObjectId>,
}

/// Looks at the work tree, and keeps it.
///
/// # Errors
///
/// Those of Git.
pub fn keep(repository: &Repository) -> Result<Code, RunsError> {
    let mut state = CodeState { branch: repository.head_branch()?, ..CodeState::default() };
    let mut tree = None;
    if let Some(commit) = repository.head_commit()? {
        let info = repository.commit_info(commit)?;
        state.commit = Some(commit.to_string());
        state.tree = Some(info.tree.to_string());
        state.change_id = info.trailer("Change-Id").map(str::to_owned);
        state.patch_id = repository.patch_ids(&[commit])?.remove(&commit);
        tree = Some(info.tree);
    }
    if !repository.is_bare() {
        let snapshot = repository.snapshot(&LIMITS)?;
        state.changed_files = snapshot.differing as u64;
        let names = snapshot.left_out.into_iter().map(|left_out| left_out.path);
        state.left_out = names.take(MOST_NAMES).collect();
        if snapshot.differing > 0 {
            tree = Some(snapshot.tree);
        }
    }
    Ok(Code { state, tree })
}

/// The arguments of a command, with what looks like a secret replaced by `***`.
pub fn without_secrets(command: &[String]) -> Vec<String> {
    let mut shown = Vec::with_capacity(command.len());
    let mut hide_next = false;
    for argument in command {
        let (name, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument.as_str(), None),
        };
        let secret = names_a_secret(name);
        shown.push(match value {
            _ if hide_next && !argument.starts_with('-') => "***".into(),
            Some(_) if secret => format!("{name}=***"),
            _ => argument.clone(),
        });
        hide_next = value.is_none() && secret && argument.starts_with("--");
    }
    shown
}

fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    let ends = [
        "password",
        "passwd",
        "secret",
        "token",
        "api-key",
        "apikey",
        "access-key",
        "private-key",
        "credentials",
    ];
    // An option such as `--max-token` names a number: only a name that ends so, and no other word before it, counts.
    let word = name.trim_start_matches('-');
    ends.iter().any(|end| word.ends_with(end)) && !word.starts_with("max-") && !word.starts_with("num-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_arguments_are_not_shown() {
        let command =
            ["train", "--api-key", "abc", "--lr=0.1", "--db-password=x", "TOKEN=1", "--max-token", "7"];
        let shown = without_secrets(&command.map(String::from));
        assert_eq!(shown.join(" "), "train --api-key *** --lr=0.1 --db-password=*** TOKEN=*** --max-token 7");
    }
}
