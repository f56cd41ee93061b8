//! `ml.toml` at the top of the work tree: what a team has chosen, in its own history.
//!
//! ```toml
//! version = 1
//! repository = "7f3c…"               # 32 hexadecimal digits, random: names this repository's roots on a remote
//! default-remote = "main"
//!
//! [remote.main]
//! url = "s3://acme-ml/churn"
//! region = "eu-west-1"               # further keys are options of the remote
//!
//! [table."data/*.csv"]
//! key = ["id"]
//! private = ["email"]                # no value of these columns is shown anywhere
//!
//! [check.penguin-drift]              # handed on as it is
//! kind = "drift"
//! ```
//!
//! The file comes with a clone, so it is somebody else's input: no key of it runs a command or carries a credential.
//! Such keys are ignored with a warning, as are unknown ones. Editing keeps comments, order and blank lines.

use std::collections::BTreeMap;

use serde::Serialize;
use toml_edit::{DocumentMut, Item, Table, Value};

use crate::base::Advice;
use crate::base::RandomId;
use crate::base::RepoPath;
use crate::git::GitError;
use crate::git::Repository;
use crate::git::team_file_reader;
use crate::git::text_file;

/// The name of the team file, at the top of the work tree.
pub const TEAM_FILE: &str = "ml.toml";

/// The version of the file that this program reads.
pub(super) const VERSION: i64 = 1;

/// The largest team file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// What a new team file begins with, for those who have never heard of us.
const FIRST_LINE: &str =
    "# Data of this repository is kept with git-ml (cargo install git-ml). To get it: git mldata pull\n";

/// Why a team file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TeamFileError {
    /// It is not TOML.
    #[error("{TEAM_FILE}, line {line}: {problem}")]
    Syntax {
        /// Counted from 1.
        line: usize,
        /// The parser's words.
        problem: String,
    },
    /// It is of a version that this program does not know.
    #[error("{TEAM_FILE} has version {version}, and this program reads version {VERSION}")]
    Version {
        /// Its version.
        version: i64,
    },
    /// A key has a value of the wrong kind.
    #[error("{TEAM_FILE}, line {line}: '{key}' is not {wanted}")]
    Value {
        /// Counted from 1.
        line: usize,
        /// The key, with its tables.
        key: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// The file could not be read or written.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl Advice for TeamFileError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Version { .. } => vec!["install a newer git-ml: cargo install git-ml".into()],
            Self::Git(error) => error.hints(),
            Self::Syntax { .. } | Self::Value { .. } => Vec::new(),
        }
    }
}

/// A key of a team file that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum IgnoredKey {
    /// This program does not know it.
    Unknown(String),
    /// It would carry a credential or run a program, and comes with a clone.
    Unsafe(String),
}

/// Where a team keeps its data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TeamRemote {
    /// The place, such as `s3://bucket/prefix` or a folder.
    pub url: String,
    /// Options such as `region`, as text.
    pub options: BTreeMap<String, String>,
}

/// What is said about the tables whose paths match a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct TableRule {
    /// The columns that name a row; empty when nothing is said.
    pub key: Vec<String>,
    /// The columns of which no value is shown.
    pub private: Vec<String>,
}

/// A team file, taken apart and ready to be edited.
#[derive(Debug, Clone)]
pub struct TeamFile {
    pub(super) document: DocumentMut,
    pub(super) repository: Option<RandomId>,
    pub(super) default_remote: Option<String>,
    pub(super) remotes: BTreeMap<String, TeamRemote>,
    pub(super) tables: Vec<(String, TableRule)>,
    pub(super) checks: BTreeMap<String, toml::Table>,
    pub(super) ignored: Vec<IgnoredKey>,
}

/// Whether this may name a remote: letters, digits, `-` and `_`, for it becomes part of paths and of keys.
pub fn is_remote_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !name.is_empty() && !name.starts_with('-') && name.chars().all(word)
}

impl TeamFile {
    /// A new file for the repository of this id.
    pub fn new(repository: RandomId) -> Self {
        let mut document = DocumentMut::new();
        document["version"] = toml_edit::value(VERSION);
        document["repository"] = toml_edit::value(repository.to_string());
        if let Some(mut key) = document.key_mut("version") {
            key.leaf_decor_mut().set_prefix(FIRST_LINE);
        }
        Self {
            document,
            repository: Some(repository),
            default_remote: None,
            remotes: BTreeMap::new(),
            tables: Vec::new(),
            checks: BTreeMap::new(),
            ignored: Vec::new(),
        }
    }

    /// The file with this text.
    ///
    /// # Errors
    ///
    /// [`TeamFileError`], with the line.
    pub fn parse(text: &str) -> Result<Self, TeamFileError> {
        team_file_reader::read(text)
    }

    /// The whole text.
    pub fn text(&self) -> String {
        self.document.to_string()
    }

    /// The random id that names this repository's roots on a remote.
    pub fn repository(&self) -> Option<RandomId> {
        self.repository
    }

    /// The remotes, by name.
    pub fn remotes(&self) -> &BTreeMap<String, TeamRemote> {
        &self.remotes
    }

    /// The name of the remote that is meant where none is given: `default-remote`, or the only one.
    pub fn default_remote(&self) -> Option<&str> {
        let only = || self.remotes.keys().next().filter(|_| self.remotes.len() == 1);
        self.default_remote.as_ref().or_else(only).map(String::as_str)
    }

    /// What is said about the table at `path`: the key of the last pattern that matches and names one; the private
    /// columns of all that match.
    pub fn table_rule(&self, path: &RepoPath) -> TableRule {
        let mut whole = TableRule::default();
        for (_, rule) in self.tables.iter().filter(|(pattern, _)| matches_path(pattern, path)) {
            if !rule.key.is_empty() {
                whole.key.clone_from(&rule.key);
            }
            let new = rule.private.iter().filter(|column| !whole.private.contains(column));
            whole.private.extend(new.cloned().collect::<Vec<_>>());
        }
        whole
    }

    /// The checks, by name, as they stand in the file.
    pub fn checks(&self) -> &BTreeMap<String, toml::Table> {
        &self.checks
    }

    /// The keys that do not count.
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }

    /// Sets a remote: its URL and exactly these options. The first one becomes the default.
    pub fn set_remote(&mut self, name: &str, remote: TeamRemote) {
        if self.remotes.is_empty() && self.default_remote.is_none() {
            self.set_default_remote(Some(name));
        }
        let table = sub_table(&mut self.document, "remote", name);
        table.retain(|key, item| !item.is_value() || key == "url" || remote.options.contains_key(key));
        set_text(table, "url", &remote.url);
        remote.options.iter().for_each(|(key, text)| set_text(table, key, text));
        self.remotes.insert(name.to_owned(), remote);
    }

    /// Removes a remote; whether there was one. It is no longer the default.
    pub fn remove_remote(&mut self, name: &str) -> bool {
        if let Some(remotes) = self.document.get_mut("remote").and_then(Item::as_table_mut) {
            remotes.remove(name);
            if remotes.is_empty() {
                self.document.remove("remote");
            }
        }
        if self.default_remote.as_deref() == Some(name) {
            self.set_default_remote(None);
        }
        self.remotes.remove(name).is_some()
    }

    /// Names the remote that is meant where none is given.
    pub fn set_default_remote(&mut self, name: Option<&str>) {
        match name {
            Some(name) => set_text(self.document.as_table_mut(), "default-remote", name),
            None => drop(self.document.remove("default-remote")),
        }
        self.default_remote = name.map(str::to_owned);
    }

    /// Sets the columns that name a row of the tables whose paths match `pattern`.
    pub fn set_table_key(&mut self, pattern: &str, columns: &[String]) {
        let table = sub_table(&mut self.document, "table", pattern);
        let array: toml_edit::Array = columns.iter().map(String::as_str).collect();
        table["key"] = toml_edit::value(array);
        match self.tables.iter_mut().find(|(known, _)| known == pattern) {
            Some((_, rule)) => rule.key = columns.to_vec(),
            None => self
                .tables
                .push((pattern.to_owned(), TableRule { key: columns.to_vec(), private: Vec::new() })),
        }
    }
}

/// The table `[outer.inner]`, made if need be.
fn sub_table<'a>(document: &'a mut DocumentMut, outer: &str, inner: &str) -> &'a mut Table {
    let implicit = || {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    };
    let outer = document.entry(outer).or_insert_with(implicit);
    make_table(outer);
    let inner = &mut outer[inner];
    make_table(inner)
}

/// The item as a table with a header of its own: an inline one is spread out, anything else (it was refused when the
/// file was read) gives way.
fn make_table(item: &mut Item) -> &mut Table {
    if !item.is_table() {
        let taken = std::mem::take(item);
        *item = Item::Table(taken.into_table().unwrap_or_default());
    }
    match item {
        Item::Table(table) => table,
        _ => unreachable!("it has just been made a table"),
    }
}

/// Sets a text, and keeps the comment behind an older one.
fn set_text(table: &mut Table, key: &str, text: &str) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = Value::from(text);
            *old.decor_mut() = decor;
        }
        None => table[key] = toml_edit::value(text),
    }
}

/// A pattern without slash matches the name in any folder, one with a slash the whole path; `*` stops at slashes, `**`
/// does not.
fn matches_path(pattern: &str, path: &RepoPath) -> bool {
    let value = if pattern.contains('/') { path.as_str() } else { path.name() };
    let mode = gix::glob::wildmatch::Mode::NO_MATCH_SLASH_LITERAL;
    gix::glob::wildmatch(pattern.trim_start_matches('/').into(), value.into(), mode)
}

impl Repository {
    /// The team file of the work tree, or of `HEAD` where there is none; `None` when the team has no such file.
    ///
    /// # Errors
    ///
    /// [`TeamFileError`].
    pub fn team_file(&self) -> Result<Option<TeamFile>, TeamFileError> {
        let text = match self.work_dir() {
            Ok(top) => text_file::read_unlinked(&top.join(TEAM_FILE))?,
            Err(_) => self.committed_team_file()?,
        };
        text.map(|text| TeamFile::parse(&text)).transpose()
    }

    fn committed_team_file(&self) -> Result<Option<String>, GitError> {
        let Some(head) = self.head_commit()? else { return Ok(None) };
        let bytes = self.read_file_at(head, &RepoPath::new(TEAM_FILE)?, LARGEST)?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Writes the team file to the work tree; its path, to be staged.
    ///
    /// # Errors
    ///
    /// [`GitError::Io`], [`GitError::Bare`].
    pub fn write_team_file(&self, file: &TeamFile) -> Result<RepoPath, GitError> {
        let path = RepoPath::new(TEAM_FILE)?;
        let target = path.under(self.work_dir()?);
        text_file::replace(self.temporaries()?.for_target(&target), &target, &file.text())?;
        Ok(path)
    }
}
