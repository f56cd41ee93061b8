//! A folder of this machine as a remote.

use std::fs;
use std::path::Path;

use super::connection::TEMPORARIES;
use super::error::{Attempt, RemoteError, RemoteErrorKind};
use crate::storage::durable::{create_folders, write_through};

/// Refuses what is no folder, and a folder that is missing together with its parent (a disk that is not mounted, a slip
/// of the pen); creates a folder of which only the last step is missing.
pub(super) fn open_folder(folder: &Path, attempt: &Attempt<'_>) -> Result<(), RemoteError> {
    if folder.is_dir() {
        return Ok(());
    }
    if folder.exists() {
        return Err(RemoteError::new(RemoteErrorKind::NoRemote, attempt, "it is a file"));
    }
    if !folder.parent().is_some_and(Path::is_dir) {
        return Err(RemoteError::new(
            RemoteErrorKind::NoRemote,
            attempt,
            "nor does the folder above it exist",
        ));
    }
    let made = fs::create_dir(folder).or_else(|error| if folder.is_dir() { Ok(()) } else { Err(error) });
    made.map_err(|error| RemoteError::new(RemoteErrorKind::Denied, attempt, &error.to_string()))
}

/// Writes an object beside, and renames it when it is whole.
pub(super) fn write_into(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    attempt: &Attempt<'_>,
) -> Result<(), RemoteError> {
    let inside = !name.is_empty() && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !inside {
        return Err(RemoteError::new(RemoteErrorKind::Other, attempt, "the name leaves the folder"));
    }
    let (path, temporaries) = (folder.join(name), folder.join(TEMPORARIES));
    let written = create_folders(path.parent().unwrap_or(folder))
        .and_then(|()| create_folders(&temporaries))
        .and_then(|()| write_through(&temporaries, &path, bytes));
    written.map_err(|error| RemoteError::of_file(attempt, &error))
}
