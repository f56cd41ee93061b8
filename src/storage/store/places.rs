//! Where items lie, by id: a million of them in some sixty megabytes, and never all of them twice.
//!
//! Items lie in pages in the order in which they came, so that growing moves none of them; a table of their numbers, found
//! by hash, is all that is made anew when it grows. A map of the standard library holds the same in twice the memory, and in
//! three times while it grows. Peers: Git's packs keep sorted tables that are mapped, one for each pack; restic keeps its
//! index in pages of this kind since 2020, for the same reason.

use std::fmt;
use std::hash::{BuildHasher, RandomState};

use super::index::Location;
use crate::base::Digest;
use crate::objects::{Codec, ItemKind};

/// Items in one page.
const PAGE: usize = 1 << 13;
/// What the table says where there is no item.
const NONE: u32 = u32::MAX;
/// The table has room for so many items when it is begun; always a power of two.
const FIRST: usize = 1 << 10;

/// An item without gaps between its fields.
#[derive(Clone, Copy)]
struct Item {
    id: Digest,
    pack: u32,
    stored: u32,
    raw: u32,
    /// The offset: its lowest 32 bits, and those above.
    offset: u32,
    above: u16,
    codec: Codec,
    kind: ItemKind,
}

impl Item {
    const fn new(id: Digest, location: &Location) -> Self {
        let Location { pack, offset, stored, raw, codec, kind } = *location;
        Self { id, pack, stored, raw, offset: offset as u32, above: (offset >> 32) as u16, codec, kind }
    }

    const fn location(&self) -> Location {
        let Self { pack, stored, raw, codec, kind, .. } = *self;
        let offset = (self.above as u64) << 32 | self.offset as u64;
        Location { pack, offset, stored, raw, codec, kind }
    }
}

/// Where items lie.
#[derive(Default)]
pub(super) struct Places {
    pages: Vec<Vec<Item>>,
    /// Numbers of items, each behind the place that its hash says, without a gap; at most three quarters are taken.
    table: Vec<u32>,
    /// Ids may be chosen by others, so that their own bits are no hash.
    hasher: RandomState,
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Places({})", self.len())
    }
}

impl Places {
    fn len(&self) -> usize {
        self.pages.last().map_or(0, |last| (self.pages.len() - 1) * PAGE + last.len())
    }

    fn item(&self, number: u32) -> &Item {
        &self.pages[number as usize / PAGE][number as usize % PAGE]
    }

    /// The place in the table that has the item, or would have it.
    fn slot(&self, id: &Digest) -> usize {
        let mask = self.table.len() - 1;
        let (first, _) = id.as_bytes().split_at(8);
        let mut slot = self.hasher.hash_one(first) as usize & mask;
        while self.table[slot] != NONE && self.item(self.table[slot]).id != *id {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Where the item lies.
    pub fn get(&self, id: &Digest) -> Option<Location> {
        if self.table.is_empty() {
            return None;
        }
        let number = self.table[self.slot(id)];
        (number != NONE).then(|| self.item(number).location())
    }

    /// Makes room for so many further items.
    pub fn reserve(&mut self, items: usize) {
        let wanted = (self.len() + items) / 3 * 4 + 4;
        if wanted <= self.table.len() {
            return;
        }
        let room = wanted.next_power_of_two().max(FIRST);
        self.table = Vec::new();
        self.table = vec![NONE; room];
        for number in 0..self.len() as u32 {
            let slot = self.slot(&self.item(number).id);
            self.table[slot] = number;
        }
    }

    /// Says where an item lies, whatever was said before.
    pub fn insert(&mut self, id: Digest, location: &Location) {
        self.reserve(1);
        let (slot, item) = (self.slot(&id), Item::new(id, location));
        match self.table[slot] {
            NONE => {
                self.table[slot] = self.len() as u32;
                match self.pages.last_mut() {
                    Some(page) if page.len() < PAGE => page.push(item),
                    _ => {
                        let mut page = Vec::with_capacity(PAGE);
                        page.push(item);
                        self.pages.push(page);
                    }
                }
            }
            number => self.pages[number as usize / PAGE][number as usize % PAGE] = item,
        }
    }

    /// Those of which `stays` says so.
    pub fn filter(&self, stays: impl Fn(&Location) -> bool) -> Self {
        let mut left = Self::default();
        for item in self.pages.iter().flatten() {
            let location = item.location();
            if stays(&location) {
                left.insert(item.id, &location);
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_replaced_and_filtered_as_in_a_map() {
        let id = |number: u64| Digest::of(&number.to_le_bytes());
        let location = |number: u64| Location {
            pack: number as u32 % 7,
            offset: number << 30 | 5,
            stored: number as u32,
            raw: 9,
            codec: Codec::Raw,
            kind: ItemKind::Chunk,
        };
        let told = |location: Option<Location>| location.map(|at| (at.pack, at.offset, at.stored));
        let mut places = Places::default();
        assert!(places.get(&id(0)).is_none());
        let many = 3 * PAGE as u64;
        (0..many).for_each(|number| places.insert(id(number), &location(number)));
        (0..many).for_each(|number| places.insert(id(number), &location(many - number)));
        assert_eq!(places.len() as u64, many);
        for number in 0..many {
            assert_eq!(told(places.get(&id(number))), told(Some(location(many - number))));
        }
        assert!(places.get(&id(many)).is_none());
        let left = places.filter(|location| location.pack == 3);
        let wanted = (0..many).filter(|number| (many - number) % 7 == 3).count();
        assert_eq!(left.len(), wanted);
        assert!(left.get(&id(many)).is_none() && left.get(&id(many - 3)).is_some());
    }

    #[test]
    fn an_item_takes_no_more_than_its_fields() {
        assert_eq!(size_of::<Item>(), 52);
    }
}
