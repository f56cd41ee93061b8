//! Names with an epoch: of a push, and of a record that was made once.

use std::fmt;
use std::str::FromStr;

use crate::base::{Digest, RandomId};
use crate::objects::wire::{FormatError, Reader, Writer};

/// No epoch is higher: eight decimal digits.
pub const MAX_EPOCH: u64 = 99_999_999;

/// A session: the highest epoch of a gc record that a push saw when it began, and 128 random bits.
///
/// As text `00000012-` and 32 hexadecimal digits; as bytes the epoch as `u64`, then the 16 random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SessionId {
    /// The highest epoch seen at the start.
    pub epoch: u64,
    /// What makes it unique.
    pub random: RandomId,
}

impl SessionId {
    /// Length of the binary form.
    pub(super) const BYTES: usize = 24;

    /// A new session at this epoch.
    pub fn begin(epoch: u64) -> Self {
        Self { epoch, random: RandomId::generate() }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u64(self.epoch).bytes(self.random.as_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let epoch = reader.u64()?;
        reader.limit("epoch", epoch, MAX_EPOCH)?;
        Ok(Self { epoch, random: RandomId::from_bytes(reader.array()?) })
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}-{}", self.epoch, self.random)
    }
}

/// Text that is not eight digits, a dash and 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a session: eight digits, a dash, 32 hexadecimal digits")]
pub struct ParseSessionError;

impl FromStr for SessionId {
    type Err = ParseSessionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, random) = text.split_once('-').ok_or(ParseSessionError)?;
        Ok(Self {
            epoch: parse_epoch(epoch).ok_or(ParseSessionError)?,
            random: random.parse().map_err(|_| ParseSessionError)?,
        })
    }
}

/// The name of an index object or a gc record: an epoch, and the hash of the record, which holds random bytes.
///
/// As text `00000012-` and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordName {
    /// The epoch in which it was made.
    pub epoch: u64,
    /// The last 32 bytes of the record: the hash of those before.
    pub id: Digest,
}

impl RecordName {
    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u64(self.epoch).digest(&self.id);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let epoch = reader.u64()?;
        reader.limit("epoch", epoch, MAX_EPOCH)?;
        Ok(Self { epoch, id: reader.digest()? })
    }

    /// The name of a sealed record of this epoch.
    pub(super) fn of_sealed(epoch: u64, bytes: &[u8]) -> Self {
        let id = bytes.last_chunk().copied().map(Digest::from_bytes).unwrap_or_default();
        Self { epoch, id }
    }
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}-{}", self.epoch, self.id)
    }
}

/// Text that is not eight digits, a dash and 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a record: eight digits, a dash, 64 hexadecimal digits")]
pub struct ParseRecordNameError;

impl FromStr for RecordName {
    type Err = ParseRecordNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, id) = text.split_once('-').ok_or(ParseRecordNameError)?;
        Ok(Self {
            epoch: parse_epoch(epoch).ok_or(ParseRecordNameError)?,
            id: id.parse().map_err(|_| ParseRecordNameError)?,
        })
    }
}

/// An epoch as names have it: exactly eight digits.
pub(super) fn parse_epoch(text: &str) -> Option<u64> {
    let canonical = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| canonical)
}
