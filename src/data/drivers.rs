//! The merge driver of pointers, as Git knows it in this clone.
//!
//! The attribute that names it stands in this clone's own `info/attributes` and not in `.gitattributes`: a clone without this
//! program would merge line by line by a driver that it does not have, and put markers into a pointer.

use crate::git::{AttributesPlace, GitError, Repository};

/// What merges pointers.
const ATTRIBUTE: &str = "*.mld merge=mldata";

/// What Git is told about it.
const SETTINGS: [(&str, &str); 2] = [
    ("merge.mldata.name", "versions of data, by path and by row"),
    ("merge.mldata.driver", "git-mldata merge-driver %O %A %B %L %P"),
];

/// Makes the driver known; the settings that were written.
///
/// # Errors
///
/// [`GitError`].
pub fn register(repository: &Repository) -> Result<Vec<String>, GitError> {
    let mut written = Vec::new();
    // First what it is, then where it is used.
    for (key, value) in SETTINGS {
        if repository.setting(key).as_deref() != Some(value) {
            repository.write_setting(key, value)?;
            written.push(key.to_owned());
        }
    }
    repository.set_attributes(AttributesPlace::Local, &[ATTRIBUTE])?;
    Ok(written)
}

/// Takes all of it back; the settings that are gone.
///
/// # Errors
///
/// [`GitError`].
pub fn unregister(repository: &Repository) -> Result<Vec<String>, GitError> {
    repository.set_attributes(AttributesPlace::Local, &[])?;
    let mut gone = Vec::new();
    for (key, _) in SETTINGS {
        if repository.remove_setting(key, None)? {
            gone.push(key.to_owned());
        }
    }
    Ok(gone)
}
