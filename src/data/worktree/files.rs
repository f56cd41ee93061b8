//! Files by path, flat: what a million files need is a few vectors, not a million allocations.
//!
//! Names lie one after the other in one buffer and everything else in columns, about 75 bytes and the name for each file.
//! In order of names, so that two of them, or one and a walk over a folder, are compared side by side ([`Cursor`],
//! [`Files::beside`]). Cheap to clone, and cheap to change: the columns are cut into pages, and who differs in a few files
//! shares all other pages, which are not even compared. Models: Git's index, which is one sorted array that is read whole;
//! persistent vectors.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::FileRecord;
use super::page::{PAGE, Page};

/// Files, links and empty directories by path below a tracked path; a file that is tracked itself under the empty path.
#[derive(Clone, Default)]
pub struct Files(Arc<Pages>);

#[derive(Default)]
struct Pages {
    /// None is empty.
    pages: Vec<Arc<Page>>,
    /// The place at which each page begins.
    starts: Vec<usize>,
    len: usize,
}

impl Pages {
    /// The page that has the place `at`, and the place in it.
    fn find(&self, at: usize) -> (usize, usize) {
        // No page is longer, and few are shorter: so it is hardly ever much further on.
        let mut page = at / PAGE;
        while self.starts.get(page + 1).is_some_and(|start| *start <= at) {
            page += 1;
        }
        (page, at - self.starts[page])
    }

    fn name(&self, at: usize) -> &[u8] {
        let (page, place) = self.find(at);
        self.pages[page].name(place)
    }

    fn record(&self, at: usize) -> FileRecord {
        let (page, place) = self.find(at);
        self.pages[page].record(place)
    }

    /// The first place whose name is not below `name` in order.
    fn place(&self, name: &[u8]) -> usize {
        let page = self.pages.partition_point(|page| page.last_name() < name);
        self.pages.get(page).map_or(self.len, |found| self.starts[page] + found.place(name))
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
        let is_same = |pair| match pair {
            Beside::Shared(..) => true,
            Beside::Both(our, their) => self.record_at(our) == other.record_at(their),
            Beside::Ours(_) | Beside::Theirs(_) => false,
        };
        self.len() == other.len() && self.beside(other).all(is_same)
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
        self.0.len
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

    /// The first place whose name is `name` or comes after it.
    pub fn first_from(&self, name: &[u8]) -> usize {
        self.0.place(name)
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
        self.0.pages.iter().any(|page| page.changed_since(moment))
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
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], FileRecord)> {
        self.0.pages.iter().flat_map(|page| (0..page.len()).map(|at| (page.name(at), page.record(at))))
    }

    /// The names, in order.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.pages.iter().flat_map(|page| (0..page.len()).map(|at| page.name(at)))
    }

    /// The files, in order of their names.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = FileRecord> {
        self.0.pages.iter().flat_map(|page| (0..page.len()).map(|at| page.record(at)))
    }

    /// Those of which `keep` says so.
    pub fn filter(&self, keep: impl Fn(&[u8]) -> bool) -> Self {
        let mut builder = FilesBuilder::default();
        let mut first = 0;
        for (at, name) in self.names().enumerate() {
            if !keep(name) {
                builder.extend(self, first..at);
                first = at + 1;
            }
        }
        builder.extend(self, first..self.len());
        builder.finish()
    }

    /// These and `others` side by side, in order of names.
    pub fn beside<'a>(&'a self, others: &'a Self) -> impl Iterator<Item = Beside> {
        let (mut our, mut their) = (0, 0);
        std::iter::from_fn(move || {
            let order = match (our < self.len(), their < others.len()) {
                (false, false) => return None,
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (true, true) => {
                    if let Some(length) = self.shared_page(our, others, their) {
                        let shared = Beside::Shared(our..our + length, their);
                        (our, their) = (our + length, their + length);
                        return Some(shared);
                    }
                    self.name_at(our).cmp(others.name_at(their))
                }
            };
            let pair = match order {
                Ordering::Less => Beside::Ours(our),
                Ordering::Equal => Beside::Both(our, their),
                Ordering::Greater => Beside::Theirs(their),
            };
            (our, their) = (our + usize::from(order.is_le()), their + usize::from(order.is_ge()));
            Some(pair)
        })
    }

    /// The length of the page that begins at these places in both, if it is the same one.
    fn shared_page(&self, our: usize, others: &Self, their: usize) -> Option<usize> {
        let ((our_page, 0), (their_page, 0)) = (self.0.find(our), others.0.find(their)) else { return None };
        let (our, their) = (&self.0.pages[our_page], &others.0.pages[their_page]);
        Arc::ptr_eq(our, their).then(|| our.len())
    }

    /// The names, in order and as far as `covers` says so, at which these and `others` are not the same data.
    pub fn unlike(&self, others: &Self, covers: &dyn Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
        let names = self.beside(others).filter_map(|pair| match pair {
            Beside::Shared(..) => None,
            Beside::Ours(our) => Some(self.name_at(our)),
            Beside::Theirs(their) => Some(others.name_at(their)),
            Beside::Both(our, their) => {
                let is_same = self.record_at(our).is_same_data(&others.record_at(their));
                (!is_same).then(|| self.name_at(our))
            }
        });
        names.filter(|name| covers(name)).map(<[u8]>::to_vec).collect()
    }

    /// These, but with what `changes` say of each name: the file that lies there, or `None` for none.
    pub fn changed(&self, changes: &BTreeMap<Vec<u8>, Option<FileRecord>>) -> Self {
        let mut builder = FilesBuilder::default();
        let mut first = 0;
        for (name, file) in changes {
            let at = self.0.place(name);
            builder.extend(self, first..at);
            file.iter().for_each(|file| builder.push(name, file));
            first = at + usize::from(at < self.len() && self.name_at(at) == name);
        }
        builder.extend(self, first..self.len());
        builder.finish()
    }

    /// These together with `others`, whose word counts where both have a name.
    pub fn overlaid(&self, others: &Self) -> Self {
        let mut builder = FilesBuilder::default();
        for pair in self.beside(others) {
            match pair {
                Beside::Shared(ours, _) => builder.extend(self, ours),
                Beside::Ours(our) => builder.extend(self, our..our + 1),
                Beside::Theirs(their) | Beside::Both(_, their) => builder.extend(others, their..their + 1),
            }
        }
        builder.finish()
    }

    /// A way to look up names that come in order.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor { files: self, at: 0 }
    }
}

/// What two of them have at a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beside {
    /// The same files, in all that is known of them: places in these, and the first place in the others.
    Shared(Range<usize>, usize),
    /// A file each: the places.
    Both(usize, usize),
    /// Only these have one.
    Ours(usize),
    /// Only the others have one.
    Theirs(usize),
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
pub struct FilesBuilder {
    done: Pages,
    page: Page,
}

impl FilesBuilder {
    /// Takes the next file, whose name comes after all before.
    pub fn push(&mut self, name: &[u8], file: &FileRecord) {
        debug_assert!(self.last_name().is_none_or(|last| last < name), "order");
        self.page.push(name, file);
        if self.page.len() == PAGE {
            self.end_page();
        }
    }

    fn last_name(&self) -> Option<&[u8]> {
        let last = Some(&self.page).filter(|page| page.len() > 0);
        last.or(self.done.pages.last().map(Arc::as_ref)).map(Page::last_name)
    }

    /// Takes the next files from these places of `files`; whole pages are shared.
    pub fn extend(&mut self, files: &Files, places: Range<usize>) {
        let mut at = places.start;
        while at < places.end {
            let (number, place) = files.0.find(at);
            let page = &files.0.pages[number];
            let length = (page.len() - place).min(places.end - at);
            if length == page.len() {
                self.end_page();
                self.take_page(Arc::clone(page));
            } else {
                (place..place + length).for_each(|place| self.push(page.name(place), &page.record(place)));
            }
            at += length;
        }
    }

    fn end_page(&mut self) {
        if self.page.len() > 0 {
            let page = std::mem::take(&mut self.page).trimmed();
            self.take_page(Arc::new(page));
        }
    }

    fn take_page(&mut self, page: Arc<Page>) {
        self.done.starts.push(self.done.len);
        self.done.len += page.len();
        self.done.pages.push(page);
    }

    /// The files.
    pub fn finish(mut self) -> Files {
        self.end_page();
        Files(Arc::new(self.done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::data::worktree::Fingerprint;
    use crate::objects::tree::EntryKind;

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
    #[test]
    fn who_differs_in_a_few_files_shares_all_other_pages() {
        let name = |number: usize| format!("{number:06}").into_bytes();
        let all: BTreeMap<_, _> = (0..10 * PAGE).map(|number| (name(2 * number), file("1"))).collect();
        let files = Files::from(all.clone());
        let gone = (4 * PAGE..6 * PAGE + 7).map(|number| (name(2 * number), None));
        let come = (0..PAGE).map(|number| ([&name(200)[..], &name(number)].concat(), Some(file("new"))));
        let changes: BTreeMap<_, _> = gone.chain(come).chain([(name(6), Some(file("x")))]).collect();
        let changed = files.changed(&changes);
        let mut wanted = all;
        for (name, file) in &changes {
            match file {
                Some(file) => drop(wanted.insert(name.clone(), *file)),
                None => drop(wanted.remove(name)),
            }
        }
        assert!(changed == Files::from(wanted.clone()));
        assert!(
            wanted.iter().eq(changed
                .iter()
                .map(|(name, file)| (name.to_vec(), file))
                .collect::<BTreeMap<_, _>>()
                .iter())
        );
        for (at, name) in wanted.keys().enumerate() {
            assert_eq!((changed.name_at(at), changed.place_of(name)), (name.as_slice(), Some(at)));
        }
        let shared = files.beside(&changed).filter(|pair| matches!(pair, Beside::Shared(..))).count();
        assert_eq!(shared, 6, "of ten pages one has news and three have gaps");
        let told: Vec<_> = changes.into_keys().collect();
        assert_eq!(changed.unlike(&files, &|_| true), told);
        let part = changed.filter(|name| *name != b"000006"[..] && *name < b"002000"[..]);
        assert_eq!(part.len(), wanted.range(..b"002000".to_vec()).count() - 1);
        assert!(files.overlaid(&changed).len() == files.len() + PAGE);
        assert!(files.filter(|_| true) == files && files != changed);
    }
}
