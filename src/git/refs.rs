//! Refs: read, listed, and written by compare-and-swap, so that two writers never lose each other's work.

use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};
use serde::Serialize;

use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;

/// A ref and what it points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ref {
    /// The full name, such as `refs/heads/main`.
    pub name: String,
    /// The object it points to; for an annotated tag this is the tag, not the commit. Symbolic refs are followed.
    pub target: ObjectId,
}

/// What a ref must be for a change to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It does not exist.
    Absent,
    /// It points to this object.
    At(ObjectId),
    /// Anything, or nothing.
    Anything,
}

impl Repository {
    /// What the ref of this full name points to; `None` when there is no such ref.
    ///
    /// # Errors
    ///
    /// [`GitError::RefName`], [`GitError::Ref`].
    pub fn find_ref(&self, name: &str) -> Result<Option<ObjectId>, GitError> {
        let failed = |error: gix::Error| GitError::Ref { name: name.into(), source: error.into() };
        let full = full_name(name)?;
        let Some(mut found) = self.gix.try_find_reference(full.as_ref()).map_err(failed)? else {
            return Ok(None);
        };
        found.follow_to_object().map(|id| Some(ObjectId(id.detach()))).map_err(failed)
    }

    /// All refs whose full names begin with `prefix` (which ends in a slash), sorted by name. Symbolic refs that lead
    /// nowhere are left out.
    ///
    /// # Errors
    ///
    /// [`GitError::Ref`].
    pub fn refs_below(&self, prefix: &str) -> Result<Vec<Ref>, GitError> {
        let failed = |error: gix::Error| GitError::Ref { name: prefix.into(), source: error.into() };
        let platform = self.gix.references().map_err(failed)?;
        let listed = platform.prefixed(prefix).map_err(failed)?;
        let mut refs = Vec::new();
        for found in listed {
            let mut found = found.map_err(failed)?;
            let name = String::from_utf8(found.name().as_bstr().to_vec());
            if let (Ok(name), Ok(id)) = (name, found.follow_to_object()) {
                refs.push(Ref { name, target: ObjectId(id.detach()) });
            }
        }
        refs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(refs)
    }

    /// Creates a ref; nothing is overwritten.
    ///
    /// # Errors
    ///
    /// [`GitError::RefExists`], [`GitError::RefName`], [`GitError::Ref`].
    pub fn create_ref(&self, name: &str, target: ObjectId, why: &str) -> Result<(), GitError> {
        self.update_ref(name, target, Expected::Absent, why)
    }

    /// Points a ref to `target`, only if it is as `expected`; `why` goes to its reflog.
    ///
    /// # Errors
    ///
    /// [`GitError::RefMoved`] ([`GitError::RefExists`] for [`Expected::Absent`]) when it is not as expected.
    pub fn update_ref(
        &self,
        name: &str,
        target: ObjectId,
        expected: Expected,
        why: &str,
    ) -> Result<(), GitError> {
        let expected_value = match expected {
            Expected::Absent => PreviousValue::MustNotExist,
            Expected::At(id) => PreviousValue::MustExistAndMatch(Target::Object(id.0)),
            Expected::Anything => PreviousValue::Any,
        };
        // gix lets a ref pass as created that exists with the very same target.
        if expected == Expected::Absent && self.find_ref(name)?.is_some() {
            return Err(GitError::RefExists { name: name.to_owned() });
        }
        let message = why.replace('\n', " ");
        let log =
            LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: message.into() };
        let change = Change::Update { log, expected: expected_value, new: Target::Object(target.0) };
        self.edit_ref(name, change, expected)
    }

    /// Deletes a ref, only if it is as `expected`. With [`Expected::Anything`], a ref that does not exist is fine.
    ///
    /// # Errors
    ///
    /// [`GitError::RefMoved`] when it is not as expected.
    pub fn delete_ref(&self, name: &str, expected: Expected) -> Result<(), GitError> {
        let expected_value = match expected {
            Expected::Absent | Expected::Anything => PreviousValue::Any,
            Expected::At(id) => PreviousValue::MustExistAndMatch(Target::Object(id.0)),
        };
        let change = Change::Delete { expected: expected_value, log: RefLog::AndReference };
        self.edit_ref(name, change, expected)
    }

    fn edit_ref(&self, name: &str, change: Change, expected: Expected) -> Result<(), GitError> {
        let edit = RefEdit::new(full_name(name)?, change);
        let committer = self.gix.committer().and_then(Result::ok);
        // Who has told Git no name still gets reflogs, as with Git itself.
        let now = gix::date::Time::now_utc().to_string();
        let committer = committer.unwrap_or(gix::actor::SignatureRef {
            name: "git-ml".into(),
            email: "git-ml@localhost".into(),
            time: &now,
        });
        let Err(error) = self.gix.edit_references_as(Some(edit), Some(committer)) else {
            return Ok(());
        };
        let name = name.to_owned();
        Err(match expected {
            Expected::Absent if error.is_conflict() => GitError::RefExists { name },
            Expected::At(_) if error.is_conflict() || error.is_not_found() => GitError::RefMoved { name },
            _ => GitError::Ref { name, source: error.into() },
        })
    }
}

/// The name as a full ref name.
fn full_name(name: &str) -> Result<FullName, GitError> {
    FullName::try_from(name).map_err(|error| GitError::RefName {
        name: name.into(),
        source: gix::Error::from_error(error).into(),
    })
}
