//! What the message of a registry tag holds.
//!
//! The first line is GTO's. Then, after a blank line, a TOML table; a signature, if the tag is signed, follows it.
//!
//! ```text
//! Registering artifact penguins version v1.2.0
//!
//! [git-mlmodel]
//! format = 1
//! id = "9a0c…"                  random: two tags are never the same object, so a push tells who was first
//! path = "model.json"           what was registered, in the commit that the tag names
//! kind = "file"                 or "tree"
//! blake3 = "6f1e…"              the content id
//! size = 1024                   in bytes
//! manifest = "93ab…"            only for a content of more than one chunk
//! run = "5e0c…"                 the run that made it, if one is known
//! ```
//!
//! A tag that moves an alias has `version = "v1.2.0"` instead of what follows the id. Unknown keys are
//! skipped. A tag without the table is GTO's: it has a name, a commit and a time, and that is enough to list it.

use serde::{Deserialize, Serialize};

use crate::base::{Digest, RandomId, RepoPath};
use crate::objects::Pointer;
use crate::objects::pointer::PointerKind;

use super::tag::{Event, ModelTag};
use super::version::Version;

/// The format that is written.
const FORMAT: u32 = 1;

/// The heading of the table.
const HEADING: &str = "[git-mlmodel]";

/// Longer messages are not looked into: a tag may come from anybody.
const LONGEST_MESSAGE: usize = 65_536;

/// Whether a content is one file or a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentKind {
    /// A file.
    File,
    /// A directory.
    Tree,
}

/// A content at its place: what a version stands for, what a run read or made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContentRecord {
    /// Where it lies below the top of the work tree.
    pub path: String,
    /// File or directory.
    pub kind: ContentKind,
    /// Its id.
    pub blake3: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The manifest of a content of more than one chunk, by which it is found in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
}

impl ContentRecord {
    /// What the pointer of `path` names.
    pub fn of_pointer(path: &RepoPath, pointer: &Pointer) -> Self {
        let kind = match pointer.kind {
            PointerKind::File => ContentKind::File,
            PointerKind::Tree => ContentKind::Tree,
        };
        let Pointer { id, size, manifest, .. } = *pointer;
        Self { path: path.to_string(), kind, blake3: id, size, manifest }
    }
}

/// The table in a tag's message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    format: u32,
    /// What makes this tag differ from every other.
    pub id: RandomId,
    /// For an alias: the version that it moves to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// For a version: what it stands for.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentRecord>,
    /// For a version: the run that made the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RandomId>,
}

impl Facts {
    /// What is to be said of a new version.
    pub fn of_version(content: ContentRecord, run: Option<RandomId>) -> Self {
        Self { format: FORMAT, id: RandomId::generate(), version: None, content: Some(content), run }
    }

    /// What is to be said of an alias that moves to `version`.
    pub fn of_alias(version: Version) -> Self {
        Self { format: FORMAT, id: RandomId::generate(), version: Some(version), content: None, run: None }
    }

    /// The whole message of the tag `tag`.
    pub fn message(&self, tag: &ModelTag) -> String {
        let table = toml::to_string(self).unwrap_or_default();
        format!("{}\n\n{HEADING}\n{table}", first_line(tag, self.version.as_ref()))
    }

    /// The table in `message`; `None` if there is none, or none of a format that this program knows.
    pub fn parse(message: &str) -> Option<Self> {
        let message = &message[..message.floor_char_boundary(LONGEST_MESSAGE)];
        let mut lines = message.lines().skip_while(|line| line.trim_end() != HEADING).skip(1);
        let table: Vec<&str> = lines
            .by_ref()
            .take_while(|line| !line.trim().is_empty() && !line.starts_with("-----BEGIN"))
            .collect();
        let facts: Self = toml::from_str(&table.join("\n")).ok()?;
        (facts.format == FORMAT).then_some(facts)
    }
}

/// GTO's sentence for what the tag says.
fn first_line(tag: &ModelTag, version: Option<&Version>) -> String {
    let model = &tag.model;
    let to_version = version.map(|version| format!(" version {version}")).unwrap_or_default();
    match &tag.event {
        Event::Registered(version) => format!("Registering artifact {model} version {version}"),
        Event::Deregistered(version) => format!("Deregistering artifact {model} version {version}"),
        Event::Assigned(alias) => format!("Assigning stage {alias} to artifact {model}{to_version}"),
        Event::Unassigned(alias) => format!("Unassigning stage {alias} from artifact {model}{to_version}"),
        Event::Deprecated => format!("Deprecating artifact {model}"),
        Event::Created => format!("Creating artifact {model}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let content = ContentRecord {
            path: "out/model \"1\".json".into(),
            kind: ContentKind::File,
            blake3: Digest::of(b"model"),
            size: 5,
            manifest: None,
        };
        Facts::of_version(content, Some(RandomId::from_bytes([7; 16])))
    }

    #[test]
    fn facts_come_back_from_a_message_signed_or_not() {
        let facts = facts();
        let message = facts.message(&"churn@v1.0.0".parse().unwrap());
        assert!(
            message.starts_with("Registering artifact churn version v1.0.0\n\n[git-mlmodel]\nformat = 1\n")
        );
        assert_eq!(Facts::parse(&message), Some(facts.clone()));
        let signed = format!("{message}-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----\n");
        assert_eq!(Facts::parse(&signed), Some(facts.clone()));
        let newer = message.replace("format = 1", "format = 2");
        assert_eq!(Facts::parse(&newer), None);
        assert_eq!(Facts::parse("Registering artifact churn version v1.0.0"), None);
    }

    #[test]
    fn an_alias_names_its_version() {
        let facts = Facts::of_alias("v1.2.0".parse().unwrap());
        let message = facts.message(&"churn#prod#4".parse().unwrap());
        assert!(message.starts_with("Assigning stage prod to artifact churn version v1.2.0\n"));
        assert_eq!(Facts::parse(&message), Some(facts));
    }
}
