//! Commits: read, written, walked.

use gix::bstr::ByteSlice;
use gix::objs::Kind;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;

use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;
use crate::git::Signature;

/// What a commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its name.
    pub id: ObjectId,
    /// The tree it records.
    pub tree: ObjectId,
    /// Its parents, the first first. In a shallow clone they may not be here.
    pub parents: Vec<ObjectId>,
    /// Who made the change.
    pub author: Signature,
    /// Who recorded it.
    pub committer: Signature,
    /// The message, whole; bytes that are no UTF-8 are replaced.
    pub message: String,
}

impl CommitInfo {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The value of the last trailer `key` (such as `Change-Id`) in the last paragraph of the message.
    pub fn trailer(&self, key: &str) -> Option<&str> {
        let paragraph = self.message.trim_end().rsplit("\n\n").next()?;
        let value = |line| {
            let (name, value) = str::split_once(line, ':')?;
            name.eq_ignore_ascii_case(key).then(|| value.trim())
        };
        paragraph.lines().rev().find_map(value)
    }
}

/// A commit to be written.
#[derive(Debug, Clone)]
pub struct NewCommit<'a> {
    /// The tree it records.
    pub tree: ObjectId,
    /// Its parents, the first first.
    pub parents: &'a [ObjectId],
    /// Who made the change.
    pub author: &'a Signature,
    /// Who records it.
    pub committer: &'a Signature,
    /// The message, verbatim.
    pub message: &'a str,
}

impl Repository {
    /// The commit that a revision such as `HEAD~2`, `v1`, `main@{yesterday}` names; tags are peeled.
    ///
    /// # Errors
    ///
    /// [`GitError::UnknownRevision`].
    pub fn resolve_commit(&self, revision: &str) -> Result<ObjectId, GitError> {
        let unknown =
            |error: gix::Error| GitError::UnknownRevision { revision: revision.into(), source: error.into() };
        let object = self.gix.rev_parse_single(revision).and_then(|id| id.object()).map_err(unknown)?;
        let commit = object.peel_to_kind(Kind::Commit).map_err(unknown)?;
        Ok(ObjectId(commit.id))
    }

    /// What the commit `id` says.
    ///
    /// # Errors
    ///
    /// [`GitError::Missing`], [`GitError::WrongKind`], [`GitError::Object`].
    pub fn commit_info(&self, id: ObjectId) -> Result<CommitInfo, GitError> {
        let bytes = self.read(id, Kind::Commit)?;
        let damaged = |error: gix::Error| GitError::Object { id, source: error.into() };
        let commit = gix::objs::CommitRef::from_bytes(&bytes, id.0.kind()).map_err(damaged)?;
        Ok(CommitInfo {
            id,
            tree: ObjectId(commit.tree()),
            parents: commit.parents().map(ObjectId).collect(),
            author: Signature::from_gix(commit.author().map_err(damaged)?),
            committer: Signature::from_gix(commit.committer().map_err(damaged)?),
            message: commit.message.to_str_lossy().into_owned(),
        })
    }

    /// Stores a commit. No ref is moved, no hook runs, nothing is signed.
    ///
    /// # Errors
    ///
    /// [`GitError::WriteObject`].
    pub fn write_commit(&self, new: &NewCommit<'_>) -> Result<ObjectId, GitError> {
        let commit = gix::objs::Commit {
            tree: new.tree.0,
            parents: new.parents.iter().map(|parent| parent.0).collect(),
            author: new.author.to_gix(),
            committer: new.committer.to_gix(),
            encoding: None,
            message: new.message.into(),
            extra_headers: Vec::new(),
        };
        let written = self.gix.write_object(&commit);
        let id = written.map_err(|error| GitError::WriteObject { kind: "commit", source: error.into() })?;
        Ok(ObjectId(id.detach()))
    }

    /// The commits that are reachable from `tips` and not from `hidden`, newest first. Where a shallow clone is cut, the
    /// walk ends.
    ///
    /// # Errors
    ///
    /// [`GitError::History`], also from the iterator.
    pub fn walk(
        &self,
        tips: &[ObjectId],
        hidden: &[ObjectId],
    ) -> Result<impl Iterator<Item = Result<ObjectId, GitError>> + '_, GitError> {
        let failed = |error: gix::Error| GitError::History { source: error.into() };
        let walk = self.gix.rev_walk(tips.iter().map(|id| id.0));
        let walk = walk.sorting(Sorting::ByCommitTime(CommitTimeOrder::NewestFirst));
        let walk = walk.with_hidden(hidden.iter().map(|id| id.0)).all().map_err(failed)?;
        Ok(walk.map(move |info| info.map(|info| ObjectId(info.id)).map_err(failed)))
    }

    /// The best common ancestor of two commits; `None` when they share no history.
    ///
    /// # Errors
    ///
    /// [`GitError::History`].
    pub fn merge_base(&self, one: ObjectId, two: ObjectId) -> Result<Option<ObjectId>, GitError> {
        let base = self.gix.merge_base(one.0, two.0);
        let base = base.map_err(|error| GitError::History { source: error.into() })?;
        Ok(base.map(|id| ObjectId(id.detach())))
    }

    /// Whether `ancestor` is reachable from `descendant` (a commit is its own ancestor).
    ///
    /// # Errors
    ///
    /// [`GitError::History`].
    pub fn is_ancestor(&self, ancestor: ObjectId, descendant: ObjectId) -> Result<bool, GitError> {
        Ok(ancestor == descendant || self.merge_base(ancestor, descendant)? == Some(ancestor))
    }
}
