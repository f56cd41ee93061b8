//! The code of a run: the commit, and the work tree as it was, kept as a tree of Git.
//!
//! The tree is that of `HEAD` with every file that differs: changed, deleted, new and not ignored. It goes wherever the log
//! goes, so what looks like a secret is left out (then the tree has what `HEAD` has), and so is what is large: large files
//! are data and belong to `git mldata`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::base::RepoPath;
use crate::git::{EntryMode, GitError, ObjectId, Repository};

use super::error::RunsError;
use super::record::CodeState;

/// Larger files are left out.
const LARGEST_FILE: u64 = 4 << 20;
/// Not more than this is kept of all files together.
const LARGEST_SUM: u64 = 64 << 20;
/// Not more files than this are kept.
const MOST_FILES: usize = 5000;
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
        state.patch_id = super::commits::patch_id(repository, commit)?;
        tree = Some(info.tree);
    }
    let mut changes = Vec::new();
    let mut room = LARGEST_SUM;
    for path in changed_paths(repository)? {
        state.changed_files += 1;
        let kept =
            if changes.len() < MOST_FILES { keep_file(repository, &path, &mut room)? } else { Kept::LeftOut };
        match kept {
            Kept::As(entry) => changes.push((path, entry)),
            Kept::LeftOut if state.left_out.len() < MOST_NAMES => state.left_out.push(path.to_string()),
            Kept::LeftOut => {}
        }
    }
    if !changes.is_empty() {
        tree = Some(repository.edit_tree(tree, changes)?);
    }
    Ok(Code { state, tree })
}

/// The paths of the work tree that differ from `HEAD`, ignored ones left out; none in a bare repository.
fn changed_paths(repository: &Repository) -> Result<Vec<RepoPath>, RunsError> {
    if repository.is_bare() {
        return Ok(Vec::new());
    }
    let arguments =
        ["--no-optional-locks", "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"];
    let listed = repository.program().args(arguments).run().map_err(GitError::from)?;
    let path = |line: &[u8]| RepoPath::new(std::str::from_utf8(line.get(3..)?).ok()?).ok();
    Ok(listed.split(|byte| *byte == 0).filter_map(path).collect())
}

/// What became of a changed file.
enum Kept {
    /// It stands in the tree as this, or not at all because it was deleted.
    As(Option<(EntryMode, ObjectId)>),
    /// The tree has what `HEAD` has.
    LeftOut,
}

fn keep_file(repository: &Repository, path: &RepoPath, room: &mut u64) -> Result<Kept, RunsError> {
    let file = path.under(repository.work_dir()?);
    let Ok(meta) = fs::symlink_metadata(&file) else { return Ok(Kept::As(None)) };
    if meta.is_symlink() {
        let target = fs::read_link(&file).map_err(RunsError::io("read", &file))?;
        let blob = repository.write_blob(target.as_os_str().as_bytes())?;
        return Ok(Kept::As(Some((EntryMode::Link, blob))));
    }
    if !meta.is_file() || meta.len() > LARGEST_FILE.min(*room) || looks_secret(path) {
        return Ok(Kept::LeftOut);
    }
    // A file that goes or cannot be read while we look is no reason not to run.
    let Ok(bytes) = fs::read(&file) else { return Ok(Kept::LeftOut) };
    if holds_private_key(&bytes) {
        return Ok(Kept::LeftOut);
    }
    *room = room.saturating_sub(meta.len());
    let executable = meta.permissions().mode() & 0o100 != 0;
    let mode = if executable { EntryMode::Executable } else { EntryMode::File };
    Ok(Kept::As(Some((mode, repository.write_blob(&bytes)?))))
}

/// Whether the name is one under which secrets are kept.
fn looks_secret(path: &RepoPath) -> bool {
    let secret_folders = [".ssh", ".aws", ".gnupg", ".kube", ".docker"];
    if path.parts().any(|part| secret_folders.contains(&part)) {
        return true;
    }
    let name = path.name().to_ascii_lowercase();
    let extension = Path::new(&name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let names = [
        ".netrc",
        "_netrc",
        ".pgpass",
        ".npmrc",
        ".pypirc",
        ".htpasswd",
        ".git-credentials",
        "kaggle.json",
        ".boto",
        ".s3cfg",
    ];
    let extensions = ["pem", "key", "p12", "pfx", "jks", "keystore", "kdbx", "token", "secret", "ppk", "gpg"];
    let stems = ["credentials", "credential", "secrets", "secret", "token", "password", "passwords"];
    let examples = ["example", "sample", "template", "dist"];
    let environment = (name == ".env" || name.starts_with(".env.")) && !examples.contains(&extension);
    let key = ["id_rsa", "id_ed25519", "id_ecdsa", "id_dsa"].contains(&stem) && extension != "pub";
    let service = extension == "json" && (name.contains("credential") || name.starts_with("service-account"));
    environment
        || key
        || service
        || names.contains(&name.as_str())
        || extensions.contains(&extension)
        || (stems.contains(&stem) && !matches!(extension, "py" | "rs" | "js" | "ts" | "go" | "java" | "md"))
}

fn holds_private_key(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    head.contains("-----BEGIN") && head.contains("PRIVATE KEY-----")
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
    fn names_of_secrets_are_known() {
        let secret = [
            ".env",
            "app/.env.production",
            "deploy/id_rsa",
            "server.key",
            ".aws/config",
            "conf/credentials.json",
            "my-credentials.json",
            "secrets.toml",
            "kaggle.json",
        ];
        let plain = [
            ".env.example",
            "id_rsa.pub",
            "train.py",
            "secrets.py",
            "keys.csv",
            "tokenizer.json",
            "environment.yml",
            "data/token_counts.csv",
        ];
        for path in secret {
            assert!(looks_secret(&RepoPath::new(path).unwrap()), "{path}");
        }
        for path in plain {
            assert!(!looks_secret(&RepoPath::new(path).unwrap()), "{path}");
        }
        assert!(holds_private_key(b"-----BEGIN OPENSSH PRIVATE KEY-----\n"));
    }

    #[test]
    fn secrets_in_arguments_are_not_shown() {
        let command =
            ["train", "--api-key", "abc", "--lr=0.1", "--db-password=x", "TOKEN=1", "--max-token", "7"];
        let shown = without_secrets(&command.map(String::from));
        assert_eq!(shown.join(" "), "train --api-key *** --lr=0.1 --db-password=*** TOKEN=*** --max-token 7");
    }
}
