//! Names that are one name on other systems: macOS and Windows do not tell `A.png` from `a.png`, and macOS does not tell two
//! forms of one accented letter apart. A checkout there can hold one of the files only.
//!
//! Cheap for a million files: eight bytes for each name, sorted; names are looked at again only where two of these are
//! the same. Sources: Unicode's caseless matching by NFD (3.13, D145), APFS and NTFS; Git looks at it in a clone (warns of
//! "paths that have collided"), which is too late for who made them.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hasher};

use unicode_normalization::UnicodeNormalization;

use super::Files;

/// Two paths that are one on other systems.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The pairs of files and folders of `files` whose paths are one on other systems, in order, of which at least one is not
/// in `known`. Where folders are one, of what is in them nothing is told.
pub fn colliding(files: &Files, known: &Files) -> Vec<Pair> {
    let mut cursor = known.cursor();
    if !files.names().any(|name| cursor.seek(name).is_none()) {
        return Vec::new();
    }
    let mut seals = Vec::with_capacity(files.len());
    each_path(files, |path| seals.push(seal(path)));
    seals.sort_unstable();
    let twice: HashSet<u64> = seals.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]).collect();
    drop(seals);
    if twice.is_empty() {
        return Vec::new();
    }
    let mut groups: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    each_path(files, |path| {
        if twice.contains(&seal(path)) {
            groups.entry(folded(path)).or_default().push(path.to_owned());
        }
    });
    groups.retain(|_, paths| paths.len() > 1);
    let is_new = |path: &[u8]| !known.contains(path) && !known.has_below(path);
    let below_one = |name: &[u8]| {
        let mut ends = name.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        ends.any(|end| groups.contains_key(&name[..end]))
    };
    let told = groups.iter().filter(|(name, _)| !below_one(name));
    let pairs = told.flat_map(|(_, paths)| paths.windows(2).map(|two| (two[0].clone(), two[1].clone())));
    pairs.filter(|(one, other)| is_new(one) || is_new(other)).collect()
}

/// Shows each file, and each folder once.
fn each_path(files: &Files, mut see: impl FnMut(&[u8])) {
    let mut before: &[u8] = b"";
    for name in files.names() {
        let shared = before.iter().zip(name).take_while(|(a, b)| a == b).count();
        let folders = name.iter().enumerate().skip(shared).filter(|(_, byte)| **byte == b'/');
        folders.for_each(|(end, _)| see(&name[..end]));
        see(name);
        before = name;
    }
}

/// A path as a system sees it that does not tell forms of letters apart.
fn folded(path: &[u8]) -> Vec<u8> {
    match str::from_utf8(path) {
        Ok(text) if !text.is_ascii() => {
            text.nfd().flat_map(char::to_lowercase).nfd().collect::<String>().into_bytes()
        }
        _ => path.to_ascii_lowercase(),
    }
}

/// The same for equal folded paths, and hardly ever for others.
fn seal(path: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    if path.is_ascii() {
        let mut part = [0; 64];
        for bytes in path.chunks(part.len()) {
            part[..bytes.len()].copy_from_slice(bytes);
            part[..bytes.len()].make_ascii_lowercase();
            hasher.write(&part[..bytes.len()]);
        }
    } else {
        hasher.write(&folded(path));
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::data::worktree::{FileRecord, Fingerprint};
    use crate::objects::tree::EntryKind;

    fn files(names: &[&str]) -> Files {
        let (kind, id, fingerprint) = (EntryKind::File, Digest::ZERO, Fingerprint::default());
        let file = FileRecord { kind, executable: false, fingerprint, id, manifest: None };
        Files::from(names.iter().map(|name| (name.as_bytes().to_vec(), file)).collect::<BTreeMap<_, _>>())
    }

    fn pairs(all: &[&str], known: &[&str]) -> Vec<(String, String)> {
        let text = |name| String::from_utf8(name).unwrap();
        let pairs = colliding(&files(all), &files(known)).into_iter();
        pairs.map(|(one, other)| (text(one), text(other))).collect()
    }

    #[test]
    fn case_and_form_of_letters_collide_and_folders_are_told_once() {
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(pairs(&["a/B.png", "a/b.png", "b/b.png"], &[]), [pair("a/B.png", "a/b.png")]);
        assert_eq!(pairs(&["caf\u{e9}", "cafe\u{301}", "cafe"], &[]), [pair("cafe\u{301}", "caf\u{e9}")]);
        assert_eq!(pairs(&["CAF\u{c9}", "cafe\u{301}"], &[]), [pair("CAF\u{c9}", "cafe\u{301}")]);
        assert_eq!(pairs(&["Dogs/1", "Dogs/2", "dogs/1", "x"], &[]), [pair("Dogs", "dogs")]);
        assert_eq!(pairs(&["X", "x/1"], &[]), [pair("X", "x")]);
        let long = format!("{}/A", "long".repeat(40));
        assert_eq!(pairs(&[&long, &long.to_lowercase()], &[]).len(), 1);
        assert!(pairs(&["b", "a-b/c", "a/b", "a/c"], &[]).is_empty());
    }

    #[test]
    fn only_what_is_new_is_told() {
        let all = ["a", "A", "b", "B"];
        assert!(pairs(&all, &all).is_empty());
        assert_eq!(pairs(&all, &["a", "A", "b"]).len(), 1);
    }
}
