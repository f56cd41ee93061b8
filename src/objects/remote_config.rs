//! What a remote says about itself: the object `config`.
//!
//! TOML text of at most 64 KiB, written once, before anything else. Every key below must be there; further keys are
//! taken and ignored unless one of the lists names what this program does not know.
//!
//! | key | meaning |
//! | --- | --- |
//! | `format` | 1: version of the stored objects |
//! | `protocol` | 1: version of the steps by which they are written and deleted |
//! | `must_understand` | list of names; one that is not known: refuse to read |
//! | `must_understand_write` | list of names; one that is not known: refuse to write or delete |
//! | `chunker` | table: `name`, `small`, `min`, `max` (bytes), `seed`; must be those of [`crate::objects::chunker`], else refuse to write |
//! | `hook_rate` | one chunk in so many has a hook in the index |
//! | `grace_h` | hours between a mark and the sweep of gc |
//! | `session_days` | days after which a session may be declared dead |
//! | `forget_min_days` | least age of a root record that may be forgotten |
//! | `remote_id` | 32 hexadecimal digits, random: mirrors are kept by it |
//! | `id_scheme` | `blake3` |
//! | `encryption` | `none` |
//! | `key_slots` | `keys/`: where keys will lie |
//!
//! The configuration's id is the `derive_key` of its bytes, context `git-ml 1 config`.

use serde::{Deserialize, Serialize};

use crate::base::{Advice, Digest, RandomId};
use crate::objects::chunker::{MAX_CHUNK, MIN_CHUNK, SMALL_CONTENT};
use crate::objects::index::HOOK_RATE;
use crate::objects::item::context;

/// No configuration is longer, in bytes.
pub const MAX_CONFIG: usize = 64 * 1024;

const FORMAT: u32 = 1;
const PROTOCOL: u32 = 1;
/// Names that this program understands in the two lists: none yet.
const UNDERSTOOD: &[&str] = &[];

/// How contents are cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkerConfig {
    /// The algorithm.
    pub name: String,
    /// A content of at most so many bytes is one chunk.
    pub small: u64,
    /// Least length of a chunk, in bytes.
    pub min: u64,
    /// Greatest length of a chunk, in bytes.
    pub max: u64,
    /// 0: none.
    pub seed: u64,
}

impl ChunkerConfig {
    /// The constants of this version.
    pub fn current() -> Self {
        let (small, min, max) = (SMALL_CONTENT as u64, MIN_CHUNK as u64, MAX_CHUNK as u64);
        Self { name: "mincdc-hash4".into(), small, min, max, seed: 0 }
    }
}

/// What a remote says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteConfig {
    /// Version of the stored objects.
    pub format: u32,
    /// Version of the steps by which they are written and deleted.
    pub protocol: u32,
    /// What a reader must know.
    pub must_understand: Vec<String>,
    /// What a writer must know.
    pub must_understand_write: Vec<String>,
    /// One chunk in so many has a hook in the index.
    pub hook_rate: u32,
    /// Hours between a mark and the sweep of gc.
    pub grace_h: u32,
    /// Days after which a session may be declared dead.
    pub session_days: u32,
    /// Least age of a root record that may be forgotten, in days.
    pub forget_min_days: u32,
    /// How ids are made.
    pub id_scheme: String,
    /// How packs are encrypted.
    pub encryption: String,
    /// Where keys lie.
    pub key_slots: String,
    /// Random: tells a remade remote from the one before it.
    pub remote_id: RandomId,
    /// How contents are cut.
    pub chunker: ChunkerConfig,
}

/// Why a remote cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteConfigError {
    /// Longer than any configuration.
    #[error("the remote's configuration has {size} bytes, more than any")]
    TooLong {
        /// Its length in bytes.
        size: usize,
    },
    /// Not UTF-8.
    #[error("the remote's configuration is not text")]
    NotText,
    /// Not TOML, or a key is missing or of another type.
    #[error("the remote's configuration cannot be read")]
    NotReadable(#[from] toml::de::Error),
    /// It cannot be written as TOML.
    #[error("the remote's configuration cannot be written")]
    NotWritable(#[from] toml::ser::Error),
    /// Of a version that is not known.
    #[error("the remote has {what} {found}, which this program does not know")]
    Version {
        /// `format` or `protocol`.
        what: &'static str,
        /// The version found.
        found: u32,
    },
    /// Uses something that is not known.
    #[error("the remote needs '{name}', which this program does not know")]
    MustUnderstand {
        /// What it uses.
        name: String,
    },
    /// Cuts contents in another way, so that nothing would be shared.
    #[error("the remote cuts contents with other constants than this program")]
    Chunker,
}

impl Advice for RemoteConfigError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Version { .. } | Self::MustUnderstand { .. } | Self::Chunker => {
                vec!["a newer git-ml made this remote: cargo install git-ml".into()]
            }
            _ => vec!["is this the folder or prefix that was meant? git mldata remote list".into()],
        }
    }
}

impl RemoteConfig {
    /// The configuration of a new remote, with a random id.
    pub fn fresh() -> Self {
        Self {
            format: FORMAT,
            protocol: PROTOCOL,
            must_understand: Vec::new(),
            must_understand_write: Vec::new(),
            hook_rate: HOOK_RATE.into(),
            grace_h: 24,
            session_days: 7,
            forget_min_days: 8,
            id_scheme: "blake3".into(),
            encryption: "none".into(),
            key_slots: "keys/".into(),
            remote_id: RandomId::generate(),
            chunker: ChunkerConfig::current(),
        }
    }

    /// Its text.
    ///
    /// # Errors
    ///
    /// [`RemoteConfigError::NotWritable`] if it is no TOML.
    pub fn to_text(&self) -> Result<String, RemoteConfigError> {
        Ok(toml::to_string(self)?)
    }

    /// Reads a configuration; whether it can be used is asked apart.
    ///
    /// # Errors
    ///
    /// [`RemoteConfigError`] for bytes that are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, RemoteConfigError> {
        if bytes.len() > MAX_CONFIG {
            return Err(RemoteConfigError::TooLong { size: bytes.len() });
        }
        let text = str::from_utf8(bytes).map_err(|_| RemoteConfigError::NotText)?;
        Ok(toml::from_str(text)?)
    }

    /// The id of a configuration with these bytes.
    pub fn id_of(bytes: &[u8]) -> Digest {
        Digest::derived(context::CONFIG, bytes)
    }

    /// Whether this program can read what lies there.
    ///
    /// # Errors
    ///
    /// [`RemoteConfigError`] with the reason why not.
    pub fn check_readable(&self) -> Result<(), RemoteConfigError> {
        if self.format != FORMAT {
            return Err(RemoteConfigError::Version { what: "format", found: self.format });
        }
        let needed = [&self.id_scheme, &self.encryption].into_iter().zip(["blake3", "none"]);
        let unknown = needed.filter(|(found, known)| found != known).map(|(found, _)| found);
        let listed = self.must_understand.iter().filter(|name| !UNDERSTOOD.contains(&name.as_str()));
        match unknown.chain(listed).next() {
            Some(name) => Err(RemoteConfigError::MustUnderstand { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Whether this program may write and delete there.
    ///
    /// # Errors
    ///
    /// [`RemoteConfigError`] with the reason why not.
    pub fn check_writable(&self) -> Result<(), RemoteConfigError> {
        self.check_readable()?;
        if self.protocol != PROTOCOL {
            return Err(RemoteConfigError::Version { what: "protocol", found: self.protocol });
        }
        let listed = &self.must_understand_write;
        if let Some(name) = listed.iter().find(|name| !UNDERSTOOD.contains(&name.as_str())) {
            return Err(RemoteConfigError::MustUnderstand { name: name.clone() });
        }
        if self.chunker != ChunkerConfig::current() {
            return Err(RemoteConfigError::Chunker);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_reads_back_and_a_later_one_is_refused() {
        let config = RemoteConfig::fresh();
        let text = config.to_text().unwrap();
        assert_eq!(RemoteConfig::parse(text.as_bytes()), Ok(config.clone()));
        assert_eq!((config.check_readable(), config.check_writable()), (Ok(()), Ok(())));
        let later = RemoteConfig { protocol: 2, ..config.clone() };
        assert!(later.check_readable().is_ok() && later.check_writable().is_err());
        let sealed = RemoteConfig { encryption: "aes".into(), ..config.clone() };
        assert_eq!(sealed.check_readable(), Err(RemoteConfigError::MustUnderstand { name: "aes".into() }));
        let further = format!("note = \"kept by the platform team\"\n{text}");
        assert_eq!(RemoteConfig::parse(further.as_bytes()), Ok(config));
        let cut = &text.as_bytes()[..text.len() - 20];
        assert!(RemoteConfig::parse(cut).is_err());
    }
}
