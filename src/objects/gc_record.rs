//! What gc tells everybody: condemned packs, the session floor, the roots that it found whole.
//!
//! A record lies at `gc/<epoch>-<id>` and is written once; its epoch is one more than the highest that its writer saw.
//! A push that sees a pack condemned in any record must not name it in a new root. A session whose epoch is below the
//! floor of any record is dead; its roots count only if the newest certificate names them.
//!
//! | bytes | field |
//! | ---: | --- |
//! | 8 | magic `gitmlgcr` |
//! | 2 | version, 1 |
//! | 2 | must-understand flags, 0 |
//! | 8 | epoch |
//! | 16 | random bytes: make the name unique |
//! | 32 | config id: of the remote's configuration ([`crate::objects::remote_config`]) |
//! | 8 | floor: lowest epoch of a session that lives |
//! | 1 | certificate: 0 none, 1 in this record, 2 in another |
//! | 4 + 72 each | 1: count of roots, at most 10⁶, and each: repository (16), root (32), session (24); sorted |
//! | 40 | 2: epoch (8) and id (32) of the record that holds it |
//! | 4 + 32 each | count of condemned packs, at most 10⁶, and the id of each; sorted |
//! | 4 + 72 each | count of forgotten roots, at most 10⁶, and each, as above |
//! | 2 … | extensions ([`crate::objects::root`]) |
//! | 32 | hash of all before it, the id in the name: `derive_key`, context `git-ml 1 gc` |
//!
//! All lists are sorted by their fields as given here, epochs as numbers, all else as bytes; each entry once. A record has at
//! most 64 MiB.

use std::collections::BTreeSet;

use crate::base::{Digest, RandomId};
use crate::objects::item::context;
use crate::objects::session::{MAX_EPOCH, RecordName, SessionId};
use crate::objects::wire::{Extension, FormatError, Reader, Writer, unseal};

/// No record is longer, in bytes.
pub const MAX_GC_RECORD: usize = 64 << 20;

const FORMAT: &str = "gc record";
const MAGIC: &[u8; 8] = b"gitmlgcr";
const VERSION: u16 = 1;
const MAX_ENTRIES: u64 = 1_000_000;

/// A root record, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootName {
    /// The repository that pushed it.
    pub repository: RandomId,
    /// The root.
    pub root: Digest,
    /// The push.
    pub session: SessionId,
}

impl RootName {
    const BYTES: usize = 72;

    fn write(&self, writer: &mut Writer) {
        writer.bytes(self.repository.as_bytes()).digest(&self.root);
        self.session.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let repository = RandomId::from_bytes(reader.array()?);
        Ok(Self { repository, root: reader.digest()?, session: SessionId::read(reader)? })
    }
}

/// The roots that gc found whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// None yet.
    None,
    /// These.
    Here(BTreeSet<RootName>),
    /// Those in another record.
    In(RecordName),
}

/// A gc record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcRecord {
    /// One more than the highest epoch that its writer saw.
    pub epoch: u64,
    /// Makes the name unique.
    pub nonce: RandomId,
    /// The remote's configuration.
    pub config: Digest,
    /// Sessions of a lower epoch are dead.
    pub floor: u64,
    /// The roots that gc found whole.
    pub certificate: Certificate,
    /// Packs that no new root may name.
    pub condemned: BTreeSet<Digest>,
    /// Root records that were deleted on purpose.
    pub forgotten: BTreeSet<RootName>,
    /// What later versions add without need to be understood.
    pub extensions: Vec<Extension>,
}

impl GcRecord {
    /// Its bytes, and the name under which they belong.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where a field is over its limit.
    pub fn encode(&self) -> Result<(RecordName, Vec<u8>), FormatError> {
        let mut writer = Writer::head(MAGIC, VERSION);
        writer.u64(self.epoch).bytes(self.nonce.as_bytes()).digest(&self.config).u64(self.floor);
        match &self.certificate {
            Certificate::None => {
                writer.u8(0);
            }
            Certificate::Here(roots) => {
                writer.u8(1).u32(roots.len() as u32);
                roots.iter().for_each(|root| root.write(&mut writer));
            }
            Certificate::In(record) => {
                writer.u8(2);
                record.write(&mut writer);
            }
        }
        writer.u32(self.condemned.len() as u32);
        self.condemned.iter().for_each(|pack| {
            writer.digest(pack);
        });
        writer.u32(self.forgotten.len() as u32);
        self.forgotten.iter().for_each(|root| root.write(&mut writer));
        Extension::write_all(&self.extensions, &mut writer);
        let bytes = writer.seal(context::GC);
        // What cannot be read must not be written.
        Self::decode(&bytes)?;
        Ok((RecordName::of_sealed(self.epoch, &bytes), bytes))
    }

    /// Reads a record. That its hash is the id in its name is the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        Reader::limited(FORMAT, bytes, MAX_GC_RECORD)?.head(MAGIC, VERSION)?;
        let mut reader = unseal(FORMAT, context::GC, bytes, MAX_GC_RECORD)?;
        reader.head(MAGIC, VERSION)?;
        let epoch = reader.u64()?;
        reader.limit("epoch", epoch, MAX_EPOCH)?;
        let nonce = RandomId::from_bytes(reader.array()?);
        let (config, floor) = (reader.digest()?, reader.u64()?);
        reader.limit("floor", floor, epoch)?;
        let certificate = match reader.u8()? {
            0 => Certificate::None,
            1 => Certificate::Here(read_sorted(&mut reader, RootName::BYTES, RootName::read)?),
            2 => Certificate::In(RecordName::read(&mut reader)?),
            _ => return Err(reader.bad("certificate")),
        };
        let record = Self {
            epoch,
            nonce,
            config,
            floor,
            certificate,
            condemned: read_sorted(&mut reader, 32, Reader::digest)?,
            forgotten: read_sorted(&mut reader, RootName::BYTES, RootName::read)?,
            extensions: Extension::read_all(&mut reader)?,
        };
        reader.end()?;
        Ok(record)
    }
}

/// A count, and so many entries, sorted, each once.
fn read_sorted<'a, T: Ord + Copy>(
    reader: &mut Reader<'a>,
    bytes: usize,
    read: impl Fn(&mut Reader<'a>) -> Result<T, FormatError>,
) -> Result<BTreeSet<T>, FormatError> {
    let count = reader.u32()?.into();
    let count = reader.fits("count of entries", count, MAX_ENTRIES, bytes)?;
    let (mut entries, mut last) = (BTreeSet::new(), None);
    for _ in 0..count {
        let entry = read(reader)?;
        reader.check("order of entries", last.is_none_or(|last| last < entry))?;
        last = Some(entry);
        entries.insert(entry);
    }
    Ok(entries)
}
