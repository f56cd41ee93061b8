//! The rows of tables: where they are read from, and what of them may be shown.

use std::io::{self, Read};
use std::path::PathBuf;

use crate::base::RepoPath;
use crate::data::content::{ContentReader, holds_content, open_regular};
use crate::data::workspace::Workspace;
use crate::data::worktree::{Fingerprint, located};
use crate::git::{ObjectId, TEAM_FILE, TableRule, TeamFile};
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::storage::store::Store;
use crate::tables::{DiffOptions, Side, Sided, Source, TableDiffError, TableError, row_diff};

use super::content::{Draft, Pair};
use super::error::DiffError;
use super::result::{NotHere, TableChange};
use super::side::Version;

/// The largest team file of a commit that is read, in bytes.
const LARGEST_TEAM_FILE: u64 = 1 << 20;

/// What teams say about tables: the key by the work tree's file; private is what that file or one of the compared
/// commits calls so. A change that makes a column public does not show it in its own diff.
pub(super) struct TableRules {
    current: Option<TeamFile>,
    committed: Vec<TeamFile>,
    /// A file of a commit cannot be read, so it is not known what it calls private.
    unsure: bool,
}

impl TableRules {
    /// Reads the team files of the work tree and of `commits`.
    pub(super) fn read(workspace: &Workspace, commits: &[ObjectId]) -> Result<Self, DiffError> {
        let repository = workspace.repository();
        let mut rules = Self { current: repository.team_file()?, committed: Vec::new(), unsure: false };
        let file = RepoPath::new(TEAM_FILE).map_err(crate::git::GitError::from)?;
        for commit in commits {
            let Some(bytes) = repository.read_file_at(*commit, &file, LARGEST_TEAM_FILE)? else { continue };
            match TeamFile::parse(&String::from_utf8_lossy(&bytes)) {
                Ok(team) => rules.committed.push(team),
                Err(_) => rules.unsure = true,
            }
        }
        Ok(rules)
    }

    fn options(&self, path: &RepoPath, samples: usize) -> DiffOptions {
        let TableRule { key, mut private } =
            self.current.as_ref().map(|team| team.table_rule(path)).unwrap_or_default();
        for team in &self.committed {
            let more = team.table_rule(path).private;
            private.extend(more.into_iter().filter(|column| !private.contains(column)).collect::<Vec<_>>());
        }
        DiffOptions { key, private, samples: if self.unsure { 0 } else { samples } }
    }
}

/// A content that can be read from its beginning, any number of times.
enum Content<'a> {
    Stored { store: &'a Store, entry: &'a TreeEntry },
    File { path: PathBuf, fingerprint: Fingerprint },
}

impl Source for Content<'_> {
    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        match self {
            Self::Stored { store, entry } => {
                let reader = ContentReader::open(store, entry.id, entry.manifest, entry.size);
                Ok(Box::new(reader.map_err(io::Error::other)?))
            }
            Self::File { path, fingerprint } => {
                let (file, now) = open_regular(path)?;
                if !fingerprint.is_still(&now) {
                    return Err(io::Error::other(TableError::ChangedWhileRead));
                }
                Ok(Box::new(file))
            }
        }
    }
}

impl<'a> Content<'a> {
    /// Where the content of an entry is to be had; `None` when it is not here.
    fn find(
        workspace: &'a Workspace,
        tracked: &RepoPath,
        below: &[u8],
        entry: &'a TreeEntry,
        version: Option<&Version>,
    ) -> Option<Self> {
        let file = version.and_then(|version| version.disk.as_ref()).and_then(|disk| disk.files.get(below));
        if let Some(file) = file.filter(|file| file.id == entry.id && file.kind == EntryKind::File) {
            let path = located(&tracked.under(workspace.top()), below);
            return Some(Self::File { path, fingerprint: file.fingerprint });
        }
        let store = workspace.store();
        holds_content(store, entry.id, entry.manifest).then_some(Self::Stored { store, entry })
    }

    /// Whether it is still what it was when its id was told.
    fn is_still_there(&self) -> bool {
        match self {
            Self::Stored { .. } => true,
            Self::File { path, fingerprint } => {
                open_regular(path).is_ok_and(|(_, now)| fingerprint.is_still(&now))
            }
        }
    }
}

/// What is told of a table.
pub(super) struct ToldOfTable {
    pub(super) change: Option<TableChange>,
    pub(super) not_here: Option<NotHere>,
}

/// Compares the rows of a file that is a table in both versions.
pub(super) fn compare(
    workspace: &Workspace,
    rules: &TableRules,
    path: &RepoPath,
    pair: &Pair,
    draft: &Draft,
    samples: usize,
) -> ToldOfTable {
    let (Some(old), Some(new)) = (&draft.before, &draft.after) else {
        return ToldOfTable { change: None, not_here: None };
    };
    let find = |entry, version: &Option<Version>| {
        Content::find(workspace, &pair.path, &draft.below, entry, version.as_ref())
    };
    let contents = Sided { before: find(old, &pair.before), after: find(new, &pair.after) };
    let (before, after) = match contents {
        Sided { before: Some(before), after: Some(after) } => (before, after),
        Sided { before, after } => {
            let not_here = NotHere { before: before.is_none(), after: after.is_none() };
            return ToldOfTable { change: None, not_here: Some(not_here) };
        }
    };
    let mut told = row_diff(&before, &after, &rules.options(path, samples));
    for (side, content) in [(Side::Before, &before), (Side::After, &after)] {
        if told.is_ok() && !content.is_still_there() {
            told = Err(TableDiffError { side, source: TableError::ChangedWhileRead });
        }
    }
    let change = match told {
        Ok(diff) => TableChange::Rows(Box::new(diff)),
        Err(TableDiffError { side, source }) => TableChange::Unreadable { side, reason: words(&source) },
    };
    ToldOfTable { change: Some(change), not_here: None }
}

/// An error and its causes in one line.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
