//! Files of which a power cut left a part.

use std::io::{BufReader, Read};
use std::path::Path;

use crate::objects::tree::TreeEntry;
use crate::storage::store::Store;

use super::read::ContentReader;
use super::steady::open_regular;

/// Whether the file at `path` holds nothing but what was written of the content of `leaf` before the power went: its bytes
/// at their places, zeros in place of others, and perhaps not its end. What cannot be read is no such file.
pub fn remains_of(store: &Store, path: &Path, leaf: &TreeEntry) -> bool {
    let Ok((file, seen)) = open_regular(path) else { return false };
    if seen.size > leaf.size {
        return false;
    }
    let Ok(content) = ContentReader::open(store, leaf.id, leaf.manifest, leaf.size) else { return false };
    let (mut file, mut content) = (BufReader::new(file), content);
    let (mut here, mut whole) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let Ok(read) = file.read(&mut here) else { return false };
        if read == 0 {
            return true;
        }
        if content.read_exact(&mut whole[..read]).is_err() {
            return false;
        }
        if here[..read].iter().zip(&whole).any(|(here, whole)| here != whole && *here != 0) {
            return false;
        }
    }
}
