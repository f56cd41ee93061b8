//! The exact facts that a pointer tells a reviewer.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use crate::base::RepoPath;
use crate::data::content::{Observer, is_empty_directory};
use crate::objects::shape::{MAX_LINES, Shape};
use crate::objects::tree::{EntryKind, TreeEntry};
use crate::tables::{ShapeBuilder, TableShape};

/// The shape of a tree of these leaves, by their paths. `None` where a directory stands for files that are not told: then
/// there are no exact facts.
pub fn of_tree<'a>(leaves: impl IntoIterator<Item = (&'a [u8], TreeEntry)>) -> Option<Shape> {
    let mut extensions = Counts::default();
    let mut folders = Counts::default();
    let mut whole = Count::default();
    for (path, entry) in leaves {
        if entry.kind == EntryKind::Directory {
            if is_empty_directory(&entry) {
                continue;
            }
            return None;
        }
        whole.add(entry.size);
        extensions.add(raw_extension(path), entry.size);
        if let Some(folder) = raw_top_folder(path) {
            folders.add(folder, entry.size);
        }
    }
    let (files, bytes) = (whole.files, whole.bytes);
    let extensions = lines(extensions.shown(shown_extension));
    Some(Shape::Tree { files, bytes, extensions, folders: lines(folders.shown(escaped)) })
}

/// Counts by a part of a path as it is, so that nothing is made for each file.
#[derive(Default)]
struct Counts(HashMap<Vec<u8>, Count>);

impl Counts {
    fn add(&mut self, part: &[u8], bytes: u64) {
        match self.0.get_mut(part) {
            Some(count) => count.add(bytes),
            None => self.0.entry(part.to_owned()).or_default().add(bytes),
        }
    }

    /// The same by what is shown of the part.
    fn shown(self, show: fn(&[u8]) -> String) -> BTreeMap<String, Count> {
        let mut shown: BTreeMap<String, Count> = BTreeMap::new();
        for (part, count) in self.0 {
            let all = shown.entry(show(&part)).or_default();
            (all.files, all.bytes) = (all.files + count.files, all.bytes + count.bytes);
        }
        shown
    }
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
    raw_top_folder(path).map(escaped)
}

fn raw_top_folder(path: &[u8]) -> Option<&[u8]> {
    let slash = path.iter().position(|byte| *byte == b'/')?;
    Some(&path[..slash])
}

/// The shape of the file at `path`, if it is a table that we read. A file that does not parse has none.
pub fn of_file(path: &RepoPath, content: impl Read) -> Option<Shape> {
    of_table(table_format(path.name().as_bytes())?, &TableShape::read(content).ok()?)
}

fn of_table(format: &str, shape: &TableShape) -> Option<Shape> {
    let columns = shape.pointer_lines()?;
    Some(Shape::Table { format: format.to_owned(), rows: shape.rows, columns })
}

/// The shape of a table that somebody else reads.
pub struct TableObserver {
    format: &'static str,
    builder: ShapeBuilder,
}

impl TableObserver {
    /// Of the file at `path`; `None` where that is no table that we read.
    pub fn of(path: &RepoPath) -> Option<Self> {
        Some(Self { format: table_format(path.name().as_bytes())?, builder: ShapeBuilder::default() })
    }

    /// The shape of what was seen. What does not parse has none.
    pub fn finish(self) -> Option<Shape> {
        of_table(self.format, &self.builder.finish().ok()?)
    }
}

impl Observer for TableObserver {
    fn begin(&mut self) {
        self.builder = ShapeBuilder::default();
    }

    fn see(&mut self, bytes: &[u8]) {
        self.builder.push(bytes);
    }
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
    shown_extension(raw_extension(path))
}

fn shown_extension(extension: &[u8]) -> String {
    escaped(extension).to_lowercase()
}

fn raw_extension(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(at) if at > 0 => &name[at + 1..],
        _ => b"",
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

    fn given(leaves: &BTreeMap<Vec<u8>, TreeEntry>) -> impl Iterator<Item = (&[u8], TreeEntry)> {
        leaves.iter().map(|(name, entry)| (name.as_slice(), entry.clone()))
    }

    #[test]
    fn a_tree_tells_extensions_and_folders() {
        let file = |size| TreeEntry::file(Vec::new(), false, Digest::of(b"x"), size, None);
        let leaves = BTreeMap::from([
            (b"cats/1.JPG".to_vec(), file(3)),
            (b"cats/2.jpg".to_vec(), file(4)),
            (b"README".to_vec(), file(1)),
        ]);
        let Some(Shape::Tree { files, bytes, extensions, folders }) = of_tree(given(&leaves)) else {
            panic!("a tree")
        };
        assert_eq!((files, bytes), (3, 8));
        assert_eq!(extensions, ["jpg files=2 bytes=7", "(none) files=1 bytes=1"]);
        assert_eq!(folders, ["cats files=2 bytes=7"]);

        let mut next = leaves.clone();
        next.remove(&b"cats/1.JPG"[..]);
        next.insert(b"dogs/1.png".to_vec(), file(9));
        let before = of_tree(given(&leaves)).unwrap();
        let scratch = of_tree(given(&next));
        assert_eq!(of_changed_tree(&before, &leaves, &next), scratch, "by difference as from scratch");
    }
}
