//! What a checkout would write, remove and leave, decided before anything is touched.

use std::collections::BTreeMap;

use crate::data::compose::is_within;
use crate::data::worktree::{FileRecord, Files, PathRecord};
use crate::objects::tree::{EntryKind, TreeEntry};

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

/// What is to be done at one tracked path.
#[derive(Debug, Default)]
pub struct Plan {
    /// Files that are to be written.
    pub write: BTreeMap<Vec<u8>, TreeEntry>,
    /// Files that were materialised, are unmodified, and are not in the version.
    pub remove: Vec<Vec<u8>>,
    /// Files that are already what the version says.
    pub keep: BTreeMap<Vec<u8>, FileRecord>,
    /// Modified files that would be overwritten or removed.
    pub modified: BTreeMap<Vec<u8>, FileRecord>,
}

/// Plans how `disk` becomes `version`, given what was written or added last.
pub fn plan(
    version: &BTreeMap<Vec<u8>, TreeEntry>,
    disk: &Files,
    record: Option<&PathRecord>,
    wanted: Wanted<'_>,
) -> Plan {
    let mut plan = Plan::default();
    let recorded = |name: &[u8]| record.and_then(|record| record.files.get(name));
    for (name, entry) in version {
        match disk.get(name) {
            Some(here) if here.is_leaf(entry) => {
                plan.keep.insert(name.clone(), with_manifest(&here, entry));
            }
            _ if !is_wanted(name, record, wanted) => {}
            Some(here) => {
                if !recorded(name).is_some_and(|old| here.is_same_data(&old)) {
                    plan.modified.insert(name.clone(), here);
                }
                plan.write.insert(name.clone(), entry.clone());
            }
            None => {
                plan.write.insert(name.clone(), entry.clone());
            }
        }
    }
    for (name, here) in disk.iter().filter(|(name, _)| !version.contains_key(*name)) {
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
    let here = record.is_some_and(|record| record.files.contains(name));
    match wanted {
        Wanted::All => true,
        Wanted::Below(scopes) => here || scopes.iter().any(|scope| is_within(name, scope)),
        Wanted::AsBefore { last } => here || record.is_some_and(|record| record.files.len() >= last),
    }
}

fn with_manifest(here: &FileRecord, entry: &TreeEntry) -> FileRecord {
    FileRecord { id: entry.id, manifest: entry.manifest, ..*here }
}

/// Whether something that lies at `name` keeps a file of `write` from being written: it is a file where a folder is
/// wanted, or lies in a folder where a file is wanted.
pub(super) fn stands_in_the_way(name: &[u8], write: &BTreeMap<Vec<u8>, TreeEntry>) -> bool {
    let below = [name, b"/"].concat();
    let folder_wanted = write.range(below.clone()..).next().is_some_and(|(path, _)| path.starts_with(&below));
    let ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let is_file = |entry: &TreeEntry| entry.kind != EntryKind::Directory;
    let file_wanted =
        ends.chain((!name.is_empty()).then_some(0)).any(|end| write.get(&name[..end]).is_some_and(is_file));
    folder_wanted || file_wanted
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

    fn entry(content: &str) -> TreeEntry {
        file(content).leaf()
    }

    fn names<T>(map: &BTreeMap<Vec<u8>, T>) -> Vec<String> {
        map.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    fn record(files: &[(&str, &str)]) -> PathRecord {
        let root = RootName { kind: PointerKind::Tree, id: Digest::ZERO, manifest: None, size: 0 };
        PathRecord { root, files: disk(files), complete: false }
    }

    fn disk(files: &[(&str, &str)]) -> Files {
        let files = files.iter().map(|(name, content)| (name.as_bytes().to_vec(), file(content)));
        Files::from(files.collect::<BTreeMap<_, _>>())
    }

    fn version(files: &[(&str, &str)]) -> BTreeMap<Vec<u8>, TreeEntry> {
        files.iter().map(|(name, content)| (name.as_bytes().to_vec(), entry(content))).collect()
    }

    #[test]
    fn unmodified_files_follow_and_modified_and_foreign_ones_do_not() {
        let last = record(&[("a", "1"), ("b", "1"), ("gone", "1"), ("edited", "1")]);
        let here = disk(&[("a", "1"), ("b", "changed"), ("gone", "1"), ("edited", "2"), ("mine", "x")]);
        let plan = plan(&version(&[("a", "2"), ("b", "2"), ("new", "1")]), &here, Some(&last), Wanted::All);
        assert_eq!(names(&plan.write), ["a", "b", "new"]);
        assert_eq!(names(&plan.modified), ["b", "edited"]);
        assert_eq!(plan.remove, [b"edited".to_vec(), b"gone".to_vec()]);
    }

    #[test]
    fn a_foreign_file_is_in_the_way_of_a_folder_and_the_other_way_round() {
        let plan_of = |here, wanted| plan(&version(wanted), &disk(here), None, Wanted::All);
        assert_eq!(names(&plan_of(&[("a", "mine")], &[("a/b", "1")]).modified), ["a"]);
        assert_eq!(names(&plan_of(&[("a/b", "mine")], &[("a", "1")]).modified), ["a/b"]);
        assert_eq!(
            names(&plan_of(&[("a/b", "mine")], &[("", "1")]).modified),
            ["a/b"],
            "a file root over a folder"
        );
        assert!(plan_of(&[("a/b", "mine")], &[("a/c", "1")]).modified.is_empty());
    }

    #[test]
    fn a_part_stays_a_part() {
        let last = record(&[("cats/1", "1")]);
        let here = disk(&[("cats/1", "1")]);
        let next = version(&[("cats/1", "2"), ("dogs/1", "1"), ("cats/2", "1")]);
        let as_before = plan(&next, &here, Some(&last), Wanted::AsBefore { last: 2 });
        assert_eq!(names(&as_before.write), ["cats/1"]);
        let below = plan(&next, &here, Some(&last), Wanted::Below(&[b"dogs".to_vec()]));
        assert_eq!(names(&below.write), ["cats/1", "dogs/1"]);
        let whole = plan(&next, &here, Some(&last), Wanted::AsBefore { last: 1 });
        assert_eq!(names(&whole.write), ["cats/1", "cats/2", "dogs/1"]);
    }
}
