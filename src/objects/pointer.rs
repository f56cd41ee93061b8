//! The small text in Git that names a content or a tree.
//!
//! A pointer is a TOML file named as what it stands for, with the suffix `.mld`. It has one encoding for one meaning:
//!
//! ```toml
//! # git-mldata pointer: `git mldata pull` brings the content
//! version = 1
//! kind = "file"
//! blake3 = "6f1e…"
//! size = 108003312
//! manifest = "93ab…"
//! [table]
//! shape = 1
//! format = "csv"
//! rows = 1000000
//! columns = [
//!   "id int64 nulls=0",
//! ]
//! ```
//!
//! | key | meaning |
//! | --- | --- |
//! | `version` | 1; another version is refused |
//! | `kind` | `file` or `tree` |
//! | `blake3` | id of the content, or of the top node of the tree ([`crate::objects::tree`]) |
//! | `size` | bytes of the content, or of all contents of the tree |
//! | `manifest` | id of the manifest's top node: only for a file, exactly if its content has more than one chunk |
//! | `[table]`, `[tree]` | exact facts for reviewers ([`Shape`]); never part of the identity |
//!
//! The keys stand in this order, each in a line, `\n` at the end of each; digests as 64 lower-case hexadecimal digits.
//! Unknown keys are kept: values after the known keys, tables after `[table]` or `[tree]`, both sorted. Reading takes any
//! TOML of at most 64 KiB, CRLF too. Conflict markers are an error of their own.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::base::{Advice, Digest};
use crate::objects::chunker::{MAX_CHUNK, SMALL_CONTENT};
use crate::objects::item::EMPTY_CONTENT;
use crate::objects::pointer_text;
use crate::objects::shape::Shape;

/// What the name of a pointer ends with.
pub const SUFFIX: &str = ".mld";
/// No pointer is longer, in bytes.
pub const MAX_POINTER: usize = 64 * 1024;
/// No pointer that is tracked in place is longer, in bytes: a longer blob at such a path is raw content.
pub const MAX_IN_PLACE: usize = 1024;

pub(super) const VERSION: i64 = 1;

/// What a pointer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointerKind {
    /// The content of a file.
    File,
    /// A directory.
    Tree,
}

impl PointerKind {
    /// The word in the pointer.
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Tree => "tree",
        }
    }
}

/// A pointer.
#[derive(Debug, Clone, PartialEq)]
pub struct Pointer {
    /// What it names.
    pub kind: PointerKind,
    /// Id of the content or of the tree's top node: the identity.
    pub id: Digest,
    /// Bytes of the content, or of all contents of the tree.
    pub size: u64,
    /// Id of the manifest's top node, for a content of more than one chunk.
    pub manifest: Option<Digest>,
    /// Exact facts for reviewers.
    pub shape: Option<Shape>,
    /// Keys that this version does not know, kept as they are.
    pub unknown: Table,
}

/// Why bytes are no pointer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// Longer than any pointer.
    #[error("the file has {size} bytes, more than any pointer")]
    TooLong {
        /// Its length in bytes.
        size: usize,
    },
    /// Git left conflict markers in it.
    #[error("the pointer has a conflict marker in line {line}")]
    ConflictMarker {
        /// The line, from 1.
        line: usize,
    },
    /// Not UTF-8.
    #[error("the file is not text, so it is no pointer")]
    NotText,
    /// Not TOML.
    #[error("the pointer is not readable as TOML")]
    NotToml(#[source] Box<toml::de::Error>),
    /// Written by a later program.
    #[error("the pointer has version {version}, which this program does not know")]
    Version {
        /// The version found.
        version: i64,
    },
    /// A key is not there.
    #[error("the pointer has no '{key}'")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A value that the key cannot have, by itself or beside the others.
    #[error("the pointer has a bad value for '{key}'")]
    Value {
        /// The key.
        key: &'static str,
    },
}

impl Advice for PointerError {
    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::ConflictMarker { .. } => {
                "take one side whole: git checkout --ours PATH.mld, or git checkout --theirs PATH.mld"
            }
            Self::Version { .. } => "a newer git-ml wrote it: cargo install git-ml",
            _ => "see what it was before: git log -p -- PATH.mld",
        };
        vec![hint.into()]
    }
}

impl Pointer {
    /// A pointer to the content of a file.
    pub fn file(id: Digest, size: u64, manifest: Option<Digest>) -> Self {
        Self { kind: PointerKind::File, id, size, manifest, shape: None, unknown: Table::new() }
    }

    /// A pointer to a tree.
    pub fn tree(id: Digest, size: u64) -> Self {
        Self { kind: PointerKind::Tree, id, size, manifest: None, shape: None, unknown: Table::new() }
    }

    /// The pointer with these facts; none are kept if they would make it too long.
    #[must_use]
    pub fn with_shape(mut self, shape: Option<Shape>) -> Self {
        self.shape = shape;
        if self.to_text().len() > MAX_POINTER {
            self.shape = None;
        }
        self
    }

    /// Whether both name the same content or tree, whatever facts they tell.
    pub fn same_content(&self, other: &Self) -> bool {
        (self.kind, self.id, self.size) == (other.kind, other.id, other.size)
    }

    /// Reads a pointer.
    ///
    /// # Errors
    ///
    /// [`PointerError`]; which file it was is the caller's to say.
    pub fn parse(bytes: &[u8]) -> Result<Self, PointerError> {
        if bytes.len() > MAX_POINTER {
            return Err(PointerError::TooLong { size: bytes.len() });
        }
        let text = str::from_utf8(bytes).map_err(|_| PointerError::NotText)?;
        if let Some(at) = text.lines().position(is_conflict_marker) {
            return Err(PointerError::ConflictMarker { line: at + 1 });
        }
        let mut keys: Table = text.parse().map_err(|error| PointerError::NotToml(Box::new(error)))?;
        match keys.remove("version") {
            Some(Value::Integer(VERSION)) => {}
            Some(Value::Integer(version)) => return Err(PointerError::Version { version }),
            Some(_) => return Err(PointerError::Value { key: "version" }),
            None => return Err(PointerError::Missing { key: "version" }),
        }
        let kind = match take_text(&mut keys, "kind")?.as_deref() {
            Some("file") => PointerKind::File,
            Some("tree") => PointerKind::Tree,
            Some(_) => return Err(PointerError::Value { key: "kind" }),
            None => return Err(PointerError::Missing { key: "kind" }),
        };
        let id = take_digest(&mut keys, "blake3")?.ok_or(PointerError::Missing { key: "blake3" })?;
        let size = match keys.remove("size") {
            Some(Value::Integer(size)) => {
                u64::try_from(size).map_err(|_| PointerError::Value { key: "size" })?
            }
            Some(_) => return Err(PointerError::Value { key: "size" }),
            None => return Err(PointerError::Missing { key: "size" }),
        };
        let manifest = take_digest(&mut keys, "manifest")?;
        let shape = Shape::take(kind, &mut keys);
        let pointer = Self { kind, id, size, manifest, shape, unknown: keys };
        pointer.check()?;
        Ok(pointer)
    }

    /// Whether size, id and manifest fit each other.
    fn check(&self) -> Result<(), PointerError> {
        let (size_fits, manifest_fits) = match self.kind {
            PointerKind::Tree => (true, self.manifest.is_none()),
            PointerKind::File => (
                (self.size == 0) == (self.id == EMPTY_CONTENT),
                match self.manifest {
                    Some(_) => self.size > SMALL_CONTENT as u64,
                    None => self.size <= MAX_CHUNK as u64,
                },
            ),
        };
        match (size_fits, manifest_fits) {
            (false, _) => Err(PointerError::Value { key: "size" }),
            (_, false) => Err(PointerError::Value { key: "manifest" }),
            _ => Ok(()),
        }
    }

    /// The one text of this pointer.
    pub fn to_text(&self) -> String {
        pointer_text::write(self)
    }
}

/// `<<<<<<<`, `=======`, `>>>>>>>` and `|||||||` as Git writes them, of any length from 7.
fn is_conflict_marker(line: &str) -> bool {
    ['<', '=', '>', '|'].iter().any(|marker| {
        let rest = line.trim_start_matches(*marker);
        line.len() - rest.len() >= 7 && (rest.is_empty() || rest.starts_with(' '))
    })
}

fn take_text(keys: &mut Table, key: &'static str) -> Result<Option<String>, PointerError> {
    match keys.remove(key) {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(PointerError::Value { key }),
        None => Ok(None),
    }
}

fn take_digest(keys: &mut Table, key: &'static str) -> Result<Option<Digest>, PointerError> {
    let text = take_text(keys, key)?;
    text.map(|text| text.parse().map_err(|_| PointerError::Value { key })).transpose()
}
