//! The rules of the architecture, checked on the source text.

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first: a module may use only modules of the rows above its own.
const LAYERS: &[&[&str]] = &[
    &["base"],
    &["objects", "tables", "tensors"],
    &["storage", "git"],
    &["data"],
    &["models"],
    &["runs"],
    &["pipelines"],
    &["checks"],
    &["interop"],
    &["serve"],
    &["cli"],
];

/// A foreign crate enters by these modules only.
const DOORS: &[(&str, &[&str])] = &[
    ("gix", &["git"]),
    ("opendal", &["storage"]),
    ("tokio", &["storage", "serve"]),
    ("futures_util", &["storage"]),
    ("arrow", &["tables"]),
    ("parquet", &["tables"]),
    ("csv", &["tables"]),
    ("zstd", &["objects"]),
    ("mincdc", &["objects"]),
    ("blake3", &["base"]),
    ("md5", &["interop"]),
    ("serde_saphyr", &["interop"]),
    ("sha2", &["interop"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("indicatif", &["cli"]),
];

/// Nothing is longer: a file of this many lines would make two good rooms.
const LONGEST_FILE: usize = 500;

fn row_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&module))
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every `.rs` file under `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of src");
    let paths = entries.map(|entry| entry.expect("an entry of src").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The names that stand right before `::` in a line of code, `crate::` paths left out.
fn named_crates(code: &str) -> impl Iterator<Item = &str> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices("::").filter_map(move |(at, _)| {
        let before = &code[..at];
        let name = before.trim_end_matches(word).len();
        let path_goes_on = before[..name].ends_with(':');
        (!path_goes_on).then(|| &before[name..])
    })
}

/// What one line of code breaks, if anything.
fn broken_rule(module: &str, line: &str) -> Option<String> {
    let code = line.split("//").next().unwrap_or("");
    if code.contains("use crate::{") {
        return Some("name one module per `use`".into());
    }
    for used in code.split("crate::").skip(1) {
        let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        if used != module && row_of(used) >= row_of(module) {
            return Some(format!("{module} may not use {used}"));
        }
    }
    if module != "cli" && (code.contains("println!") || code.contains("print!(")) {
        return Some("only cli prints".into());
    }
    let mut doors = named_crates(code).filter_map(|name| DOORS.iter().find(|(krate, _)| *krate == name));
    let (krate, modules) = doors.find(|(_, modules)| !modules.contains(&module))?;
    Some(format!("{krate} belongs in {}", modules.join(" and ")))
}

#[test]
fn modules_keep_their_layer_and_foreign_crates_their_door() {
    let mut broken = Vec::new();
    for module in LAYERS.concat().into_iter().filter(|module| src().join(module).exists()) {
        for path in sources(&src().join(module)) {
            let text = fs::read_to_string(&path).expect("UTF-8");
            for (number, line) in text.lines().enumerate() {
                if let Some(rule) = broken_rule(module, line) {
                    broken.push(format!("{}:{}: {rule}", path.display(), number + 1));
                }
            }
            if text.lines().count() > LONGEST_FILE {
                broken.push(format!("{}: more than {LONGEST_FILE} lines", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_folder_of_src_has_a_layer() {
    for entry in fs::read_dir(src()).expect("src") {
        let path = entry.expect("an entry of src").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("UTF-8");
        let known = row_of(name).is_some() || matches!(name, "bin" | "lib.rs");
        assert!(known, "src/{name} has no layer");
    }
}

#[test]
fn mains_are_one_line() {
    for path in sources(&src().join("bin")) {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let code = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//")).count();
        assert!(code <= 3, "{} has {code} lines of code: fn, one line, brace", path.display());
    }
}

#[test]
fn the_rules_catch_what_they_forbid() {
    let caught = [
        ("storage", "use crate::git::Repository;"),
        ("base", "use crate::objects::Pointer;"),
        ("data", "let x = gix::open(path);"),
        ("data", "use {gix::ObjectId};"),
        ("git", "use crate::{data, base};"),
        ("runs", "println!(\"no\");"),
    ];
    for (module, line) in caught {
        assert!(broken_rule(module, line).is_some(), "{module} may write {line}");
    }
    let fine =
        [("git", "use gix::ObjectId;"), ("data", "use crate::storage::Store;"), ("data", "arrow_row::x()")];
    for (module, line) in fine {
        assert_eq!(broken_rule(module, line), None);
    }
}
