//! Which data the DVC projects of a repository track.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::base::RepoPath;
use crate::data::Workspace;
use crate::git::GitError;
use crate::interop::checksum::{Checksum, is_hex};

use super::format::{self, Config, DepEntry, LONGEST_FILE, OutEntry};

/// One output of DVC that is to be moved.
#[derive(Debug, Clone)]
pub struct Out {
    /// Where the data lies.
    pub path: RepoPath,
    /// The file that names it.
    pub named_by: RepoPath,
    /// The folder of the project, absolute: the one that has `.dvc`.
    pub project: PathBuf,
    /// Its checksum: of the content, or of a directory's list.
    pub checksum: Checksum,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Bytes, where DVC says it.
    pub size: u64,
    /// Whether it is executable.
    pub executable: bool,
    /// The remote that holds it, where that is not the default.
    pub remote: Option<String>,
    /// Where DVC imported it from.
    pub from: Option<DepEntry>,
}

impl Out {
    /// Whether DVC 2 took the checksum.
    pub fn is_of_dvc_2(&self) -> bool {
        matches!(self.checksum, Checksum::Md5OfDvc2(_))
    }

    /// The checksum of a file of the directory.
    pub fn checksum_of(&self, md5: &str) -> Checksum {
        if self.is_of_dvc_2() { Checksum::Md5OfDvc2(md5.into()) } else { Checksum::Md5(md5.into()) }
    }
}

/// Something of DVC that stays as it is, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Left {
    /// What it is: a path, as DVC writes it.
    pub path: String,
    /// Why it stays.
    pub why: String,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The outputs, by path.
    pub outs: BTreeMap<RepoPath, Out>,
    /// What cannot be moved.
    pub left: Vec<Left>,
    /// `.dvc` files that track data and nothing else.
    pub dvc_files: BTreeSet<RepoPath>,
    /// Files that name something which stays with DVC or Git.
    pub still_needed: BTreeSet<RepoPath>,
    /// Whether there are pipelines.
    pub pipelines: bool,
}

/// Finds what the DVC projects at or below `folder` track (`None`: in the whole repository).
///
/// # Errors
///
/// [`GitError`] when the files of the repository cannot be listed.
pub fn find(workspace: &Workspace, folder: Option<&RepoPath>) -> Result<Found, GitError> {
    let is_ours = |name: &str| {
        let file = name.rsplit('/').next().unwrap_or(name);
        file == "dvc.lock" || file == "dvc.yaml" || file.len() > 4 && file.ends_with(".dvc")
    };
    let mut found = Found::default();
    for name in workspace.repository().files_where(&is_ours)? {
        let Ok(file) = RepoPath::new(name) else { continue };
        if folder.is_some_and(|folder| file.below(folder).is_none()) {
            continue;
        }
        let Some(project) = project_of(workspace.top(), &file) else { continue };
        match file.name() {
            "dvc.yaml" => found.pipelines = true,
            "dvc.lock" => read_lock(workspace, &file, &project, &mut found),
            _ => read_dvc_file(workspace, &file, &project, &mut found),
        }
    }
    Ok(found)
}

/// The nearest folder above a file that has `.dvc`.
fn project_of(top: &Path, file: &RepoPath) -> Option<PathBuf> {
    let mut folder = file.parent();
    loop {
        let place = folder.as_ref().map_or(top.to_owned(), |folder| folder.under(top));
        if place.join(".dvc").is_dir() {
            return Some(place);
        }
        folder = folder?.parent();
    }
}

/// The text of a file of DVC, if it has any sense to read it.
fn text_of(workspace: &Workspace, file: &RepoPath) -> Result<Option<String>, String> {
    workspace.repository().refuse_beyond_link(file).map_err(|error| error.to_string())?;
    let path = file.under(workspace.top());
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= LONGEST_FILE => {}
        Ok(_) => return Err("it is no file that DVC wrote".into()),
        Err(_) => return Ok(None),
    }
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(LONGEST_FILE).read_to_string(&mut text));
    read.map(|_| Some(text)).map_err(|error| error.to_string())
}

fn read_dvc_file(workspace: &Workspace, file: &RepoPath, project: &Path, found: &mut Found) {
    let read = text_of(workspace, file).and_then(|text| {
        text.map(|text| format::dvc_file(&text)).transpose().map_err(|error| error.to_string())
    });
    let read = match read {
        Ok(Some(read)) => read,
        Ok(None) => return,
        Err(why) => {
            found.still_needed.insert(file.clone());
            return found.left.push(Left { path: file.to_string(), why });
        }
    };
    let from = read.deps.first().filter(|_| read.cmd.is_none()).cloned();
    for entry in read.outs {
        take(workspace, file, project, read.wdir.as_deref(), entry, from.clone(), found);
    }
    if read.cmd.is_none() {
        found.dvc_files.insert(file.clone());
    }
}

fn read_lock(workspace: &Workspace, file: &RepoPath, project: &Path, found: &mut Found) {
    let read = text_of(workspace, file).and_then(|text| {
        text.map(|text| format::lock_file(&text)).transpose().map_err(|error| error.to_string())
    });
    let outs = match read {
        Ok(outs) => outs.unwrap_or_default(),
        Err(why) => return found.left.push(Left { path: file.to_string(), why }),
    };
    let pipeline = file.parent().map_or_else(|| RepoPath::new("dvc.yaml"), |folder| folder.join("dvc.yaml"));
    let text = pipeline.ok().and_then(|pipeline| text_of(workspace, &pipeline).ok().flatten());
    let folders = text.and_then(|text| format::working_folders(&text).ok()).unwrap_or_default();
    for (stage, entry) in outs {
        let definition = stage.split('@').next().unwrap_or(&stage);
        take(workspace, file, project, folders.get(definition).map(String::as_str), entry, None, found);
    }
}

/// Takes one output in, or notes why it stays.
fn take(
    workspace: &Workspace,
    file: &RepoPath,
    project: &Path,
    folder: Option<&str>,
    entry: OutEntry,
    from: Option<DepEntry>,
    found: &mut Found,
) {
    let shown = entry.path.clone();
    match out_of(workspace, file, project, folder, entry, from) {
        Ok(Whose::Dvc(out)) => drop(found.outs.insert(out.path.clone(), *out)),
        Ok(Whose::Ours) => {}
        Ok(Whose::Git) => drop(found.still_needed.insert(file.clone())),
        Err(why) => {
            found.still_needed.insert(file.clone());
            found.left.push(Left { path: shown, why });
        }
    }
}

/// Who has the data of an output.
enum Whose {
    Dvc(Box<Out>),
    Git,
    Ours,
}

fn out_of(
    workspace: &Workspace,
    file: &RepoPath,
    project: &Path,
    folder: Option<&str>,
    entry: OutEntry,
    from: Option<DepEntry>,
) -> Result<Whose, String> {
    let path = resolved(file, folder.unwrap_or("."), &entry.path)?;
    let repository = workspace.repository();
    let said = |error: GitError| error.to_string();
    repository.refuse_beyond_link(&path).map_err(said)?;
    if repository.is_tracked(&path).map_err(said)? {
        return Ok(Whose::Git);
    }
    let mut above = Some(path.clone());
    while let Some(candidate) = above {
        let pointer = crate::git::pointer_file(&candidate).map_err(|error| error.to_string())?;
        if pointer.under(workspace.top()).is_file() {
            return Ok(Whose::Ours);
        }
        above = candidate.parent();
    }
    let md5 = entry.md5.ok_or("it has no MD5: DVC never stored it, or stores it elsewhere")?;
    let digits = md5.strip_suffix(".dir").unwrap_or(&md5);
    if !is_hex(digits, 32) {
        return Err("its MD5 is none".into());
    }
    let checksum = match entry.hash.as_deref() {
        Some("md5") => Checksum::Md5(digits.into()),
        None | Some("md5-dos2unix") => Checksum::Md5OfDvc2(digits.into()),
        Some(other) => {
            return Err(format!("its checksum is of a kind that is not known: {}", other.escape_debug()));
        }
    };
    Ok(Whose::Dvc(Box::new(Out {
        path,
        named_by: file.clone(),
        project: project.to_owned(),
        checksum,
        is_directory: md5.len() > digits.len(),
        size: entry.size.unwrap_or(0),
        executable: entry.isexec,
        remote: entry.remote,
        from,
    })))
}

/// The path that a file of DVC means by `path`, which counts from `folder` below the file's own folder.
fn resolved(file: &RepoPath, folder: &str, path: &str) -> Result<RepoPath, String> {
    if path.contains("://") || path.starts_with('/') || path.contains("${") || folder.contains("${") {
        return Err("it lies outside of the repository".into());
    }
    let mut parts: Vec<&str> = file.parts().collect();
    parts.pop();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or("it lies outside of the repository")?),
            part => parts.push(part),
        }
    }
    RepoPath::new(parts.join("/")).map_err(|error| error.to_string())
}

/// The configuration of a project: what its user says wins, and what only the user says is told apart.
pub struct Settings {
    /// All of it.
    pub all: Config,
    /// What the user's own files say: those are not in Git.
    pub own: Config,
}

impl Settings {
    /// Reads what counts for the project in `folder`.
    pub fn of(folder: &Path) -> Self {
        let own_home = std::env::var_os("XDG_CONFIG_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let home = own_home.or_else(|| Some(std::env::home_dir()?.join(".config")));
        let personal = home.map(|home| home.join("dvc").join("config"));
        let (mut all, mut own) = (Config::new(), Config::new());
        let local = folder.join(".dvc").join("config.local");
        for path in personal.iter().chain([&folder.join(".dvc").join("config"), &local]) {
            let mut text = String::new();
            let opened = File::open(path).and_then(|file| file.take(LONGEST_FILE).read_to_string(&mut text));
            if opened.is_ok() {
                format::read_config(&text, &mut all);
                if path == &local || personal.as_ref() == Some(path) {
                    format::read_config(&text, &mut own);
                }
            }
        }
        Self { all, own }
    }

    /// A value.
    pub fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.all.get(section)?.get(key).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_count_from_the_file_and_never_leave_the_repository() {
        let file = RepoPath::new("a/b/x.dvc").unwrap();
        assert_eq!(resolved(&file, ".", "x").unwrap().as_str(), "a/b/x");
        assert_eq!(resolved(&file, "../c", "./d/x").unwrap().as_str(), "a/c/d/x");
        for path in ["../../../x", "/etc/passwd", "s3://b/x", ".git/config", "${x}"] {
            assert!(resolved(&file, ".", path).is_err(), "{path}");
        }
    }
}
