//! Pointers that a merge left in conflict.

use gix::index::entry::{Mode, Stage};

use crate::base::RepoPath;
use crate::git::ObjectId;
use crate::git::Repository;
use crate::git::pointers::{PointerFault, pointer_file};
use crate::objects::Pointer;

impl Repository {
    /// The pointers of the data at `path` in a conflict: of the common ancestor, ours, theirs, each if there is one. `None`
    /// where there is no conflict.
    ///
    /// # Errors
    ///
    /// [`PointerFault`] when one of them is no pointer.
    pub fn unmerged_pointers(&self, path: &RepoPath) -> Result<Option<[Option<Pointer>; 3]>, PointerFault> {
        let index = self.read_index()?;
        let file = pointer_file(path)?;
        let mut found = false;
        let mut pointers = [None, None, None];
        for (pointer, stage) in pointers.iter_mut().zip([Stage::Base, Stage::Ours, Stage::Theirs]) {
            if let Some(entry) = index.entry_by_path_and_stage(file.as_str().into(), stage) {
                found = true;
                let is_file = matches!(entry.mode, Mode::FILE | Mode::FILE_EXECUTABLE);
                *pointer = Some(self.pointer_blob(is_file, ObjectId(entry.id))?);
            }
        }
        Ok(found.then_some(pointers))
    }
}
