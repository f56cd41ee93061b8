//! What is ours where a switch was cut short: files of the versions that it came from and went to, told by their bytes.
//!
//! Such files are unmodified, whichever of the versions they are of. So the switch goes on, or back, or to any other
//! version, and never over a file that a person edited meanwhile.

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::{Digest, Progress, RepoPath};
use crate::data::compose::is_within;
use crate::data::content::remains_of;
use crate::data::root::RootName;
use crate::objects::tree::EntryKind;
use crate::storage::store::Store;

use super::switch::Switch;
use super::{FileRecord, Files, PathRecord, WorktreeRecord, located, snapshot};

/// A switch that was cut short, and what it left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupted {
    /// The version that it went to.
    pub to: Digest,
    /// The parts of it that were wanted, by path below; none: all.
    pub parts: Vec<Vec<u8>>,
    /// Files of that version that are here.
    pub here: u64,
    /// Files of it that were wanted here.
    pub of: u64,
    /// Files, by path below, of which a power cut left a part.
    pub damaged: Vec<Vec<u8>>,
}

/// What came of one switch.
enum Left {
    /// It had not begun, or nothing of ours is there: the record holds.
    Nothing,
    /// It was a removal, and all is removed.
    Removed,
    /// What is there is of one version.
    One(PathRecord),
    /// What is there is of several.
    Mix(PathRecord, Interrupted),
}

impl WorktreeRecord {
    /// Finds out what the switches left that were cut short. From then on the record is of what lies there, as far as it is
    /// ours, and [`WorktreeRecord::interrupted`] tells of what is of several versions. Where it cannot be found out (the
    /// store lacks a version), all stays as it was. Without such a switch this does nothing.
    pub fn settle(&mut self, store: &Store, top: &Path, progress: &Progress) {
        for (path, switch) in self.switches_left() {
            let Some(left) = self.left_of(store, top, &path, &switch, progress) else { continue };
            match left {
                Left::Nothing => self.end_switch(&path),
                Left::Removed => drop(self.remove(&path)),
                Left::One(record) => {
                    self.end_switch(&path);
                    self.set(path, record);
                }
                Left::Mix(record, interrupted) => {
                    self.set_interrupted(path.clone(), interrupted);
                    self.set(path, record);
                }
            }
        }
        // Not being able to note it costs the next command some time, nothing else.
        let _ = self.save(true);
    }

    /// `None` where it cannot be told.
    fn left_of(
        &self,
        store: &Store,
        top: &Path,
        path: &RepoPath,
        switch: &Switch,
        progress: &Progress,
    ) -> Option<Left> {
        let known = self.get(path);
        let found = snapshot(top, path, self, known, progress).ok()?;
        let found = found.map(|found| found.files).unwrap_or_default();
        let nothing = Files::default();
        let recorded = known.map_or(&nothing, |known| &known.files);
        let is_way = |part: &[u8], folder: &[u8]| is_within(part, folder) || is_within(folder, part);
        let enter = |folder: &[u8]| {
            let is_wanted = switch.parts.is_empty() || switch.parts.iter().any(|part| is_way(part, folder));
            is_wanted || found.has_below(folder) || recorded.has_below(folder)
        };
        let files = |root: &RootName| root.files(store, &enter).ok();
        let versions = switch.versions.iter().map(files).collect::<Option<Vec<_>>>()?;
        let old = known.map_or(Some(Files::default()), |known| files(&known.root));
        let (root, to) = (switch.versions.last()?, versions.last()?);
        let ours = ours(recorded, &found, &versions);
        let is_removal = root.is_same(&RootName::nothing());
        let damaged = match switch.is_before_boot() {
            true => {
                // Where the record has the stat of what was written, that tells.
                let is_recorded = |name: &[u8]| {
                    let old = recorded.get(name);
                    old.is_some_and(|old| to.get(name).is_some_and(|file| old.is_same_data(&file)))
                };
                let unseen = found.filter(|name| !is_recorded(name));
                damaged_by_cut(store, &path.under(top), &unseen, &ours, &versions)
            }
            false => Vec::new(),
        };
        if ours.is_empty() && damaged.is_empty() {
            return Some(if is_removal { Left::Removed } else { Left::Nothing });
        }
        let wanted = |name: &[u8]| {
            let is_part = switch.parts.is_empty() || switch.parts.iter().any(|part| is_within(name, part));
            is_part || ours.contains(name) || recorded.contains(name)
        };
        let is_here =
            |name: &[u8], file: &FileRecord| ours.get(name).is_some_and(|ours| ours.is_same_data(file));
        let count = |chosen: &dyn Fn(&[u8], &FileRecord) -> bool| {
            let files = to.iter().filter(|(_, file)| file.kind != EntryKind::Directory);
            files.filter(|(name, file)| chosen(name, file)).count() as u64
        };
        let is_of = |version: &Files| {
            ours.iter().all(|(name, file)| version.get(name).is_some_and(|other| other.is_same_data(&file)))
        };
        if is_of(to) && to.iter().all(|(name, file)| !wanted(name) || is_here(name, &file)) {
            let complete = switch.parts.is_empty();
            return Some(Left::One(PathRecord { root: *root, files: ours, complete }));
        }
        if damaged.is_empty()
            && let (Some(known), Some(old)) = (known, old)
            && is_of(&old)
            && !is_removal
        {
            let is_whole = ours.len() == known.files.len();
            let record = PathRecord { root: known.root, files: ours, complete: false };
            return Some(if is_whole { Left::Nothing } else { Left::One(record) });
        }
        let (here, of) = (count(&|name, entry| is_here(name, entry)), count(&|name, _| wanted(name)));
        let interrupted = Interrupted { to: root.id, parts: switch.parts.clone(), here, of, damaged };
        let root = known.map_or(*root, |known| known.root);
        Some(Left::Mix(PathRecord { root, files: ours, complete: false }, interrupted))
    }
}

/// Files that are not ours as they are, and hold only what a switch wrote before the power went.
fn damaged_by_cut(
    store: &Store,
    start: &Path,
    found: &Files,
    ours: &Files,
    versions: &[Files],
) -> Vec<Vec<u8>> {
    let strangers = found.iter().filter(|(name, here)| {
        here.kind == EntryKind::File && !ours.get(name).is_some_and(|ours| ours.is_same_data(here))
    });
    let is_part = |name: &[u8]| {
        let mut files = versions.iter().filter_map(|version| version.get(name));
        let place = located(start, name);
        files.any(|file| file.kind == EntryKind::File && remains_of(store, &place, &file.leaf()))
    };
    strangers.filter(|(name, _)| is_part(name)).map(|(name, _)| name.to_owned()).collect()
}

/// Of `found`, what the record or one of the versions says at its name (folders in which a file was to be made, too), and
/// what of the record was edited or deleted by somebody else.
fn ours(recorded: &Files, found: &Files, versions: &[Files]) -> Files {
    let mut ours = BTreeMap::new();
    let is_folder =
        |name: &[u8]| recorded.has_below(name) || versions.iter().any(|version| version.has_below(name));
    for (name, here) in found.iter() {
        let old = recorded.get(name);
        let files = || versions.iter().rev().filter_map(|version| version.get(name));
        let file = match old {
            Some(old) if old.is_same_data(&here) => Some(FileRecord { manifest: old.manifest, ..here }),
            old => match files().find(|file| here.is_same_data(file)) {
                Some(file) => Some(FileRecord { id: file.id, manifest: file.manifest, ..here }),
                None if here.kind == EntryKind::Directory && is_folder(name) => Some(here),
                None => old,
            },
        };
        ours.extend(file.map(|file| (name.to_owned(), file)));
    }
    // A switch removes what its version lacks, and nothing else.
    let is_deleted =
        |name: &[u8]| !found.contains(name) && versions.iter().all(|version| version.contains(name));
    let deleted = recorded.iter().filter(|(name, _)| is_deleted(name));
    ours.extend(deleted.map(|(name, file)| (name.to_owned(), file)));
    Files::from(ours)
}
