//! A stamp that changes whenever the store may have lost something.
//!
//! Who knows that everything was here at one stamp need not ask for each item again at the same stamp: `add` and
//! `status` of a million files that did not change. The file `losses` holds a random id. It is made when the store is
//! first written to, and made anew, durably, before and after anything is removed: before, so that nobody trusts what
//! is about to go; after, so that nobody trusts what was looked at meanwhile.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::StoreError;
use crate::base::RandomId;
use crate::storage::durable;

/// What the store has lost until now, as a value that can be compared and kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LossStamp(RandomId);

impl LossStamp {
    /// The stamp of 16 bytes that were kept.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(RandomId::from_bytes(bytes))
    }

    /// Its 16 bytes, for keeping.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

const FILE: &str = "losses";

/// The stamp of the store in `folder`; `None` where there is none, and nothing may be concluded.
pub(super) fn read(folder: &Path) -> Option<LossStamp> {
    let text = fs::read_to_string(folder.join(FILE)).ok()?;
    text.trim_end().parse().ok().map(LossStamp)
}

/// Makes sure that the store has a stamp.
pub(super) fn ensure(folder: &Path) -> Result<(), StoreError> {
    if read(folder).is_some() {
        return Ok(());
    }
    // Of two that are made at once, one stays; after a power cut perhaps none.
    Ok(durable::write_derived(&folder.join(FILE), text().as_bytes())?)
}

/// Gives the store a new stamp that lasts.
pub(super) fn renew(folder: &Path) -> Result<(), StoreError> {
    durable::create_folders(folder)?;
    Ok(durable::write_atomically(&folder.join(FILE), text().as_bytes())?)
}

fn text() -> String {
    format!("{}\n", RandomId::generate())
}
