//! The exact facts that a pointer tells a reviewer.

use std::collections::BTreeMap;
use std::io::Read;

use crate::base::RepoPath;
use crate::data::content::is_empty_directory;
use crate::objects::shape::{MAX_LINES, Shape};
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::tables::TableShape;

/// The shape of a tree of these leaves. `None` where a directory stands for files that are not told: then there are no
/// exact facts.
pub fn of_tree(leaves: &BTreeMap<Vec<u8>, TreeEntry>) -> Option<Shape> {
    if leaves.values().any(|entry| entry.kind == EntryKind::Directory && !is_empty_directory(entry)) {
        return None;
    }
    let mut extensions: BTreeMap<String, Count> = BTreeMap::new();
    let mut folders: BTreeMap<String, Count> = BTreeMap::new();
    let mut whole = Count::default();
    for (path, entry) in leaves.iter().filter(|(_, entry)| entry.kind != EntryKind::Directory) {
        whole.add(entry.size);
        extensions.entry(extension(path)).or_default().add(entry.size);
        if let Some(folder) = top_folder(path) {
            folders.entry(folder).or_default().add(entry.size);
        }
    }
    let (files, bytes) = (whole.files, whole.bytes);
    Some(Shape::Tree { files, bytes, extensions: lines(extensions), folders: lines(folders) })
}

/// The shape of a tree that differs from one of the shape `before` in these leaves: for a tree of which not all is here.
/// `None` where the older shape does not tell everything.
pub fn of_changed_tree(
    before: &Shape,
    gone: &BTreeMap<Vec<u8>, TreeEntry>,
    come: &BTreeMap<Vec<u8>, TreeEntry>,
) -> Option<Shape> {
    let Shape::Tree { extensions, folders, .. } = before else { return None };
    if extensions.len() >= MAX_LINES || folders.len() >= MAX_LINES {
        return None;
    }
    let untold = |leaves: &BTreeMap<Vec<u8>, TreeEntry>, others: &BTreeMap<Vec<u8>, TreeEntry>| {
        let stands_for_files =
            |entry: &TreeEntry| entry.kind == EntryKind::Directory && !is_empty_directory(entry);
        leaves.iter().any(|(path, entry)| stands_for_files(entry) && others.get(path) != Some(entry))
    };
    if untold(gone, come) || untold(come, gone) {
        return None;
    }
    let (mut extensions, mut folders) = (counts_of(extensions)?, counts_of(folders)?);
    let change = |counts: &mut BTreeMap<String, Count>, name: String, entry: &TreeEntry, gone: bool| {
        let count = counts.entry(name).or_default();
        let sign = |number: u64, by: u64| if gone { number.checked_sub(by) } else { number.checked_add(by) };
        (count.files, count.bytes) = (sign(count.files, 1)?, sign(count.bytes, entry.size)?);
        Some(())
    };
    let gone = gone.iter().map(|leaf| (leaf, true));
    let leaves = gone.chain(come.iter().map(|leaf| (leaf, false)));
    for ((path, entry), gone) in leaves.filter(|((_, entry), _)| entry.kind != EntryKind::Directory) {
        change(&mut extensions, extension(path), entry, gone)?;
        if let Some(folder) = top_folder(path) {
            change(&mut folders, folder, entry, gone)?;
        }
    }
    extensions.retain(|_, count| count.files > 0);
    folders.retain(|_, count| count.files > 0);
    let files = extensions.values().map(|count| count.files).sum();
    let bytes = extensions.values().map(|count| count.bytes).sum();
    Some(Shape::Tree { files, bytes, extensions: lines(extensions), folders: lines(folders) })
}

/// The counts that lines tell.
fn counts_of(lines: &[String]) -> Option<BTreeMap<String, Count>> {
    let count = |line: &String| {
        let (rest, bytes) = line.rsplit_once(" bytes=")?;
        let (name, files) = rest.rsplit_once(" files=")?;
        let name = if name == NO_EXTENSION { String::new() } else { name.to_owned() };
        Some((name, Count { files: files.parse().ok()?, bytes: bytes.parse().ok()? }))
    };
    lines.iter().map(count).collect()
}

/// The folder at the top that a path lies in.
fn top_folder(path: &[u8]) -> Option<String> {
    let slash = path.iter().position(|byte| *byte == b'/')?;
    Some(escaped(&path[..slash]))
}

/// The shape of the file at `path`, if it is a table that we read. A file that does not parse has none.
pub fn of_file(path: &RepoPath, content: impl Read) -> Option<Shape> {
    let format = table_format(path.name().as_bytes())?;
    let shape = TableShape::read(content).ok()?;
    let columns = shape.pointer_lines()?;
    Some(Shape::Table { format: format.to_owned(), rows: shape.rows, columns })
}

/// The format of a table, by the extension of its name.
pub fn table_format(name: &[u8]) -> Option<&'static str> {
    match extension(name).as_str() {
        "csv" => Some("csv"),
        "tsv" | "tab" => Some("tsv"),
        _ => None,
    }
}

/// How files without an extension are told.
const NO_EXTENSION: &str = "(none)";

#[derive(Default)]
struct Count {
    files: u64,
    bytes: u64,
}

impl Count {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// The extension in lower case; empty where there is none.
fn extension(path: &[u8]) -> String {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(at) if at > 0 => escaped(&name[at + 1..]).to_lowercase(),
        _ => String::new(),
    }
}

fn escaped(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().flat_map(char::escape_debug).collect()
}

/// One line each, the most frequent first.
fn lines(counts: BTreeMap<String, Count>) -> Vec<String> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.files.cmp(&a.1.files).then_with(|| a.0.cmp(&b.0)));
    let shown = |name: &str| if name.is_empty() { NO_EXTENSION.to_owned() } else { name.to_owned() };
    let line = |(name, count): &(String, Count)| {
        format!("{} files={} bytes={}", shown(name), count.files, count.bytes)
    };
    counts.iter().take(MAX_LINES).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;

    #[test]
    fn a_tree_tells_extensions_and_folders() {
        let file = |size| TreeEntry::file(Vec::new(), false, Digest::of(b"x"), size, None);
        let leaves = BTreeMap::from([
            (b"cats/1.JPG".to_vec(), file(3)),
            (b"cats/2.jpg".to_vec(), file(4)),
            (b"README".to_vec(), file(1)),
        ]);
        let Some(Shape::Tree { files, bytes, extensions, folders }) = of_tree(&leaves) else {
            panic!("a tree")
        };
        assert_eq!((files, bytes), (3, 8));
        assert_eq!(extensions, ["jpg files=2 bytes=7", "(none) files=1 bytes=1"]);
        assert_eq!(folders, ["cats files=2 bytes=7"]);

        let mut next = leaves.clone();
        next.remove(&b"cats/1.JPG"[..]);
        next.insert(b"dogs/1.png".to_vec(), file(9));
        let before = of_tree(&leaves).unwrap();
        assert_eq!(of_changed_tree(&before, &leaves, &next), of_tree(&next), "by difference as from scratch");
    }
}
