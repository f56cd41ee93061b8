//! What may be said about a remote beside its address. None of it is a secret: it comes with a clone.

use std::collections::BTreeMap;

use super::url::RemoteUrl;
use crate::base::{Advice, Failure};

/// The options of a remote, checked against those that its kind knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteOptions {
    /// Address of a service that speaks the language of S3, `http://` or `https://`.
    pub endpoint: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Profile of `~/.aws/credentials` and `~/.aws/config` to use.
    pub profile: Option<String>,
    /// Whether requests are sent without signature, even where credentials are at hand.
    pub anonymous: bool,
    /// Whether the bucket's name is a part of the host's name.
    pub virtual_host: bool,
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
    /// An endpoint that is not an address of the web, or that holds a user name.
    #[error("the option 'endpoint' is not an address like https://HOST:PORT")]
    Endpoint,
}

impl Advice for OptionError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Unknown { known: [], .. } => vec!["a folder has no options".into()],
            Self::Unknown { known, .. } => vec![format!("known are {}", known.join(", "))],
            Self::Secret { .. } => vec![
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws/credentials".into(),
                "a secret that was committed should be replaced".into(),
            ],
            Self::Boolean { .. } | Self::Endpoint => Vec::new(),
        }
    }

    fn failure(&self) -> Failure {
        Failure::WrongUse
    }
}

impl RemoteOptions {
    /// The keys that remotes of this kind know.
    pub fn known(url: &RemoteUrl) -> &'static [&'static str] {
        match url {
            RemoteUrl::Folder(_) => &[],
            RemoteUrl::S3 { .. } => &["anonymous", "endpoint", "profile", "region", "virtual-host"],
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
            match key {
                "endpoint" => options.endpoint = Some(checked_endpoint(value)?),
                "region" => options.region = Some(value.clone()),
                "profile" => options.profile = Some(value.clone()),
                "anonymous" => options.anonymous = boolean(key, value)?,
                _ => options.virtual_host = boolean(key, value)?,
            }
        }
        Ok(options)
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    ["secret", "token", "password", "access-key"].iter().any(|word| key.contains(word))
}

fn boolean(key: &str, value: &str) -> Result<bool, OptionError> {
    value.parse().map_err(|_| OptionError::Boolean { key: key.to_owned() })
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
        assert!(options.anonymous && !options.virtual_host);
    }

    #[test]
    fn unknown_options_list_the_known_and_secrets_are_refused() {
        let error = read("s3://acme", &[("regoin", "x")]).unwrap_err();
        assert_eq!(error.hints(), ["known are anonymous, endpoint, profile, region, virtual-host"]);
        assert!(matches!(read("/mnt/ml", &[("region", "x")]), Err(OptionError::Unknown { .. })));
        let error = read("s3://acme", &[("secret_access_key", "hunter2")]).unwrap_err();
        assert!(!format!("{error} {error:?} {:?}", error.hints()).contains("hunter2"));
        for endpoint in ["", "host", "https://", "https://me:hunter2@host", "ftp://host"] {
            assert_eq!(read("s3://acme", &[("endpoint", endpoint)]), Err(OptionError::Endpoint));
        }
    }
}
