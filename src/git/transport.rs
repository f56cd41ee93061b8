//! Refs over the network, by the `git` program: it knows every protocol, helper and credential the user has set up.

use gix::remote::Direction;
use serde::Serialize;

use crate::git::GitError;
use crate::git::ObjectId;
use crate::git::Repository;
use crate::git::program::failed;

/// A Git remote of the repository's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GitRemote {
    /// Its name, such as `origin`.
    pub name: String,
    /// Where fetches go, `insteadOf` applied.
    pub url: String,
    /// Where pushes go, `pushInsteadOf` applied.
    pub push_url: String,
}

/// How a push is made. The default is a plain one.
#[derive(Debug, Clone, Default)]
pub struct PushOptions {
    /// What the server must have for a ref to be changed (`None`: it must not exist). Needed for create-only outside
    /// `refs/tags`, where a plain push would be a fast-forward.
    pub leases: Vec<(String, Option<ObjectId>)>,
    /// All refs or none.
    pub atomic: bool,
    /// Ask, change nothing.
    pub dry_run: bool,
}

/// What became of one ref in a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PushOutcome {
    /// It did not exist there: this push made it. The only outcome that is a claim of a name.
    New,
    /// It was there with the same object already: anybody may have made it.
    Same,
    /// It went forward.
    Updated,
    /// It was moved by force.
    Forced,
    /// It was deleted.
    Deleted,
    /// It was refused, with Git's or the server's reason.
    Refused(String),
}

/// One ref of a push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushedRef {
    /// What was pushed, as Git names it; empty for a deletion.
    pub from: String,
    /// The full name of the ref on the server.
    pub to: String,
    /// What became of it.
    pub outcome: PushOutcome,
}

impl Repository {
    /// The Git remotes, sorted by name; one without URL is left out.
    pub fn remotes(&self) -> Vec<GitRemote> {
        let remote = |name: &str| {
            let remote = self.gix.find_remote(name).ok()?;
            let url = |direction| remote.url(direction).map(|url| url.to_bstring().to_string());
            Some(GitRemote {
                name: name.into(),
                url: url(Direction::Fetch)?,
                push_url: url(Direction::Push).or_else(|| url(Direction::Fetch))?,
            })
        };
        self.gix.remote_names().iter().filter_map(|name| remote(std::str::from_utf8(name).ok()?)).collect()
    }

    /// The name of the remote that `git fetch` would use: that of the current branch, the only one, or `origin`.
    pub fn default_remote(&self) -> Option<String> {
        let name = self.gix.find_default_remote(Direction::Fetch)?.ok()?;
        name.name().and_then(|name| name.as_symbol().map(str::to_owned))
    }

    /// Pushes `refspecs` (written out: `FROM:TO` with full names) to `remote`, a name or URL.
    ///
    /// No hook runs, no tag follows along and nothing is asked that only a plain `git push` should do.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`] when the server could not be asked; refusals of single refs are outcomes.
    pub fn push(
        &self,
        remote: &str,
        refspecs: &[String],
        options: &PushOptions,
    ) -> Result<Vec<PushedRef>, GitError> {
        let mut call = self.program().args([
            "-c",
            "push.followTags=false",
            "-c",
            "push.recurseSubmodules=no",
            "-c",
            "push.gpgSign=false",
            "push",
            "--porcelain",
            "--no-verify",
        ]);
        for (name, expected) in &options.leases {
            let expected = expected.map(|id| id.to_string()).unwrap_or_default();
            call = call.args([format!("--force-with-lease={name}:{expected}")]);
        }
        call = call.args(options.atomic.then_some("--atomic")).args(options.dry_run.then_some("--dry-run"));
        let call = call.args(["--", remote]).args(refspecs);
        let command = call.shown();
        let output = call.output()?;
        let pushed = parse_porcelain(&String::from_utf8_lossy(&output.stdout));
        if pushed.is_empty() && !output.status.success() {
            return Err(failed(command, &output).into());
        }
        Ok(pushed)
    }

    /// Fetches `refspecs` from `remote`, a name or URL. Tags do not follow, `FETCH_HEAD` is not written; `prune` deletes
    /// local refs that match the refspecs' right sides and are gone there.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn fetch(&self, remote: &str, refspecs: &[String], prune: bool) -> Result<(), GitError> {
        let call = self.program().args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            if prune { "--prune" } else { "--no-prune" },
        ]);
        call.args(["--", remote]).args(refspecs).run()?;
        Ok(())
    }

    /// The refs of `remote` whose names match one of `patterns`, and their objects.
    ///
    /// # Errors
    ///
    /// [`GitError::Program`].
    pub fn list_remote(&self, remote: &str, patterns: &[String]) -> Result<Vec<crate::git::Ref>, GitError> {
        let listed =
            self.program().args(["ls-remote", "--quiet", "--refs", "--", remote]).args(patterns).text()?;
        let line = |line: &str| {
            let (id, name) = line.split_once('\t')?;
            Some(crate::git::Ref { name: name.into(), target: id.parse().ok()? })
        };
        Ok(listed.lines().filter_map(line).collect())
    }
}

/// The lines `FLAG TAB FROM:TO TAB SUMMARY` of `git push --porcelain`.
fn parse_porcelain(text: &str) -> Vec<PushedRef> {
    let line = |line: &str| {
        let mut fields = line.split('\t');
        let (flag, refs, summary) = (fields.next()?, fields.next()?, fields.next()?);
        let (from, to) = refs.split_once(':')?;
        let outcome = match flag {
            "*" => PushOutcome::New,
            "=" => PushOutcome::Same,
            " " => PushOutcome::Updated,
            "+" => PushOutcome::Forced,
            "-" => PushOutcome::Deleted,
            "!" => PushOutcome::Refused(summary.to_owned()),
            _ => return None,
        };
        Some(PushedRef { from: from.into(), to: to.into(), outcome })
    };
    text.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_flag_of_a_push_is_told_apart() {
        let text = "To ../o.git\n*\trefs/tags/a@v1:refs/tags/a@v1\t[new tag]\n=\tx:refs/tags/b\t[up to date]\n \tm:refs/heads/m\t1..2\n\
            !\tc:refs/tags/c\t[rejected] (already exists)\n-\t:refs/heads/d\t[deleted]\nDone\n";
        let pushed = parse_porcelain(text);
        let outcomes: Vec<_> = pushed.iter().map(|pushed| pushed.outcome.clone()).collect();
        use PushOutcome::*;
        assert_eq!(outcomes, [New, Same, Updated, Refused("[rejected] (already exists)".into()), Deleted]);
        assert_eq!(pushed[0].to, "refs/tags/a@v1");
    }
}
