//! BLAKE3 of a content whose parts are hashed side by side.
//!
//! BLAKE3 is a tree: a part whose length is a power of two and which begins at a multiple of it is one branch, and may be
//! hashed without what comes before. So one large file keeps all processors busy, and its id is still that of `b3sum`.

use blake3::hazmat::{ChainingValue, HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

use super::Digest;

/// Length of every part but the last, in bytes: a power of two, so that every part is one branch.
pub const PART: u64 = 4 << 20;

/// The hash of one part: no id, for it depends on where the part lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartHash(ChainingValue);

/// BLAKE3 over one part of a content that has several.
#[derive(Debug, Clone)]
pub struct PartHasher(blake3::Hasher);

impl PartHasher {
    /// A hasher of the part with this number, counted from 0.
    pub fn new(number: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(number * PART);
        Self(hasher)
    }

    /// Takes the next bytes of the part in. There must be at least one of them, and not more
    /// than [`PART`], in all.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The id of a content that has this part alone.
    pub fn id(&self) -> Digest {
        Digest::from_bytes(*self.0.finalize().as_bytes())
    }

    /// The hash of the part, one of several.
    pub fn finish(&self) -> PartHash {
        PartHash(self.0.finalize_non_root())
    }
}

/// The id of the content that has these parts, in their order; `None` for fewer than two, which are no tree of parts.
pub fn id_of_parts(parts: &[PartHash]) -> Option<Digest> {
    let (left, right) = parts.split_at_checked(left_of(parts.len()))?;
    let (left, right) = (branch(left)?, branch(right)?);
    Some(Digest::from_bytes(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes()))
}

fn branch(parts: &[PartHash]) -> Option<ChainingValue> {
    if let [PartHash(one)] = parts {
        return Some(*one);
    }
    let (left, right) = parts.split_at_checked(left_of(parts.len()))?;
    if right.is_empty() {
        return None;
    }
    Some(merge_subtrees_non_root(&branch(left)?, &branch(right)?, Mode::Hash))
}

/// So many of the parts lie in the left branch: the largest power of two that is less than all of them.
const fn left_of(parts: usize) -> usize {
    parts.div_ceil(2).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_id_of_the_whole() {
        let whole: Vec<u8> = (0..5 * PART + 77).map(|at| (at % 251) as u8).collect();
        for length in [PART + 1, 2 * PART, 2 * PART + 1, 3 * PART, 4 * PART + 1024, 5 * PART + 77] {
            let content = &whole[..length as usize];
            let parts = content.chunks(PART as usize).zip(0..).map(|(part, number)| {
                let mut hasher = PartHasher::new(number);
                part.chunks(70_001).for_each(|piece| hasher.update(piece));
                hasher.finish()
            });
            let parts: Vec<_> = parts.collect();
            assert_eq!(id_of_parts(&parts), Some(Digest::of(content)), "{length} bytes");
            assert_ne!(id_of_parts(&parts[1..]), Some(Digest::of(content)));
        }
        assert_eq!(id_of_parts(&[]), None);
    }
}
