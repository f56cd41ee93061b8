//! One new version, made from what is on the disk and what is taken over.

use std::sync::{Mutex, PoisonError};

use crate::base::{Progress, RepoPath};
use crate::data::compose::{Composed, OnDisk, Taking, compose, is_within};
use crate::data::content::{ContentReader, Intake, WholeRoots};
use crate::data::root::RootName;
use crate::data::shape::{self, TableObserver};
use crate::data::status::counts;
use crate::data::versions;
use crate::data::workspace::Workspace;
use crate::data::worktree::{FileRecord, Files, PathRecord, Reading, Survey, WorktreeRecord, colliding};
use crate::objects::item::ItemKind;
use crate::objects::pointer::{Pointer, PointerKind};
use crate::objects::shape::Shape;
use crate::storage::store::Store;

use super::{AddError, Added};

/// One tracked path and the parts of it that are to be added.
pub(super) struct Target {
    pub(super) path: RepoPath,
    pub(super) scopes: Vec<Vec<u8>>,
    pub(super) before: Option<Pointer>,
}

impl Target {
    /// Whether the file `name` below it is to be added.
    pub(super) fn covers(&self, name: &[u8]) -> bool {
        self.scopes.iter().any(|scope| is_within(name, scope))
    }

    /// Whether all of it is to be added.
    fn is_whole(&self) -> bool {
        self.scopes.iter().any(Vec::is_empty)
    }

    /// Whether the pointer has to change: one that stays needs no new shape.
    fn renews(&self, root: &RootName) -> bool {
        !self.before.as_ref().is_some_and(|before| RootName::from(before).is_same(root))
    }
}

/// A new version that is in the store, and what is to be written of it.
pub(super) struct Version {
    pub(super) target: Target,
    pub(super) pointer: Pointer,
    pub(super) record: PathRecord,
    pub(super) added: Added,
}

impl Version {
    /// As a push knows it.
    pub(super) fn as_named(&self) -> versions::Version {
        let (path, root) = (self.target.path.clone(), RootName::from(&self.pointer));
        versions::Version { path, root, commit: None }
    }
}

/// Where versions are made from and where they go.
pub(super) struct Site<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) intake: &'a Intake<'a>,
    pub(super) record: &'a WorktreeRecord,
    pub(super) whole: &'a WholeRoots<'a>,
    pub(super) taking: Taking,
}

/// Puts the new version of one target into the store.
///
/// # Errors
///
/// [`AddError`].
pub(super) fn store_version(
    site: &Site<'_>,
    target: Target,
    survey: Survey,
    progress: &Progress,
) -> Result<Version, AddError> {
    let known = site.record.get(&target.path);
    // The shape of a table comes from the same read.
    let observer = TableObserver::of(&target.path).filter(|_| survey.is_unread_file()).map(Mutex::new);
    let reading = match &observer {
        Some(observer) => Reading::Observed(site.intake, observer),
        None => Reading::Into(site.intake),
    };
    let files = survey.read(site.record, known, reading, progress)?.files;
    refuse_vanished(&target, &files)?;
    let damaged = site.record.damaged(&target.path, &files).into_iter().filter(|name| target.covers(name));
    let names: Vec<_> = damaged.collect();
    if !names.is_empty() && site.taking == Taking::Changes {
        return Err(AddError::Damaged { path: target.path, names });
    }
    let nothing = Files::default();
    let colliding = colliding(&files, known.map_or(&nothing, |known| &known.files)).into_iter();
    let shown = |name: &[u8]| format!("{}/{}", target.path, String::from_utf8_lossy(name));
    let colliding = colliding.map(|(one, other)| (shown(&one), shown(&other))).collect();
    let observed = observer.map(|observer| observer.into_inner().unwrap_or_else(PoisonError::into_inner));
    let made = match files.get(b"") {
        Some(file) => file_version(site.workspace.store(), &target, &file, observed),
        None => match unchanged(site, &target, &files, known) {
            Some(made) => made,
            None => tree_version(site, &target, &files, known)?,
        },
    };
    let Made { root, shape, absent, behind, is_on_disk, count } = made;
    let base = target.before.as_ref().map(RootName::from);
    let older = known.map(|known| known.root).filter(|from| base.is_some_and(|base| !base.is_same(from)));
    // Changes of a directory are united with those of its pointer.
    let edited_from = older.filter(|_| site.taking != Taking::Changes || root.kind == PointerKind::File);
    let added = Added {
        path: target.path.clone(),
        kind: root.kind,
        files: count,
        bytes: root.size,
        version: root.id,
        before: base.map(|base| base.id),
        absent,
        behind,
        edited_from: edited_from.map(|from| from.id),
        colliding,
        in_place: false,
    };
    let pointer = new_pointer(&root, shape, target.before.as_ref());
    // Where something of an older version stays here, all of it is still to be brought in step.
    let complete = target.is_whole() && is_on_disk;
    let root = older.filter(|_| !complete).unwrap_or(root);
    let record = PathRecord { root, files: recorded(files, &target, known), complete };
    Ok(Version { target, pointer, record, added })
}

/// A new version that is in the store.
struct Made {
    root: RootName,
    shape: Option<Shape>,
    /// Files of it that are not here.
    absent: u64,
    /// Files of which an older version is here.
    behind: u64,
    /// Whether it is just what lies on the disk.
    is_on_disk: bool,
    /// All its files.
    count: u64,
}

fn file_version(store: &Store, target: &Target, file: &FileRecord, observed: Option<TableObserver>) -> Made {
    let (id, manifest, size) = (file.id, file.manifest, file.fingerprint.size);
    let root = RootName { kind: PointerKind::File, id, manifest, size };
    let stored = || {
        let content = ContentReader::open(store, id, manifest, size).ok()?;
        shape::of_file(&target.path, content)
    };
    let shape = target.renews(&root).then(|| observed.map_or_else(stored, TableObserver::finish));
    Made { root, shape: shape.flatten(), absent: 0, behind: 0, is_on_disk: true, count: 1 }
}

/// The version that the pointer names, if all of it is here as it was, and in the store.
fn unchanged(site: &Site<'_>, target: &Target, files: &Files, known: Option<&PathRecord>) -> Option<Made> {
    let (before, known) = (target.before.as_ref()?, known?);
    let root = RootName::from(before);
    let is_of_pointer = known.complete && known.root.is_same(&root) && site.whole.has(&root);
    let (count, _) = counts(site.workspace.store(), before);
    let made = Made { root, shape: None, absent: 0, behind: 0, is_on_disk: true, count };
    (is_of_pointer && target.is_whole() && *files == known.files).then_some(made)
}

fn tree_version(
    site: &Site<'_>,
    target: &Target,
    files: &Files,
    known: Option<&PathRecord>,
) -> Result<Made, AddError> {
    let base = target.before.as_ref().map(RootName::from);
    let mixed = site.record.interrupted(&target.path).is_some();
    let disk = OnDisk { path: &target.path, scopes: &target.scopes, files, mixed };
    let composed = compose(site.workspace.store(), &disk, base.as_ref(), known, site.taking)?;
    // What is outside of the parts is as it was recorded then.
    let all;
    let files = match composed.is_change() && !target.is_whole() {
        true => {
            all = recorded(files.clone(), target, known);
            &all
        }
        false => files,
    };
    let start = target.path.under(site.workspace.top());
    let mut put = |id, node: &[u8]| site.intake.put(id, ItemKind::Tree, node);
    // Nodes that the store may lack are made anew.
    let kept = base.filter(|base| site.whole.has(base));
    let tree = composed.store(&start, site.workspace.store(), kept.as_ref(), files, &mut put)?;
    let root = RootName { kind: PointerKind::Tree, id: tree.id, manifest: None, size: tree.size };
    let shape = target.renews(&root).then(|| tree_shape(&composed, files, target.before.as_ref()));
    let (absent, behind, is_on_disk) = (composed.absent, composed.behind, composed.is_on_disk());
    Ok(Made { root, shape: shape.flatten(), absent, behind, is_on_disk, count: tree.files })
}

/// A part that was there when it was named and is gone now was moved away meanwhile, not deleted.
fn refuse_vanished(target: &Target, files: &Files) -> Result<(), AddError> {
    let is_gone = |scope: &&Vec<u8>| !scope.is_empty() && !files.contains(scope) && !files.has_below(scope);
    match target.scopes.iter().find(is_gone) {
        None => Ok(()),
        Some(scope) => {
            let path = format!("{}/{}", target.path, String::from_utf8_lossy(scope));
            Err(AddError::Absent(RepoPath::new(path)?))
        }
    }
}

/// The shape of a tree: from its leaves, or where not all of them are known, from what differs from the last version.
fn tree_shape(composed: &Composed, files: &Files, before: Option<&Pointer>) -> Option<Shape> {
    shape::of_tree(composed.leaves(files)).or_else(|| {
        let before = before?.shape.as_ref()?;
        let leaves = composed.leaves(files).map(|(name, entry)| (name.to_owned(), entry)).collect();
        shape::of_changed_tree(before, &composed.before, &leaves)
    })
}

/// What this worktree holds after the add: what was added, and what was recorded outside of it.
fn recorded(files: Files, target: &Target, known: Option<&PathRecord>) -> Files {
    match known.filter(|_| !target.is_whole()) {
        Some(known) => known.files.filter(|name| !target.covers(name)).overlaid(&files),
        None => files,
    }
}

/// The pointer of a version. One that names the same content stays as it is, shape and unknown keys included.
fn new_pointer(root: &RootName, shape: Option<Shape>, before: Option<&Pointer>) -> Pointer {
    let mut pointer = match root.kind {
        PointerKind::File => Pointer::file(root.id, root.size, root.manifest),
        PointerKind::Tree => Pointer::tree(root.id, root.size),
    };
    match before {
        Some(before) if before.same_content(&pointer) => before.clone(),
        _ => {
            pointer.unknown = before.map(|before| before.unknown.clone()).unwrap_or_default();
            pointer.with_shape(shape)
        }
    }
}
