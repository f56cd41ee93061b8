//! What a power cut may have done to files for which their stats vouch.
//!
//! Checkout does not sync each file, as no tool does that writes a work tree (a hundred thousand times a disk's latency).
//! The system writes them within some ten seconds; if the power goes before, a file may have its name, size and times, and
//! zeros in place of its bytes, and the record, which the same cut may have spared, would vouch for it. So the record
//! says at which start of the machine it was written and which files may not have been on the disk then: those that changed
//! in the ten minutes before. After another start these are read once, as if they had been touched. A record that is looked
//! at long enough after, at the same start, is written anew without any such file, so that an ordinary restart of the
//! machine costs nothing. Where a system has no id of its starts, stats vouch as they always did.
//!
//! What is found then: bytes that are others although the stat is just the one that was recorded, the time of the last
//! change of the inode included, which no program can set. Nobody wrote such a file; it is damaged, not modified.
//!
//! Sources: Git syncs its own objects (core.fsync), never the work tree; ext4's notes on delayed allocation (zero length
//! after a crash); Linux' dirty_expire_centisecs (30 s) and laptop mode (up to ten minutes).

use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::Digest;
use crate::objects::tree::EntryKind;
use crate::storage::boot::boot_id;

use super::form::{Paths, Synced};
use super::switch::Seal;
use super::{Beside, FileRecord, Files};

/// Nanoseconds after which the system has written a file to the disk, with a wide margin.
const WRITTEN_AFTER: i64 = 600 * 1_000_000_000;

/// This start of the machine; zero where it is not known.
fn this_boot() -> [u8; 16] {
    let id = boot_id().map(|id| Digest::of(id.as_bytes()));
    id.and_then(|id| id.as_bytes().first_chunk().copied()).unwrap_or_default()
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}

impl Default for Synced {
    fn default() -> Self {
        Self { boot: [0; 16], until: i64::MAX, finished: Seal::default() }
    }
}

impl Synced {
    /// What holds of a record of `paths` that is written now, all of whose files were as it says at this start.
    pub fn now(paths: &Paths) -> Self {
        let until = now().saturating_sub(WRITTEN_AFTER);
        let is_new = paths.values().any(|known| known.files.changed_since(until));
        let until = if is_new { until } else { i64::MAX };
        Self { boot: this_boot(), until, ..Self::default() }
    }

    /// From which moment on stats vouch for nothing, if the machine was started anew since.
    pub fn doubted_from(&self) -> Option<i64> {
        let boot = this_boot();
        let is_other = ![self.boot, boot].contains(&[0; 16]) && self.boot != boot;
        (is_other && self.until != i64::MAX).then_some(self.until)
    }

    /// Whether the system has written everything by now, and the record does not say so yet.
    pub fn is_overtaken(&self) -> bool {
        self.until != i64::MAX
            && self.boot == this_boot()
            && now() > self.until.saturating_add(2 * WRITTEN_AFTER)
    }
}

/// The files of `found` that hold other bytes than are recorded although nobody wrote to them.
pub(super) fn damaged(known: &Files, found: &Files) -> Vec<Vec<u8>> {
    let is_damaged = |old: &FileRecord, here: &FileRecord| {
        let are_files = (old.kind, here.kind) == (EntryKind::File, EntryKind::File);
        are_files && old.id != here.id && old.fingerprint.is_untouched(&here.fingerprint)
    };
    let names = known.beside(found).filter_map(|pair| match pair {
        Beside::Both(old, here) if is_damaged(&known.record_at(old), &found.record_at(here)) => {
            Some(known.name_at(old).to_owned())
        }
        _ => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::data::worktree::{FileRecord, Fingerprint};

    #[test]
    fn other_bytes_under_the_same_stat_are_damage_and_under_another_an_edit() {
        let fingerprint = Fingerprint { size: 3, modified: 5, changed: 6, inode: 7 };
        let (kind, id) = (EntryKind::File, Digest::of(b"one"));
        let written = FileRecord { kind, executable: false, fingerprint, id, manifest: None };
        let zeros = FileRecord { id: Digest::of(b"\0\0\0"), ..written };
        let cut = FileRecord { fingerprint: Fingerprint { size: 0, ..fingerprint }, ..zeros };
        let edited = FileRecord { fingerprint: Fingerprint { changed: 9, ..fingerprint }, ..zeros };
        let doubted = FileRecord { fingerprint: fingerprint.doubted(), ..written };
        let files = |all: &[(&str, FileRecord)]| {
            let all = all.iter().map(|(name, file)| (name.as_bytes().to_vec(), *file));
            Files::from(all.collect::<BTreeMap<_, _>>())
        };
        let known = [("a", written), ("b", written), ("c", written), ("d", written), ("e", doubted)];
        let found = [("a", written), ("b", zeros), ("c", cut), ("d", edited), ("e", zeros)];
        assert_eq!(damaged(&files(&known), &files(&found)), [b"b".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn only_another_start_makes_new_files_doubtful_and_old_ones_never() {
        let synced = Synced { boot: this_boot(), until: 7, ..Synced::default() };
        assert_eq!(synced.doubted_from(), None);
        assert!(synced.is_overtaken(), "it was written long ago");
        assert!(!Synced { until: now(), ..synced }.is_overtaken());
        assert_eq!(Synced { boot: [0; 16], ..synced }.doubted_from(), None, "nothing is known");
        if this_boot() != [0; 16] {
            assert_eq!(Synced { boot: [1; 16], ..synced }.doubted_from(), Some(7));
        }
        assert_eq!(Synced::now(&Paths::new()).until, i64::MAX);
    }
}
