//! The stat of a file, as far as it tells whether the file was touched.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

/// Size, times and inode of a file at one moment. Equal fingerprints mean equal bytes, unless the file was written again
/// within the [`Fingerprint::is_racy`] window: then [`Fingerprint::doubted`] is what may be noted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fingerprint {
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since 1970 at which the bytes changed last.
    pub modified: i64,
    /// Nanoseconds since 1970 at which the inode changed last.
    pub changed: i64,
    /// Inode number.
    pub inode: u64,
}

/// Two ticks of a file system with fine times (ext4 counts jiffies).
const FINE_TICKS: i64 = 20_000_000;
/// Two ticks of a file system that counts whole seconds, or every second one.
const COARSE_TICKS: i64 = 4_000_000_000;
const SECOND: i64 = 1_000_000_000;

impl Fingerprint {
    /// The fingerprint that this metadata shows. It should come from the file itself, not through a link.
    pub fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(SECOND).saturating_add(rest);
        Self {
            size: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// What may be noted of a file that is racy: equal to no fingerprint of any file, so that it is read again.
    pub fn doubted(self) -> Self {
        Self { changed: 0, inode: 0, ..self }
    }

    /// Whether a file that now has the fingerprint `now` is the one that this was taken of, as far as can be told.
    pub fn is_still(&self, now: &Self) -> bool {
        match self.inode {
            0 => (self.size, self.modified) == (now.size, now.modified),
            _ => self == now,
        }
    }

    /// Whether nobody wrote to the file since this was taken of it, whatever its bytes and size are now.
    pub fn is_untouched(&self, now: &Self) -> bool {
        let times_and_inode = |of: &Self| (of.modified, of.changed, of.inode);
        self.inode != 0 && times_and_inode(self) == times_and_inode(now)
    }

    /// A time of modification for a file that is written now, so old that every later write is told from it.
    pub fn before_all_edits() -> SystemTime {
        SystemTime::now() - Duration::from_nanos(2 * FINE_TICKS as u64)
    }

    /// Whether the file system keeps times so coarse that a later write may not be told from an earlier one.
    pub fn is_coarse(&self) -> bool {
        self.modified % SECOND == 0
    }

    /// Whether the file may have been written again within one tick of its clock after it was looked at at `moment`
    /// (nanoseconds since 1970, by the clock of the same file system): then an equal fingerprint proves nothing.
    pub fn is_racy(&self, moment: i64) -> bool {
        let whole_seconds = self.modified % SECOND == 0 && self.changed % SECOND == 0;
        let window = if whole_seconds { COARSE_TICKS } else { FINE_TICKS };
        self.modified.max(self.changed).saturating_add(window) >= moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_doubted_vouches_for_nothing() {
        let looked = Fingerprint { size: 3, modified: 9, changed: 9, inode: 7 };
        assert_ne!(looked.doubted(), looked);
        assert!(looked.doubted().is_still(&looked));
        assert!(!looked.doubted().is_still(&Fingerprint { modified: 10, ..looked }));
    }

    #[test]
    fn a_file_as_new_as_the_look_at_it_is_racy() {
        let touched =
            Fingerprint { modified: 5 * SECOND + 7, changed: 5 * SECOND + 7, ..Fingerprint::default() };
        assert!(touched.is_racy(5 * SECOND + 7));
        assert!(!touched.is_racy(5 * SECOND + 8 + FINE_TICKS));
        let coarse = Fingerprint { modified: 5 * SECOND, changed: 5 * SECOND, ..Fingerprint::default() };
        assert!(coarse.is_racy(7 * SECOND), "a file system of whole seconds needs a wide window");
    }
}
