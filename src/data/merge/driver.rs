//! What Git calls for a pointer that both sides of a merge changed.
//!
//! Git gives three files and reads the result from the second. Whatever goes wrong, that one stays our pointer, whole and
//! without a marker, and the path is left in conflict: nothing is lost, and `git mldata resolve` goes on from there. While
//! Git merges several common ancestors into one, nothing is stored: their own ancestor stands for them, as for files that
//! are not text.

use std::fs;
use std::path::PathBuf;

use crate::base::{Progress, RepoPath};
use crate::data::workspace::Workspace;
use crate::git::{GitError, PointerFault};
use crate::objects::pointer::Pointer;
use crate::storage::durable;
use crate::tables::merge::{Three, Version};

use super::error::MergeError;
use super::note::note;
use super::pointers::{MergedPointer, called, merge_pointers};

/// What Git asks for.
#[derive(Debug, Clone)]
pub struct DriverCall {
    /// The files with the three pointers; the one of ours takes the result.
    pub files: Three<PathBuf>,
    /// The tracked path.
    pub path: RepoPath,
    /// Common ancestors are merged, of which nothing stays.
    pub is_of_ancestors: bool,
}

/// Merges as Git asks. The conflicts are noted for `git mldata resolve`.
///
/// # Errors
///
/// [`MergeError`]; the file of ours is as it was then.
pub fn drive(
    workspace: &Workspace,
    call: &DriverCall,
    progress: &Progress,
) -> Result<MergedPointer, MergeError> {
    let read = |version: Version| read_pointer(call, version);
    let (base, ours, theirs) = (read(Version::Base)?, read(Version::Ours)?, read(Version::Theirs)?);
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        return Err(MergeError::NoConflict(call.path.clone()));
    };
    if call.is_of_ancestors {
        let pointer = base.unwrap_or(ours);
        write(workspace, call, &pointer)?;
        return Ok(MergedPointer { pointer, conflicts: Vec::new() });
    }
    let merged = merge_pointers(workspace, &call.path, base.as_ref(), &ours, &theirs, progress)?;
    note(workspace, &call.path, &merged.conflicts)?;
    write(workspace, call, &merged.pointer)?;
    Ok(merged)
}

/// The pointer in one of the files; `None` for an empty one.
fn read_pointer(call: &DriverCall, version: Version) -> Result<Option<Pointer>, MergeError> {
    let file = call.files.of(version);
    let faulty = |fault| MergeError::Pointer { which: called(version), path: call.path.clone(), fault };
    let bytes = fs::read(file).map_err(|source| {
        faulty(PointerFault::Unreadable(GitError::Io { action: "read", path: file.clone(), source }))
    })?;
    if bytes.is_empty() {
        return Ok(None);
    }
    Pointer::parse(&bytes).map(Some).map_err(|error| faulty(PointerFault::Text(error)))
}

fn write(workspace: &Workspace, call: &DriverCall, pointer: &Pointer) -> Result<(), MergeError> {
    let file = &call.files.ours;
    let temporaries = workspace.repository().temporaries()?;
    Ok(durable::write_through(temporaries.for_target(file), file, pointer.to_text().as_bytes())?)
}
