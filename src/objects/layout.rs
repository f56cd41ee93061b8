//! The names of the objects in a remote.
//!
//! All are relative to the folder or prefix of the remote, and no name is ever written twice with other bytes:
//!
//! | name | what |
//! | --- | --- |
//! | `config` | [`crate::objects::remote_config`] |
//! | `packs/<2>/<64>` | [`crate::objects::pack`]; the first two and all hexadecimal digits of its id |
//! | `moves/<64>` | [`crate::objects::moves`], by the id of the folded pack |
//! | `index/<8>-<64>` | [`crate::objects::index`]: epoch in 8 decimal digits, id |
//! | `claims/<session>/<n>` | a claim ([`crate::objects::root`]); n counts from 0, in decimal digits |
//! | `roots/<32>/<64>/<session>` | [`crate::objects::root`]: repository, root, session |
//! | `gc/<8>-<64>` | [`crate::objects::gc_record`]: epoch, id |
//!
//! A session is `<8>-<32>`: epoch in decimal digits, random id. Ids in names are *stored* ids ([`stored_id`]): no code
//! may assume that such a name equals an id in Git.

use std::fmt;

use crate::base::{Digest, RandomId};
use crate::objects::session::{RecordName, SessionId};

/// The name of the configuration.
pub const CONFIG: &str = "config";
/// What the names of all packs begin with.
pub const PACKS: &str = "packs/";
/// What the names of all records of folded packs begin with.
pub const MOVES: &str = "moves/";
/// What the names of all index objects begin with.
pub const INDEX: &str = "index/";
/// What the names of all claims begin with.
pub const CLAIMS: &str = "claims/";
/// What the names of all root records begin with.
pub const ROOTS: &str = "roots/";
/// What the names of all gc records begin with.
pub const GC: &str = "gc/";

/// An id as the names of a remote have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredId(Digest);

impl fmt::Display for StoredId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How an id is called in the remote: the identity while nothing is encrypted, a keyed hash later. The one place where
/// an id becomes part of a name.
pub const fn stored_id(id: &Digest) -> StoredId {
    StoredId(*id)
}

/// What an id is that the names of a remote have: the other direction of [`stored_id`], for packs, whose names tell all of
/// them that a listing can.
pub const fn known_id(stored: &StoredId) -> Digest {
    stored.0
}

/// The name of an object that is written only to learn the time by the clock of the service, and removed at once.
pub fn clock_name(random: &RandomId) -> String {
    format!("tmp/clock-{random}")
}

/// The name of a pack.
pub fn pack_name(pack: &Digest) -> String {
    let id = stored_id(pack).to_string();
    format!("{PACKS}{}/{id}", &id[..2])
}

/// The pack with this name.
pub fn parse_pack_name(name: &str) -> Option<StoredId> {
    let (folder, id) = name.strip_prefix(PACKS)?.split_once('/')?;
    id.strip_prefix(folder).filter(|_| folder.len() == 2)?;
    id.parse().map(StoredId).ok()
}

/// The name of the record that tells where the items of a folded pack lie.
pub fn moves_name(pack: &Digest) -> String {
    format!("{MOVES}{}", stored_id(pack))
}

/// The folded pack of the record with this name.
pub fn parse_moves_name(name: &str) -> Option<StoredId> {
    name.strip_prefix(MOVES)?.parse().map(StoredId).ok()
}

/// The name of an index object.
pub fn index_name(name: &RecordName) -> String {
    format!("{INDEX}{name}")
}

/// The index object with this name.
pub fn parse_index_name(name: &str) -> Option<RecordName> {
    name.strip_prefix(INDEX)?.parse().ok()
}

/// The name of the `number`-th claim of a push.
pub fn claim_name(session: &SessionId, number: u32) -> String {
    format!("{CLAIMS}{session}/{number}")
}

/// The push and number of the claim with this name.
pub fn parse_claim_name(name: &str) -> Option<(SessionId, u32)> {
    let (session, number) = name.strip_prefix(CLAIMS)?.split_once('/')?;
    let parsed = (session.parse().ok()?, number.parse().ok()?);
    (claim_name(&parsed.0, parsed.1) == name).then_some(parsed)
}

/// What the names of all records of this root begin with.
pub fn root_folder(repository: &RandomId, root: &Digest) -> String {
    format!("{ROOTS}{repository}/{}/", stored_id(root))
}

/// What the names of all root records of a repository begin with.
pub fn repository_folder(repository: &RandomId) -> String {
    format!("{ROOTS}{repository}/")
}

/// The name of a root record.
pub fn root_name(repository: &RandomId, root: &Digest, session: &SessionId) -> String {
    format!("{}{session}", root_folder(repository, root))
}

/// Repository, root and session of the root record with this name.
pub fn parse_root_name(name: &str) -> Option<(RandomId, StoredId, SessionId)> {
    let mut parts = name.strip_prefix(ROOTS)?.split('/');
    let (repository, root, session) = (parts.next()?, parts.next()?, parts.next()?);
    let end = parts.next().is_none();
    end.then_some((repository.parse().ok()?, StoredId(root.parse().ok()?), session.parse().ok()?))
}

/// The name of a gc record.
pub fn gc_name(name: &RecordName) -> String {
    format!("{GC}{name}")
}

/// The gc record with this name.
pub fn parse_gc_name(name: &str) -> Option<RecordName> {
    name.strip_prefix(GC)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_no_other_text_does() {
        let (pack, repository, session) = (Digest::of(b"p"), RandomId::generate(), SessionId::begin(12));
        let record = RecordName { epoch: 3, id: pack };
        assert_eq!(parse_pack_name(&pack_name(&pack)), Some(stored_id(&pack)));
        assert_eq!(parse_index_name(&index_name(&record)), Some(record));
        assert_eq!(parse_gc_name(&gc_name(&record)), Some(record));
        assert_eq!(parse_claim_name(&claim_name(&session, 7)), Some((session, 7)));
        let root = root_name(&repository, &pack, &session);
        assert_eq!(parse_root_name(&root), Some((repository, stored_id(&pack), session)));
        assert!(root.starts_with(&root_folder(&repository, &pack)));
        assert_eq!(parse_root_name(&format!("{root}/x")), None);
        assert_eq!(parse_claim_name(&format!("claims/{session}/+7")), None);
        assert_eq!(parse_pack_name(&format!("packs/zz/{pack}")), None);
        assert_eq!("3-00".parse::<SessionId>().ok(), None);
        let text = session.to_string();
        assert_eq!((text.parse(), text.starts_with("00000012-")), (Ok(session), true));
    }
}
