//! What may be said about a remote beside its address. None of it is a secret: it comes with a clone.
//!
//! | option | services | meaning |
//! | --- | --- | --- |
//! | `access` | all | `read`: a mirror that nobody writes to from here; `write` |
//! | `endpoint` | S3, Azure, Google | address of a service that speaks the same language, `https://HOST:PORT` |
//! | `region` | S3 | region of the bucket |
//! | `profile` | S3 | profile of `~/.aws/credentials` and `~/.aws/config` |
//! | `virtual-host` | S3 | the bucket's name is a part of the host's name: `true` or `false` |
//! | `account` | Azure | the storage account |
//! | `anonymous` | S3, Azure, Google | requests are not signed, even where credentials are at hand: `true` or `false` |
//! | `user` | WebDAV, HTTP, SFTP | whose password Git's credential helpers are asked for; whose account |
//! | `connections` | all but a folder | requests on their way at once: 1 to 256; 16 (of SFTP connections: 4) |
//! | `retries` | all but a folder | how often a step that failed for a passing reason is tried again: 0 to 20; 5 |
//! | `timeout` | all but a folder | seconds for which a step may be silent: 1 to 3600; 20 |

use std::collections::BTreeMap;
use std::time::Duration;

use super::url::{RemoteUrl, ServiceKind};
use crate::base::{Advice, Failure};

/// The options of a remote, checked against those that its kind knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteOptions {
    /// Whether it is only read from here, although it might be written.
    pub read_only: bool,
    /// Address of a service that speaks the language of the bucket's, `http://` or `https://`.
    pub endpoint: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Profile of `~/.aws/credentials` and `~/.aws/config` to use.
    pub profile: Option<String>,
    /// Storage account of Azure.
    pub account: Option<String>,
    /// Whose password is asked for.
    pub user: Option<String>,
    /// Whether requests are sent without signature, even where credentials are at hand.
    pub anonymous: bool,
    /// Whether the bucket's name is a part of the host's name.
    pub virtual_host: bool,
    /// Requests on their way at once.
    pub connections: Option<usize>,
    /// How often a step is tried again.
    pub retries: Option<usize>,
    /// How long a step may be silent.
    pub timeout: Option<Duration>,
}

/// Why an option is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// A key that this kind of remote does not know.
    #[error("'{key}' is not an option of the remote '{remote}'")]
    Unknown {
        /// The key.
        key: String,
        /// The address of the remote.
        remote: String,
        /// The keys that it knows.
        known: &'static [&'static str],
    },
    /// A key that would hold a secret.
    #[error("'{key}' holds a secret, which is never read from a file that Git keeps")]
    Secret {
        /// The key.
        key: String,
    },
    /// A value that is neither `true` nor `false`.
    #[error("the option '{key}' is neither 'true' nor 'false'")]
    Boolean {
        /// The key.
        key: String,
    },
    /// A value that is neither `read` nor `write`.
    #[error("the option '{key}' is neither 'read' nor 'write'")]
    Access {
        /// The key.
        key: String,
    },
    /// A value that is no number, or out of bounds.
    #[error("the option '{key}' is not a number from {least} to {most}")]
    Number {
        /// The key.
        key: String,
        /// The least that it may be.
        least: u64,
        /// The most.
        most: u64,
    },
    /// A name with characters that no name has.
    #[error("the option '{key}' is not a name")]
    Name {
        /// The key.
        key: String,
    },
    /// An endpoint that is not an address of the web, or that holds a user name.
    #[error("the option 'endpoint' is not an address like https://HOST:PORT")]
    Endpoint,
}

impl Advice for OptionError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown { known, .. } => vec![format!("known are {}", known.join(", "))],
            Self::Secret { .. } => vec![
                "set the variables of the service (AWS_SECRET_ACCESS_KEY, AZURE_STORAGE_KEY, …), or use its own files, or Git's credential helpers".into(),
                "a secret that was committed should be replaced".into(),
            ],
            _ => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        Failure::WrongUse
    }
}

impl RemoteOptions {
    /// The keys that remotes of this kind know.
    pub fn known(url: &RemoteUrl) -> &'static [&'static str] {
        match url.service() {
            ServiceKind::Folder | ServiceKind::Memory => &["access"],
            ServiceKind::S3 => &[
                "access",
                "anonymous",
                "connections",
                "endpoint",
                "profile",
                "region",
                "retries",
                "timeout",
                "virtual-host",
            ],
            ServiceKind::Azure => {
                &["access", "account", "anonymous", "connections", "endpoint", "retries", "timeout"]
            }
            ServiceKind::Google => &["access", "anonymous", "connections", "endpoint", "retries", "timeout"],
            ServiceKind::WebDav | ServiceKind::Http | ServiceKind::Sftp => {
                &["access", "connections", "retries", "timeout", "user"]
            }
        }
    }

    /// The options of the remote at `url` out of keys and values, as `ml.toml` or a command line gives them.
    ///
    /// # Errors
    ///
    /// [`OptionError`] for keys that this kind of remote does not know, and for values that cannot be.
    pub fn from_map(url: &RemoteUrl, map: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = Self::known(url);
        let mut options = Self::default();
        for (key, value) in map {
            let key = key.as_str();
            if is_secret(key) {
                return Err(OptionError::Secret { key: key.to_owned() });
            }
            if !known.contains(&key) {
                return Err(OptionError::Unknown { key: key.to_owned(), remote: url.to_string(), known });
            }
            options.set(key, value)?;
        }
        Ok(options)
    }

    /// Takes a key that is known.
    fn set(&mut self, key: &str, value: &str) -> Result<(), OptionError> {
        match key {
            "access" => self.read_only = is_read(key, value)?,
            "endpoint" => self.endpoint = Some(checked_endpoint(value)?),
            "region" => self.region = Some(value.to_owned()),
            "profile" => self.profile = Some(value.to_owned()),
            "account" => self.account = Some(account(key, value)?),
            "user" => self.user = Some(user_name(key, value)?),
            "anonymous" => self.anonymous = boolean(key, value)?,
            "connections" => self.connections = Some(number(key, value, 1, 256)? as usize),
            "retries" => self.retries = Some(number(key, value, 0, 20)? as usize),
            "timeout" => self.timeout = Some(Duration::from_secs(number(key, value, 1, 3600)?)),
            _ => self.virtual_host = boolean(key, value)?,
        }
        Ok(())
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    ["secret", "token", "password", "access-key", "account-key", "sas"].iter().any(|word| key.contains(word))
}

/// The name becomes a word of a command line where it is of SSH, so it must not look like an option.
fn user_name(key: &str, value: &str) -> Result<String, OptionError> {
    let is_name = !value.is_empty() && !value.starts_with('-') && !value.chars().any(char::is_control);
    if is_name { Ok(value.to_owned()) } else { Err(OptionError::Name { key: key.to_owned() }) }
}

fn is_read(key: &str, value: &str) -> Result<bool, OptionError> {
    match value {
        "read" => Ok(true),
        "write" => Ok(false),
        _ => Err(OptionError::Access { key: key.to_owned() }),
    }
}

fn boolean(key: &str, value: &str) -> Result<bool, OptionError> {
    value.parse().map_err(|_| OptionError::Boolean { key: key.to_owned() })
}

fn number(key: &str, value: &str, least: u64, most: u64) -> Result<u64, OptionError> {
    let parsed = value.parse().ok().filter(|value| (least..=most).contains(value));
    parsed.ok_or_else(|| OptionError::Number { key: key.to_owned(), least, most })
}

/// The name becomes a part of the host's name, so nothing else may be in it.
fn account(key: &str, value: &str) -> Result<String, OptionError> {
    let fits =
        !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if fits { Ok(value.to_owned()) } else { Err(OptionError::Name { key: key.to_owned() }) }
}

fn checked_endpoint(value: &str) -> Result<String, OptionError> {
    let host = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let plain = |host: &&str| !host.is_empty() && !host.contains(['@', '?', '#', ' ']);
    host.filter(plain).map(|_| value.trim_end_matches('/').to_owned()).ok_or(OptionError::Endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, pairs: &[(&str, &str)]) -> Result<RemoteOptions, OptionError> {
        let map = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        RemoteOptions::from_map(&RemoteUrl::parse(url).unwrap(), &map)
    }

    #[test]
    fn known_options_are_taken() {
        let options =
            read("s3://acme", &[("endpoint", "http://127.0.0.1:8333/"), ("anonymous", "true")]).unwrap();
        assert_eq!(options.endpoint.as_deref(), Some("http://127.0.0.1:8333"));
        assert!(options.anonymous && !options.virtual_host && !options.read_only);
        assert!(read("/mnt/ml", &[("access", "read")]).unwrap().read_only);
        let options =
            read("webdavs://host/x", &[("timeout", "5"), ("retries", "0"), ("user", "ada")]).unwrap();
        assert_eq!((options.timeout, options.retries), (Some(Duration::from_secs(5)), Some(0)));
    }

    #[test]
    fn unknown_options_list_the_known_and_secrets_are_refused() {
        let error = read("az://acme", &[("regoin", "x")]).unwrap_err();
        assert_eq!(
            error.hints(),
            ["known are access, account, anonymous, connections, endpoint, retries, timeout"]
        );
        assert!(matches!(read("/mnt/ml", &[("region", "x")]), Err(OptionError::Unknown { .. })));
        for key in ["secret_access_key", "account_key", "sas-token", "password"] {
            let error = read("s3://acme", &[(key, "hunter2")]).unwrap_err();
            assert!(!format!("{error} {error:?} {:?}", error.hints()).contains("hunter2"));
        }
        assert!(matches!(read("/mnt/ml", &[("access", "none")]), Err(OptionError::Access { .. })));
        for endpoint in ["", "host", "https://", "https://me:hunter2@host", "ftp://host"] {
            assert_eq!(read("s3://acme", &[("endpoint", endpoint)]), Err(OptionError::Endpoint));
        }
        let odd = [("connections", "0"), ("connections", "many"), ("retries", "21"), ("timeout", "-1")];
        for pair in odd {
            assert!(matches!(read("s3://acme", &[pair]), Err(OptionError::Number { .. })), "{pair:?}");
        }
        assert!(matches!(read("az://acme", &[("account", "evil.host/x")]), Err(OptionError::Name { .. })));
    }
}
