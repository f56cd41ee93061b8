//! The pointers that commits bring: between two of them, and over a whole history.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use crate::base::RepoPath;
use crate::git::EntryMode;
use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::PointerFault;
use crate::git::Pointers;
use crate::git::Repository;
use crate::git::TreeItem;
use crate::git::in_place::InPlaceRules;
use crate::git::pointers::data_path;
use crate::objects::Pointer;
use crate::objects::pointer::SUFFIX;

/// What became of the pointer for the data at one path.
#[derive(Debug, Clone)]
pub struct PointerChange {
    /// The path of the data.
    pub path: RepoPath,
    /// The pointer before; `None` when it is new.
    pub old: Option<Pointer>,
    /// The pointer after; `None` when it is gone.
    pub new: Option<Pointer>,
}

/// The pointers that differ between two trees.
#[derive(Debug, Default)]
pub struct PointerChanges {
    /// The changes, sorted by path.
    pub changes: Vec<PointerChange>,
    /// The files that differ and are no pointers on one side or the other: nothing is concluded from them.
    pub bad: Pointers,
}

/// A pointer that a commit has.
#[derive(Debug, Clone)]
pub struct PointerInHistory {
    /// The newest commit that has it.
    pub commit: ObjectId,
    /// The path of its data there.
    pub path: RepoPath,
    /// What it says.
    pub pointer: Pointer,
}

impl Repository {
    /// The pointers that differ between two commits (`None`: nothing at all). Folders that are equal are not read.
    ///
    /// # Errors
    ///
    /// Those of reading commits and trees.
    pub fn changed_pointers(
        &self,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<PointerChanges, GitError> {
        let tree = |commit: Option<ObjectId>| -> Result<Option<ObjectId>, GitError> {
            commit.map(|id| Ok(self.commit_info(id)?.tree)).transpose()
        };
        let mut found = PointerChanges::default();
        let rules = [Rc::new(self.in_place_rules()), Rc::new(self.in_place_rules())];
        self.compare_trees(tree(old)?, tree(new)?, "", rules, &mut found)?;
        found.changes.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn compare_trees(
        &self,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
        folder: &str,
        above: [Rc<InPlaceRules>; 2],
        found: &mut PointerChanges,
    ) -> Result<(), GitError> {
        /// No file system has folders this deep, and hostile trees might.
        const DEEPEST: usize = 1024;
        let is_same = old == new && above[0].stamp() == above[1].stamp();
        if is_same || folder.matches('/').count() > DEEPEST {
            return Ok(());
        }
        let items = |tree: Option<ObjectId>| tree.map_or_else(|| Ok(Vec::new()), |tree| self.read_tree(tree));
        let mut named: BTreeMap<Vec<u8>, [Option<TreeItem>; 2]> = BTreeMap::new();
        let mut rules = above;
        for (side, tree) in [old, new].into_iter().enumerate() {
            let items = items(tree)?;
            rules[side] = self.rules_in_tree(&rules[side], folder, &items);
            for item in items {
                let sides = named.entry(item.name.clone()).or_default();
                sides[side] = Some(item);
            }
        }
        for (name, [old, new]) in named {
            let Ok(name) = String::from_utf8(name) else { continue };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            let id_of = |item: &Option<TreeItem>, folders: bool| {
                let item = item.as_ref()?;
                ((item.mode == EntryMode::Folder) == folders).then_some(item.id)
            };
            self.compare_trees(id_of(&old, true), id_of(&new, true), &path, rules.clone(), found)?;
            if path.ends_with(SUFFIX) {
                if id_of(&old, false) != id_of(&new, false) {
                    self.compare_files(&path, old, new, found);
                }
                continue;
            }
            let [old, new] = [(old, &rules[0]), (new, &rules[1])].map(|(item, rules)| {
                let item = item.filter(|item| item.mode.is_file() && rules.matches(&path))?;
                Some(self.pointer_in_place(item.mode, item.id)?.0)
            });
            if old != new
                && let Ok(path) = RepoPath::new(path)
            {
                found.changes.push(PointerChange { path, old, new });
            }
        }
        Ok(())
    }

    fn compare_files(
        &self,
        file: &str,
        old: Option<TreeItem>,
        new: Option<TreeItem>,
        found: &mut PointerChanges,
    ) {
        let read = |item: Option<TreeItem>| {
            let item = item.filter(|item| item.mode != EntryMode::Folder);
            item.map(|item| self.pointer_blob(item.mode.is_file(), item.id)).transpose()
        };
        let both = || -> Result<PointerChange, PointerFault> {
            Ok(PointerChange { path: data_path(file)?, old: read(old)?, new: read(new)? })
        };
        match both() {
            Ok(change) => found.changes.push(change),
            Err(fault) => found.bad.push(file, Err(fault)),
        }
    }

    /// Every distinct pointer in the commits that are reachable from `tips` and not from `hidden`, newest first. What
    /// the trees of `hidden` themselves have is left out, and so are files that are no pointers. A shallow history ends
    /// where it is cut.
    ///
    /// # Errors
    ///
    /// [`GitError::History`] and those of reading trees, also from the iterator.
    pub fn history(
        &self,
        tips: &[ObjectId],
        hidden: &[ObjectId],
    ) -> Result<impl Iterator<Item = Result<PointerInHistory, GitError>> + '_, GitError> {
        let mut seen = self.seen_in(hidden)?;
        let commits = self.walk(tips, hidden)?;
        Ok(commits.flat_map(move |commit| {
            match commit.and_then(|commit| self.brought_by(commit, &mut seen)) {
                Ok(brought) => brought.into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            }
        }))
    }

    /// What the trees of these commits have.
    fn seen_in(&self, hidden: &[ObjectId]) -> Result<Seen, GitError> {
        let mut seen = Seen::default();
        for commit in hidden {
            let tree = self.commit_info(*commit)?.tree;
            let Seen { trees, blobs } = &mut seen;
            self.visit_files(tree, "", &mut |tree, rules| trees.insert((tree, rules)), &mut |met| {
                blobs.insert((met.id, met.in_place));
            })?;
        }
        Ok(seen)
    }

    /// The raw contents at paths that are tracked in place, each once with the newest commit that has it, by the same rules
    /// as [`Repository::history`]. What lay there raw in `hidden` is no news.
    ///
    /// # Errors
    ///
    /// As [`Repository::history`].
    pub fn raw_in_history(
        &self,
        tips: &[ObjectId],
        hidden: &[ObjectId],
    ) -> Result<Vec<(ObjectId, RepoPath)>, GitError> {
        let mut seen = self.seen_in(hidden)?;
        let mut found = Vec::new();
        let known: Vec<_> =
            hidden.iter().map(|id| Ok(self.commit_info(*id)?.tree)).collect::<Result<_, GitError>>()?;
        let is_known = |path: &RepoPath, id: ObjectId| {
            let mut entries = known.iter().filter_map(|tree| self.entry_at(*tree, path).ok().flatten());
            entries.any(|(_, there)| there == id)
        };
        for commit in self.walk(tips, hidden)? {
            let commit = commit?;
            let (tree, Seen { trees, blobs }) = (self.commit_info(commit)?.tree, &mut seen);
            self.visit_files(tree, "", &mut |tree, rules| trees.insert((tree, rules)), &mut |met| {
                let is_news = met.in_place && met.mode.is_file() && blobs.insert((met.id, true));
                if is_news
                    && !met.id.is_empty_blob()
                    // What a partial clone left out cannot be judged, and is no commit of this clone's.
                    && self.has_object(met.id)
                    && self.met_in_place(&met).is_none()
                    && let Ok(path) = RepoPath::new(met.file)
                    && !is_known(&path, met.id)
                {
                    found.push((commit, path));
                }
            })?;
        }
        Ok(found)
    }

    /// The pointers of a commit that were not seen before.
    fn brought_by(&self, commit: ObjectId, seen: &mut Seen) -> Result<Vec<PointerInHistory>, GitError> {
        let Seen { trees, blobs } = seen;
        let mut brought = Vec::new();
        let tree = self.commit_info(commit)?.tree;
        self.visit_files(tree, "", &mut |tree, rules| trees.insert((tree, rules)), &mut |met| {
            if !blobs.insert((met.id, met.in_place)) {
                return;
            }
            if met.in_place {
                let found = self.met_in_place(&met);
                brought.extend(found.map(|at| PointerInHistory {
                    commit,
                    path: at.path,
                    pointer: at.pointer,
                }));
            } else if let Ok(path) = data_path(met.file)
                && let Ok(pointer) = self.pointer_blob(met.mode.is_file(), met.id)
            {
                brought.push(PointerInHistory { commit, path, pointer });
            }
        })?;
        Ok(brought)
    }
}

/// The objects that a walk has met.
#[derive(Default)]
struct Seen {
    /// With the stamp of the rules by which their files were told: where a pattern comes or goes, they are looked at again.
    trees: HashSet<(ObjectId, u64)>,
    /// And whether as pointers in place.
    blobs: HashSet<(ObjectId, bool)>,
}
