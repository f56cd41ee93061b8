//! The registry of a repository: read from its tags, added to by new ones.
//!
//! Whoever registers uploads the content first: a tag on the Git remote must never name what nobody else can get.

use jiff::Timestamp;
use serde::Serialize;

use crate::base::{Digest, RandomId, RepoPath};
use crate::git::{EntryMode, ObjectId, Repository, Tag, pointer_file};
use crate::objects::Pointer;
use crate::objects::pointer::MAX_POINTER;

use super::catalog::{Catalog, FoundTag, Model, RegisteredVersion};
use super::claim::{Claimed, Claims};
use super::error::RegistryError;
use super::message::{ContentKind, ContentRecord, Facts};
use super::tag::{Alias, Event, ModelName, ModelRef, ModelTag, Which};
use super::version::{Bump, Version};

/// So often the next number is tried when others take it.
const TRIES: usize = 20;

/// A file of Git that is registered without being data is read whole.
const LARGEST_PLAIN_FILE: u64 = 1 << 30;

/// Which version is to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number {
    /// This one.
    Exactly(Version),
    /// The next one after the greatest.
    Next(Bump),
}

/// What is to be registered.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The model.
    pub model: ModelName,
    /// Where its content lies in the commit that is checked out.
    pub path: RepoPath,
    /// Which version.
    pub number: Number,
    /// The run that made it.
    pub run: Option<RandomId>,
    /// The Git remote that it is claimed on; `None`: the one that `git fetch` would use, if there is one.
    pub remote: Option<String>,
    /// Register even what is a version already.
    pub again: bool,
}

/// A version that was registered just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registered {
    /// The model.
    pub model: ModelName,
    /// The version.
    pub version: Version,
    /// Its tag.
    pub tag: String,
    /// The commit that the tag names.
    pub commit: ObjectId,
    /// What it stands for.
    pub content: ContentRecord,
    /// The run that made it.
    pub run: Option<RandomId>,
    /// The Git remote that it was claimed on; `None` if it is only here, because there is no Git remote.
    pub claimed_on: Option<String>,
}

/// A move of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Promoted {
    /// The model.
    pub model: ModelName,
    /// The alias.
    pub alias: Alias,
    /// Where it was.
    pub from: Option<Version>,
    /// Where it is now.
    pub to: Version,
    /// The tag that moved it; `None` if it was there already.
    pub tag: Option<String>,
    /// The Git remote that it was claimed on; `None` if it is only here, because there is no Git remote.
    pub claimed_on: Option<String>,
}

/// The registry as the tags of the repository tell it. Lightweight tags do not count, as in GTO.
///
/// # Errors
///
/// Those of Git.
pub fn catalog(repository: &Repository) -> Result<Catalog, RegistryError> {
    Ok(Catalog::of_tags(repository.tags()?.into_iter().filter_map(found_tag)))
}

fn found_tag(tag: Tag) -> Option<FoundTag> {
    let name = tag.name.parse().ok().filter(|_| tag.annotated)?;
    let tagger = tag.tagger?;
    Some(FoundTag {
        tag: name,
        commit: tag.target.to_string(),
        time: Timestamp::from_second(tagger.seconds).ok()?,
        by: format!("{} <{}>", tagger.name, tagger.email),
        message: tag.message,
    })
}

/// The model of this name.
///
/// # Errors
///
/// [`RegistryError::NoSuchModel`].
pub fn model<'a>(catalog: &'a Catalog, name: &ModelName) -> Result<&'a Model, RegistryError> {
    catalog.model(name).ok_or_else(|| RegistryError::NoSuchModel { model: name.clone() })
}

/// The version that `named` means.
///
/// # Errors
///
/// [`RegistryError::NoSuchModel`], [`RegistryError::NoSuchVersion`].
pub fn version<'a>(catalog: &'a Catalog, named: &ModelRef) -> Result<&'a RegisteredVersion, RegistryError> {
    let model = model(catalog, &named.model)?;
    let known = || model.versions.iter().map(|version| version.version.clone()).collect();
    let which = named.which.as_ref().unwrap_or(&Which::Greatest);
    model
        .version(which)
        .ok_or_else(|| RegistryError::NoSuchVersion { named: named.to_string(), known: known() })
}

/// Registers a version: claims its tag on the Git remote, then makes it here.
///
/// # Errors
///
/// [`RegistryError`]; then there is no tag, neither there nor here.
pub fn register(repository: &Repository, wanted: &Registration) -> Result<Registered, RegistryError> {
    let no_commit = || RegistryError::NoCommit { path: wanted.path.to_string() };
    let commit = repository.head_commit()?.ok_or_else(no_commit)?;
    let content = committed_content(repository, commit, &wanted.path)?;
    let claims = Claims::on(repository, wanted.remote.as_deref());
    for _ in 0..TRIES {
        claims.refresh(&wanted.model)?;
        let catalog = catalog(repository)?;
        let model = catalog.model(&wanted.model);
        if !wanted.again {
            refuse_twice(model, commit, &content)?;
        }
        let version = next_version(model, &wanted.number);
        let event = Event::Registered(version.clone());
        let tag = ModelTag { model: wanted.model.clone(), event, counter: None };
        let facts = Facts::of_version(content.clone(), wanted.run);
        if claims.claim(&tag, commit, &facts)? == Claimed::Ours {
            let (model, tag) = (wanted.model.clone(), tag.to_string());
            let claimed_on = claims.remote().map(str::to_owned);
            return Ok(Registered { model, version, tag, commit, content, run: wanted.run, claimed_on });
        }
        let counted = matches!(wanted.number, Number::Next(_)) && claims.remote().is_some();
        if !counted {
            return Err(RegistryError::Taken {
                tag: tag.to_string(),
                remote: claims.remote().map(str::to_owned),
            });
        }
    }
    let remote = claims.remote().unwrap_or_default().to_owned();
    Err(RegistryError::Busy { model: wanted.model.clone(), remote })
}

/// Points an alias to a version: claims a tag with the next number on the Git remote, then makes it here.
///
/// # Errors
///
/// [`RegistryError`]; then the alias is where it was, or where somebody else moved it.
pub fn promote(
    repository: &Repository,
    named: &ModelRef,
    alias: &Alias,
    remote: Option<&str>,
) -> Result<Promoted, RegistryError> {
    let claims = Claims::on(repository, remote);
    let mut seen: Option<Option<Version>> = None;
    for _ in 0..TRIES {
        let there = claims.refresh(&named.model)?;
        let catalog = catalog(repository)?;
        let model = model(&catalog, &named.model)?;
        let to = version(&catalog, named)?;
        if to.deregistered {
            let (model, version) = (named.model.clone(), to.version.clone());
            return Err(RegistryError::Deregistered { model, version });
        }
        let from = model.aliases.get(alias).cloned();
        refuse_overtaken(model, alias, &seen, &from)?;
        seen = Some(from.clone());
        let (name, alias) = (named.model.clone(), alias.clone());
        let claimed_on = claims.remote().map(str::to_owned);
        let mut promoted = Promoted {
            model: name.clone(),
            alias: alias.clone(),
            from,
            to: to.version.clone(),
            tag: None,
            claimed_on,
        };
        if promoted.from.as_ref() == Some(&promoted.to) {
            return Ok(promoted);
        }
        claims.publish(&to.tag, &there)?;
        let counter = Some(model.last_counter.saturating_add(1));
        let tag = ModelTag { model: name, event: Event::Assigned(alias), counter };
        let commit = repository.resolve_commit(&to.commit)?;
        if claims.claim(&tag, commit, &Facts::of_alias(to.version.clone()))? == Claimed::Ours {
            promoted.tag = Some(tag.to_string());
            return Ok(promoted);
        }
    }
    let remote = claims.remote().unwrap_or_default().to_owned();
    Err(RegistryError::Busy { model: named.model.clone(), remote })
}

/// An alias that somebody moved between two tries is not moved on without a look.
fn refuse_overtaken(
    model: &Model,
    alias: &Alias,
    seen: &Option<Option<Version>>,
    now: &Option<Version>,
) -> Result<(), RegistryError> {
    if seen.is_none() || seen.as_ref() == Some(now) {
        return Ok(());
    }
    let last = model.history.iter().find(|alias_move| alias_move.alias == *alias);
    Err(RegistryError::AliasMoved {
        model: model.name.clone(),
        alias: alias.clone(),
        version: now.clone(),
        by: last.map(|alias_move| alias_move.by.clone()).unwrap_or_default(),
    })
}

fn refuse_twice(
    model: Option<&Model>,
    commit: ObjectId,
    content: &ContentRecord,
) -> Result<(), RegistryError> {
    let same = |version: &&RegisteredVersion| {
        version.commit == commit.to_string()
            && version.content.as_ref() == Some(content)
            && !version.deregistered
    };
    match model.and_then(|model| model.versions.iter().find(same).map(|version| (model, version))) {
        Some((model, version)) => Err(RegistryError::AlreadyRegistered {
            model: model.name.clone(),
            version: version.version.clone(),
        }),
        None => Ok(()),
    }
}

/// The number of the new version. One that was taken back is not given again.
fn next_version(model: Option<&Model>, number: &Number) -> Version {
    match number {
        Number::Exactly(version) => version.clone(),
        Number::Next(bump) => match model.and_then(|model| model.versions.first()) {
            Some(greatest) => greatest.version.bumped(*bump),
            None => Version::first(*bump),
        },
    }
}

/// The content that `commit` has at `path`: what its pointer names, or a file that is kept in Git itself.
///
/// # Errors
///
/// [`RegistryError::NotCommitted`], and [`RegistryError::Changed`] when the pointer in the work tree says otherwise.
pub fn committed_content(
    repository: &Repository,
    commit: ObjectId,
    path: &RepoPath,
) -> Result<ContentRecord, RegistryError> {
    let short = || (path.to_string(), commit.short());
    let pointer = pointer_file(path).map_err(crate::git::GitError::from)?;
    if let Some(bytes) = repository.read_file_at(commit, &pointer, MAX_POINTER as u64)? {
        let unreadable = |source| RegistryError::Pointer { path: path.to_string(), source };
        let pointer = Pointer::parse(&bytes).map_err(unreadable)?;
        if !repository.is_bare() {
            let here = repository.work_tree_pointer(path);
            let here =
                here.map_err(|source| RegistryError::WorkTreePointer { path: path.to_string(), source })?;
            if here.is_some_and(|here| !here.same_content(&pointer)) {
                let (path, commit) = short();
                return Err(RegistryError::Changed { path, commit });
            }
        }
        return Ok(ContentRecord::of_pointer(path, &pointer));
    }
    let tree = repository.commit_info(commit)?.tree;
    match repository.entry_at(tree, path)? {
        Some((EntryMode::File | EntryMode::Executable, blob)) => {
            let bytes = repository.read_blob(blob, LARGEST_PLAIN_FILE)?;
            let (blake3, size) = (Digest::of(&bytes), bytes.len() as u64);
            let (path, kind) = (path.to_string(), ContentKind::File);
            Ok(ContentRecord { path, kind, blake3, size, manifest: None })
        }
        _ => {
            let (path, commit) = short();
            Err(RegistryError::NotCommitted { path, commit })
        }
    }
}
