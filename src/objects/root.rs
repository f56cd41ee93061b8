//! The record in a remote that says: this root was pushed whole; and the claim that announces it.
//!
//! One for each push and root, at `roots/<repository>/<root>/<session>` ([`crate::objects::layout`]), at most 256 KiB.
//! A claim has the same fields, another magic and another context: it is a draft, in which `top` may still be missing.
//! Everything that the root needs is in the packs of the pack set and the meta packs together.
//!
//! | bytes | field |
//! | ---: | --- |
//! | 8 | magic: `gitmlrot`, of a claim `gitmlclm` |
//! | 2 | version, 1 |
//! | 2 | must-understand flags, 0 |
//! | 16 | repository: the random id in `ml.toml` |
//! | 16 | home ([`Home`]) |
//! | 24 | session: epoch `u64`, 16 random bytes |
//! | 1 | kind: 1 file, 2 tree |
//! | 32 | root: the id in the pointer |
//! | 32 | manifest: the id in the pointer, or 0 |
//! | 8 | bytes of all contents: the size in the pointer |
//! | 8 | files: 1 for a file, else count of files and links below |
//! | 1 | count of bases, at most 8 |
//! | 56 each | base: root (32) and session (24) of a record that this one was built upon: a hint |
//! | 1 | count of commits, at most 16 |
//! | 1 + n each | commit: n (20 or 32), and the name of a Git commit that holds the pointer |
//! | 1 + 52 | top: 0 for none, or 1 and the place of the top node of the tree or manifest, or of the only chunk |
//! | 4 + n | copy of the top node, not of a chunk, of n bytes, at most 65,536; n = 0 for none |
//! | 1 + 52 | locator: 0 for none, or 1 and the place of the locator beside the top node |
//! | 4 + n | copy of the locator, as above |
//! | 4 | count of packs in the pack set |
//! | 1 | 0: the set follows; 1: its top node is named |
//! | 39 each | 0: names of the packs, at most 512, sorted by id |
//! | 32 + 52 | 1: id and place of the set's top node ([`crate::objects::pack_set`]) |
//! | 2 | count of meta packs, at most 512 |
//! | 39 each | packs that are needed beside the set, as those that hold the set's own nodes; sorted by id |
//! | 1 + 52 | profiles: 0 for none, or 1 and their place |
//! | 16 | key id, 0 |
//! | 2 | count of extensions |
//! | 6 + n each | tag (2), n (4), n bytes; by tag, each once; an unknown tag from 32,768 on must be understood |
//! | 32 | hash of all before it: `derive_key`, context `git-ml 1 root`, of a claim `git-ml 1 claim` |
//!
//! An empty content has no top; a content of one chunk has its place as top, and no locator. The copies save requests;
//! the copy of the top node is checked against the root (or manifest), the locator is a hint.

use crate::base::{Digest, RandomId};
use crate::objects::item::context;
use crate::objects::pack::{PackRef, Place};
use crate::objects::pack_set::read_packs;
use crate::objects::pointer::PointerKind;
use crate::objects::session::SessionId;
use crate::objects::wire::{Extension, FormatError, Reader, Writer, unseal};

/// No record is longer, in bytes.
pub const MAX_ROOT: usize = 256 * 1024;
/// No node is copied into a record if it is longer, in bytes.
pub const MAX_COPY: usize = 64 * 1024;
/// No record names more bases.
pub const MAX_BASES: usize = 8;
/// No record names more commits.
pub const MAX_COMMITS: usize = 16;
/// No pack set of more packs is written into a record itself; nor more meta packs.
pub const MAX_INLINE_PACKS: usize = 512;

const VERSION: u16 = 1;

/// Which of the two records.
struct Form {
    name: &'static str,
    magic: &'static [u8; 8],
    context: &'static str,
    is_draft: bool,
}

const ROOT: Form = Form { name: "root record", magic: b"gitmlrot", context: context::ROOT, is_draft: false };
const CLAIM: Form = Form { name: "claim", magic: b"gitmlclm", context: context::CLAIM, is_draft: true };

/// The Git remote that a push went to, as a keyed hash of its URL: tells forks of one repository apart.
///
/// The first 16 bytes of `derive_key`, context `git-ml 1 home`, of the 16 bytes of the repository's id and the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Home([u8; 16]);

impl Home {
    /// The home of a repository that is pushed to this URL, which is normalised and without secrets.
    pub fn of(repository: RandomId, url: &str) -> Self {
        let text = [repository.as_bytes().as_slice(), url.as_bytes()].concat();
        let mut home = [0; 16];
        home.copy_from_slice(&Digest::derived(context::HOME, &text).as_bytes()[..16]);
        Self(home)
    }
}

/// A root that another was built upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BaseRoot {
    /// Its id.
    pub root: Digest,
    /// The session that pushed it.
    pub session: SessionId,
}

/// The packs that hold a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootPacks {
    /// All of them, sorted by id; at most 512.
    Inline(Vec<PackRef>),
    /// The top node of a pack set.
    Set {
        /// Its id.
        id: Digest,
        /// Count of packs in the set.
        packs: u32,
        /// Where it lies.
        place: Place,
    },
}

/// A record of a root, or a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRecord {
    /// The repository that pushed.
    pub repository: RandomId,
    /// The Git remote that was pushed to.
    pub home: Home,
    /// The push.
    pub session: SessionId,
    /// What the root is.
    pub kind: PointerKind,
    /// The id in the pointer.
    pub root: Digest,
    /// The manifest in the pointer.
    pub manifest: Option<Digest>,
    /// Bytes of all contents.
    pub bytes: u64,
    /// Count of files and links; 1 for a file.
    pub files: u64,
    /// What this root was built upon; at most 8.
    pub bases: Vec<BaseRoot>,
    /// Git commits that hold the pointer, in hexadecimal digits; at most 16.
    pub commits: Vec<String>,
    /// Where the top node lies, or the only chunk.
    pub top: Option<Place>,
    /// A copy of the top node.
    pub top_copy: Option<Vec<u8>>,
    /// Where the locator of the top node lies.
    pub locator: Option<Place>,
    /// A copy of the locator.
    pub locator_copy: Option<Vec<u8>>,
    /// The packs.
    pub packs: RootPacks,
    /// Packs that are needed beside the set; sorted by id.
    pub meta_packs: Vec<PackRef>,
    /// Where the profiles lie.
    pub profiles: Option<Place>,
    /// What later versions add without need to be understood.
    pub extensions: Vec<Extension>,
}

impl RootRecord {
    /// The bytes of the root record.
    ///
    /// # Errors
    ///
    /// [`FormatError`] where a field is over its limit or contradicts another.
    pub fn encode(&self) -> Result<Vec<u8>, FormatError> {
        self.write(&ROOT)
    }

    /// The bytes of the claim.
    ///
    /// # Errors
    ///
    /// As [`RootRecord::encode`].
    pub fn encode_claim(&self) -> Result<Vec<u8>, FormatError> {
        self.write(&CLAIM)
    }

    /// Reads a root record. That it lies under the name that its fields give is the caller's to check.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::read(&ROOT, bytes)
    }

    /// Reads a claim.
    ///
    /// # Errors
    ///
    /// [`FormatError`] for bytes that are none.
    pub fn decode_claim(bytes: &[u8]) -> Result<Self, FormatError> {
        Self::read(&CLAIM, bytes)
    }

    fn write(&self, form: &Form) -> Result<Vec<u8>, FormatError> {
        let mut writer = Writer::head(form.magic, VERSION);
        writer.bytes(self.repository.as_bytes()).bytes(&self.home.0);
        self.session.write(&mut writer);
        writer.u8(kind_byte(self.kind)).digest(&self.root).digest(&self.manifest.unwrap_or_default());
        writer.u64(self.bytes).u64(self.files).u8(self.bases.len() as u8);
        for base in &self.bases {
            writer.digest(&base.root);
            base.session.write(&mut writer);
        }
        writer.u8(self.commits.len() as u8);
        for commit in &self.commits {
            let digits = (0..commit.len()).step_by(2).map(|at| commit.get(at..at + 2).unwrap_or_default());
            writer.u8((commit.len() / 2) as u8);
            digits.for_each(|digits| {
                writer.u8(u8::from_str_radix(digits, 16).unwrap_or_default());
            });
        }
        write_place(&mut writer, self.top.as_ref());
        write_copy(&mut writer, self.top_copy.as_deref());
        write_place(&mut writer, self.locator.as_ref());
        write_copy(&mut writer, self.locator_copy.as_deref());
        match &self.packs {
            RootPacks::Inline(packs) => {
                writer.u32(packs.len() as u32).u8(0);
                packs.iter().for_each(|pack| pack.write(&mut writer));
            }
            RootPacks::Set { id, packs, place } => {
                writer.u32(*packs).u8(1).digest(id);
                place.write(&mut writer);
            }
        }
        writer.u16(self.meta_packs.len() as u16);
        self.meta_packs.iter().for_each(|pack| pack.write(&mut writer));
        write_place(&mut writer, self.profiles.as_ref());
        writer.bytes(&[0; 16]);
        Extension::write_all(&self.extensions, &mut writer);
        let bytes = writer.seal(form.context);
        // What cannot be read must not be written.
        match Self::read(form, &bytes)? == *self {
            true => Ok(bytes),
            false => Err(FormatError::Field { format: form.name, field: "list or commit" }),
        }
    }

    fn read(form: &Form, bytes: &[u8]) -> Result<Self, FormatError> {
        Reader::limited(form.name, bytes, MAX_ROOT)?.head(form.magic, VERSION)?;
        let mut reader = unseal(form.name, form.context, bytes, MAX_ROOT)?;
        reader.head(form.magic, VERSION)?;
        let repository = RandomId::from_bytes(reader.array()?);
        let (home, session) = (Home(reader.array()?), SessionId::read(&mut reader)?);
        let kind = match reader.u8()? {
            1 => PointerKind::File,
            2 => PointerKind::Tree,
            _ => return Err(reader.bad("kind")),
        };
        let (root, manifest) = (reader.digest()?, reader.digest()?);
        let record = Self {
            repository,
            home,
            session,
            kind,
            root,
            manifest: (!manifest.is_zero()).then_some(manifest),
            bytes: reader.u64()?,
            files: reader.u64()?,
            bases: read_bases(&mut reader)?,
            commits: read_commits(&mut reader)?,
            top: read_place(&mut reader)?,
            top_copy: read_copy(&mut reader)?,
            locator: read_place(&mut reader)?,
            locator_copy: read_copy(&mut reader)?,
            packs: read_root_packs(&mut reader)?,
            meta_packs: read_meta_packs(&mut reader)?,
            profiles: read_place(&mut reader)?,
            extensions: {
                reader.zeros("key id", 16)?;
                Extension::read_all(&mut reader)?
            },
        };
        reader.check("place of the top", form.is_draft || record.is_whole())?;
        reader.check("copy of a node", record.copies_fit())?;
        reader.end()?;
        Ok(record)
    }

    /// Whether the top and the locator are there exactly where there is something to find.
    fn is_whole(&self) -> bool {
        let is_empty = self.kind == PointerKind::File && self.bytes == 0;
        let is_node = self.kind == PointerKind::Tree || self.manifest.is_some();
        self.top.is_some() != is_empty && self.locator.is_some() == is_node
    }

    fn copies_fit(&self) -> bool {
        let is_node = self.kind == PointerKind::Tree || self.manifest.is_some();
        let top = self.top_copy.is_none() || (is_node && self.top.is_some());
        let files = self.kind == PointerKind::Tree || self.files == 1;
        top && files && (self.locator_copy.is_none() || self.locator.is_some())
    }
}

const fn kind_byte(kind: PointerKind) -> u8 {
    match kind {
        PointerKind::File => 1,
        PointerKind::Tree => 2,
    }
}

fn write_place(writer: &mut Writer, place: Option<&Place>) {
    writer.u8(u8::from(place.is_some()));
    if let Some(place) = place {
        place.write(writer);
    }
}

fn read_place(reader: &mut Reader<'_>) -> Result<Option<Place>, FormatError> {
    match reader.u8()? {
        0 => Ok(None),
        1 => Place::read(reader).map(Some),
        _ => Err(reader.bad("place")),
    }
}

fn write_copy(writer: &mut Writer, copy: Option<&[u8]>) {
    let bytes = copy.unwrap_or_default();
    writer.u32(bytes.len() as u32).bytes(bytes);
}

fn read_copy(reader: &mut Reader<'_>) -> Result<Option<Vec<u8>>, FormatError> {
    let length = reader.u32()?.into();
    let length = reader.fits("length of a copy", length, MAX_COPY as u64, 1)?;
    let bytes = reader.bytes(length)?;
    Ok((length > 0).then(|| bytes.to_vec()))
}

fn read_bases(reader: &mut Reader<'_>) -> Result<Vec<BaseRoot>, FormatError> {
    let count = reader.u8()?.into();
    let count = reader.fits("count of bases", count, MAX_BASES as u64, 32 + SessionId::BYTES)?;
    let base = |_| Ok(BaseRoot { root: reader.digest()?, session: SessionId::read(reader)? });
    (0..count).map(base).collect()
}

fn read_commits(reader: &mut Reader<'_>) -> Result<Vec<String>, FormatError> {
    let count = reader.u8()?.into();
    let count = reader.fits("count of commits", count, MAX_COMMITS as u64, 21)?;
    let mut commits = Vec::with_capacity(count);
    for _ in 0..count {
        let length = reader.u8()?;
        reader.check("name of a commit", matches!(length, 20 | 32))?;
        let digits = reader.bytes(length.into())?.iter().map(|byte| format!("{byte:02x}"));
        commits.push(digits.collect());
    }
    Ok(commits)
}

fn read_root_packs(reader: &mut Reader<'_>) -> Result<RootPacks, FormatError> {
    let packs = reader.u32()?;
    match reader.u8()? {
        0 => {
            let count =
                reader.fits("count of packs", packs.into(), MAX_INLINE_PACKS as u64, PackRef::BYTES)?;
            read_packs(reader, count).map(RootPacks::Inline)
        }
        1 => Ok(RootPacks::Set { id: reader.digest()?, packs, place: Place::read(reader)? }),
        _ => Err(reader.bad("form of the pack set")),
    }
}

fn read_meta_packs(reader: &mut Reader<'_>) -> Result<Vec<PackRef>, FormatError> {
    let count = reader.u16()?.into();
    let count = reader.fits("count of meta packs", count, MAX_INLINE_PACKS as u64, PackRef::BYTES)?;
    read_packs(reader, count)
}
