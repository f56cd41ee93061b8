//! Push: what a remote lacks of some roots, sent so that nothing named can ever be missing.
//!
//! The steps, in the order on which safety rests (found by exhaustive interleaving of writers, collectors and forgetters;
//! no clock decides, and any agent may sleep for ever between two steps):
//!
//! 1. List `gc/` and the roots; read what is new. The session is named after the highest epoch seen. Where there is
//!    something to send, the configuration is read: who does not know the format, or a must-understand flag, stops here.
//! 2. A trusted record of the same root that is younger than 7 days: nothing to do for it. An older one is renewed: step 5
//!    with a record that relies on all of its packs.
//! 3. Plan: chunks are reused only from packs that no record condemns. A condemned name never enters a new root. Where
//!    more than [`WORTH_ASKING`] bytes seem new, `index/` is listed and its hooks are followed.
//! 4. Put packs, then the index object: it names only packs that are whole, and no name is ever used twice.
//! 5. Put claims: drafts of the root records, with every pack that they will name. What a root will name is visible before
//!    the last look. A long push puts earlier ones on its way, for what it has sent until then.
//! 6. List `gc/` again. Own session below the floor: back to 1, under a new session. A claimed pack condemned: back to 3
//!    without it. A reused pack that no trusted root vouches for is asked for: wrong or absent counts as condemned.
//! 7. Put the roots, without any retry: a delayed one must not come after the second look.
//! 8. List `gc/`: own session condemned meanwhile, and the own roots not in the newest certificate: delete them and go back
//!    to 1. Else success, and only now may Git move refs. The claims stay; gc removes them.
//!
//! # Requests
//!
//! Nothing to do costs 2: `gc/` and the roots are listed. A small push costs 9 or 10:
//!
//! | requests | what for |
//! | --- | --- |
//! | list `gc/`; list the roots | step 1: the records of the new root, and those of its base, which keep the packs that are reused; both at once where the folder of the repository is a page or two, else 2 |
//! | get `config` | step 1: a remote of an unknown version is never written, whoever changed it, and however |
//! | put pack; put index, put claim | steps 4 and 5 |
//! | list `gc/` | step 6 |
//! | put root; list `gc/` | steps 7 and 8 |
//!
//! The index is not asked for less than a MiB: hooks lead to one chunk in 64 and to the first ones of contents over a MiB,
//! so they would find next to nothing, and following one costs a table of up to 250 KB. A larger push lists `index/`, gets
//! the objects that others have put since (its own it has kept), and the tables to which hooks lead. Each further 64 MiB
//! pack and each further root costs a request or two more, and each reused pack that no base vouches for a look at it.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::base::{Digest, Progress, RandomId, RepoPath};
use crate::data::content::{Presence, presence};
use crate::data::root::RootName;
use crate::objects::layout;
use crate::objects::{Home, RootRecord, SessionId};
use crate::storage::remote::Remote;
use crate::storage::remote_reader::RemoteReader;
use crate::storage::store::Store;

use super::announce::{drafts, put_index_and_claims, settled};
use super::assemble::assemble;
use super::bases::{ids_of, learn_bases};
use super::doubt::damaged_packs;
use super::known::Known;
use super::origin::{Origin, Source};
use super::plan::{RootToSend, plan};
use super::standing::{Sorted, sort};
use super::survey::{Collected, Roots, config_for_writing, refresh_index};
use super::{Knowledge, TransferError};

/// A push begins anew at most so many times.
const MOST_TRIES: u32 = 5;
/// How many milliseconds are waited after a root could not be written for a passing reason.
const PATIENCE: [u64; 4] = [200, 400, 800, 1600];
/// The index is asked where more than so many stored bytes seem new.
const WORTH_ASKING: u64 = 1 << 20;

/// One version that is to be on the remote.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub root: RootName,
    /// Commits that name it.
    pub commits: Vec<String>,
    /// Older versions of the path, the nearest first: what they share need not be sent.
    pub bases: Vec<Digest>,
    /// It is sent where all of it is here; where not, nothing is said.
    pub only_whole: bool,
}

/// What a push did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Pushed {
    /// Versions that are now on the remote and were not.
    pub sent: Vec<PushedVersion>,
    /// Versions whose record was renewed.
    pub renewed: u64,
    /// Versions that were there.
    pub known: u64,
    /// Packs sent.
    pub packs: u64,
    /// Bytes sent in them.
    pub bytes: u64,
    /// Packs of others that were found damaged: what they should hold was sent anew.
    pub distrusted: Vec<Digest>,
    /// Versions that neither this store nor the remote has: nobody can send them from here.
    pub missing: Vec<PushedVersion>,
}

/// A version and its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushedVersion {
    /// The path of the data.
    pub path: RepoPath,
    /// The version.
    pub root: Digest,
    /// Bytes of its contents.
    pub size: u64,
}

impl From<&Wish> for PushedVersion {
    fn from(wish: &Wish) -> Self {
        Self { path: wish.path.clone(), root: wish.root.id, size: wish.root.size }
    }
}

/// Where and as what a push goes.
pub struct Push<'a> {
    /// The store that has the data.
    pub store: &'a Store,
    /// The remote.
    pub remote: &'a Remote,
    /// The repository's random id.
    pub repository: RandomId,
    /// The Git remote that the commits go to.
    pub home: Home,
    /// Plan and tell, send nothing.
    pub dry_run: bool,
    /// How far it is.
    pub progress: &'a Progress,
    /// What has chunks that the store lacks.
    pub origin: Option<&'a Origin>,
    /// Read so many percent of what is reused in packs that this clone did not send; `None`: believe their tables.
    pub verify: Option<u8>,
}

impl<'a> Push<'a> {
    /// Where chunks come from.
    pub(super) fn source(&self) -> Source<'a> {
        Source { store: self.store, origin: self.origin }
    }
}

/// Brings `wishes` to the remote.
///
/// # Errors
///
/// [`TransferError`]; after any of them, and after a kill at any point, everything that the remote names exists.
pub fn push(push: &Push<'_>, knowledge: &mut Knowledge, wishes: &[Wish]) -> Result<Pushed, TransferError> {
    push_relying_on_none_of(push, knowledge, wishes, BTreeSet::new())
}

/// Brings `wishes` to the remote without relying on the packs `refused`, nor on records that name them.
///
/// # Errors
///
/// As [`push`].
pub(super) fn push_relying_on_none_of(
    push: &Push<'_>,
    knowledge: &mut Knowledge,
    wishes: &[Wish],
    refused: BTreeSet<Digest>,
) -> Result<Pushed, TransferError> {
    let mut collected = Collected::default();
    let mut refused = Refused { packs: refused, distrusted: Vec::new() };
    for _ in 0..MOST_TRIES {
        let (gc, roots) = rayon::join(
            || collected.refresh(push.remote),
            || Roots::list(push.remote, push.repository, &ids_of(wishes, knowledge), knowledge.roots()),
        );
        gc?;
        let roots = roots?;
        let mut sorted = sort(push, knowledge, wishes, &roots, &collected, &refused.packs)?;
        // What was believed to be there and is not: until it is sent, nothing may rely on it.
        if sorted.send.iter().filter(|wish| knowledge.forget_root(&wish.root.id)).count() > 0 {
            knowledge.save()?;
        }
        let is_whole = |wish: &Wish| presence(push.store, &wish.root) == Presence::Whole;
        sorted.send.retain(|wish| !wish.only_whole || is_whole(wish));
        for (wish, session) in &sorted.known {
            knowledge.note_root(wish.root.id, *session);
        }
        if sorted.send.is_empty() && sorted.renew.is_empty() {
            knowledge.save()?;
            return Ok(Pushed { known: sorted.known.len() as u64, ..Pushed::default() });
        }
        if let Some(done) = attempt(push, knowledge, &mut collected, &mut refused, &roots, &sorted)? {
            return Ok(Pushed { distrusted: refused.distrusted, ..done });
        }
    }
    Err(TransferError::Unsettled(MOST_TRIES))
}

/// Packs that a push does not rely on.
struct Refused {
    packs: BTreeSet<Digest>,
    /// Those of them whose samples were damaged.
    distrusted: Vec<Digest>,
}

/// Steps 3 to 8 once. `None`: gc came in between, begin anew.
fn attempt(
    push: &Push<'_>,
    knowledge: &mut Knowledge,
    collected: &mut Collected,
    refused: &mut Refused,
    listed: &Roots,
    sorted: &Sorted<'_>,
) -> Result<Option<Pushed>, TransferError> {
    let session = SessionId::begin(collected.epoch);
    if !push.dry_run {
        meet(push.remote, knowledge, collected)?;
    }
    let condemned: BTreeSet<_> = collected.condemned.union(&refused.packs).copied().collect();
    let reader = RemoteReader::new(push.remote);
    let mut known = Known::new(push.store, &reader, knowledge, &condemned);
    let (send, missing) = sendable(push.source(), &known, &sorted.send);
    let roots: Vec<_> =
        send.iter().map(|wish| RootToSend { path: wish.path.clone(), root: wish.root }).collect();
    let bases = learn_bases(push, collected, listed, knowledge, &mut known, &send, &roots)?;
    let mut planned = plan(push.source(), &known, &roots)?;
    if !push.dry_run && planned.bytes > WORTH_ASKING {
        let indexes = refresh_index(push.remote, knowledge, collected.floor)?;
        planned.leave_out(push.source(), &mut known, &indexes)?;
    }
    if push.dry_run {
        let sent = send.iter().map(|wish| PushedVersion::from(*wish)).collect();
        let (renewed, known) = (sorted.renew.len() as u64, sorted.known.len() as u64);
        let bytes = planned.bytes;
        return Ok(Some(Pushed { sent, renewed, known, bytes, missing, ..Pushed::default() }));
    }
    if let Some(percent) = push.verify {
        let damaged = damaged_packs(push, knowledge, &planned, percent)?;
        if !damaged.is_empty() {
            refused.packs.extend(&damaged);
            refused.distrusted.extend(damaged);
            return Ok(None);
        }
    }
    let vouched = known.vouched().clone();
    push.progress.begin_files("sending", planned.bytes, planned.files());
    let assembled = assemble(push, knowledge, session, planned, &roots);
    push.progress.end();
    let assembled = assembled?;
    let mut drafts = drafts(push, session, &send, &bases, &assembled);
    let renewed = sorted.renew.iter().map(|(record, _)| record.clone());
    drafts.extend(renewed.map(|record| RootRecord { session, home: push.home, ..record }));
    let kept: BTreeSet<_> = sorted.renew.iter().flat_map(|(_, packs)| packs).map(|pack| pack.id).collect();
    put_index_and_claims(push.remote, knowledge, collected.epoch, session, &assembled, &drafts)?;
    for wait in PATIENCE.map(Some).into_iter().chain([None]) {
        if !settled(push.remote, collected, &mut refused.packs, session, &kept, &assembled, &vouched)? {
            return Ok(None);
        }
        match (put_roots(push.remote, &drafts), wait) {
            // Whether they were written is not known, so the look at gc comes first again.
            (Err(TransferError::Remote(error)), Some(wait)) if error.is_passing() => {
                thread::sleep(Duration::from_millis(wait))
            }
            (done, _) => {
                done?;
                break;
            }
        }
    }
    collected.refresh(push.remote)?;
    // Where gc has found all of them whole meanwhile, they count although the session is dead.
    let counts = |draft: &RootRecord| collected.trusts(draft.repository, draft.root, session);
    if !drafts.iter().all(counts) {
        for draft in drafts.iter().filter(|draft| !counts(draft)) {
            push.remote.delete(&layout::root_name(&draft.repository, &draft.root, &session))?;
        }
        return Ok(None);
    }
    for draft in &drafts {
        knowledge.note_root(draft.root, session);
        knowledge.keep_record(&draft.root, &session, &draft.encode()?)?;
    }
    knowledge.set_epoch(collected.epoch);
    knowledge.save()?;
    let bytes = assembled.packs.iter().map(|(pack, _)| u64::from(pack.size)).sum();
    Ok(Some(Pushed {
        sent: send.iter().map(|wish| PushedVersion::from(*wish)).collect(),
        renewed: sorted.renew.len() as u64,
        known: sorted.known.len() as u64,
        packs: assembled.packs.len() as u64,
        bytes,
        distrusted: Vec::new(),
        missing,
    }))
}

/// Writes the roots, each once.
fn put_roots(remote: &Remote, drafts: &[RootRecord]) -> Result<(), TransferError> {
    for draft in drafts {
        let name = layout::root_name(&draft.repository, &draft.root, &draft.session);
        remote.put_once_without_retry(&name, draft.encode()?)?;
    }
    Ok(())
}

/// Makes sure which remote this is, and that it may be written. What was known before it lost packs is thrown away.
pub(super) fn meet(
    remote: &Remote,
    knowledge: &mut Knowledge,
    collected: &Collected,
) -> Result<(), TransferError> {
    if knowledge.epoch() < collected.floor {
        knowledge.forget();
    }
    config_for_writing(remote, knowledge)
}

/// The wishes that can be fulfilled from here, or by what the remote has of them, and those that nobody can fulfil.
fn sendable<'a>(
    source: Source<'_>,
    known: &Known<'_>,
    wishes: &[&'a Wish],
) -> (Vec<&'a Wish>, Vec<PushedVersion>) {
    let top = |wish: &Wish| wish.root.manifest.unwrap_or(wish.root.id);
    let here = |wish: &&&Wish| {
        wish.root.size == 0 || source.contains(&top(wish)) || known.find_chunk(&top(wish)).is_some()
    };
    let send: Vec<_> = wishes.iter().filter(here).copied().collect();
    let missing = wishes.iter().filter(|wish| !here(wish)).map(|wish| PushedVersion::from(*wish)).collect();
    (send, missing)
}
