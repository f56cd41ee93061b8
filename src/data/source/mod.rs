//! Data from elsewhere: by address, or out of another repository; once, or followed.
//!
//! What a demanding user expects: one command brings it, verified and whole; where it came from stands in the pointer, in Git,
//! without anything secret; `update` asks whether there is something new and brings only that; an edited file is never
//! replaced. The best peer is DVC (`import`, `import-url`, `get`, `update`).
//!
//! | key of `[source]` | meaning |
//! | --- | --- |
//! | `url` | the address of a file: `https://…`, `s3://…` and those of other remotes, `file:///…` |
//! | `etag`, `last-modified`, `size` | which version of it, in the server's words |
//! | `repo`, `path` | another repository, and the path of the data there |
//! | `rev`, `commit` | the branch, tag or commit that was asked for, and the commit that it was |
//!
//! A pointer comes with a clone: what its address says is asked without any password of the user, and a folder of this
//! machine is read only for a path that the user names.

mod address;
mod bring;
mod error;
mod import;
mod lender;
mod update;

use toml::{Table, Value};

pub use error::SourceError;
pub use import::{ImportOptions, Imported, get, import_repo, import_url};
pub use update::{Update, UpdateState, update};

/// Where data came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file at an address.
    Url {
        /// The address, without anything secret.
        url: String,
        /// Which version, in the server's words.
        etag: Option<String>,
        /// When it was changed, in the server's words.
        last_modified: Option<String>,
        /// Bytes.
        size: Option<u64>,
    },
    /// A path of another repository.
    Repo {
        /// The address of the repository, without anything secret.
        repo: String,
        /// The path there.
        path: String,
        /// What was asked for.
        rev: Option<String>,
        /// The commit that it was.
        commit: Option<String>,
    },
}

impl Source {
    /// Reads what a pointer says; `None` for anything that this version does not know.
    pub fn of(table: &Table) -> Option<Self> {
        let text = |key: &str| table.get(key).and_then(Value::as_str).map(str::to_owned);
        if let Some(repo) = text("repo") {
            return Some(Self::Repo { repo, path: text("path")?, rev: text("rev"), commit: text("commit") });
        }
        let size = table.get("size").and_then(Value::as_integer).and_then(|size| u64::try_from(size).ok());
        Some(Self::Url { url: text("url")?, etag: text("etag"), last_modified: text("last-modified"), size })
    }

    /// As it stands in a pointer.
    pub fn table(&self) -> Table {
        let text = |text: &String| Value::String(text.clone());
        let pairs = match self {
            Self::Url { url, etag, last_modified, size } => vec![
                ("url", Some(text(url))),
                ("etag", etag.as_ref().map(text)),
                ("last-modified", last_modified.as_ref().map(text)),
                ("size", size.and_then(|size| i64::try_from(size).ok()).map(Value::Integer)),
            ],
            Self::Repo { repo, path, rev, commit } => vec![
                ("repo", Some(text(repo))),
                ("path", Some(text(path))),
                ("rev", rev.as_ref().map(text)),
                ("commit", commit.as_ref().map(text)),
            ],
        };
        pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }

    /// As people name it.
    pub fn shown(&self) -> &str {
        match self {
            Self::Url { url, .. } => url,
            Self::Repo { repo, .. } => repo,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pointer_says_is_read_as_it_was_written() {
        let sources = [
            Source::Url {
                url: "https://h/x.csv".into(),
                etag: Some("\"1\"".into()),
                last_modified: None,
                size: Some(7),
            },
            Source::Repo { repo: "../r".into(), path: "a/b".into(), rev: None, commit: Some("12".into()) },
        ];
        for source in sources {
            assert_eq!(Source::of(&source.table()), Some(source));
        }
        assert_eq!(Source::of(&Table::new()), None);
    }
}
