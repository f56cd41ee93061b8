//! Writes one pack.

use std::io::{self, Write};

use crate::base::{Advice, Digest, Hasher};
use crate::objects::codec::Codec;
use crate::objects::item::ItemKind;
use crate::objects::pack::{
    FooterEntry, HEADER_LEN, MAX_PACK, MAX_PACK_ITEMS, PackFooter, PackHeader, PackRef, TRAILER_LEN, Trailer,
    footer_len,
};
use crate::objects::session::SessionId;

/// Why an item could not be put into a pack.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The pack has no room for it: ask [`PackBuilder::fits`] first.
    #[error("the pack has no room for {stored} bytes more")]
    Full {
        /// Length of the item as stored, in bytes.
        stored: usize,
    },
    /// The lengths are not such as codec and kind allow.
    #[error("an item of {raw} bytes, stored in {stored}, has no place in a pack")]
    BadItem {
        /// Length of the item as stored, in bytes.
        stored: usize,
        /// Length of the item itself, in bytes.
        raw: u32,
    },
    /// Writing failed.
    #[error("the pack cannot be written")]
    Write(#[from] io::Error),
}

impl Advice for PackError {}

/// A pack that is being written, into memory or into any `Write`.
#[derive(Debug)]
pub struct PackBuilder<W> {
    out: W,
    hasher: Hasher,
    entries: Vec<FooterEntry>,
    session: SessionId,
    end: u64,
}

/// A pack that is whole.
#[derive(Debug, Clone)]
pub struct FinishedPack<W> {
    /// Its name, size and footer length.
    pub pack: PackRef,
    /// Its table.
    pub footer: PackFooter,
    /// What it was written to.
    pub out: W,
}

impl PackBuilder<Vec<u8>> {
    /// Begins a pack in memory, with a fresh nonce.
    pub fn in_memory(session: SessionId) -> Self {
        Self::reusing(Vec::new(), session)
    }

    /// As [`PackBuilder::in_memory`], in the memory of an earlier pack: what was touched before costs nothing.
    pub fn reusing(mut memory: Vec<u8>, session: SessionId) -> Self {
        memory.clear();
        let mut builder = Self::empty(session, memory);
        let header = PackHeader::fresh().encode();
        builder.hasher.update(&header);
        builder.out.extend_from_slice(&header);
        builder
    }
}

impl<W: Write> PackBuilder<W> {
    /// Begins a pack with a fresh nonce; writes its header.
    ///
    /// # Errors
    ///
    /// What the writer says.
    pub fn new(session: SessionId, out: W) -> io::Result<Self> {
        Self::with_header(&PackHeader::fresh(), session, out)
    }

    /// Begins a pack with this header, whose nonce no other pack may have; writes it.
    ///
    /// # Errors
    ///
    /// What the writer says.
    pub fn with_header(header: &PackHeader, session: SessionId, out: W) -> io::Result<Self> {
        let mut builder = Self::empty(session, out);
        let header = header.encode();
        builder.hasher.update(&header);
        builder.out.write_all(&header)?;
        Ok(builder)
    }

    fn empty(session: SessionId, out: W) -> Self {
        Self { out, hasher: Hasher::new(), entries: Vec::new(), session, end: HEADER_LEN as u64 }
    }

    /// Whether items of together `stored` bytes, at most `items` of them, have room.
    pub fn fits(&self, items: usize, stored: usize) -> bool {
        let items = self.entries.len() + items;
        let size = self.end + stored as u64 + (footer_len(items) + TRAILER_LEN) as u64;
        items <= MAX_PACK_ITEMS && size <= MAX_PACK
    }

    /// Appends an item in its stored form; gives its offset from the start of the pack, in bytes.
    ///
    /// # Errors
    ///
    /// [`PackError`] when it has no room, cannot be, or cannot be written.
    pub fn push(
        &mut self,
        id: Digest,
        kind: ItemKind,
        codec: Codec,
        stored: &[u8],
        raw: u32,
    ) -> Result<u32, PackError> {
        let entry = FooterEntry { id, stored: stored.len() as u32, raw, codec, kind };
        if stored.len() > kind.longest() || !entry.is_sound() {
            return Err(PackError::BadItem { stored: stored.len(), raw });
        }
        if !self.fits(1, stored.len()) {
            return Err(PackError::Full { stored: stored.len() });
        }
        self.out.write_all(stored)?;
        self.hasher.update(stored);
        self.entries.push(entry);
        let offset = self.end as u32;
        self.end += stored.len() as u64;
        Ok(offset)
    }

    /// Count of the items so far.
    pub const fn items(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no item yet.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Length of the pack if it were finished now, in bytes.
    pub const fn len(&self) -> u64 {
        self.end + (footer_len(self.entries.len()) + TRAILER_LEN) as u64
    }

    /// Writes footer and trailer. Flushing and syncing are the caller's.
    ///
    /// # Errors
    ///
    /// What the writer says.
    pub fn finish(mut self) -> io::Result<FinishedPack<W>> {
        let data_hash = self.hasher.finish();
        let footer = PackFooter { entries: self.entries, data_hash, session: self.session };
        let bytes = footer.encode();
        self.out.write_all(&bytes)?;
        self.out.write_all(&Trailer { footer_len: bytes.len() as u32 }.encode())?;
        Ok(FinishedPack { pack: footer.pack_ref(), footer, out: self.out })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::codec;

    fn session() -> SessionId {
        SessionId::begin(7)
    }

    #[test]
    fn a_pack_reads_back_from_its_end() {
        let mut builder = PackBuilder::in_memory(session());
        for item in [&b"adelie"[..], &[7; 5000], b"gentoo"] {
            let (codec, stored) = codec::encode(item, 1);
            builder.push(Digest::of(item), ItemKind::Chunk, codec, &stored, item.len() as u32).unwrap();
        }
        let length = builder.len();
        let FinishedPack { pack, footer, out } = builder.finish().unwrap();
        assert_eq!((out.len() as u64, u64::from(pack.size)), (length, length));
        PackHeader::decode(&out[..64]).unwrap();
        let trailer = Trailer::decode(out.last_chunk().unwrap()).unwrap();
        assert_eq!(trailer.footer_len, pack.footer_len);
        let start = pack.footer_offset() as usize;
        let read = PackFooter::decode(&out[start..out.len() - TRAILER_LEN]).unwrap();
        assert_eq!((&read, read.id(), read.data_hash), (&footer, pack.id, Digest::of(&out[..start])));
        for (entry, place) in read.places(pack) {
            let stored = &out[place.offset as usize..][..place.stored as usize];
            let raw = codec::decode(place.codec, stored, place.raw).unwrap();
            assert_eq!(Digest::of(&raw), entry.id);
        }
    }

    #[test]
    fn a_full_pack_and_an_impossible_item_are_refused() {
        let mut builder = PackBuilder::new(session(), io::sink()).unwrap();
        let item = vec![1; 1 << 20];
        let mut push = |raw| builder.push(Digest::of(b""), ItemKind::Tree, Codec::Raw, &item, raw);
        for _ in 0..63 {
            push(1 << 20).unwrap();
        }
        assert!(matches!(push(1 << 20), Err(PackError::Full { .. })));
        assert!(matches!(push(5), Err(PackError::BadItem { .. })));
        assert!(builder.len() <= MAX_PACK);
    }
}
