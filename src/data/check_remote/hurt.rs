//! Which versions, commits and files damage hurts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::base::Digest;
use crate::data::collect_remote::CollectRemoteError;
use crate::data::collect_remote::moved::keeps;
use crate::data::collect_remote::survey::{Root, Survey};
use crate::data::transfer::TransferError;
use crate::data::transfer::known::{Part, parts_of};
use crate::data::versions::{self, Commits, Version};
use crate::data::workspace::Workspace;
use crate::objects::pointer::PointerKind;
use crate::objects::{ItemKind, Place, RootRecord};
use crate::storage::remote::Remote;
use crate::storage::remote_reader::{ReadError, RemoteReader, Wanted};

use super::inspect::{Harm, Hurt, named};

/// No more files are named for one version.
const MOST_FILES: usize = 1000;

/// What the damage hurts, one for each record.
pub(super) fn tell(
    workspace: &Workspace,
    remote: &Remote,
    survey: &Survey,
    harmed: &BTreeMap<Digest, Harm>,
) -> Result<Vec<Hurt>, CollectRemoteError> {
    let is_hurt = |root: &&Root| {
        root.packs.is_none()
            || named(root).iter().any(|pack| match keeps(survey, pack) {
                Some(kept) => kept.packs.iter().any(|pack| harmed.contains_key(pack)),
                None => true,
            })
    };
    let (hurt, whole): (Vec<_>, Vec<_>) = survey.roots.iter().partition(is_hurt);
    if hurt.is_empty() {
        return Ok(Vec::new());
    }
    let whole: BTreeSet<_> = whole.into_iter().map(|root| (root.name.repository, root.name.root)).collect();
    let mut versions = versions::committed(workspace).map_err(TransferError::from)?;
    versions.extend(versions::named(workspace, &Commits::All).map_err(TransferError::from)?);
    let reader = RemoteReader::new(remote);
    let mut told = Vec::new();
    for root in hurt {
        let name = root.name;
        let object = root.object();
        let record = RootRecord::decode(&remote.get(&object)?)?;
        let here: Vec<&Version> = versions.iter().filter(|version| version.root.id == name.root).collect();
        let commits = here.iter().filter_map(|version| version.commit.map(|commit| commit.to_string()));
        let commits: BTreeSet<_> = commits.chain(record.commits.iter().cloned()).collect();
        let paths: BTreeSet<_> = here.iter().map(|version| version.path.to_string()).collect();
        told.push(Hurt {
            root: name.root,
            object,
            repository: name.repository,
            commits: commits.into_iter().collect(),
            paths: paths.into_iter().collect(),
            files: files(workspace, &reader, root, &record, harmed)?,
            is_trusted: survey.records.trusts(name.repository, name.root, name.session),
            is_elsewhere: whole.contains(&(name.repository, name.root)),
            repaired: false,
        });
    }
    Ok(told)
}

/// The files of a version of which something lies in none of its sound packs. A folder whose node is lost stands for all
/// below it.
fn files(
    workspace: &Workspace,
    reader: &RemoteReader,
    root: &Root,
    record: &RootRecord,
    harmed: &BTreeMap<Digest, Harm>,
) -> Result<Vec<String>, CollectRemoteError> {
    let mut sound: HashMap<Digest, Place> = HashMap::new();
    for pack in named(root).iter().filter(|pack| !harmed.contains_key(&pack.id)) {
        match reader.footers(pack) {
            Ok(footers) => {
                let footers = footers.iter().filter(|(pack, _)| !harmed.contains_key(&pack.id));
                let items = footers.flat_map(|(pack, footer)| footer.places(*pack));
                sound.extend(items.map(|(entry, place)| (entry.id, place)));
            }
            Err(ReadError::Remote(error)) => return Err(error.into()),
            Err(_) => {}
        }
    }
    let (top, kind) = match (record.kind, record.manifest) {
        (PointerKind::Tree, _) => (record.root, ItemKind::Tree),
        (PointerKind::File, Some(manifest)) => (manifest, ItemKind::Manifest),
        (PointerKind::File, None) => return Ok(Vec::new()),
    };
    let (mut lost, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![(top, kind, Vec::new())];
    while let Some((id, kind, path)) = open.pop() {
        if lost.len() >= MOST_FILES || !seen.insert((id, path.clone())) {
            continue;
        }
        if !sound.contains_key(&id) {
            lost.insert(path.clone());
        }
        let Some(node) = node(workspace, reader, id, kind, sound.get(&id))? else { continue };
        for (part, name) in parts_of(kind, &node, &path).into_iter().zip(names(kind, &node, &path)) {
            match part {
                Part::Chunk(id, _) if !sound.contains_key(&id) => {
                    lost.insert(name);
                }
                Part::Node(id, kind, path) => open.push((id, kind, path)),
                Part::Chunk(..) | Part::Nothing => {}
            }
        }
    }
    Ok(lost.into_iter().map(|path| String::from_utf8_lossy(&path).into_owned()).collect())
}

/// A node, from the store or the remote; `None` where it cannot be had.
fn node(
    workspace: &Workspace,
    reader: &RemoteReader,
    id: Digest,
    kind: ItemKind,
    place: Option<&Place>,
) -> Result<Option<Vec<u8>>, CollectRemoteError> {
    if let Ok(node) = workspace.store().read(&id) {
        return Ok(Some(node));
    }
    let Some(place) = place else { return Ok(None) };
    match reader.read_all(&[Wanted { id: Some(id), kind, place: *place }]) {
        Ok(mut nodes) => Ok(nodes.pop()),
        Err(ReadError::Remote(error)) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// The path of each entry of a node.
fn names(kind: ItemKind, node: &[u8], path: &[u8]) -> Vec<Vec<u8>> {
    match kind {
        ItemKind::Tree => {
            let entries = crate::objects::TreeNode::decode(node).map(|node| node.into_entries());
            let entries = entries.unwrap_or_default();
            entries.iter().map(|entry| crate::data::content::joined(path, &entry.name)).collect()
        }
        _ => vec![path.to_owned(); crate::objects::manifest::MAX_MANIFEST_ENTRIES],
    }
}
