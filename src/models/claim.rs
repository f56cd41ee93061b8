//! How a name becomes ours: its tag is pushed create-only to the Git remote, and only then made here.
//!
//! Of several clones that push the same name at once, exactly one gets it; the others see "already exists". The server
//! answers "up to date" for an object that it has already, so every tag's message holds a random id: only an answer of
//! *new* is a claim. Offline there is no tag at all: one that was made here first would be fetched by nobody, and would
//! stand in the way when somebody else's arrives.

use crate::git::{GitError, ObjectId, PushOptions, PushOutcome, Ref, Repository};

use super::error::RegistryError;
use super::message::Facts;
use super::tag::{ModelName, ModelTag};

/// The Git remote that names are claimed on; `None` in a repository without one, where they are claimed by being made.
#[derive(Debug, Clone)]
pub struct Claims<'a> {
    repository: &'a Repository,
    remote: Option<String>,
}

/// The Git remote that is meant: `remote` if it is given, else the one that `git fetch` would use, else the first.
pub fn git_remote(repository: &Repository, remote: Option<&str>) -> Option<String> {
    remote.map(str::to_owned).or_else(|| {
        let remotes = repository.remotes();
        let usual =
            repository.default_remote().filter(|name| remotes.iter().any(|known| known.name == *name));
        usual.or_else(|| remotes.first().map(|first| first.name.clone()))
    })
}

/// What became of a try to claim a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is ours.
    Ours,
    /// Somebody else has it.
    Taken,
}

impl<'a> Claims<'a> {
    /// Claims on `remote`, or on the one that `git fetch` would use.
    pub fn on(repository: &'a Repository, remote: Option<&str>) -> Self {
        Self { repository, remote: git_remote(repository, remote) }
    }

    /// The remote.
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// Fetches the tags of the model that are not here yet, and tells which there are on the remote. A tag of the same name
    /// that is here stays as it is.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unreachable`].
    pub fn refresh(&self, model: &ModelName) -> Result<Vec<Ref>, RegistryError> {
        let Some(remote) = &self.remote else { return Ok(Vec::new()) };
        let fetch = || {
            let patterns = ["@*", "#*"].map(|rest| format!("refs/tags/{model}{rest}"));
            let mut there = self.repository.list_remote(remote, &patterns)?;
            there.retain(|found| {
                found.name.strip_prefix("refs/tags/").is_some_and(|tag| tag.parse::<ModelTag>().is_ok())
            });
            let mut missing = Vec::new();
            for found in &there {
                if self.repository.find_ref(&found.name)?.is_none() {
                    missing.push(format!("{0}:{0}", found.name));
                }
            }
            if !missing.is_empty() {
                self.repository.fetch(remote, &missing, false)?;
            }
            Ok(there)
        };
        fetch().map_err(|source| self.unreachable(model.as_str(), remote, source))
    }

    /// Sees to it that a tag that is here is on the remote, too: `there` is what [`Claims::refresh`] told. A version that was
    /// registered where there was no remote is claimed only now.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Taken`] when the remote has another tag of that name, and those of [`Claims::claim`].
    pub fn publish(&self, tag: &str, there: &[Ref]) -> Result<(), RegistryError> {
        let Some(remote) = &self.remote else { return Ok(()) };
        let name = format!("refs/tags/{tag}");
        let Some(here) = self.repository.find_ref(&name)? else { return Ok(()) };
        let published = match there.iter().find(|found| found.name == name) {
            Some(found) => found.target == here,
            None => self.push(remote, tag, here)? == Claimed::Ours,
        };
        let taken = || RegistryError::Taken { tag: tag.into(), remote: Some(remote.clone()) };
        if published { Ok(()) } else { Err(taken()) }
    }

    /// Tries to claim `tag` for `commit`; on success the tag is here, too.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unreachable`], [`RegistryError::Refused`], and those of writing the tag.
    pub fn claim(&self, tag: &ModelTag, commit: ObjectId, facts: &Facts) -> Result<Claimed, RegistryError> {
        let short = tag.to_string();
        let name = format!("refs/tags/{short}");
        if self.repository.find_ref(&name)?.is_some() {
            return Ok(Claimed::Taken);
        }
        let object = self.repository.write_tag(&short, commit, &facts.message(tag))?;
        if let Some(remote) = &self.remote
            && self.push(remote, &short, object)? == Claimed::Taken
        {
            return Ok(Claimed::Taken);
        }
        match self.repository.create_ref(&name, object, "claimed") {
            Ok(()) => Ok(Claimed::Ours),
            // A fetch of another process may have brought the tag that we have just pushed.
            Err(GitError::RefExists { .. }) if self.repository.find_ref(&name)? == Some(object) => {
                Ok(Claimed::Ours)
            }
            Err(GitError::RefExists { .. }) => Ok(Claimed::Taken),
            Err(error) => Err(error.into()),
        }
    }

    fn push(&self, remote: &str, tag: &str, object: ObjectId) -> Result<Claimed, RegistryError> {
        let name = format!("refs/tags/{tag}");
        let pushed = self.repository.push(remote, &[format!("{object}:{name}")], &PushOptions::default());
        let outcome = match pushed {
            Ok(pushed) => pushed.into_iter().find(|pushed| pushed.to == name).map(|pushed| pushed.outcome),
            Err(source) => {
                // The answer may have been lost on its way: then the server knows.
                let there = self.repository.list_remote(remote, std::slice::from_ref(&name));
                let ours = there.is_ok_and(|refs| refs.iter().any(|found| found.target == object));
                return if ours { Ok(Claimed::Ours) } else { Err(self.unreachable(tag, remote, source)) };
            }
        };
        match outcome {
            Some(PushOutcome::New) => Ok(Claimed::Ours),
            Some(PushOutcome::Refused(reason)) if !says_taken(&reason) => {
                let there = self.repository.list_remote(remote, std::slice::from_ref(&name));
                if there.is_ok_and(|refs| !refs.is_empty()) {
                    return Ok(Claimed::Taken);
                }
                Err(RegistryError::Refused { tag: tag.into(), remote: remote.into(), reason })
            }
            _ => Ok(Claimed::Taken),
        }
    }

    fn unreachable(&self, tag: &str, remote: &str, source: GitError) -> RegistryError {
        RegistryError::Unreachable { tag: tag.into(), remote: remote.into(), source }
    }
}

/// Whether a refusal says that the name is taken.
fn says_taken(reason: &str) -> bool {
    ["already exists", "stale info", "fetch first"].iter().any(|words| reason.contains(words))
}
