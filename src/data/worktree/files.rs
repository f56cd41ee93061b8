//! Files by path, flat: what a million files need is a few vectors, not a million allocations.
//!
//! Names lie one after the other in one buffer and everything else in columns, about 70 bytes and the name for each file.
//! In order of names, so that two of them, or one and a walk over a folder, are compared side by side ([`Cursor`]).
//! Cheap to clone. Model: Git's index, which is one sorted array that is read whole.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::base::Digest;
use crate::data::content::{empty_directory, is_empty_directory};
use crate::objects::tree::{EntryKind, TreeEntry, TreeSummary};

use super::Fingerprint;

/// One file that this worktree wrote or added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRecord {
    /// File, link or empty directory.
    pub kind: EntryKind,
    /// Whether the owner may execute it.
    pub executable: bool,
    /// Its stat right after.
    pub fingerprint: Fingerprint,
    /// Its content.
    pub id: Digest,
    /// The content's manifest, when it has more than one chunk.
    pub manifest: Option<Digest>,
}

impl FileRecord {
    /// What a leaf of a tree says: of its stat only the size.
    pub fn of_leaf(leaf: &TreeEntry) -> Self {
        let TreeEntry { kind, executable, size, id, manifest, .. } = *leaf;
        let id = if kind == EntryKind::Directory { Digest::ZERO } else { id };
        let fingerprint = Fingerprint { size, ..Fingerprint::default() };
        Self { kind, executable, fingerprint, id, manifest }
    }

    /// Bytes.
    pub const fn size(&self) -> u64 {
        self.fingerprint.size
    }

    /// The file as a leaf of a tree, without its name.
    pub fn leaf(&self) -> TreeEntry {
        let (executable, id, size) = (self.executable, self.id, self.fingerprint.size);
        match self.kind {
            EntryKind::Directory | EntryKind::Split => {
                TreeEntry::directory(Vec::new(), TreeSummary { id: empty_directory(), size: 0, files: 0 })
            }
            EntryKind::File => TreeEntry::file(Vec::new(), executable, id, size, self.manifest),
            EntryKind::Link => {
                TreeEntry { kind: EntryKind::Link, ..TreeEntry::file(Vec::new(), false, id, size, None) }
            }
        }
    }

    /// Whether it is what the leaf says.
    pub fn is_leaf(&self, leaf: &TreeEntry) -> bool {
        match self.kind {
            EntryKind::Directory | EntryKind::Split => is_empty_directory(leaf),
            kind => (kind, self.executable, self.id) == (leaf.kind, leaf.executable, leaf.id),
        }
    }

    /// Whether both are the same data: kind, executable bit, content.
    pub fn is_same_data(&self, other: &Self) -> bool {
        (self.kind, self.executable, self.id) == (other.kind, other.executable, other.id)
    }
}

/// Files, links and empty directories by path below a tracked path; a file that is tracked itself under the empty path.
#[derive(Clone, Default)]
pub struct Files(Arc<Columns>);

#[derive(Clone, Default, PartialEq, Eq)]
struct Columns {
    names: Vec<u8>,
    /// Where each name ends.
    ends: Vec<usize>,
    kinds: Vec<(EntryKind, bool)>,
    fingerprints: Vec<Fingerprint>,
    ids: Vec<Digest>,
    /// Of the few that have one, by place.
    manifests: Vec<(usize, Digest)>,
}

impl Columns {
    fn name(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.names[start..self.ends[at]]
    }

    fn record(&self, at: usize) -> FileRecord {
        let manifest = self.manifests.binary_search_by_key(&at, |(place, _)| *place).ok();
        let manifest = manifest.map(|found| self.manifests[found].1);
        let (kind, executable) = self.kinds[at];
        FileRecord { kind, executable, fingerprint: self.fingerprints[at], id: self.ids[at], manifest }
    }

    /// The first place whose name is not below `name` in order.
    fn place(&self, name: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.name(middle) < name { low = middle + 1 } else { high = middle }
        }
        low
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, file): (&[u8], FileRecord)| (String::from_utf8_lossy(name).into_owned(), file);
        f.debug_map().entries(self.iter().map(shown)).finish()
    }
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Files {}

impl From<BTreeMap<Vec<u8>, FileRecord>> for Files {
    fn from(files: BTreeMap<Vec<u8>, FileRecord>) -> Self {
        let mut builder = FilesBuilder::default();
        files.iter().for_each(|(name, file)| builder.push(name, file));
        builder.finish()
    }
}

impl Files {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The file of this name.
    pub fn get(&self, name: &[u8]) -> Option<FileRecord> {
        self.place_of(name).map(|at| self.0.record(at))
    }

    /// Whether there is a file of this name.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.place_of(name).is_some()
    }

    /// The place of the file of this name, in order of names.
    pub fn place_of(&self, name: &[u8]) -> Option<usize> {
        let at = self.0.place(name);
        (at < self.len() && self.0.name(at) == name).then_some(at)
    }

    /// The places of what lies below the folder `path`.
    pub fn places_below(&self, path: &[u8]) -> Range<usize> {
        // Behind all that begins with the path and a slash comes what begins with the byte after a slash.
        let [first, end] = [b'/', b'/' + 1].map(|last| self.0.place(&[path, &[last]].concat()));
        first..end
    }

    /// Whether any file lies below the folder `path`.
    pub fn has_below(&self, path: &[u8]) -> bool {
        !self.places_below(path).is_empty()
    }

    /// Whether any of them changed at `moment` (nanoseconds since 1970) or later.
    pub fn changed_since(&self, moment: i64) -> bool {
        self.0.fingerprints.iter().any(|fingerprint| fingerprint.changed >= moment)
    }

    /// The name at this place, in order of names.
    pub fn name_at(&self, at: usize) -> &[u8] {
        self.0.name(at)
    }

    /// The file at this place, in order of names.
    pub fn record_at(&self, at: usize) -> FileRecord {
        self.0.record(at)
    }

    /// All, in order of names.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], FileRecord)> + ExactSizeIterator {
        (0..self.len()).map(|at| (self.0.name(at), self.0.record(at)))
    }

    /// The names, in order.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        (0..self.len()).map(|at| self.0.name(at))
    }

    /// The files, in order of their names.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = FileRecord> + ExactSizeIterator {
        (0..self.len()).map(|at| self.0.record(at))
    }

    /// Those of which `keep` says so.
    pub fn filter(&self, keep: impl Fn(&[u8]) -> bool) -> Self {
        let mut builder = FilesBuilder::default();
        self.iter().filter(|(name, _)| keep(name)).for_each(|(name, file)| builder.push(name, &file));
        builder.finish()
    }

    /// The names, in order and as far as `covers` says so, at which these and `others` are not the same data.
    pub fn unlike(&self, others: &Self, covers: &dyn Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
        if Arc::ptr_eq(&self.0, &others.0) {
            return Vec::new();
        }
        let (mut our, mut their, mut names) = (0, 0, Vec::new());
        while our < self.len() || their < others.len() {
            let order = match (our < self.len(), their < others.len()) {
                (true, true) => self.name_at(our).cmp(others.name_at(their)),
                (is_left, _) => {
                    if is_left {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
            };
            let name = if order.is_le() { self.name_at(our) } else { others.name_at(their) };
            let is_same = || self.record_at(our).is_same_data(&others.record_at(their));
            if !(order.is_eq() && is_same()) && covers(name) {
                names.push(name.to_owned());
            }
            (our, their) = (our + usize::from(order.is_le()), their + usize::from(order.is_ge()));
        }
        names
    }

    /// These, but with what `changes` say of each name: the file that lies there, or `None` for none.
    pub fn changed(&self, changes: &BTreeMap<Vec<u8>, Option<FileRecord>>) -> Self {
        let mut builder = FilesBuilder::default();
        builder.reserve(self.len() + changes.len());
        let mut changes = changes.iter().peekable();
        let take = |(name, file): (&Vec<u8>, &Option<FileRecord>), builder: &mut FilesBuilder| {
            file.iter().for_each(|file| builder.push(name, file));
        };
        for (name, file) in self.iter() {
            while let Some(change) = changes.next_if(|(changed, _)| changed.as_slice() < name) {
                take(change, &mut builder);
            }
            match changes.next_if(|(changed, _)| changed.as_slice() == name) {
                Some(change) => take(change, &mut builder),
                None => builder.push(name, &file),
            }
        }
        changes.for_each(|change| take(change, &mut builder));
        builder.finish()
    }

    /// These together with `others`, whose word counts where both have a name.
    pub fn overlaid(&self, others: &Self) -> Self {
        let mut builder = FilesBuilder::default();
        let (mut ours, mut theirs) = (0..self.len(), 0..others.len());
        let first = |places: &Range<usize>, files: &Self| -> Option<usize> {
            (places.start < files.len()).then_some(places.start)
        };
        loop {
            let (our, their) = (first(&ours, self), first(&theirs, others));
            let (Some(our), Some(their)) = (our, their) else { break };
            let order = self.name_at(our).cmp(others.name_at(their));
            if order.is_lt() {
                builder.push(self.name_at(our), &self.record_at(our));
            } else {
                builder.push(others.name_at(their), &others.record_at(their));
            }
            ours.start += usize::from(order.is_le());
            theirs.start += usize::from(order.is_ge());
        }
        ours.for_each(|at| builder.push(self.name_at(at), &self.record_at(at)));
        theirs.for_each(|at| builder.push(others.name_at(at), &others.record_at(at)));
        builder.finish()
    }

    /// A way to look up names that come in order.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor { files: self, at: 0 }
    }
}

/// Looks up names that come in order, each in the time of a step.
#[derive(Debug)]
pub struct Cursor<'a> {
    files: &'a Files,
    at: usize,
}

impl Cursor<'_> {
    /// The place of `name`, which no earlier name is greater than.
    pub fn seek(&mut self, name: &[u8]) -> Option<usize> {
        while self.at < self.files.len() {
            match self.files.name_at(self.at).cmp(name) {
                Ordering::Less => self.at += 1,
                Ordering::Equal => return Some(self.at),
                Ordering::Greater => return None,
            }
        }
        None
    }
}

/// Takes files in order of their names.
#[derive(Default)]
pub struct FilesBuilder(Columns);

impl FilesBuilder {
    /// Takes the next file, whose name comes after all before.
    pub fn push(&mut self, name: &[u8], file: &FileRecord) {
        let columns = &mut self.0;
        debug_assert!(columns.ends.is_empty() || columns.name(columns.ends.len() - 1) < name, "order");
        if let Some(manifest) = file.manifest {
            columns.manifests.push((columns.ends.len(), manifest));
        }
        columns.names.extend_from_slice(name);
        columns.ends.push(columns.names.len());
        columns.kinds.push((file.kind, file.executable));
        columns.fingerprints.push(file.fingerprint);
        columns.ids.push(file.id);
    }

    /// Makes room for so many further files.
    pub fn reserve(&mut self, files: usize) {
        self.0.ends.reserve(files);
        self.0.kinds.reserve(files);
        self.0.fingerprints.reserve(files);
        self.0.ids.reserve(files);
    }

    /// The files.
    pub fn finish(self) -> Files {
        Files(Arc::new(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> FileRecord {
        let (id, fingerprint) = (Digest::of(content.as_bytes()), Fingerprint::default());
        let manifest = (content.len() > 1).then_some(id);
        FileRecord { kind: EntryKind::File, executable: content == "x", fingerprint, id, manifest }
    }

    fn files(all: &[(&str, &str)]) -> Files {
        let all = all.iter().map(|(name, content)| (name.as_bytes().to_vec(), file(content)));
        Files::from(all.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn flat_files_answer_as_a_map_does() {
        let all = [("a-b", "1"), ("a/x", "22"), ("a/y", "x"), ("b", "33")];
        let files = files(&all);
        for (name, content) in all {
            assert_eq!(files.get(name.as_bytes()), Some(file(content)));
        }
        assert!(!files.contains(b"a") && !files.contains(b"") && !files.contains(b"c"));
        assert!(files.has_below(b"a") && !files.has_below(b"b") && !files.has_below(b"a-"));
        let mut cursor = files.cursor();
        assert_eq!(
            [&b"a"[..], b"a/x", b"a/x", b"b", b"z"].map(|name| cursor.seek(name)),
            [None, Some(1), Some(1), Some(3), None]
        );
    }

    #[test]
    fn overlaid_files_win() {
        let (ours, theirs) = (files(&[("a", "1"), ("b", "1"), ("d", "1")]), files(&[("b", "2"), ("c", "2")]));
        assert_eq!(ours.overlaid(&theirs), files(&[("a", "1"), ("b", "2"), ("c", "2"), ("d", "1")]));
        assert_eq!(ours.filter(|name| name != b"b"), files(&[("a", "1"), ("d", "1")]));
    }
}
