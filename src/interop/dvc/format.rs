//! What DVC writes: `.dvc` files and `dvc.lock` (YAML), `.dir` objects (JSON), `.dvc/config` (INI).
//!
//! Sources: files made by DVC 2.58 and 3.67; their documentation. Read with limits: a file of a few MB, a list of some
//! million files.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::interop::checksum::is_hex;

/// A `.dvc` file or `dvc.lock` has no reason to be longer, in bytes.
pub const LONGEST_FILE: u64 = 32 << 20;
/// The longest list of a directory, in bytes: some ten million files.
pub const LONGEST_LIST: u64 = 2 << 30;

/// Why a file of DVC cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// Not the YAML that DVC writes.
    #[error("it is not what DVC writes: {0}")]
    Yaml(String),
    /// Not the list of a directory.
    #[error("it is no list of a directory: {0}")]
    List(String),
}

/// One output as `.dvc` files and `dvc.lock` name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OutEntry {
    /// Relative to the file that names it, or to its working folder.
    pub path: String,
    /// The MD5, with `.dir` behind that of a directory.
    pub md5: Option<String>,
    /// `md5` as DVC 3 takes it; DVC 2 did not say.
    pub hash: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// Files of a directory.
    pub nfiles: Option<u64>,
    /// Whether it is executable.
    #[serde(default)]
    pub isexec: bool,
    /// The remote that holds it, where that is not the default.
    pub remote: Option<String>,
}

/// Where an import of DVC came from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DepEntry {
    /// A path, or an address.
    pub path: Option<String>,
    /// The server's word for the version.
    pub etag: Option<String>,
    /// The other repository.
    pub repo: Option<RepoEntry>,
}

/// Another repository.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RepoEntry {
    /// Its address.
    pub url: String,
    /// What was asked for.
    pub rev: Option<String>,
    /// The commit.
    pub rev_lock: Option<String>,
}

/// A `.dvc` file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DvcFile {
    /// What it tracks.
    #[serde(default)]
    pub outs: Vec<OutEntry>,
    /// Where it came from, or what the command reads.
    #[serde(default)]
    pub deps: Vec<DepEntry>,
    /// The folder that paths are relative to.
    pub wdir: Option<String>,
    /// The command of a stage.
    pub cmd: Option<Command>,
}

/// That there is a command; it is of no interest here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command;

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    stages: BTreeMap<String, Stage>,
}

#[derive(Deserialize)]
struct Stage {
    #[serde(default)]
    outs: Vec<OutEntry>,
}

#[derive(Deserialize)]
struct Pipeline {
    #[serde(default)]
    stages: BTreeMap<String, Definition>,
}

#[derive(Deserialize)]
struct Definition {
    wdir: Option<String>,
    #[serde(rename = "do")]
    inner: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    wdir: Option<String>,
}

/// One file of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ListEntry {
    /// The MD5.
    pub md5: String,
    /// Below the directory.
    pub relpath: String,
}

fn yaml<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, FormatError> {
    serde_saphyr::from_str(text).map_err(|error| FormatError::Yaml(error.to_string()))
}

/// Reads a `.dvc` file.
///
/// # Errors
///
/// [`FormatError`].
pub fn dvc_file(text: &str) -> Result<DvcFile, FormatError> {
    yaml(text)
}

/// Reads the outputs of `dvc.lock`, by stage.
///
/// # Errors
///
/// [`FormatError`].
pub fn lock_file(text: &str) -> Result<Vec<(String, OutEntry)>, FormatError> {
    // The first version had no heading above the stages.
    let stages = match text.contains("schema:") {
        true => yaml::<Lock>(text)?.stages,
        false => yaml(text)?,
    };
    Ok(stages
        .into_iter()
        .flat_map(|(name, stage)| stage.outs.into_iter().map(move |out| (name.clone(), out)))
        .collect())
}

/// The working folders that `dvc.yaml` names, by stage; stages that are made of a list count by the name before `@`.
///
/// # Errors
///
/// [`FormatError`].
pub fn working_folders(text: &str) -> Result<BTreeMap<String, String>, FormatError> {
    let stages = yaml::<Pipeline>(text)?.stages.into_iter();
    let folder = |stage: Definition| stage.wdir.or(stage.inner.and_then(|inner| inner.wdir));
    Ok(stages.filter_map(|(name, stage)| Some((name, folder(stage)?))).collect())
}

/// Reads the list of a directory.
///
/// # Errors
///
/// [`FormatError`], also for checksums that are none.
pub fn list(bytes: &[u8]) -> Result<Vec<ListEntry>, FormatError> {
    let failed = |error: String| FormatError::List(error);
    let entries: Vec<ListEntry> = serde_json::from_slice(bytes).map_err(|error| failed(error.to_string()))?;
    match entries.iter().find(|entry| !is_hex(&entry.md5, 32)) {
        Some(entry) => Err(failed(format!("'{}' has no checksum", entry.relpath.escape_debug()))),
        None => Ok(entries),
    }
}

/// The list of a directory as DVC writes it; `entries` in order of their paths.
pub fn list_text(entries: &[ListEntry]) -> String {
    let quoted = |text: &str| {
        let mut quoted = String::from("\"");
        for c in text.chars() {
            match c {
                '"' => quoted.push_str("\\\""),
                '\\' => quoted.push_str("\\\\"),
                '\n' => quoted.push_str("\\n"),
                '\r' => quoted.push_str("\\r"),
                '\t' => quoted.push_str("\\t"),
                ' '..='~' => quoted.push(c),
                _ => c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|unit| quoted.push_str(&format!("\\u{unit:04x}"))),
            }
        }
        quoted + "\""
    };
    let line = |entry: &ListEntry| {
        format!("{{\"md5\": {}, \"relpath\": {}}}", quoted(&entry.md5), quoted(&entry.relpath))
    };
    format!("[{}]", entries.iter().map(line).collect::<Vec<_>>().join(", "))
}

/// A configuration: the values of each section, by name (`core`, `cache`, `remote "x"`).
pub type Config = BTreeMap<String, BTreeMap<String, String>>;

/// Adds what a file of DVC's configuration says to `config`; later files win.
pub fn read_config(text: &str, config: &mut Config) {
    let mut section = String::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name.trim().trim_matches('\'').to_owned();
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim();
            let plain = value.split(" #").next().unwrap_or(value).trim_end();
            let quoted =
                ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.split(*quote).next());
            let section = config.entry(section.clone()).or_default();
            section.insert(key.trim().to_ascii_lowercase(), quoted.unwrap_or(plain).to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_both_versions_are_read() {
        let three = dvc_file(
            "outs:\n- md5: 0cc175b9c0f1b6a831c399e269772661\n  size: 1\n  hash: md5\n  path: a.csv\n",
        )
        .unwrap();
        assert_eq!((three.outs[0].hash.as_deref(), three.outs[0].size), (Some("md5"), Some(1)));
        let two = dvc_file("outs:\n- md5: 0cc175b9c0f1b6a831c399e269772661.dir\n  size: 1\n  nfiles: 1\n  path: d\nmeta:\n  x: [1, {y: 2}]\n").unwrap();
        assert_eq!((two.outs[0].hash.as_deref(), two.outs[0].nfiles), (None, Some(1)));
        let import = dvc_file(
            "deps:\n- path: data\n  repo:\n    url: https://h/r\n    rev_lock: abc\nouts:\n- path: d\n",
        )
        .unwrap();
        assert_eq!(import.deps[0].repo.as_ref().unwrap().url, "https://h/r");
        assert!(dvc_file("outs: {").is_err());
    }

    #[test]
    fn locks_of_both_versions_are_read() {
        let two = "schema: '2.0'\nstages:\n  train@0:\n    cmd: python train.py\n    outs:\n    - path: model\n      md5: 0cc175b9c0f1b6a831c399e269772661\n      size: 3\n";
        assert_eq!(lock_file(two).unwrap()[0].0, "train@0");
        let one = "train:\n  cmd: x\n  outs:\n  - path: model\n    md5: 0cc175b9c0f1b6a831c399e269772661\n";
        assert_eq!(lock_file(one).unwrap()[0].1.path, "model");
        let folders = working_folders(
            "stages:\n  train:\n    foreach: [0, 1]\n    do:\n      cmd: x\n      wdir: sub\n  eval:\n    cmd: y\n",
        );
        assert_eq!(folders.unwrap(), BTreeMap::from([("train".to_owned(), "sub".to_owned())]));
    }

    #[test]
    fn a_list_is_written_as_dvc_writes_it() {
        let bytes =
            br#"[{"md5": "0cc175b9c0f1b6a831c399e269772661", "relpath": "gr\u00f6\u00dfe/\"a\".csv"}]"#;
        let entries = list(bytes).unwrap();
        assert_eq!(entries[0].relpath, "größe/\"a\".csv");
        assert_eq!(list_text(&entries).as_bytes(), bytes);
        assert!(list(br#"[{"md5": "../x", "relpath": "a"}]"#).is_err());
    }

    #[test]
    fn configurations_are_read_and_later_files_win() {
        let mut config = Config::new();
        read_config("[core]\n    remote = s\n['remote \"s\"']\n    url = ../old\n", &mut config);
        read_config("['remote \"s\"']\nurl = \"s3://b/p\"\n", &mut config);
        assert_eq!(config["core"]["remote"], "s");
        assert_eq!(config["remote \"s\""]["url"], "s3://b/p");
        read_config("['remote \"s\"']\nurl = ../store # no\n", &mut config);
        assert_eq!(config["remote \"s\""]["url"], "../store");
    }
}
