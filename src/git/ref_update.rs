//! What Git tells the pre-push hook: which refs a push is about to move.
//!
//! One line for each ref, on the standard input: `LOCAL-REF SP LOCAL-ID SP REMOTE-REF SP REMOTE-ID`. An id of zeros stands
//! for no object: as the local one for a deletion, as the remote one for a ref that is new there.

use crate::git::ObjectId;
use crate::git::Repository;

/// A ref that a push is about to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// What it will point to; `None` when it is deleted.
    pub new: Option<ObjectId>,
    /// What it points to on the server; `None` when it does not exist there. The object need not be here.
    pub old: Option<ObjectId>,
}

impl RefUpdate {
    /// The updates that Git's lines tell; lines that are none are left out.
    pub fn parse_lines(text: &str) -> Vec<Self> {
        let id = |word: &str| -> Option<Option<ObjectId>> {
            let zeros = word.bytes().all(|byte| byte == b'0');
            if zeros { Some(None) } else { word.parse().ok().map(Some) }
        };
        let line = |line: &str| {
            // Refs have no spaces, but what is pushed may be any expression.
            let mut words = line.rsplitn(4, ' ');
            let (old, _, new) = (words.next()?, words.next()?, words.next()?);
            Some(Self { new: id(new)?, old: id(old)? })
        };
        text.lines().filter_map(line).collect()
    }
}

impl Repository {
    /// The commits that the updates bring, and those that the other side has as far as is known here: the old ones, and
    /// those of all remote-tracking branches.
    ///
    /// # Errors
    ///
    /// Those of listing refs.
    pub fn commits_of_push(
        &self,
        updates: &[RefUpdate],
    ) -> Result<(Vec<ObjectId>, Vec<ObjectId>), crate::git::GitError> {
        // A tag may name something that is no commit: that brings none.
        let commit = |id: ObjectId| self.has_object(id).then(|| self.resolve_commit(&id.to_string()).ok())?;
        let distinct = |mut ids: Vec<ObjectId>| {
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let tips = updates.iter().filter_map(|update| commit(update.new?)).collect();
        let mut hidden: Vec<_> = updates.iter().filter_map(|update| commit(update.old?)).collect();
        let tracked = self.refs_below("refs/remotes/")?;
        hidden.extend(tracked.into_iter().filter_map(|found| commit(found.target)));
        Ok((distinct(tips), distinct(hidden)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_git_are_read() {
        let (one, two, none) = ("1".repeat(40), "2".repeat(40), "0".repeat(40));
        let text = format!(
            "refs/heads/main {one} refs/heads/main {two}\n(delete) {none} refs/heads/old {two}\n\
             HEAD@{{1 day ago}} {one} refs/tags/v1 {none}\nnonsense\n"
        );
        let id = |text: &str| text.parse().ok();
        let wanted = [(id(&one), id(&two)), (None, id(&two)), (id(&one), None)];
        let updates = RefUpdate::parse_lines(&text);
        assert_eq!(updates, wanted.map(|(new, old)| RefUpdate { new, old }));
    }
}
