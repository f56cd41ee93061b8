//! Sends anew what is damaged there and whole here.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Digest, Progress, RandomId};
use crate::data::collect_remote::survey::Survey;
use crate::data::collect_remote::{CollectRemoteError, remove};
use crate::data::remotes::RemoteSettings;
use crate::data::transfer::{TransferError, push_without};
use crate::data::versions::{self, Commits};
use crate::data::workspace::Workspace;
use crate::data::{Presence, content};
use crate::objects::gc_record::RootName;
use crate::objects::{Certificate, GcRecord};

use super::inspect::{Harm, Hurt};

/// Pushes every hurt version that is whole in the store, relying on nothing that is harmed; then forgets its damaged
/// records. Notes in `hurt` what was repaired.
pub(super) fn repair(
    workspace: &Workspace,
    settings: &RemoteSettings,
    survey: &Survey,
    harmed: &BTreeMap<Digest, Harm>,
    hurt: &mut [Hurt],
    progress: &Progress,
) -> Result<(), CollectRemoteError> {
    let lost: BTreeSet<_> = hurt.iter().map(|hurt| hurt.root).collect();
    let mut versions = versions::named(workspace, &Commits::All).map_err(TransferError::from)?;
    versions.retain(|version| {
        lost.contains(&version.root.id)
            && content::presence(workspace.store(), &version.root) == Presence::Whole
    });
    if versions.is_empty() {
        return Ok(());
    }
    let whole: BTreeSet<_> = versions.iter().map(|version| version.root.id).collect();
    let harmed: BTreeSet<_> = harmed.keys().copied().collect();
    let (remote, repository) = push_without(workspace, settings, versions, harmed.clone(), progress)?;
    let repaired = |hurt: &Hurt| hurt.repository == repository && whole.contains(&hurt.root);
    let objects: BTreeSet<_> = hurt.iter().filter(|hurt| repaired(hurt)).map(|hurt| &hurt.object).collect();
    let forgotten: BTreeSet<RootName> =
        survey.roots.iter().filter(|root| objects.contains(&root.object())).map(|root| root.name).collect();
    let mut records = crate::data::transfer::survey::Collected::default();
    records.refresh(&remote)?;
    let record = GcRecord {
        epoch: records.epoch + 1,
        nonce: RandomId::generate(),
        config: survey.config.1,
        floor: records.floor,
        certificate: Certificate::None,
        // Nobody may rely on them, and indexes that name them stop no collection.
        condemned: harmed,
        forgotten,
        extensions: Vec::new(),
    };
    remove(&remote, &record)?;
    for hurt in hurt.iter_mut().filter(|hurt| hurt.repository == repository && whole.contains(&hurt.root)) {
        hurt.repaired = true;
    }
    Ok(())
}
