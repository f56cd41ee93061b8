//! Paths inside a repository or a tree, and the names that are never written to a disk.
//!
//! A repository that was cloned is somebody else's input: its pointers and trees name files that we write. So every name
//! passes [`check_name`] before it reaches a file system, on every platform alike (a tree made on Linux is checked out
//! on Windows).

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// Why a name or path is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Empty, or with an empty part.
    #[error("'{0}' has an empty part")]
    Empty(String),
    /// `.` or `..`.
    #[error("'{0}' contains '.' or '..'")]
    Relative(String),
    /// Begins at the root of a file system.
    #[error("'{0}' is absolute")]
    Absolute(String),
    /// `.git` or a name that some file system takes for it.
    #[error("'{0}' reaches into a '.git' folder")]
    GitFolder(String),
    /// NUL, backslash, or a drive letter.
    #[error("'{0}' has a character that is not portable in names")]
    Character(String),
    /// A device name of Windows, or a name that ends in a dot or blank.
    #[error("'{0}' is a reserved name")]
    Reserved(String),
    /// Longer than any file system takes.
    #[error("'{0}…' is too long for a name")]
    TooLong(String),
}

/// The longest name of one part, in bytes.
const LONGEST_NAME: usize = 255;

/// Checks one name (no slash) of a tree, as bytes.
///
/// # Errors
///
/// [`PathError`] for names that no file system should be asked to write.
pub fn check_name(name: &[u8]) -> Result<(), PathError> {
    let shown = || String::from_utf8_lossy(name).escape_debug().to_string();
    if name.is_empty() {
        return Err(PathError::Empty(shown()));
    }
    if name.len() > LONGEST_NAME {
        return Err(PathError::TooLong(shown().chars().take(40).collect()));
    }
    if name == b"." || name == b".." {
        return Err(PathError::Relative(shown()));
    }
    let drive = name.len() >= 2 && name[1] == b':' && name[0].is_ascii_alphabetic();
    if drive || name.iter().any(|byte| matches!(byte, 0 | b'/' | b'\\')) {
        return Err(PathError::Character(shown()));
    }
    if poses_as_git_folder(name) {
        return Err(PathError::GitFolder(shown()));
    }
    if is_reserved(name) {
        return Err(PathError::Reserved(shown()));
    }
    Ok(())
}

/// `.git` in any case, with trailing dots, blanks or a stream suffix (NTFS), its short name, or with code points that
/// HFS+ ignores.
fn poses_as_git_folder(name: &[u8]) -> bool {
    let text = String::from_utf8_lossy(name);
    let visible: String = text.chars().filter(|c| !is_ignored_by_hfs(*c)).collect();
    let stem = visible.split(':').next().unwrap_or_default();
    let stem = stem.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    stem == ".git" || stem == "git~1"
}

fn is_ignored_by_hfs(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

fn is_reserved(name: &[u8]) -> bool {
    if matches!(name.last(), Some(b'.' | b' ')) {
        return true;
    }
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default().to_ascii_uppercase();
    match stem.as_slice() {
        b"CON" | b"PRN" | b"AUX" | b"NUL" => true,
        [b'C', b'O', b'M', digit] | [b'L', b'P', b'T', digit] => digit.is_ascii_digit(),
        _ => false,
    }
}

/// A path relative to the top of a work tree: parts joined by `/`, UTF-8, every part checked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepoPath(String);

impl RepoPath {
    /// The checked path.
    ///
    /// # Errors
    ///
    /// [`PathError`] when it is empty, absolute, leaves the tree or has a part that [`check_name`] refuses.
    pub fn new(path: impl Into<String>) -> Result<Self, PathError> {
        let path = path.into();
        if path.starts_with('/') {
            return Err(PathError::Absolute(path));
        }
        path.split('/').try_for_each(|name| check_name(name.as_bytes()))?;
        Ok(Self(path))
    }

    /// The text, with `/` between parts.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts, outermost first.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last part.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The path without its last part; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        self.0.rsplit_once('/').map(|(parent, _)| Self(parent.to_owned()))
    }

    /// This path with `name` below it.
    ///
    /// # Errors
    ///
    /// [`PathError`] as for [`RepoPath::new`].
    pub fn join(&self, name: &str) -> Result<Self, PathError> {
        Self::new(format!("{}/{name}", self.0))
    }

    /// What remains of this path below `folder`; `Some("")` when they are equal.
    pub fn below(&self, folder: &Self) -> Option<&str> {
        let rest = self.0.strip_prefix(&folder.0)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }

    /// Where this path lies under `top`.
    pub fn under(&self, top: &Path) -> PathBuf {
        top.join(&self.0)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RepoPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepoPath({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_reach_out_are_refused() {
        let hostile = [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a\0b",
            "C:x",
            ".git",
            ".GIT",
            ".git.",
            ".git ",
            "git~1",
            ".git::$DATA",
            ".g\u{200c}it",
            "CON",
            "con.txt",
            "LPT1",
            "a.",
            "a ",
        ];
        for name in hostile {
            assert!(check_name(name.as_bytes()).is_err(), "{name:?} was let through");
        }
        for name in ["a", ".gitignore", "com", "COM", "console.log", "größe", "ab:c"] {
            assert_eq!(check_name(name.as_bytes()), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn below_splits_at_whole_parts_only() {
        let path = |text: &str| RepoPath::new(text).unwrap();
        assert_eq!(path("data/img/a").below(&path("data")), Some("img/a"));
        assert_eq!(path("data").below(&path("data")), Some(""));
        assert_eq!(path("database").below(&path("data")), None);
        assert!(RepoPath::new("data/../x").is_err());
        assert!(RepoPath::new("/etc").is_err());
    }
}
