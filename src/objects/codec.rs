//! How one item (a chunk or a node) is compressed.
//!
//! | byte | name | stored form |
//! | ---: | --- | --- |
//! | 0 | raw | the bytes themselves |
//! | 1 | zstd | zstd frames (RFC 8878) |
//! | 2 | planes2 | zstd frames of the bytes separated into 2 planes |
//! | 3 | planes4 | zstd frames of the bytes separated into 4 planes |
//! | 4 | | reserved: zstd with a dictionary |
//! | 128… | | reserved |
//!
//! Planes: of `n` bytes, byte `i` belongs to plane `i mod w`; the planes follow each other, plane 0 first, each with its
//! bytes in order. Plane `k` has `(n - k + w - 1) / w` bytes, rounded down. Floats compress better so, because their
//! exponents lie together.
//!
//! An item is stored raw unless another form is smaller by enough; so the stored length is below the raw length for every
//! codec but raw, where it is equal. The stored form is not unique (levels differ): identity is the id of the raw bytes alone.
//! The raw length is always known and held against its limit before anything is decompressed.

use std::cell::RefCell;
use std::io;

use zstd::bulk::{Compressor, Decompressor};

use crate::base::Advice;
use crate::objects::item::MAX_ITEM;

/// How an item is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Codec {
    /// As it is.
    Raw = 0,
    /// Compressed with zstd.
    Zstd = 1,
    /// Two byte planes, then zstd.
    Planes2 = 2,
    /// Four byte planes, then zstd.
    Planes4 = 3,
}

impl Codec {
    /// The codec with this number; `None` if this version knows none.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Raw),
            1 => Some(Self::Zstd),
            2 => Some(Self::Planes2),
            3 => Some(Self::Planes4),
            _ => None,
        }
    }

    /// Its number.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Whether an item of `raw` bytes can be `stored` in so many by this codec.
    pub const fn allows(self, stored: u32, raw: u32) -> bool {
        match self {
            Self::Raw => stored == raw,
            _ => stored > 0 && stored < raw,
        }
    }
}

/// Why stored bytes could not be turned into the item.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The raw length that was declared is over the limit of any item.
    #[error("an item of {raw} bytes is declared, over the limit of {limit}")]
    TooLong {
        /// The declared length in bytes.
        raw: u32,
        /// The most that is allowed.
        limit: usize,
    },
    /// The compressed bytes are damaged, or longer than declared.
    #[error("the compressed bytes are damaged")]
    Damaged(#[source] io::Error),
    /// What came out is not as long as declared.
    #[error("an item of {declared} bytes was declared, {found} are there")]
    Length {
        /// The declared length in bytes.
        declared: u32,
        /// The length found.
        found: usize,
    },
}

impl Advice for CodecError {}

thread_local! {
    /// The compressor of this thread and its level: making one costs more than compressing a chunk.
    static COMPRESSOR: RefCell<Option<(i32, Compressor<'static>)>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The shorter form of `raw`: zstd of this level, or raw where that does not help. For single items; see
/// [`crate::objects::Encoder`] for the chunks of contents.
pub fn encode(raw: &[u8], level: i32) -> (Codec, Vec<u8>) {
    let shorter = compress(raw, level).filter(|stored| stored.len() < raw.len());
    shorter.map_or_else(|| (Codec::Raw, raw.to_vec()), |stored| (Codec::Zstd, stored))
}

/// The item that `stored` holds: exactly `raw_len` bytes.
///
/// # Errors
///
/// [`CodecError`] when the declared length is over the limit or not what comes out.
pub fn decode(codec: Codec, stored: &[u8], raw_len: u32) -> Result<Vec<u8>, CodecError> {
    let mut scratch = Scratch::default();
    match decode_in(codec, stored, raw_len, &mut scratch)? {
        item if codec == Codec::Raw => Ok(item.to_vec()),
        _ => Ok(scratch.item),
    }
}

/// Buffers in which items are decoded one after the other: memory that was touched before costs nothing.
#[derive(Debug, Default)]
pub struct Scratch {
    item: Vec<u8>,
    planes: Vec<u8>,
}

impl Scratch {
    /// The item that was decoded here last, from these stored bytes.
    pub fn decoded<'a>(&'a self, codec: Codec, stored: &'a [u8]) -> &'a [u8] {
        if codec == Codec::Raw { stored } else { &self.item }
    }
}

/// As [`decode`], with the item in `scratch`, or in `stored` itself where it is stored raw.
///
/// # Errors
///
/// As for [`decode`].
pub fn decode_in<'a>(
    codec: Codec,
    stored: &'a [u8],
    raw_len: u32,
    scratch: &'a mut Scratch,
) -> Result<&'a [u8], CodecError> {
    let declared = raw_len as usize;
    if declared > MAX_ITEM {
        return Err(CodecError::TooLong { raw: raw_len, limit: MAX_ITEM });
    }
    let Scratch { item, planes } = scratch;
    match codec {
        Codec::Raw => {}
        Codec::Zstd => decompress(stored, declared, item)?,
        Codec::Planes2 => {
            decompress(stored, declared, planes)?;
            join::<2>(planes, item);
        }
        Codec::Planes4 => {
            decompress(stored, declared, planes)?;
            join::<4>(planes, item);
        }
    }
    let raw = scratch.decoded(codec, stored);
    if raw.len() != declared {
        return Err(CodecError::Length { declared: raw_len, found: raw.len() });
    }
    Ok(raw)
}

/// `None` where the library refuses: then the item is stored raw.
fn compress(raw: &[u8], level: i32) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|(made_for, _)| *made_for != level) {
            *slot = Some((level, Compressor::new(level).ok()?));
        }
        slot.as_mut().and_then(|(_, compressor)| compressor.compress(raw).ok())
    })
}

/// Puts what `stored` holds into `out`, if it is at most `raw_len` bytes.
fn decompress(stored: &[u8], raw_len: usize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::new().map_err(CodecError::Damaged)?),
        };
        out.resize(raw_len, 0);
        let length = decompressor.decompress_to_buffer(stored, out.as_mut_slice());
        out.truncate(length.map_err(CodecError::Damaged)?);
        Ok(())
    })
}

/// Length of one of the planes of an item of `length` bytes.
pub(super) const fn plane_len(length: usize, planes: usize, plane: usize) -> usize {
    (length - plane).div_ceil(planes)
}

/// Puts the bytes of `raw` into `W` planes, one behind the other, in `planes`.
pub(super) fn separate<const W: usize>(raw: &[u8], planes: &mut Vec<u8>) {
    planes.clear();
    planes.resize(raw.len(), 0);
    let mut rest = planes.as_mut_slice();
    for plane in 0..W.min(raw.len()) {
        let (bytes, others) = rest.split_at_mut(plane_len(raw.len(), W, plane));
        rest = others;
        let (groups, tail) = raw.as_chunks::<W>();
        bytes.iter_mut().zip(groups).for_each(|(byte, group)| *byte = group[plane]);
        if let (Some(last), Some(byte)) = (bytes.last_mut(), tail.get(plane)) {
            *last = *byte;
        }
    }
}

/// Puts the bytes of `W` planes back in their order, into `out`.
fn join<const W: usize>(separated: &[u8], out: &mut Vec<u8>) {
    let (length, whole) = (separated.len(), separated.len() / W);
    out.resize(length, 0);
    let start = |plane: usize| plane * whole + plane.min(length % W);
    let planes: [&[u8]; W] = std::array::from_fn(|plane| &separated[start(plane)..][..whole]);
    let (groups, rest) = out.as_chunks_mut::<W>();
    for (at, group) in groups.iter_mut().enumerate() {
        for (byte, plane) in group.iter_mut().zip(planes) {
            *byte = plane[at];
        }
    }
    for (plane, byte) in rest.iter_mut().enumerate() {
        *byte = separated[start(plane) + whole];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_come_back_whatever_their_length() {
        let raw: Vec<u8> = (0..=255).collect();
        for length in 0..40 {
            let (mut planes, mut joined) = (vec![1; 3], vec![1; 3]);
            separate::<2>(&raw[..length], &mut planes);
            join::<2>(&planes, &mut joined);
            assert_eq!(joined, &raw[..length]);
            separate::<4>(&raw[..length], &mut planes);
            join::<4>(&planes, &mut joined);
            assert_eq!(joined, &raw[..length]);
            let lengths: usize = (0..4.min(length)).map(|plane| plane_len(length, 4, plane)).sum();
            assert_eq!(lengths, length);
        }
    }

    #[test]
    fn what_does_not_shrink_is_stored_raw() {
        assert_eq!(encode(b"penguin", 1), (Codec::Raw, b"penguin".to_vec()));
        assert_eq!(encode(b"", 1), (Codec::Raw, Vec::new()));
    }

    #[test]
    fn a_bomb_is_refused_before_it_grows() {
        let bomb = compress(&vec![0; 100 << 20], 1).unwrap();
        assert!(matches!(decode(Codec::Zstd, &bomb, 65_536), Err(CodecError::Damaged(_))));
        assert!(matches!(decode(Codec::Zstd, &bomb, 100 << 20), Err(CodecError::TooLong { .. })));
        assert!(matches!(decode(Codec::Raw, b"ab", 3), Err(CodecError::Length { .. })));
    }
}
