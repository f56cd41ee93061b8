//! Where the items of a folded pack lie now.
//!
//! Small or partly dead packs are folded into others; a reader that misses a pack looks at `moves/<pack>`, whose targets
//! hold every item of the old pack that a root still names. A target may have moved itself, at most 8 times.
//!
//! | bytes | field |
//! | ---: | --- |
//! | 8 | magic `gitmlmov` |
//! | 2 | version, 1 |
//! | 2 | must-understand flags, 0 |
//! | 32 | id of the pack that was folded |
//! | 4 | count of targets, 1 to 1,024 |
//! | 39 each | name of a pack ([`crate::objects::pack`]); sorted by id |
//! | 2 … | extensions ([`crate::objects::root`]) |
//! | 32 | hash of all before it: `derive_key`, context `git-ml 1 moves` |

use crate::base::Digest;
use crate::objects::item::context;
use crate::objects::pack::PackRef;
use crate::objects::pack_set::read_packs;
use crate::objects::wire::{Extension, FormatError, Reader, Writer, unseal};

/// No record is longer, in bytes.
pub const MAX_MOVES: usize = 64 * 1024;
/// No chain of moves is followed further.
pub const MAX_MOVE_DEPTH: u8 = 8;

const FORMAT: &str = "record of moves";
const MAGIC: &[u8; 8] = b"gitmlmov";
const VERSION: u16 = 1;
const MAX_TARGETS: u64 = 1024;

/// Where the items of a folded pack lie now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moves {
    /// The pack that was folded.
    pub pack: Digest,
    /// The packs that hold its items; sorted by id.
    pub targets: Vec<PackRef>,
    /// What later versions add without need to be understood.
    pub extensions: Vec<Extension>,
}

impl Moves {
    /// Its bytes.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where there are no or too many targets, or they are not sorted.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        let mut writer = Writer::head(MAGIC, VERSION);
        writer.digest(&self.pack).u32(self.targets.len() as u32);
        self.targets.iter().for_each(|pack| pack.write(&mut writer));
        Extension::write_all(&self.extensions, &mut writer);
        let bytes = writer.seal(context::MOVES);
        // What cannot be read must not be written.
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        Reader::limited(FORMAT, bytes, MAX_MOVES)?.head(MAGIC, VERSION)?;
        let mut reader = unseal(FORMAT, context::MOVES, bytes, MAX_MOVES)?;
        reader.head(MAGIC, VERSION)?;
        let pack = reader.digest()?;
        let count = reader.u32()?.into();
        let count = reader.fits("count of targets", count, MAX_TARGETS, PackRef::BYTES)?;
        reader.check("count of targets", count > 0)?;
        let moves = Self {
            pack,
            targets: read_packs(&mut reader, count)?,
            extensions: Extension::read_all(&mut reader)?,
        };
        reader.end()?;
        Ok(moves)
    }
}
