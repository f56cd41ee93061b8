//! The diff itself: sides, versions, files, renames, rows.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::base::{Digest, Progress, RepoPath, Unit};
use crate::data::compose::is_within;
use crate::data::shape::table_format;
use crate::data::tracked::without_suffix;
use crate::data::workspace::Workspace;
use crate::data::worktree::WorktreeRecord;
use crate::objects::pointer::PointerKind;
use crate::objects::tree::TreeEntry;
use crate::storage::store::Store;
use crate::tables::Sided;

use super::columns;
use super::content::{Draft, Pair, facts};
use super::error::DiffError;
use super::rename::join_renames;
use super::result::{Change, ChangeKind, DataDiff, FileFacts, FileKind, TableChange, Totals};
use super::rows::{self, TableRules};
use super::side::{Side, Sides, Version};
use super::worktree;

/// What to compare, and how far.
#[derive(Debug, Clone)]
pub struct DiffOptions {
    /// The two sides.
    pub sides: Sides,
    /// Only what lies at or below these paths; everything if there are none.
    pub paths: Vec<RepoPath>,
    /// Whether tables are read, and rows compared.
    pub rows: bool,
    /// How many rows of each kind are shown of a table.
    pub samples: usize,
}

/// Compares the data of two sides.
///
/// # Errors
///
/// [`DiffError`] where nothing can be told; a single path that cannot be compared is among the faults of the result.
pub fn diff(
    workspace: &Workspace,
    options: &DiffOptions,
    progress: &Progress,
) -> Result<DataDiff, DiffError> {
    let named: Vec<_> = options.paths.iter().map(without_suffix).collect();
    let (mut sides, faults) = options.sides.read(workspace)?;
    let mut faults = faults.exclude(&mut sides, |path| !scopes(&named, path).is_empty());
    let paths: BTreeSet<RepoPath> =
        both_keys(&sides).filter(|path| !scopes(&named, path).is_empty()).collect();
    let is_known = |named: &&RepoPath| {
        paths.iter().any(|path| path.below(named).is_some() || named.below(path).is_some())
    };
    if let Some(unknown) = named.iter().find(|named| !is_known(named)).filter(|_| faults.is_empty()) {
        return Err(DiffError::NoData(unknown.clone()));
    }
    let versions = Versions { workspace, options, record: workspace.worktree_record(progress)?, progress };
    let mut pairs = Vec::new();
    for path in &paths {
        match versions.pair(path, &sides) {
            Ok(pair) if pair.is_same() => {}
            Ok(pair) => pairs.push(pair),
            Err(fault) => faults.push(fault),
        }
    }
    let stale = stale(&pairs);
    let mut changes = moved_whole(workspace.store(), &mut pairs, &named);
    let told = Told { workspace, rules: versions.table_rules(&sides)?, samples: options.samples };
    progress.begin("comparing", Unit::Items, Some(pairs.len() as u64));
    for pair in &pairs {
        match pair.drafts(workspace.store()) {
            Ok(drafts) => {
                let scopes = scopes(&named, &pair.path);
                let drafts = drafts.iter().filter(|draft| covers(&scopes, draft));
                changes.extend(drafts.map(|draft| told.change(pair, draft)));
            }
            Err(fault) => faults.push(fault),
        }
        progress.advance(1);
    }
    progress.end();
    changes.sort_by(|a, b| a.path.cmp(&b.path).then(b.kind.cmp(&a.kind)));
    join_renames(&mut changes);
    let totals = totals(&changes, &paths);
    let sides = Sided { before: sides.before.name, after: sides.after.name };
    Ok(DataDiff { sides, changes, totals, stale, faults })
}

/// The tracked paths of both sides.
fn both_keys(sides: &Sided<Side>) -> impl Iterator<Item = RepoPath> + '_ {
    sides.before.pointers.keys().chain(sides.after.pointers.keys()).cloned()
}

/// The parts of the tracked path `path` that were asked for: the empty one stands for the whole.
fn scopes(named: &[RepoPath], path: &RepoPath) -> Vec<Vec<u8>> {
    if named.is_empty() || named.iter().any(|named| path.below(named).is_some()) {
        return vec![Vec::new()];
    }
    named.iter().filter_map(|named| named.below(path)).map(|below| below.as_bytes().to_vec()).collect()
}

/// Whether a draft was asked for. One that stands for a whole directory tells of each of its parts.
fn covers(scopes: &[Vec<u8>], draft: &Draft) -> bool {
    let within = |scope: &Vec<u8>| is_within(&draft.below, scope);
    let stands_for = |scope: &Vec<u8>| draft.not_here.is_some() && is_within(scope, &draft.below);
    scopes.iter().any(|scope| within(scope) || stands_for(scope))
}

/// Finds the versions of a path.
struct Versions<'a> {
    workspace: &'a Workspace,
    options: &'a DiffOptions,
    record: WorktreeRecord,
    progress: &'a Progress,
}

impl Versions<'_> {
    fn pair(&self, path: &RepoPath, sides: &Sided<Side>) -> Result<Pair, DiffError> {
        let before = sides.before.pointers.get(path).cloned().map(Version::of_pointer);
        let after = match sides.after.pointers.get(path) {
            Some(pointer) if self.options.sides.newer_is_work_tree() => {
                Some(worktree::version(self.workspace, &self.record, path, pointer, self.progress)?)
            }
            pointer => pointer.cloned().map(Version::of_pointer),
        };
        Ok(Pair { path: path.clone(), before, after })
    }

    fn table_rules(&self, sides: &Sided<Side>) -> Result<Option<TableRules>, DiffError> {
        let commits: Vec<_> = [sides.before.commit, sides.after.commit].into_iter().flatten().collect();
        self.options.rows.then(|| TableRules::read(self.workspace, &commits)).transpose()
    }
}

/// The differing paths whose data is of another version than their pointer names.
fn stale(pairs: &[Pair]) -> Vec<RepoPath> {
    let is_stale = |pair: &&Pair| {
        let disk = pair.after.as_ref().and_then(|version| version.disk.as_ref());
        disk.is_some_and(|disk| disk.stale)
    };
    pairs.iter().filter(is_stale).map(|pair| pair.path.clone()).collect()
}

/// Takes tracked directories out of `pairs` that lie elsewhere now, unchanged: nobody wants to read of each file.
fn moved_whole(store: &Store, pairs: &mut Vec<Pair>, named: &[RepoPath]) -> Vec<Change> {
    let is_whole = |pair: &Pair| scopes(named, &pair.path).iter().any(Vec::is_empty);
    let alone = |one: &Option<Version>, other: &Option<Version>| match (one, other) {
        (Some(version), None) if version.root.kind == PointerKind::Tree && version.root.size > 0 => {
            Some(version.root.id)
        }
        _ => None,
    };
    let mut removed: HashMap<Digest, Vec<usize>> = HashMap::new();
    for (at, pair) in pairs.iter().enumerate().filter(|(_, pair)| is_whole(pair)).rev() {
        if let Some(id) = alone(&pair.before, &pair.after) {
            removed.entry(id).or_default().push(at);
        }
    }
    let told = |version: &Option<Version>| {
        version.as_ref().map(|version| facts(&version.entry(store), b"", Some(version)))
    };
    let (mut moved, mut gone) = (Vec::new(), HashSet::new());
    for (at, new) in pairs.iter().enumerate().filter(|(_, pair)| is_whole(pair)) {
        let added = alone(&new.after, &new.before);
        let Some(from) = added.and_then(|id| removed.get_mut(&id)?.pop()) else { continue };
        let old = &pairs[from];
        moved.push(Change {
            kind: ChangeKind::Renamed,
            path: new.path.to_string(),
            from: Some(old.path.to_string()),
            tracked: new.path.clone(),
            before: told(&old.before),
            after: told(&new.after),
            table: None,
            not_here: None,
        });
        gone.extend([at, from]);
    }
    let mut at = 0..;
    pairs.retain(|_| at.next().is_some_and(|at| !gone.contains(&at)));
    moved
}

/// Makes the changes that are told of drafts.
struct Told<'a> {
    workspace: &'a Workspace,
    /// What is said of tables; `None` where no table is to be read.
    rules: Option<TableRules>,
    samples: usize,
}

impl Told<'_> {
    fn change(&self, pair: &Pair, draft: &Draft) -> Change {
        let kind = match (&draft.before, &draft.after) {
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
            _ => ChangeKind::Changed,
        };
        let told = |entry: &Option<TreeEntry>, version: &Option<Version>| {
            entry.as_ref().map(|entry| facts(entry, &draft.below, version.as_ref()))
        };
        let mut change = Change {
            kind,
            path: pair.full(&draft.below),
            from: None,
            tracked: pair.path.clone(),
            before: told(&draft.before, &pair.before),
            after: told(&draft.after, &pair.after),
            table: None,
            not_here: draft.not_here,
        };
        if is_table_in_both(&change) {
            self.tell_table(&mut change, pair, draft);
        }
        change
    }

    fn tell_table(&self, change: &mut Change, pair: &Pair, draft: &Draft) {
        if let (Some(rules), Ok(path)) = (&self.rules, RepoPath::new(change.path.as_str())) {
            let told = rows::compare(self.workspace, rules, &path, pair, draft, self.samples);
            (change.table, change.not_here) = (told.change, told.not_here);
        }
        match &change.table {
            Some(TableChange::Rows(diff)) => {
                change.before.iter_mut().for_each(|facts| facts.rows = Some(diff.rows.before));
                change.after.iter_mut().for_each(|facts| facts.rows = Some(diff.rows.after));
            }
            None if draft.below.is_empty() => change.table = told_by_pointers(pair),
            _ => {}
        }
    }
}

fn told_by_pointers(pair: &Pair) -> Option<TableChange> {
    let before = pair.before.as_ref()?.pointer.as_ref()?;
    let after = pair.after.as_ref()?.pointer.as_ref()?;
    columns::between(before, after).map(TableChange::Pointers)
}

/// Whether both versions are files with the name of a table, and other bytes.
fn is_table_in_both(change: &Change) -> bool {
    let is_file = |facts: &FileFacts| facts.kind == FileKind::File;
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let other_bytes = before.id != after.id;
            let named = table_format(change.path.as_bytes()).is_some();
            is_file(before) && is_file(after) && other_bytes && named
        }
        _ => false,
    }
}

fn totals(changes: &[Change], paths: &BTreeSet<RepoPath>) -> Totals {
    let mut totals = Totals::default();
    changes.iter().for_each(|change| totals.count(change));
    let differing: BTreeSet<&RepoPath> = changes.iter().map(|change| &change.tracked).collect();
    // A tracked path that moved is one path, which both sides have.
    let is_tracked = |path: &String| RepoPath::new(path.as_str()).is_ok_and(|path| paths.contains(&path));
    let moved = changes.iter().filter(|change| {
        change.tracked.as_str() == change.path && change.from.as_ref().is_some_and(is_tracked)
    });
    totals.compared = (paths.len() - moved.count()) as u64;
    totals.differing = differing.len() as u64;
    totals
}
