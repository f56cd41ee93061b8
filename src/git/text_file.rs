//! Text files that belong to users and are edited in part: `.gitignore`, `.gitattributes`, `ml.toml`, hooks.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use crate::git::GitError;

/// A text file of a user has no reason to be larger, in bytes.
pub(super) const LARGEST: u64 = 4 << 20;

/// The text of the file at `path`; `None` when there is no file. A symbolic link is followed: in the Git directory it is
/// the user's own.
pub(super) fn read(path: &Path) -> Result<Option<String>, GitError> {
    match path.metadata() {
        Ok(meta) if meta.is_file() => {}
        // Opening a pipe would wait for ever.
        Ok(_) => return Err(GitError::NotAFile { path: path.to_owned() }),
        Err(error) if is_absence(&error) => return Ok(None),
        Err(error) => return Err(GitError::io("read", path)(error)),
    }
    let file = fs::File::open(path).map_err(GitError::io("read", path))?;
    let mut text = String::new();
    let size = file.take(LARGEST + 1).read_to_string(&mut text).map_err(GitError::io("read", path))?;
    if size as u64 > LARGEST {
        return Err(GitError::io("read", path)(ErrorKind::FileTooLarge.into()));
    }
    Ok(Some(text))
}

/// As [`read`], for a file that came with a clone: a symbolic link is refused, as Git refuses it for its own files.
pub(super) fn read_unlinked(path: &Path) -> Result<Option<String>, GitError> {
    refuse_link(path)?;
    read(path)
}

fn refuse_link(path: &Path) -> Result<(), GitError> {
    if path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
        return Err(GitError::NotAFile { path: path.to_owned() });
    }
    Ok(())
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Replaces the file at `path` in one step, or makes it, with its folders. Its permissions stay. A symbolic link is
/// refused: somebody else may have chosen what it leads to. The new file is written in the folder `temporaries`, on the
/// same file system.
pub(super) fn replace(temporaries: &Path, path: &Path, text: &str) -> Result<(), GitError> {
    refuse_link(path)?;
    write(temporaries, path, text).map_err(GitError::io("write", path))
}

fn write(temporaries: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(path.parent().ok_or(ErrorKind::InvalidInput)?)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".git-ml-").tempfile_in(temporaries)?;
    file.write_all(text.as_bytes())?;
    if let Ok(meta) = path.metadata() {
        file.as_file().set_permissions(meta.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Removes the file at `path`; that there is none is fine.
pub(super) fn remove(path: &Path) -> Result<(), GitError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(GitError::io("remove", path)(error)),
        _ => Ok(()),
    }
}
