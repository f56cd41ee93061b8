//! Two versions of tracked data, merged: directories by path, tables by rows, everything else whole.
//!
//! What a demanding user expects: what only one side changed is taken from that side; what both changed and cannot be
//! united is a conflict of that path or cell alone, named, with both versions in the store; the merged pointer names a whole
//! version, in which conflicts are as ours has them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::content::{
    Content, ContentReader, Difference, Intake, WalkError, difference, flatten_where, is_empty_directory,
    store_tree,
};
use crate::data::shape;
use crate::data::workspace::Workspace;
use crate::git::TeamFile;
use crate::objects::item::ItemKind;
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::tree::{EntryKind, TreeEntry, TreeSummary};
use crate::storage::store::StoreError;
use crate::tables::merge::{Conflict, Three, Version};

use super::content::{MergedContent, merge_contents};
use super::error::MergeError;

/// One conflict, in which the merged version has what ours says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathConflict {
    /// The path from the top of the work tree, as text.
    pub path: String,
    /// What it is about.
    #[serde(flatten)]
    pub about: About,
}

/// What a conflict is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum About {
    /// Rows or cells of a table.
    Table(Conflict),
    /// A whole file.
    File(FileConflict),
}

/// Both versions of a file; `None`: it was deleted, or is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileConflict {
    /// Always `file`.
    pub kind: &'static str,
    /// The contents.
    #[serde(flatten)]
    pub said: Three<Option<Digest>>,
}

/// A merged version.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedPointer {
    /// It names the version, which is durable in the store.
    pub pointer: Pointer,
    /// What both changed.
    pub conflicts: Vec<PathConflict>,
}

/// Merges versions of the data at `path`. A base of `None` means that both added it.
///
/// # Errors
///
/// [`MergeError`].
pub fn merge_pointers(
    workspace: &Workspace,
    path: &RepoPath,
    base: Option<&Pointer>,
    ours: &Pointer,
    theirs: &Pointer,
    progress: &Progress,
) -> Result<MergedPointer, MergeError> {
    let clean = |pointer: &Pointer| Ok(MergedPointer { pointer: pointer.clone(), conflicts: Vec::new() });
    if ours.same_content(theirs) || base.is_some_and(|base| base.same_content(theirs)) {
        return clean(ours);
    }
    if base.is_some_and(|base| base.same_content(ours)) {
        return clean(theirs);
    }
    let _using = workspace.enter(progress)?;
    let team = workspace.repository().team_file()?;
    let merge = Merge { workspace, path, team, intake: Intake::new(workspace.store()), progress };
    let merged = match (ours.kind, theirs.kind) {
        (PointerKind::Tree, PointerKind::Tree) => merge.trees(base, ours, theirs)?,
        (PointerKind::File, PointerKind::File) => merge.files(base, ours, theirs)?,
        _ => {
            MergedPointer { pointer: ours.clone(), conflicts: vec![whole(path.as_str(), base, ours, theirs)] }
        }
    };
    merge.intake.sync()?;
    Ok(merged)
}

fn whole(path: &str, base: Option<&Pointer>, ours: &Pointer, theirs: &Pointer) -> PathConflict {
    let said = Three { base: base.map(|base| base.id), ours: Some(ours.id), theirs: Some(theirs.id) };
    PathConflict { path: path.to_owned(), about: About::File(FileConflict { kind: "file", said }) }
}

struct Merge<'a> {
    workspace: &'a Workspace,
    path: &'a RepoPath,
    team: Option<TeamFile>,
    intake: Intake<'a>,
    progress: &'a Progress,
}

/// What one side made of a path.
type Changes = BTreeMap<Vec<u8>, (Option<TreeEntry>, Option<TreeEntry>)>;

impl Merge<'_> {
    fn contents(
        &self,
        path: &RepoPath,
        contents: &Three<Option<Content>>,
    ) -> Result<Option<MergedContent>, MergeError> {
        let rule = self.team.as_ref().map(|team| team.table_rule(path)).unwrap_or_default();
        merge_contents(self.workspace, &self.intake, path, contents, rule, self.progress)
    }

    fn files(
        &self,
        base: Option<&Pointer>,
        ours: &Pointer,
        theirs: &Pointer,
    ) -> Result<MergedPointer, MergeError> {
        let content = |pointer: &Pointer| {
            let Pointer { id, manifest, size, .. } = *pointer;
            (pointer.kind == PointerKind::File).then_some(Content { id, manifest, size })
        };
        let contents = Three { base: base.and_then(content), ours: content(ours), theirs: content(theirs) };
        let Some(MergedContent { content, conflicts }) = self.contents(self.path, &contents)? else {
            let conflicts = vec![whole(self.path.as_str(), base, ours, theirs)];
            return Ok(MergedPointer { pointer: ours.clone(), conflicts });
        };
        let Content { id, manifest, size } = content;
        let reader = ContentReader::open(self.workspace.store(), id, manifest, size);
        let reader = reader.map_err(|source| self.missing(source))?;
        let mut pointer = Pointer::file(id, size, manifest).with_shape(shape::of_file(self.path, reader));
        pointer.unknown.clone_from(&ours.unknown);
        let pointer = if pointer.same_content(ours) { ours.clone() } else { pointer };
        let told = |conflict| PathConflict { path: self.path.to_string(), about: About::Table(conflict) };
        Ok(MergedPointer { pointer, conflicts: conflicts.into_iter().map(told).collect() })
    }

    fn missing(&self, source: WalkError) -> MergeError {
        MergeError::Missing { path: self.path.clone(), source }
    }

    /// What a version changed of the base.
    fn changes(&self, base: Option<&Pointer>, version: &Pointer) -> Result<Changes, MergeError> {
        let entry = |pointer: &Pointer| {
            let files = 0;
            TreeEntry::directory(Vec::new(), TreeSummary { id: pointer.id, size: pointer.size, files })
        };
        let base = base.filter(|base| base.kind == PointerKind::Tree).map(entry);
        let store = self.workspace.store();
        let found =
            difference(store, &[], base, Some(entry(version))).map_err(|source| self.missing(source))?;
        if let Some(lacking) = found.iter().find(|found| found.missing.is_some()) {
            let id = lacking.before.iter().chain(&lacking.after).map(|entry| entry.id).next();
            let id = id.unwrap_or(version.id);
            let source = StoreError::Missing { id };
            return Err(self.missing(WalkError::Store { id, source }));
        }
        Ok(found.into_iter().map(|Difference { path, before, after, .. }| (path, (before, after))).collect())
    }

    fn trees(
        &self,
        base: Option<&Pointer>,
        ours: &Pointer,
        theirs: &Pointer,
    ) -> Result<MergedPointer, MergeError> {
        let (our_changes, their_changes) = (self.changes(base, ours)?, self.changes(base, theirs)?);
        let store = self.workspace.store();
        let mut leaves = flatten_where(store, ours.id, &|_| true).map_err(|source| self.missing(source))?;
        let mut conflicts = Vec::new();
        for (below, (before, after)) in &their_changes {
            let here = our_changes.get(below).map(|(_, here)| here.clone());
            match here {
                None => put(&mut leaves, below, after.clone()),
                Some(here) if essence(&here) == essence(after) => {}
                Some(here) => {
                    let (entry, told) = self.path_of_both(below, before, &here, after)?;
                    put(&mut leaves, below, entry);
                    conflicts.extend(told);
                }
            }
        }
        self.settle_folders(&mut leaves, &our_changes, &their_changes, &mut conflicts);
        let start = self.path.under(self.workspace.top());
        let mut node = |id, node: &[u8]| self.intake.put(id, ItemKind::Tree, node);
        let given = leaves.iter().map(|(name, entry)| (name.as_slice(), entry.clone()));
        let tree = store_tree(&start, given, &mut node)?;
        let given = leaves.iter().map(|(name, entry)| (name.as_slice(), entry.clone()));
        let mut pointer = Pointer::tree(tree.id, tree.size).with_shape(shape::of_tree(given));
        pointer.unknown.clone_from(&ours.unknown);
        let pointer = if pointer.same_content(ours) { ours.clone() } else { pointer };
        Ok(MergedPointer { pointer, conflicts })
    }

    /// A path that both changed, and not to the same: what it is now, and the conflicts.
    fn path_of_both(
        &self,
        below: &[u8],
        base: &Option<TreeEntry>,
        ours: &Option<TreeEntry>,
        theirs: &Option<TreeEntry>,
    ) -> Result<(Option<TreeEntry>, Vec<PathConflict>), MergeError> {
        let shown = format!("{}/{}", self.path, String::from_utf8_lossy(below));
        let is_file =
            |entry: &Option<TreeEntry>| entry.as_ref().is_some_and(|entry| entry.kind == EntryKind::File);
        if is_file(ours)
            && is_file(theirs)
            && let (Some(our), Some(their)) = (ours, theirs)
        {
            let old = base.as_ref().filter(|old| old.kind == EntryKind::File);
            let executable = match old {
                Some(old) if old.executable == our.executable => their.executable,
                _ => our.executable,
            };
            if let Some(entry) = one_changed(old, our, their) {
                return Ok((Some(TreeEntry { executable, ..entry.clone() }), Vec::new()));
            }
            let content = |entry: &TreeEntry| {
                let TreeEntry { id, manifest, size, .. } = *entry;
                Content { id, manifest, size }
            };
            let contents =
                Three { base: old.map(content), ours: Some(content(our)), theirs: Some(content(their)) };
            let merged = match RepoPath::new(shown.as_str()) {
                Ok(path) => self.contents(&path, &contents)?,
                Err(_) => None,
            };
            if let Some(MergedContent { content, conflicts }) = merged {
                let Content { id, manifest, size } = content;
                let entry = TreeEntry::file(Vec::new(), executable, id, size, manifest);
                let told = |conflict| PathConflict { path: shown.clone(), about: About::Table(conflict) };
                return Ok((Some(entry), conflicts.into_iter().map(told).collect()));
            }
        }
        let said = Three { base, ours, theirs };
        let said = Three::from_each(|version| said.of(version).as_ref().map(|entry| entry.id));
        let conflict = PathConflict { path: shown, about: About::File(FileConflict { kind: "file", said }) };
        Ok((ours.clone(), vec![conflict]))
    }

    /// Where one side has a file and the other a folder of the same name, ours stands; a folder that was empty on one side
    /// may have files now.
    fn settle_folders(
        &self,
        leaves: &mut BTreeMap<Vec<u8>, TreeEntry>,
        ours: &Changes,
        theirs: &Changes,
        conflicts: &mut Vec<PathConflict>,
    ) {
        let mut gone = Vec::new();
        let mut last: Option<&Vec<u8>> = None;
        for below in leaves.keys() {
            let ends = below.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
            for end in ends {
                let Some((above, entry)) = leaves.get_key_value(&below[..end]) else { continue };
                if is_empty_directory(entry) {
                    gone.push((above.clone(), false));
                } else if theirs.contains_key(below) && !ours.contains_key(below) {
                    gone.push((below.clone(), true));
                } else if last != Some(above) {
                    gone.push((above.clone(), true));
                    last = Some(above);
                }
            }
        }
        for (below, is_conflict) in gone {
            let Some(entry) = leaves.remove(&below) else { continue };
            if is_conflict {
                let path = format!("{}/{}", self.path, String::from_utf8_lossy(&below));
                let said = Three { base: None, ours: None, theirs: Some(entry.id) };
                conflicts
                    .push(PathConflict { path, about: About::File(FileConflict { kind: "file", said }) });
            }
        }
    }
}

/// The version whose content is taken, where the other did not change it.
fn one_changed<'e>(
    base: Option<&TreeEntry>,
    ours: &'e TreeEntry,
    theirs: &'e TreeEntry,
) -> Option<&'e TreeEntry> {
    match base {
        _ if ours.id == theirs.id => Some(ours),
        Some(base) if base.id == ours.id => Some(theirs),
        Some(base) if base.id == theirs.id => Some(ours),
        _ => None,
    }
}

fn put(leaves: &mut BTreeMap<Vec<u8>, TreeEntry>, below: &[u8], entry: Option<TreeEntry>) {
    match entry {
        Some(entry) => drop(leaves.insert(below.to_owned(), TreeEntry { name: Vec::new(), ..entry })),
        None => drop(leaves.remove(below)),
    }
}

/// What makes two leaves of one path the same.
fn essence(leaf: &Option<TreeEntry>) -> Option<(EntryKind, bool, Digest)> {
    leaf.as_ref().map(|leaf| (leaf.kind, leaf.executable, leaf.id))
}

/// How a version is called in messages.
pub(super) const fn called(version: Version) -> &'static str {
    match version {
        Version::Base => "the common",
        Version::Ours => "our",
        Version::Theirs => "their",
    }
}
