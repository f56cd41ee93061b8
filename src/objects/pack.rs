//! Many items in one stored object, written once.
//!
//! A pack is named by the BLAKE3 of its footer. So one range read proves the table of items against the name; and the
//! footer holds the BLAKE3 of everything before it, so that the name commits to every byte. The header's nonce is fresh
//! for each pack: no name is ever made twice. A pack has at most 64 MiB ([`MAX_PACK`]) and 262,144 items.
//!
//! A pack of no session (24 zeros) is one of a store, which never leaves it: there the hash in the footer is over the header
//! alone. Its items are checked by their ids whenever they are read, and hashing each byte a third time (as content, as
//! chunk) would be a quarter of the work of adding what does not compress.
//!
//! | offset | bytes | header (64 bytes) |
//! | ---: | ---: | --- |
//! | 0 | 8 | magic `gitmlpak` |
//! | 8 | 2 | version, 1 |
//! | 10 | 2 | must-understand flags, 0: a reader that does not know a flag refuses the pack |
//! | 12 | 1 | cipher, 0: none |
//! | 13 | 3 | 0 |
//! | 16 | 16 | key id, 0: none |
//! | 32 | 24 | nonce, random |
//! | 56 | 8 | 0 |
//!
//! From offset 64 follow the stored forms of the items ([`crate::objects::codec`]), back to back, in the order of the
//! footer; so the offset of an item is 64 plus the stored lengths before it.
//!
//! | offset | bytes | footer (68 bytes, then 42 for each item) |
//! | ---: | ---: | --- |
//! | 0 | 4 | count of items |
//! | 4 | 8 | sum of the raw lengths |
//! | 12 | 32 | BLAKE3 of header and items, as stored; of no session: of the header |
//! | 44 | 24 | session that made it: epoch `u64`, 16 random bytes |
//! | 68 + 42 n | 32 | id of item n |
//! | … + 32 | 4 | stored length, in bytes |
//! | … + 36 | 4 | raw length, in bytes |
//! | … + 40 | 1 | codec |
//! | … + 41 | 1 | kind ([`ItemKind`]) |
//!
//! | offset | bytes | trailer (16 bytes, the end of the object) |
//! | ---: | ---: | --- |
//! | 0 | 4 | length of the footer |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | must-understand flags, 0 |
//! | 8 | 8 | magic `gitmlpak` |
//!
//! Who names a pack names its size and the length of its footer too ([`PackRef`]), since not every service can read
//! from the end; and who names an item names where it lies ([`Place`]). An id may stand in a footer twice; the bytes are
//! the same then.
//!
//! | offset | bytes | name of a pack (39 bytes) |
//! | ---: | ---: | --- |
//! | 0 | 32 | BLAKE3 of the footer |
//! | 32 | 4 | size of the pack, in bytes |
//! | 36 | 3 | length of the footer, in bytes; it begins at size - 16 - length |
//!
//! | offset | bytes | place (52 bytes) |
//! | ---: | ---: | --- |
//! | 0 | 39 | name of the pack |
//! | 39 | 4 | offset of the item from the start of the pack, in bytes |
//! | 43 | 4 | stored length, in bytes |
//! | 47 | 4 | raw length, in bytes |
//! | 51 | 1 | codec |

use crate::base::{Digest, RandomId};
use crate::objects::codec::Codec;
use crate::objects::item::{ItemKind, MAX_ITEM};
use crate::objects::session::SessionId;
use crate::objects::wire::{FormatError, Reader, Writer};

/// No pack is longer, all of it counted, in bytes.
pub const MAX_PACK: u64 = 64 << 20;
/// No pack has more items.
pub const MAX_PACK_ITEMS: usize = 1 << 18;
/// Length of the header, in bytes: where the first item begins.
pub const HEADER_LEN: usize = 64;
/// Length of the trailer, in bytes.
pub const TRAILER_LEN: usize = 16;
/// Length of a footer without items, in bytes.
pub const FOOTER_HEAD_LEN: usize = 68;
/// Length of one item's entry in the footer, in bytes.
pub const FOOTER_ENTRY_LEN: usize = 42;

const MAGIC: &[u8; 8] = b"gitmlpak";
const VERSION: u16 = 1;
const HEADER: &str = "pack header";
const FOOTER: &str = "pack footer";
const TRAILER: &str = "pack trailer";

/// The first 64 bytes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackHeader {
    /// Makes the pack's name unique; later also the salt of its key.
    pub nonce: [u8; 24],
}

impl PackHeader {
    /// A header with a fresh random nonce.
    pub fn fresh() -> Self {
        let mut nonce = [0; 24];
        nonce[..16].copy_from_slice(RandomId::generate().as_bytes());
        nonce[16..].copy_from_slice(&RandomId::generate().as_bytes()[..8]);
        Self { nonce }
    }

    /// Its bytes.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut writer = Writer::head(MAGIC, VERSION);
        writer.bytes(&[0; 20]).bytes(&self.nonce).bytes(&[0; 8]);
        let mut bytes = [0; HEADER_LEN];
        bytes.copy_from_slice(&writer.finish());
        bytes
    }

    /// Reads the first 64 bytes of a pack.
    ///
    /// # Errors
    ///
    /// [`FormatError`] if it is no pack, or one that this program cannot read.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(HEADER, bytes);
        reader.head(MAGIC, VERSION)?;
        match reader.u8()? {
            0 => {}
            cipher => return Err(FormatError::Flags { format: HEADER, flags: cipher.into() }),
        }
        reader.zeros("reserved field", 3)?;
        reader.zeros("key id", 16)?;
        let nonce = reader.array()?;
        reader.zeros("reserved field", 8)?;
        reader.end()?;
        Ok(Self { nonce })
    }
}

/// One item in the table of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FooterEntry {
    /// Its id.
    pub id: Digest,
    /// Length as stored, in bytes.
    pub stored: u32,
    /// Length of the item itself, in bytes.
    pub raw: u32,
    /// How it is stored.
    pub codec: Codec,
    /// What it is.
    pub kind: ItemKind,
}

impl FooterEntry {
    /// Whether the lengths are such as the codec and the kind allow.
    pub(super) const fn is_sound(&self) -> bool {
        self.raw > 0 && self.raw as usize <= self.kind.longest() && self.codec.allows(self.stored, self.raw)
    }

    fn write(&self, writer: &mut Writer) {
        writer.digest(&self.id).u32(self.stored).u32(self.raw).u8(self.codec.byte()).u8(self.kind.byte());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let (id, stored, raw) = (reader.digest()?, reader.u32()?, reader.u32()?);
        let codec = Codec::from_byte(reader.u8()?).ok_or(reader.bad("codec"))?;
        let kind = ItemKind::from_byte(reader.u8()?).ok_or(reader.bad("kind of item"))?;
        let entry = Self { id, stored, raw, codec, kind };
        reader.check("length of an item", entry.is_sound())?;
        Ok(entry)
    }

    /// Its 42 bytes, as in a footer; side tables of packs that are still open use them too.
    pub fn encode(&self) -> [u8; FOOTER_ENTRY_LEN] {
        let mut writer = Writer::default();
        self.write(&mut writer);
        let mut bytes = [0; FOOTER_ENTRY_LEN];
        bytes.copy_from_slice(&writer.finish());
        bytes
    }

    /// Reads 42 bytes.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for a codec, kind or length that cannot be.
    pub fn decode(bytes: &[u8; FOOTER_ENTRY_LEN]) -> Result<Self, FormatError> {
        Self::read(&mut Reader::new(FOOTER, bytes))
    }
}

/// The table of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFooter {
    /// The items, in the order in which they are stored.
    pub entries: Vec<FooterEntry>,
    /// BLAKE3 of header and items, as stored; where there is no session, of the header alone.
    pub data_hash: Digest,
    /// The session that made the pack; none (zeros) for a pack of a store.
    pub session: SessionId,
}

impl PackFooter {
    /// Its bytes, without the trailer.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u32(self.entries.len() as u32).u64(self.raw_bytes()).digest(&self.data_hash);
        self.session.write(&mut writer);
        self.entries.iter().for_each(|entry| entry.write(&mut writer));
        writer.finish()
    }

    /// Reads a footer, without the trailer. The caller compares [`PackFooter::id`] with the name.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where a count, length or sum is not what it must be.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = Reader::new(FOOTER, bytes);
        let count = reader.u32()?;
        let (raw_bytes, data_hash, session) =
            (reader.u64()?, reader.digest()?, SessionId::read(&mut reader)?);
        let count = reader.fits("count of items", count.into(), MAX_PACK_ITEMS as u64, FOOTER_ENTRY_LEN)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(FooterEntry::read(&mut reader)?);
        }
        let footer = Self { entries, data_hash, session };
        reader.check("sum of raw lengths", footer.raw_bytes() == raw_bytes)?;
        reader.limit("size of the pack", footer.size(), MAX_PACK)?;
        reader.end()?;
        Ok(footer)
    }

    /// The pack's name: BLAKE3 of the footer.
    pub fn id(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// The pack, as others name it.
    pub fn pack_ref(&self) -> PackRef {
        PackRef { id: self.id(), size: self.size() as u32, footer_len: footer_len(self.entries.len()) as u32 }
    }

    /// Sum of the raw lengths, in bytes.
    pub fn raw_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| u64::from(entry.raw)).sum()
    }

    /// Length of the whole pack, in bytes.
    fn size(&self) -> u64 {
        let stored: u64 = self.entries.iter().map(|entry| u64::from(entry.stored)).sum();
        stored + (HEADER_LEN + footer_len(self.entries.len()) + TRAILER_LEN) as u64
    }

    /// Each item and where it lies; `pack` is this pack.
    pub fn places(&self, pack: PackRef) -> impl Iterator<Item = (&FooterEntry, Place)> {
        self.entries.iter().scan(HEADER_LEN as u32, move |offset, entry| {
            let FooterEntry { stored, raw, codec, .. } = *entry;
            let place = Place { pack, offset: *offset, stored, raw, codec };
            *offset += stored;
            Some((entry, place))
        })
    }
}

/// Length of a footer with so many items, in bytes.
pub(super) const fn footer_len(items: usize) -> usize {
    FOOTER_HEAD_LEN + FOOTER_ENTRY_LEN * items
}

/// The last 16 bytes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// Length of the footer before it, in bytes.
    pub footer_len: u32,
}

impl Trailer {
    /// Its bytes.
    pub fn encode(&self) -> [u8; TRAILER_LEN] {
        let mut writer = Writer::default();
        writer.u32(self.footer_len).u16(VERSION).u16(0).bytes(MAGIC);
        let mut bytes = [0; TRAILER_LEN];
        bytes.copy_from_slice(&writer.finish());
        bytes
    }

    /// Reads the last 16 bytes of a pack.
    ///
    /// # Errors
    ///
    /// [`FormatError`] if no pack ends so.
    pub fn decode(bytes: &[u8; TRAILER_LEN]) -> Result<Self, FormatError> {
        let (length, head) = bytes.split_at(4);
        let mut ordered = [0; 12];
        ordered[..8].copy_from_slice(&head[4..]);
        ordered[8..].copy_from_slice(&head[..4]);
        Reader::new(TRAILER, &ordered).head(MAGIC, VERSION)?;
        let footer_len = Reader::new(TRAILER, length).u32()?;
        let entries = (footer_len as usize).checked_sub(FOOTER_HEAD_LEN);
        let whole = entries.is_some_and(|bytes| bytes % FOOTER_ENTRY_LEN == 0);
        Reader::new(TRAILER, &[])
            .check("footer length", whole && footer_len as usize <= footer_len_limit())?;
        Ok(Self { footer_len })
    }
}

const fn footer_len_limit() -> usize {
    footer_len(MAX_PACK_ITEMS)
}

/// A pack, as others name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackRef {
    /// Its name.
    pub id: Digest,
    /// Length of the whole object, in bytes.
    pub size: u32,
    /// Length of its footer, in bytes; it begins at `size - 16 - footer_len`.
    pub footer_len: u32,
}

impl PackRef {
    /// Length of the binary form: id 32, size 4, footer length 3.
    pub(super) const BYTES: usize = 39;

    /// Where the footer begins, in bytes from the start of the pack.
    pub const fn footer_offset(&self) -> u32 {
        self.size.saturating_sub(self.footer_len + TRAILER_LEN as u32)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.digest(&self.id).u32(self.size).u24(self.footer_len);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let pack = Self { id: reader.digest()?, size: reader.u32()?, footer_len: reader.u24()? };
        reader.limit("size of a pack", pack.size.into(), MAX_PACK)?;
        let least = HEADER_LEN + TRAILER_LEN + pack.footer_len as usize;
        let entries = (pack.footer_len as usize).checked_sub(FOOTER_HEAD_LEN);
        let whole = entries.is_some_and(|bytes| bytes % FOOTER_ENTRY_LEN == 0);
        reader.check("name of a pack", whole && least <= pack.size as usize && !pack.id.is_zero())?;
        Ok(pack)
    }
}

/// Where an item lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The pack.
    pub pack: PackRef,
    /// Bytes from the start of the pack.
    pub offset: u32,
    /// Length as stored, in bytes.
    pub stored: u32,
    /// Length of the item itself, in bytes.
    pub raw: u32,
    /// How it is stored.
    pub codec: Codec,
}

impl Place {
    /// Whether an item can lie here: between header and footer, with lengths that its codec allows.
    pub fn is_sound(&self) -> bool {
        let end = self.offset.checked_add(self.stored);
        let inside = end.is_some_and(|end| end <= self.pack.footer_offset());
        let lengths = self.raw as usize <= MAX_ITEM && self.codec.allows(self.stored, self.raw);
        inside && lengths && self.raw > 0 && self.offset as usize >= HEADER_LEN
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        self.pack.write(writer);
        writer.u32(self.offset).u32(self.stored).u32(self.raw).u8(self.codec.byte());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let pack = PackRef::read(reader)?;
        let (offset, stored, raw) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let codec = Codec::from_byte(reader.u8()?).ok_or(reader.bad("codec"))?;
        let place = Self { pack, offset, stored, raw, codec };
        reader.check("place", place.is_sound())?;
        Ok(place)
    }
}
