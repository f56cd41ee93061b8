//! Where the items of a root lie, by the tables of its packs: slower than locators, and beyond doubt.
//!
//! A locator is a hint of whoever wrote it. Where one is missing, short or wrong, the tables of all packs that the root
//! names tell: each is held against the name of its pack.

use std::collections::HashMap;

use crate::base::Digest;
use crate::objects::pack_set::{SetStep, SetWalk};
use crate::objects::{ItemKind, PackRef, Place, RootPacks, RootRecord};
use crate::storage::remote_reader::{ReadError, RemoteReader, Wanted};

use super::TransferError;

/// The tables of the packs of one root; read when they are first needed.
pub(super) struct Tables<'a> {
    reader: &'a RemoteReader,
    record: &'a RootRecord,
    places: Option<HashMap<Digest, Place>>,
}

impl<'a> Tables<'a> {
    /// The tables of the packs of `record`.
    pub(super) fn of(reader: &'a RemoteReader, record: &'a RootRecord) -> Self {
        Self { reader, record, places: None }
    }

    /// Where the item lies; `None` where no table has it.
    ///
    /// # Errors
    ///
    /// When the remote fails; a table that is gone or damaged is passed over.
    pub(super) fn find(&mut self, id: Digest) -> Result<Option<Place>, TransferError> {
        if self.places.is_none() {
            let mut places = HashMap::new();
            for pack in packs_of(self.reader, self.record)? {
                match self.reader.footers(&pack) {
                    Ok(footers) => {
                        let items = footers.iter().flat_map(|(pack, footer)| footer.places(*pack));
                        places.extend(items.map(|(entry, place)| (entry.id, place)));
                    }
                    Err(ReadError::Remote(error)) => return Err(error.into()),
                    Err(_) => {}
                }
            }
            self.places = Some(places);
        }
        Ok(self.places.as_ref().and_then(|places| places.get(&id).copied()))
    }

    /// `place`, or where the tables say.
    ///
    /// # Errors
    ///
    /// [`TransferError::Unlocated`] where neither says.
    pub(super) fn or_find(&mut self, id: Digest, place: Option<Place>) -> Result<Place, TransferError> {
        match place {
            Some(place) => Ok(place),
            None => self.find(id)?.ok_or(TransferError::Unlocated { id }),
        }
    }
}

/// All packs that a root names.
///
/// # Errors
///
/// When its pack set cannot be read.
pub(in crate::data) fn packs_of(
    reader: &RemoteReader,
    record: &RootRecord,
) -> Result<Vec<PackRef>, TransferError> {
    let mut packs = record.meta_packs.clone();
    match &record.packs {
        RootPacks::Inline(inline) => packs.extend(inline),
        RootPacks::Set { id, packs: count, place } => {
            let node = |id: Digest, place: Place| -> Result<Vec<u8>, TransferError> {
                let wanted = Wanted { id: Some(id), kind: ItemKind::PackSet, place };
                Ok(reader.read_all(&[wanted])?.swap_remove(0))
            };
            let mut walk = SetWalk::default();
            let mut step = walk.begin(u64::from(*count), place, &node(*id, *place)?)?;
            loop {
                if let SetStep::Packs(more) = step {
                    packs.extend(more);
                }
                let Some((id, place)) = walk.next_node()? else { break };
                step = walk.take(&place, &node(id, place)?)?;
            }
        }
    }
    Ok(packs)
}
