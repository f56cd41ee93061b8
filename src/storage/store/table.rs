//! The table of an open pack: which of its items are safe.
//!
//! ```text
//! head 16 B     magic, version u16, must-understand flags u16, 4 zero bytes
//! per item 48 B its entry as in a pack's footer (42 B) · 6 B of BLAKE3 of entry and number
//! ```
//!
//! The number (from 0, `u64`) is the place in the table. What a power cut left half written, or as zeros, fails the
//! check, and the table ends before it.

use crate::base::Digest;
use crate::objects::FooterEntry;
use crate::objects::pack::FOOTER_ENTRY_LEN;

/// Length of the head, in bytes.
pub(super) const HEAD_LEN: usize = 16;
/// Length of one item's record, in bytes.
pub(super) const RECORD_LEN: usize = 48;
/// The head: magic, version 1, no flags.
pub(super) const HEAD: [u8; HEAD_LEN] = *b"gitmlopn\x01\0\0\0\0\0\0\0";

/// The record of the item with this number.
pub(super) fn record(number: usize, entry: &FooterEntry) -> [u8; RECORD_LEN] {
    let mut record = [0; RECORD_LEN];
    record[..FOOTER_ENTRY_LEN].copy_from_slice(&entry.encode());
    let check = check(number, &record[..FOOTER_ENTRY_LEN]);
    record[FOOTER_ENTRY_LEN..].copy_from_slice(&check);
    record
}

/// The items that a table names, up to the first record that is not whole; `None` if it is no table of this version.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<FooterEntry>> {
    let records = bytes.strip_prefix(&HEAD)?;
    let (whole, _) = records.as_chunks::<RECORD_LEN>();
    let entries = whole.iter().enumerate().map_while(|(number, record)| {
        let (entry, kept) = record.split_first_chunk::<FOOTER_ENTRY_LEN>()?;
        (check(number, entry) == *kept).then(|| FooterEntry::decode(entry).ok())?
    });
    Some(entries.collect())
}

fn check(number: usize, entry: &[u8]) -> [u8; RECORD_LEN - FOOTER_ENTRY_LEN] {
    let digest = Digest::of(&[entry, &(number as u64).to_le_bytes()].concat());
    let mut check = [0; RECORD_LEN - FOOTER_ENTRY_LEN];
    check.copy_from_slice(&digest.as_bytes()[..RECORD_LEN - FOOTER_ENTRY_LEN]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{Codec, ItemKind};

    fn table(items: usize) -> (Vec<FooterEntry>, Vec<u8>) {
        let entry = |number: usize| FooterEntry {
            id: Digest::of(&[number as u8]),
            stored: 1,
            raw: 1,
            codec: Codec::Raw,
            kind: ItemKind::Chunk,
        };
        let entries: Vec<FooterEntry> = (0..items).map(entry).collect();
        let records = entries.iter().enumerate().flat_map(|(number, entry)| record(number, entry));
        let bytes = HEAD.into_iter().chain(records).collect();
        (entries, bytes)
    }

    #[test]
    fn a_torn_tail_is_cut_at_every_byte() {
        let (entries, bytes) = table(3);
        assert_eq!(read(&bytes), Some(entries.clone()));
        for length in HEAD_LEN..bytes.len() {
            let whole = (length - HEAD_LEN) / RECORD_LEN;
            assert_eq!(read(&bytes[..length]).unwrap(), entries[..whole], "cut at {length}");
        }
        assert_eq!(read(&bytes[..HEAD_LEN - 1]), None);
    }

    #[test]
    fn zeros_noise_and_records_out_of_place_end_the_table() {
        let (entries, mut bytes) = table(3);
        bytes[HEAD_LEN + RECORD_LEN..HEAD_LEN + 2 * RECORD_LEN].fill(0);
        assert_eq!(read(&bytes).unwrap(), entries[..1]);
        let (_, mut bytes) = table(3);
        bytes[HEAD_LEN + 3] ^= 1;
        assert_eq!(read(&bytes).unwrap(), []);
        let (entries, bytes) = table(3);
        let swapped = [&bytes[..HEAD_LEN + RECORD_LEN], &bytes[HEAD_LEN + 2 * RECORD_LEN..]].concat();
        assert_eq!(read(&swapped).unwrap(), entries[..1]);
    }
}
