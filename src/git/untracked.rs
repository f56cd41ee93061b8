//! Files of the work tree that Git neither tracks nor ignores.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use gix::bstr::ByteSlice;
use gix::dir::entry::{Kind, Status};
use gix::dir::walk::{Action, Delegate};

use crate::git::GitError;
use crate::git::Repository;

/// Collects names as the walk meets them.
struct Collect<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    found: Vec<String>,
}

impl Delegate for Collect<'_> {
    fn emit(&mut self, entry: gix::dir::EntryRef<'_>, _collapsed: Option<Status>) -> Action {
        let is_file = matches!(entry.disk_kind, Some(Kind::File | Kind::Symlink));
        if entry.status == Status::Untracked
            && is_file
            && let Ok(name) = entry.rela_path.to_str()
            && (self.wanted)(name)
        {
            self.found.push(name.to_owned());
        }
        ControlFlow::Continue(())
    }
}

impl Repository {
    /// The untracked files and links whose paths are `wanted`, in no order. Ignored folders and other repositories are
    /// not entered. Names that are no UTF-8 are left out.
    pub(super) fn untracked_files(&self, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<String>, GitError> {
        let top = self.work_dir()?.to_owned();
        let failed = |error: gix::Error| GitError::WorkTree { path: top.clone(), source: error.into() };
        let index = self.read_index()?;
        let options = self.gix.dirwalk_options().map_err(failed)?;
        let mut collect = Collect { wanted, found: Vec::new() };
        let never = AtomicBool::new(false);
        let patterns: [&str; 0] = [];
        self.gix.dirwalk(&index, patterns, &never, options, &mut collect).map_err(failed)?;
        Ok(collect.found)
    }
}
