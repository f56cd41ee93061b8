//! Settings of Git: what one person or machine has chosen. (What a team has chosen is in the team file.)

use gix::bstr::ByteSlice;

use crate::git::GitError;
use crate::git::Repository;

impl Repository {
    /// The value of a setting such as `mldata.remote`, by Git's order: `git -c`, environment, worktree, repository, user,
    /// system.
    pub fn setting(&self, key: &str) -> Option<String> {
        let value = self.gix.config_snapshot().string(key)?;
        Some(value.to_str_lossy().into_owned())
    }

    /// All values of a setting that may be given several times, the weakest first.
    pub fn setting_values(&self, key: &str) -> Vec<String> {
        let snapshot = self.gix.config_snapshot();
        let values = snapshot.plumbing().strings(key).into_iter().flatten();
        values.map(|value| value.to_str_lossy().into_owned()).collect()
    }

    /// The value of a switch; `None` when it is not set or neither yes nor no.
    pub fn setting_switch(&self, key: &str) -> Option<bool> {
        self.gix.config_snapshot().boolean(key)
    }

    /// The value of a number, with Git's suffixes `k`, `m`, `g`; `None` when it is not set or no number.
    pub fn setting_number(&self, key: &str) -> Option<i64> {
        self.gix.config_snapshot().integer(key)
    }

    /// Writes a setting for this repository, in place of all its values there. A repository that is opened afterwards
    /// sees it.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn write_setting(&self, key: &str, value: &str) -> Result<(), GitError> {
        self.program().args(["config", "--local", "--replace-all", key, value]).run()?;
        Ok(())
    }

    /// Adds a value to a setting of this repository, unless it has it; whether it was added.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn add_setting(&self, key: &str, value: &str) -> Result<bool, GitError> {
        if self.setting_values(key).iter().any(|other| other == value) {
            return Ok(false);
        }
        self.program().args(["config", "--local", "--add", key, value]).run()?;
        Ok(true)
    }

    /// Removes a setting from this repository, or only its value `value`; whether there was one.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn remove_setting(&self, key: &str, value: Option<&str>) -> Result<bool, GitError> {
        /// `git config` tells by this code that nothing matched.
        const NOTHING_THERE: i32 = 5;
        let fixed = value.map(|_| "--fixed-value");
        let call =
            self.program().args(["config", "--local"]).args(fixed).args(["--unset-all", key]).args(value);
        let command = call.shown();
        let output = call.output()?;
        match output.status.code() {
            Some(0) => Ok(true),
            Some(NOTHING_THERE) => Ok(false),
            _ => Err(crate::git::program::failed(command, &output).into()),
        }
    }

    /// Removes sections of this repository's configuration with all subsections of theirs (`mldata` takes `mldata.NAME` with it);
    /// their names, as far as there were any.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn remove_sections(&self, sections: &[&str]) -> Result<Vec<String>, GitError> {
        let listed = self.program().args(["config", "--local", "--null", "--name-only", "--list"]).run()?;
        let names = listed.split(|byte| *byte == 0).map(|name| String::from_utf8_lossy(name).into_owned());
        let of_key = |name: String| name.rsplit_once('.').map(|(section, _)| section.to_owned());
        let mut found: Vec<String> = names.filter_map(of_key).collect();
        found.sort();
        found.dedup();
        let is_below = |name: &str, ours: &str| {
            name.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let is_ours = |name: &String| sections.iter().any(|ours| is_below(name, ours));
        let found: Vec<_> = found.into_iter().filter(is_ours).collect();
        for section in &found {
            self.program().args(["config", "--local", "--remove-section", section]).run()?;
        }
        Ok(found)
    }
}
