//! What a checkout would write, remove and leave, decided before anything is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::data::compose::is_within;
use crate::data::worktree::{Beside, FileRecord, Files, PathRecord};
use crate::objects::tree::EntryKind;

/// Which files of a version are wanted here.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// All of them.
    All,
    /// Those at or below these paths, and those that are here already.
    Below(&'a [Vec<u8>]),
    /// As many as before: all if all of the last version were here, else those that are here already.
    AsBefore {
        /// Files of the version that was materialised last.
        last: usize,
    },
}

/// What is to be done at one tracked path. Of a million files it holds numbers, no names.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files that are to be written.
    pub write: Chosen,
    /// Files that were materialised, are unmodified, and are not in the version.
    pub remove: Vec<Vec<u8>>,
    /// Files that are already what the version says: their places in the version, and the first of those on the disk.
    pub keep: Vec<(Range<usize>, usize)>,
    /// Modified files that would be overwritten or removed.
    pub modified: BTreeMap<Vec<u8>, FileRecord>,
    /// Files that would be overwritten or removed, and hold other bytes than were written although nobody wrote to them.
    pub damaged: BTreeMap<Vec<u8>, FileRecord>,
}

impl Plan {
    /// Keeps files that lie side by side in the version and on the disk.
    fn keep_all(&mut self, places: Range<usize>, at: usize) {
        match self.keep.last_mut() {
            Some((run, first)) if run.end == places.start && *first + run.len() == at => run.end = places.end,
            _ => self.keep.push((places, at)),
        }
    }

    /// Takes the damaged files out of those that are modified.
    pub fn tell_damaged(&mut self, names: &BTreeSet<Vec<u8>>) {
        let (damaged, modified) =
            std::mem::take(&mut self.modified).into_iter().partition(|(name, _)| names.contains(name));
        (self.damaged, self.modified) = (damaged, modified);
    }
}

/// Some of the files of a version.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    version: Files,
    /// Their places, in order.
    places: Vec<usize>,
}

impl Chosen {
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.places.len()
    }

    /// The place of each in the version, in order, which is the order of their names.
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// The version that they are of.
    pub const fn version(&self) -> &Files {
        &self.version
    }

    /// The files, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], FileRecord)> {
        self.places.iter().map(|place| (self.version.name_at(*place), self.version.record_at(*place)))
    }

    /// The file of this name, if it is one of them.
    pub fn get(&self, name: &[u8]) -> Option<FileRecord> {
        let place = self.version.place_of(name).filter(|place| self.places.binary_search(place).is_ok());
        place.map(|place| self.version.record_at(place))
    }

    /// Whether any of them lies below the folder `path`.
    pub fn has_below(&self, path: &[u8]) -> bool {
        let below = self.version.places_below(path);
        let first = self.places.partition_point(|place| *place < below.start);
        self.places.get(first).is_some_and(|place| below.contains(place))
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.iter().map(|(_, file)| file.size()).sum()
    }
}

/// Plans how `disk` becomes `version`, given what was written or added last.
pub fn plan(version: &Files, disk: &Files, record: Option<&PathRecord>, wanted: Wanted<'_>) -> Plan {
    let mut plan = Plan { write: Chosen { version: version.clone(), places: Vec::new() }, ..Plan::default() };
    let recorded = |name: &[u8]| record.and_then(|record| record.files.get(name));
    let mut others = Vec::new();
    for pair in version.beside(disk) {
        match pair {
            Beside::Shared(places, at) => plan.keep_all(places, at),
            Beside::Both(place, at) if disk.record_at(at).is_same_data(&version.record_at(place)) => {
                plan.keep_all(place..place + 1, at);
            }
            Beside::Theirs(at) => others.push(at),
            Beside::Ours(place) | Beside::Both(place, _)
                if !is_wanted(version.name_at(place), record, wanted) => {}
            Beside::Both(place, at) => {
                let (name, here) = (version.name_at(place), disk.record_at(at));
                if !recorded(name).is_some_and(|old| here.is_same_data(&old)) {
                    plan.modified.insert(name.to_owned(), here);
                }
                plan.write.places.push(place);
            }
            Beside::Ours(place) => plan.write.places.push(place),
        }
    }
    for at in others {
        let (name, here) = (disk.name_at(at), disk.record_at(at));
        let in_the_way = stands_in_the_way(name, &plan.write);
        match recorded(name) {
            Some(old) if here.is_same_data(&old) => plan.remove.push(name.to_owned()),
            Some(_) => {
                plan.modified.insert(name.to_owned(), here);
                plan.remove.push(name.to_owned());
            }
            None if in_the_way && here.kind != EntryKind::Directory => {
                plan.modified.insert(name.to_owned(), here);
                plan.remove.push(name.to_owned());
            }
            None if in_the_way => plan.remove.push(name.to_owned()),
            None => {}
        }
    }
    plan
}

fn is_wanted(name: &[u8], record: Option<&PathRecord>, wanted: Wanted<'_>) -> bool {
    let here = || record.is_some_and(|record| record.files.contains(name));
    match wanted {
        Wanted::All => true,
        Wanted::Below(scopes) => here() || scopes.iter().any(|scope| is_within(name, scope)),
        Wanted::AsBefore { last } => record.is_some_and(|record| record.files.len() >= last) || here(),
    }
}

/// Whether something that lies at `name` keeps a file of `write` from being written: it is a file where a folder is
/// wanted, or lies in a folder where a file is wanted.
pub(super) fn stands_in_the_way(name: &[u8], write: &Chosen) -> bool {
    let ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let is_file = |file: FileRecord| file.kind != EntryKind::Directory;
    let file_wanted =
        ends.chain((!name.is_empty()).then_some(0)).any(|end| write.get(&name[..end]).is_some_and(is_file));
    file_wanted || write.has_below(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::data::root::RootName;
    use crate::data::worktree::Fingerprint;
    use crate::objects::pointer::PointerKind;

    fn file(content: &str) -> FileRecord {
        let (id, fingerprint) = (Digest::of(content.as_bytes()), Fingerprint::default());
        FileRecord { kind: EntryKind::File, executable: false, fingerprint, id, manifest: None }
    }

    fn shown(name: &[u8]) -> String {
        String::from_utf8_lossy(name).into_owned()
    }

    fn written(plan: &Plan) -> Vec<String> {
        plan.write.iter().map(|(name, _)| shown(name)).collect()
    }

    fn modified(plan: &Plan) -> Vec<String> {
        plan.modified.keys().map(|name| shown(name)).collect()
    }

    fn record(files: &[(&str, &str)]) -> PathRecord {
        let root = RootName { kind: PointerKind::Tree, id: Digest::ZERO, manifest: None, size: 0 };
        PathRecord { root, files: disk(files), complete: false }
    }

    fn disk(files: &[(&str, &str)]) -> Files {
        let files = files.iter().map(|(name, content)| (name.as_bytes().to_vec(), file(content)));
        Files::from(files.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn unmodified_files_follow_and_modified_and_foreign_ones_do_not() {
        let last = record(&[("a", "1"), ("b", "1"), ("gone", "1"), ("edited", "1")]);
        let here = disk(&[("a", "1"), ("b", "changed"), ("gone", "1"), ("edited", "2"), ("mine", "x")]);
        let plan = plan(&disk(&[("a", "2"), ("b", "2"), ("new", "1")]), &here, Some(&last), Wanted::All);
        assert_eq!(written(&plan), ["a", "b", "new"]);
        assert_eq!(modified(&plan), ["b", "edited"]);
        assert_eq!(plan.remove, [b"edited".to_vec(), b"gone".to_vec()]);
    }

    #[test]
    fn a_foreign_file_is_in_the_way_of_a_folder_and_the_other_way_round() {
        let plan_of = |here, wanted| plan(&disk(wanted), &disk(here), None, Wanted::All);
        assert_eq!(modified(&plan_of(&[("a", "mine")], &[("a/b", "1")])), ["a"]);
        assert_eq!(modified(&plan_of(&[("a/b", "mine")], &[("a", "1")])), ["a/b"]);
        assert_eq!(
            modified(&plan_of(&[("a/b", "mine")], &[("", "1")])),
            ["a/b"],
            "a file root over a folder"
        );
        assert!(plan_of(&[("a/b", "mine")], &[("a/c", "1")]).modified.is_empty());
    }

    #[test]
    fn a_part_stays_a_part() {
        let last = record(&[("cats/1", "1")]);
        let here = disk(&[("cats/1", "1")]);
        let next = disk(&[("cats/1", "2"), ("dogs/1", "1"), ("cats/2", "1")]);
        let as_before = plan(&next, &here, Some(&last), Wanted::AsBefore { last: 2 });
        assert_eq!(written(&as_before), ["cats/1"]);
        let below = plan(&next, &here, Some(&last), Wanted::Below(&[b"dogs".to_vec()]));
        assert_eq!(written(&below), ["cats/1", "dogs/1"]);
        let whole = plan(&next, &here, Some(&last), Wanted::AsBefore { last: 1 });
        assert_eq!(written(&whole), ["cats/1", "cats/2", "dogs/1"]);
    }
}
