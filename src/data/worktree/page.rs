//! A stretch of [`super::Files`]: the names one after the other, and all else in columns.

use crate::base::Digest;
use crate::objects::tree::EntryKind;

use super::{FileRecord, Fingerprint};

/// Files in a page; only few pages have fewer.
pub(super) const PAGE: usize = 1024;

/// Up to [`PAGE`] files in order of their names.
#[derive(Default)]
pub(super) struct Page {
    names: Vec<u8>,
    /// Where each name ends.
    ends: Vec<u32>,
    kinds: Vec<(EntryKind, bool)>,
    fingerprints: Vec<Fingerprint>,
    ids: Vec<Digest>,
    /// Of the few that have one, by place.
    manifests: Vec<(u32, Digest)>,
}

impl Page {
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn name(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.names[start as usize..self.ends[at] as usize]
    }

    /// The last name; the page must not be empty.
    pub fn last_name(&self) -> &[u8] {
        self.name(self.len() - 1)
    }

    pub fn record(&self, at: usize) -> FileRecord {
        let manifest = self.manifests.binary_search_by_key(&(at as u32), |(place, _)| *place).ok();
        let manifest = manifest.map(|found| self.manifests[found].1);
        let (kind, executable) = self.kinds[at];
        FileRecord { kind, executable, fingerprint: self.fingerprints[at], id: self.ids[at], manifest }
    }

    /// The first place whose name is not below `name` in order.
    pub fn place(&self, name: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.name(middle) < name { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Whether any of them changed at `moment` (nanoseconds since 1970) or later.
    pub fn changed_since(&self, moment: i64) -> bool {
        self.fingerprints.iter().any(|fingerprint| fingerprint.changed >= moment)
    }

    /// Takes the next file.
    pub fn push(&mut self, name: &[u8], file: &FileRecord) {
        if let Some(manifest) = file.manifest {
            self.manifests.push((self.len() as u32, manifest));
        }
        self.names.extend_from_slice(name);
        self.ends.push(self.names.len() as u32);
        self.kinds.push((file.kind, file.executable));
        self.fingerprints.push(file.fingerprint);
        self.ids.push(file.id);
    }

    /// The same without room for more.
    pub fn trimmed(mut self) -> Self {
        self.names.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.kinds.shrink_to_fit();
        self.fingerprints.shrink_to_fit();
        self.ids.shrink_to_fit();
        self.manifests.shrink_to_fit();
        self
    }
}
