//! What is noted of conflicts until they are solved: in this worktree's Git directory, a line for each.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::RepoPath;
use crate::data::workspace::Workspace;
use crate::storage::durable::{self, DurableError};

use super::pointers::PathConflict;

/// The file that tells of the conflicts of `path`.
pub fn note_file(workspace: &Workspace, path: &RepoPath) -> PathBuf {
    workspace.git_dir().join("ml").join("conflicts").join(format!("{path}.jsonl"))
}

#[derive(Serialize)]
struct Line<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    conflict: &'a PathConflict,
}

/// Notes the conflicts of `path`; without any the note goes.
pub(super) fn note(
    workspace: &Workspace,
    path: &RepoPath,
    conflicts: &[PathConflict],
) -> Result<(), DurableError> {
    let file = note_file(workspace, path);
    if conflicts.is_empty() {
        return match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DurableError::new("remove", &file, 0, error))
            }
            _ => Ok(()),
        };
    }
    let mut text = Vec::new();
    for conflict in conflicts {
        let written = serde_json::to_writer(&mut text, &Line { r#type: "conflict", conflict });
        written.map_err(|error| DurableError::new("write", &file, 0, error.into()))?;
        text.push(b'\n');
    }
    durable::write_derived(&file, &text)
}
