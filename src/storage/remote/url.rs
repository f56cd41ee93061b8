//! What may be written as the address of a remote.
//!
//! - `PATH` or `file:///PATH`: a folder; a relative one lies under the top of the work tree, `~/` is the home folder.
//! - `s3://BUCKET` or `s3://BUCKET/PREFIX`: a bucket of S3 or of a service that speaks its language.
//!
//! An address comes with a clone and lands in messages and logs, so it never carries a secret: user names and
//! passwords (`s3://KEY:SECRET@bucket`) are refused, and the refusal does not repeat them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::base::{Advice, Failure};

/// The address of a remote, without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RemoteUrl {
    /// A folder, as it was written.
    Folder(PathBuf),
    /// A bucket.
    S3 {
        /// Its name.
        bucket: String,
        /// Where in the bucket, without slashes at the ends; often empty.
        prefix: String,
    },
}

/// Why an address is refused. No variant holds a text that may contain a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing, or only blanks.
    #[error("the address of a remote is empty")]
    Empty,
    /// A scheme that is not known.
    #[error("'{scheme}://' is not a kind of remote that is known")]
    Scheme {
        /// What stands before `://`.
        scheme: String,
    },
    /// A user name or password.
    #[error("the address of a remote holds a user name or a password")]
    Secret,
    /// Like `host:path`, which the programs of SSH take.
    #[error("'{host}:…' looks like a host reached by SSH, which is not a kind of remote that is known")]
    Ssh {
        /// What stands before the colon.
        host: String,
    },
    /// `?…` or `#…` in a bucket's address.
    #[error("'{url}' has a query or a fragment")]
    Query {
        /// The address before it.
        url: String,
    },
    /// A bucket name that no service takes.
    #[error("'{bucket}' is not a bucket's name")]
    Bucket {
        /// The name.
        bucket: String,
    },
    /// A path with `.`, `..` or an empty part, or a folder's address with a host.
    #[error("'{path}' is not a path that a remote can have")]
    Path {
        /// The path.
        path: String,
    },
    /// Control characters, or a dash in front, which programs take for an option.
    #[error("the address of a remote begins with a dash or has control characters")]
    Characters,
}

impl Advice for UrlError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Secret => vec![
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials, instead".into(),
                "a secret that was written into a file or a command line should be replaced".into(),
            ],
            Self::Query { url } => {
                vec![format!("give '{url}' as the address, and what follows as options (endpoint, region, …)")]
            }
            Self::Bucket { .. } => {
                vec!["a bucket's name has 3 to 63 small letters, digits, dots and dashes".into()]
            }
            _ => vec!["known are a folder's path, file:///PATH and s3://BUCKET/PREFIX".into()],
        }
    }

    fn failure(&self) -> Failure {
        Failure::WrongUse
    }
}

impl RemoteUrl {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`UrlError`] for unknown kinds, secrets, and names that no service takes.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        if text.starts_with('-') || text.chars().any(char::is_control) {
            return Err(UrlError::Characters);
        }
        match text.split_once("://") {
            Some((scheme, rest)) => Self::with_scheme(&scheme.to_ascii_lowercase(), rest),
            None => folder_path(text),
        }
    }

    fn with_scheme(scheme: &str, rest: &str) -> Result<Self, UrlError> {
        let host = rest.split('/').next().unwrap_or_default();
        if host.contains('@') || scheme.starts_with("s3") && host.contains(':') {
            return Err(UrlError::Secret);
        }
        match scheme {
            "s3" | "s3a" => bucket_and_prefix(rest),
            "file" => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                let absolute = path.starts_with('/');
                let folder = absolute.then(|| Self::Folder(PathBuf::from(path)));
                folder.ok_or_else(|| UrlError::Path { path: format!("file://{rest}") })
            }
            other => Err(UrlError::Scheme { scheme: other.chars().take(20).collect() }),
        }
    }

    /// The folder that a folder's address means when relative ones lie under `base`; `None` for other kinds.
    pub fn folder_under(&self, base: &Path) -> Option<PathBuf> {
        let Self::Folder(path) = self else { return None };
        let in_home = path.strip_prefix("~").ok().and_then(|rest| Some(std::env::home_dir()?.join(rest)));
        Some(in_home.unwrap_or_else(|| base.join(path)))
    }
}

fn folder_path(text: &str) -> Result<RemoteUrl, UrlError> {
    let first = text.split('/').next().unwrap_or_default();
    match first.split_once(':') {
        Some((host, _)) => {
            let host = host.split_once('@').map_or(host, |(_, host)| host);
            Err(UrlError::Ssh { host: host.to_owned() })
        }
        None => Ok(RemoteUrl::Folder(PathBuf::from(text))),
    }
}

fn bucket_and_prefix(rest: &str) -> Result<RemoteUrl, UrlError> {
    if let Some(end) = rest.find(['?', '#']) {
        return Err(UrlError::Query { url: format!("s3://{}", &rest[..end]) });
    }
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let named = (3..=63).contains(&bucket.len()) && bucket.bytes().all(fits) && !bucket.contains("..");
    if !named || !ends(bucket.bytes().next()) || !ends(bucket.bytes().last()) {
        return Err(UrlError::Bucket { bucket: bucket.to_owned() });
    }
    let prefix = prefix.trim_end_matches('/');
    if !prefix.is_empty() && prefix.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(UrlError::Path { path: prefix.to_owned() });
    }
    Ok(RemoteUrl::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

impl FromStr for RemoteUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_the_same() {
        for text in ["../store", "/mnt/ml", "~/ml", "s3://acme-ml", "s3://acme-ml/churn/data"] {
            assert_eq!(RemoteUrl::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(RemoteUrl::parse("file:///mnt/ml").unwrap().to_string(), "/mnt/ml");
        assert_eq!(RemoteUrl::parse("s3://acme-ml/churn/").unwrap().to_string(), "s3://acme-ml/churn");
    }

    #[test]
    fn a_secret_is_refused_and_not_repeated() {
        let carriers = [
            "s3://AKIA:hunter2@acme-ml/x",
            "s3://acme-ml:hunter2/x",
            "https://me:hunter2@host/x",
            "AKIA:hunter2@acme-ml",
            "hunter2@host:path",
        ];
        for text in carriers {
            let error = RemoteUrl::parse(text).unwrap_err();
            let all = format!("{error} {error:?} {:?}", error.hints());
            assert!(!all.contains("hunter2"), "{all}");
        }
    }

    #[test]
    fn what_no_service_takes_is_refused() {
        let refused = [
            "",
            " ",
            "-x",
            "a\nb",
            "gs://acme",
            "s3://",
            "s3://A",
            "s3://ab",
            "s3://-acme",
            "s3://acme/../x",
            "s3://acme/a//b",
            "s3://acme?region=x",
            "file://host/x",
            "file://x",
            "host:path",
        ];
        for text in refused {
            let error = RemoteUrl::parse(text).expect_err(text);
            assert!(!error.hints().is_empty(), "{text}");
        }
    }

    #[test]
    fn relative_folders_lie_under_the_base() {
        let under = |text| RemoteUrl::parse(text).unwrap().folder_under(Path::new("/team")).unwrap();
        assert_eq!(under("../store"), Path::new("/team/../store"));
        assert_eq!(under("/mnt/ml"), Path::new("/mnt/ml"));
        assert!(!under("~/ml").starts_with("/team"));
    }
}
