//! Reading and writing of the fields that binary formats are made of.

use crate::base::{Advice, Digest};

/// Bytes that are not what their format says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Does not begin with the format's magic.
    #[error("this is not a {format}")]
    Magic {
        /// What was expected.
        format: &'static str,
    },
    /// Written by a later program.
    #[error("the {format} has version {version}, which this program does not know")]
    Version {
        /// What was read.
        format: &'static str,
        /// The version found.
        version: u16,
    },
    /// Needs what only a later program can do (encryption, for example).
    #[error("the {format} needs a feature ({flags:#06x}) that this program does not know")]
    Flags {
        /// What was read.
        format: &'static str,
        /// The flags or tag that are not known.
        flags: u16,
    },
    /// Ends before its last field.
    #[error("the {format} is cut short")]
    CutShort {
        /// What was read.
        format: &'static str,
    },
    /// Goes on after its last field.
    #[error("the {format} has {extra} bytes after its end")]
    GoesOn {
        /// What was read.
        format: &'static str,
        /// Bytes too many.
        extra: usize,
    },
    /// A number is over the limit of the format.
    #[error("the {format} has {value} as {field}, over the limit of {limit}")]
    Limit {
        /// What was read.
        format: &'static str,
        /// Which number.
        field: &'static str,
        /// Its value.
        value: u64,
        /// The most that is allowed.
        limit: u64,
    },
    /// A field has a value that the format does not allow, or not in this place.
    #[error("the {format} has a bad {field}")]
    Field {
        /// What was read.
        format: &'static str,
        /// Which field.
        field: &'static str,
    },
    /// The hash at the end is not that of the bytes before it.
    #[error("the {format} is damaged: its own hash does not fit")]
    Damaged {
        /// What was read.
        format: &'static str,
    },
}

impl Advice for FormatError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Version { .. } | Self::Flags { .. } => {
                vec!["a newer git-ml wrote it: cargo install git-ml".into()]
            }
            _ => Vec::new(),
        }
    }
}

/// Takes fields from the front of `rest`.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    format: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(format: &'static str, bytes: &'a [u8]) -> Self {
        Self { format, rest: bytes }
    }

    /// Begins to read a whole object of at most `limit` bytes.
    pub(super) fn limited(format: &'static str, bytes: &'a [u8], limit: usize) -> Result<Self, FormatError> {
        let reader = Self::new(format, bytes);
        reader.limit("length", bytes.len() as u64, limit as u64)?;
        Ok(reader)
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], FormatError> {
        let (taken, rest) =
            self.rest.split_at_checked(length).ok_or(FormatError::CutShort { format: self.format })?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (taken, rest) =
            self.rest.split_first_chunk::<N>().ok_or(FormatError::CutShort { format: self.format })?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, FormatError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u24(&mut self) -> Result<u32, FormatError> {
        self.array().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    pub(super) fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn digest(&mut self) -> Result<Digest, FormatError> {
        self.array().map(Digest::from_bytes)
    }

    /// Magic, version and must-understand flags, as every object of ours begins.
    pub(super) fn head(&mut self, magic: &[u8; 8], version: u16) -> Result<(), FormatError> {
        if self.array().ok().as_ref() != Some(magic) {
            return Err(FormatError::Magic { format: self.format });
        }
        let found = self.u16()?;
        if found != version {
            return Err(FormatError::Version { format: self.format, version: found });
        }
        match self.u16()? {
            0 => Ok(()),
            flags => Err(FormatError::Flags { format: self.format, flags }),
        }
    }

    /// A count of entries that take at least `smallest` bytes each: never more than the rest could hold.
    pub(super) fn fits(
        &self,
        field: &'static str,
        count: u64,
        limit: u64,
        smallest: usize,
    ) -> Result<usize, FormatError> {
        self.limit(field, count, limit)?;
        let room = (self.rest.len() / smallest.max(1)) as u64;
        if count > room {
            return Err(FormatError::CutShort { format: self.format });
        }
        usize::try_from(count).map_err(|_| self.bad(field))
    }

    pub(super) fn limit(&self, field: &'static str, value: u64, limit: u64) -> Result<(), FormatError> {
        if value > limit {
            return Err(FormatError::Limit { format: self.format, field, value, limit });
        }
        Ok(())
    }

    pub(super) fn zeros(&mut self, field: &'static str, length: usize) -> Result<(), FormatError> {
        let zero = self.bytes(length)?.iter().all(|byte| *byte == 0);
        self.check(field, zero)
    }

    pub(super) fn check(&self, field: &'static str, holds: bool) -> Result<(), FormatError> {
        if holds { Ok(()) } else { Err(self.bad(field)) }
    }

    pub(super) const fn bad(&self, field: &'static str) -> FormatError {
        FormatError::Field { format: self.format, field }
    }

    /// The whole was read.
    pub(super) const fn end(self) -> Result<(), FormatError> {
        match self.rest.len() {
            0 => Ok(()),
            extra => Err(FormatError::GoesOn { format: self.format, extra }),
        }
    }
}

/// Appends fields.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// Begins an object of ours: magic, version, must-understand flags (none).
    pub(super) fn head(magic: &[u8; 8], version: u16) -> Self {
        let mut writer = Self::default();
        writer.bytes(magic).u16(version).u16(0);
        writer
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    pub(super) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// The low 24 bits; what is written here was held against a limit before.
    pub(super) fn u24(&mut self, value: u32) -> &mut Self {
        let [a, b, c, _] = value.to_le_bytes();
        self.bytes(&[a, b, c])
    }

    pub(super) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(super) fn digest(&mut self, digest: &Digest) -> &mut Self {
        self.bytes(digest.as_bytes())
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Ends a record with the hash of itself.
    pub(super) fn seal(mut self, context: &str) -> Vec<u8> {
        let hash = Digest::derived(context, &self.0);
        self.digest(&hash);
        self.0
    }
}

/// Opens a record that ends with the hash of itself; gives what stands before the hash.
pub(super) fn unseal<'a>(
    format: &'static str,
    context: &str,
    bytes: &'a [u8],
    limit: usize,
) -> Result<Reader<'a>, FormatError> {
    Reader::limited(format, bytes, limit)?;
    let (body, hash) = bytes.split_last_chunk::<32>().ok_or(FormatError::CutShort { format })?;
    if Digest::derived(context, body) != Digest::from_bytes(*hash) {
        return Err(FormatError::Damaged { format });
    }
    Ok(Reader::new(format, body))
}

/// A field that a later version added to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Which field: below 32,768, since others must be understood and this version knows none.
    pub tag: u16,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Extension {
    /// Tags from here on must be understood.
    const MUST_UNDERSTAND: u16 = 0x8000;

    pub(super) fn write_all(extensions: &[Self], writer: &mut Writer) {
        writer.u16(extensions.len() as u16);
        for Self { tag, bytes } in extensions {
            writer.u16(*tag).u32(bytes.len() as u32).bytes(bytes);
        }
    }

    pub(super) fn read_all(reader: &mut Reader<'_>) -> Result<Vec<Self>, FormatError> {
        let count = reader.u16()?.into();
        let count = reader.fits("count of extensions", count, u64::from(u16::MAX), 6)?;
        let mut extensions: Vec<Self> = Vec::with_capacity(count);
        for _ in 0..count {
            let tag = reader.u16()?;
            if tag >= Self::MUST_UNDERSTAND {
                return Err(FormatError::Flags { format: reader.format, flags: tag });
            }
            reader.check("order of extensions", extensions.last().is_none_or(|last| last.tag < tag))?;
            let length = reader.u32()?.into();
            let length = reader.fits("length of an extension", length, u64::from(u32::MAX), 1)?;
            extensions.push(Self { tag, bytes: reader.bytes(length)?.to_vec() });
        }
        Ok(extensions)
    }
}
