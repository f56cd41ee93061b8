//! Which paths are tracked in place: those for which attributes say `filter=mldata`.
//!
//! A pointer in place is a blob under the data's own name, so the name does not tell it. What tells it are the attribute
//! files of the very place that is looked at: in a commit those of that commit, for the index and the work tree those of
//! the work tree (where one is not there, that of the index, as Git does it), and in either case the clone's own
//! `info/attributes` above all. Only blobs at such paths of at most [`MAX_IN_PLACE`] bytes are opened; what parses as
//! a pointer to a file is one, everything else is raw content. So a repository without a pattern pays for a look at the
//! names, and one with patterns for the headers of what they match.

use std::collections::BTreeSet;
use std::fs;
use std::rc::Rc;

use gix::attrs::StateRef;
use gix::attrs::search::{MetadataCollection, Outcome};
use gix::bstr::ByteSlice;
use gix::glob::pattern::Case;
use gix::index::entry::{Flags, Mode, Stage};

use crate::base::RepoPath;
use crate::git::EntryMode;
use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;
use crate::git::TreeItem;
use crate::git::pointers::{BadPointer, PointerAt, PointerFault, Pointers};
use crate::objects::Pointer;
use crate::objects::pointer::{MAX_IN_PLACE, PointerKind, SUFFIX};

/// The name of the filter, in attributes and settings.
pub const FILTER: &str = "mldata";
/// What an attribute file says that names it, in a line of its own or in a word that it makes of several.
const ASSIGNMENT: &[u8] = b"filter=mldata";
/// Attribute files are called so.
const FILE: &str = ".gitattributes";
/// Longer attribute files are passed over, as Git does, in bytes.
const LONGEST_FILE: u64 = 100 << 20;

/// What the index has at a path that is tracked in place.
#[derive(Debug, Clone)]
pub struct InPlaceEntry {
    /// The path.
    pub path: RepoPath,
    /// What Git has.
    pub held: Held,
    /// The size of the file when Git last looked at it, in bytes, the lower 32 bits of it.
    pub noted_size: u32,
    /// Whether a sparse checkout leaves it out of the work tree.
    pub is_left_out: bool,
}

/// What Git has for a path that is tracked in place.
#[derive(Debug, Clone)]
pub enum Held {
    /// A pointer.
    Pointer {
        /// What it says.
        pointer: Pointer,
        /// In these words.
        text: Vec<u8>,
    },
    /// Content itself, in this blob: it was added before the pattern, or by a clone without the filter. Or nothing at all:
    /// an empty file stays empty.
    Raw(ObjectId),
    /// Sides of a merge.
    Unmerged,
}

/// The attribute files that count for a path, as far as they name our filter.
#[derive(Debug, Clone)]
pub(super) struct InPlaceRules {
    /// Folder and text of each, the weakest first.
    files: Vec<(String, Rc<[u8]>)>,
    /// `info/attributes`, which is stronger than all.
    local: Option<Rc<[u8]>>,
    ready: Option<Matcher>,
}

/// The files, taken apart.
#[derive(Debug, Clone)]
struct Matcher {
    search: Rc<gix::attrs::Search>,
    names: Rc<MetadataCollection>,
}

impl InPlaceRules {
    fn new(local: Option<Vec<u8>>) -> Self {
        let local = local.filter(|text| text.find(ASSIGNMENT).is_some()).map(Rc::from);
        let mut rules = Self { files: Vec::new(), local, ready: None };
        rules.prepare();
        rules
    }

    /// With the attribute file of a folder below those that are known; the empty name is the top.
    fn with(&self, folder: &str, text: Vec<u8>) -> Self {
        let mut rules = self.clone();
        // What says nothing of filters, and uses no word that another file may have made of one, changes nothing.
        if text.find("filter").is_some() || self.ready.is_some() {
            rules.files.push((folder.to_owned(), text.into()));
            rules.prepare();
        }
        rules
    }

    fn prepare(&mut self) {
        let texts = self.files.iter().map(|(_, text)| text).chain(&self.local);
        if !texts.into_iter().any(|text| text.find(ASSIGNMENT).is_some()) {
            self.ready = None;
            return;
        }
        let (mut search, mut names) = (gix::attrs::Search::default(), MetadataCollection::default());
        let root = std::path::Path::new("/");
        let mut add = |folder: &str, text: &[u8], name: &str, macros: bool| {
            // Nothing is read from that place: it only says where the patterns count from.
            let source = root.join(folder).join(name);
            let _never_fails = search.add_patterns_buffer(text, source, Some(root), &mut names, macros);
        };
        for (folder, text) in &self.files {
            add(folder, text, FILE, folder.is_empty());
        }
        if let Some(text) = &self.local {
            add("", text, "attributes", true);
        }
        self.ready = Some(Matcher { search: Rc::new(search), names: Rc::new(names) });
    }

    /// Whether any path can be tracked in place.
    pub(super) const fn are_none(&self) -> bool {
        self.ready.is_none()
    }

    /// Whether `path` is tracked in place.
    pub(super) fn matches(&self, path: &str) -> bool {
        let Some(Matcher { search, names }) = &self.ready else { return false };
        let mut found = Outcome::default();
        found.initialize_with_selection(names, ["filter"]);
        search.pattern_matching_relative_path(path.into(), Case::Sensitive, Some(false), &mut found);
        let ours = |state: StateRef<'_>| matches!(state, StateRef::Value(value) if value.as_bstr() == FILTER);
        found.iter_selected().any(|found| ours(found.assignment.state))
    }

    /// Tells apart any two sets of rules that may answer differently; the same for all that answer no.
    pub(super) fn stamp(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        if self.are_none() {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        self.files.hash(&mut hasher);
        hasher.finish()
    }
}

impl Repository {
    /// The rules before any attribute file of a tree or work tree was read.
    pub(super) fn in_place_rules(&self) -> InPlaceRules {
        InPlaceRules::new(fs::read(self.common_dir().join("info").join("attributes")).ok())
    }

    /// The rules below a folder of a tree, whose items these are.
    pub(super) fn rules_in_tree(
        &self,
        above: &Rc<InPlaceRules>,
        folder: &str,
        items: &[TreeItem],
    ) -> Rc<InPlaceRules> {
        let is_file = |item: &&TreeItem| item.name == FILE.as_bytes() && item.mode.is_file();
        let text = items.iter().find(is_file).and_then(|item| self.read_blob(item.id, LONGEST_FILE).ok());
        text.map_or_else(|| Rc::clone(above), |text| Rc::new(above.with(folder, text)))
    }

    /// The rules of the work tree and the index.
    pub(super) fn rules_of_work_tree(&self, index: &gix::index::File) -> InPlaceRules {
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        let mut top_is_staged = false;
        for entry in index.entries() {
            let path = entry.path(index);
            if !path.ends_with(FILE.as_bytes()) || entry.mode == Mode::DIR || entry.stage() == Stage::Base {
                continue;
            }
            let Ok(path) = path.to_str() else { continue };
            let folder = path.strip_suffix(FILE).unwrap_or_default();
            if !(folder.is_empty() || folder.ends_with('/')) {
                continue;
            }
            top_is_staged |= folder.is_empty();
            let here = self.gix.workdir().and_then(|top| fs::read(top.join(path)).ok());
            let text = here.or_else(|| self.read_blob(ObjectId(entry.id), LONGEST_FILE).ok());
            found.extend(text.map(|text| (folder.trim_end_matches('/').to_owned(), text)));
        }
        if !top_is_staged {
            let here = self.gix.workdir().and_then(|top| fs::read(top.join(FILE)).ok());
            found.extend(here.map(|text| (String::new(), text)));
        }
        found.sort_by_key(|(folder, _)| folder.split('/').filter(|part| !part.is_empty()).count());
        found.into_iter().fold(self.in_place_rules(), |rules, (folder, text)| rules.with(&folder, text))
    }

    /// Whether the attributes of the work tree say that `path` is tracked in place.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`].
    pub fn is_in_place(&self, path: &RepoPath) -> Result<bool, GitError> {
        let index = self.read_index()?;
        let rules = self.rules_of_work_tree(&index);
        // The file of its folder need not be known to Git.
        Ok(rules.matches(path.as_str()))
    }

    /// What the index has at paths that are tracked in place, by path; only entries whose file was of a size that is `wanted`
    /// when Git last looked at it, in bytes (the lower 32 bits of it).
    ///
    /// # Errors
    ///
    /// [`GitError::Index`].
    pub fn in_place_entries(&self, wanted: &dyn Fn(u32) -> bool) -> Result<Vec<InPlaceEntry>, GitError> {
        Ok(self.entries_in_place(&*self.read_index()?, wanted))
    }

    fn entries_in_place(&self, index: &gix::index::File, wanted: &dyn Fn(u32) -> bool) -> Vec<InPlaceEntry> {
        let rules = self.rules_of_work_tree(index);
        let mut found: Vec<InPlaceEntry> = Vec::new();
        if rules.are_none() {
            return found;
        }
        for entry in index.entries() {
            let Ok(name) = entry.path(index).to_str() else { continue };
            let is_file = matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE);
            if !is_file || !wanted(entry.stat.size) || name.ends_with(SUFFIX) || !rules.matches(name) {
                continue;
            }
            let Ok(path) = RepoPath::new(name) else { continue };
            let held = if entry.stage() != Stage::Unconflicted {
                if found.last().is_some_and(|last| last.path == path) {
                    continue;
                }
                Held::Unmerged
            } else if entry.flags.contains(Flags::INTENT_TO_ADD) {
                continue;
            } else {
                match self.pointer_in_place(EntryMode::File, ObjectId(entry.id)) {
                    Some((pointer, text)) => Held::Pointer { pointer, text },
                    None => Held::Raw(ObjectId(entry.id)),
                }
            };
            let is_left_out = entry.flags.contains(Flags::SKIP_WORKTREE);
            found.push(InPlaceEntry { path, held, noted_size: entry.stat.size, is_left_out });
        }
        found
    }

    /// The paths tracked in place whose files hold the content that the index names, by what Git noted of them: not touched
    /// since, and older than the index. Others may hold it, too.
    ///
    /// # Errors
    ///
    /// [`GitError::Index`], [`GitError::Bare`].
    pub fn unchanged_in_place(&self) -> Result<BTreeSet<RepoPath>, GitError> {
        let (index, top) = (self.read_index()?, self.work_dir()?);
        let rules = self.rules_of_work_tree(&index);
        if rules.are_none() {
            return Ok(BTreeSet::new());
        }
        let written = index.timestamp();
        let is_unchanged = |entry: &gix::index::Entry, path: &RepoPath| {
            let found = gix::index::fs::Metadata::from_path_no_follow(&path.under(top)).ok()?;
            let now = gix::index::entry::Stat::from_fs(&found).ok()?;
            let how = gix::index::entry::stat::Options { use_nsec: true, ..Default::default() };
            let is_older = i64::from(now.mtime.secs) < written.unix_seconds();
            // A file of the size of its pointer is one.
            let is_content = now.size as usize > MAX_IN_PLACE
                || self.pointer_in_place(EntryMode::File, ObjectId(entry.id))?.1.len() != now.size as usize;
            Some(now.matches(&entry.stat, how) && is_older && is_content)
        };
        let mut unchanged = BTreeSet::new();
        for entry in index.entries().iter().filter(|entry| entry.stage() == Stage::Unconflicted) {
            if let Ok(name) = entry.path(&index).to_str()
                && rules.matches(name)
                && let Ok(path) = RepoPath::new(name)
                && is_unchanged(entry, &path) == Some(true)
            {
                unchanged.insert(path);
            }
        }
        Ok(unchanged)
    }

    /// Adds the pointers in place of an index; those with a merge conflict to the bad ones.
    pub(super) fn add_in_place(&self, index: &gix::index::File, pointers: &mut Pointers) {
        for entry in self.entries_in_place(index, &|_| true) {
            let path = entry.path;
            match entry.held {
                Held::Pointer { pointer, .. } => {
                    pointers.good.push(PointerAt { path, pointer, in_place: true });
                }
                Held::Unmerged => {
                    pointers.bad.push(BadPointer { file: path.to_string(), fault: PointerFault::Unmerged });
                }
                Held::Raw(_) => {}
            }
        }
    }

    /// The pointer in the blob `id` of a path that is tracked in place, with its bytes; `None` where it holds raw content.
    pub(super) fn pointer_in_place(&self, mode: EntryMode, id: ObjectId) -> Option<(Pointer, Vec<u8>)> {
        if !mode.is_file() {
            return None;
        }
        let bytes = self.read_blob(id, MAX_IN_PLACE as u64).ok()?;
        let pointer = Pointer::parse(&bytes).ok().filter(|pointer| pointer.kind == PointerKind::File)?;
        Some((pointer, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(files: &[(&str, &str)]) -> InPlaceRules {
        let none = InPlaceRules::new(None);
        files.iter().fold(none, |rules, (folder, text)| rules.with(folder, text.as_bytes().to_vec()))
    }

    #[test]
    fn the_nearest_file_and_the_last_line_decide() {
        let rules = rules(&[
            ("", "*.bin filter=mldata -text\n[attr]heavy filter=mldata\n/raw/*.bin -filter\n"),
            ("data", "*.dat heavy\nx.bin !filter\n"),
            ("data/lfs", "*.bin filter=lfs\n"),
        ]);
        for yes in ["a.bin", "deep/er/a.bin", "data/a.dat", "data/b.bin", "raw/sub/a.bin"] {
            assert!(rules.matches(yes), "{yes}");
        }
        for no in ["a.txt", "raw/a.bin", "data/x.bin", "data/lfs/a.bin", "a.dat"] {
            assert!(!rules.matches(no), "{no}");
        }
    }

    #[test]
    fn without_our_filter_there_is_nothing_to_ask() {
        for text in ["", "*.bin -text\n", "*.bin filter=lfs diff=lfs\n", "# mldata\n"] {
            assert!(!rules(&[("", text)]).matches("a.bin"), "{text}");
        }
        assert!(rules(&[("", "*.bin filter=lfs\n")]).are_none());
        let local = InPlaceRules::new(Some(b"*.bin filter=mldata".to_vec()));
        assert!(local.matches("a.bin"));
        assert!(local.with("", b"*.bin filter=lfs".to_vec()).matches("a.bin"), "info/attributes is stronger");
    }
}
