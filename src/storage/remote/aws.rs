//! As whom a bucket of S3 is used: which of the usual sources of credentials applies, and what may be told about it.
//!
//! The sources are those of AWS's own tools, in the order in which requests are signed: `AWS_ACCESS_KEY_ID`; the
//! profile (option `profile`, else `AWS_PROFILE`, else `default`) in `~/.aws/credentials` and `~/.aws/config`, single
//! sign-on included; `AWS_WEB_IDENTITY_TOKEN_FILE` with `AWS_ROLE_ARN`; the role of a container; the role of an EC2
//! machine. Where none is at hand requests go out unsigned, so that public buckets work without an account. Secrets are
//! read by the service's library when it signs; nothing here reads or keeps one. The language of S3 never sends the
//! secret itself.
//!
//! Sources: "Configuration and credential file settings" and "Environment variables" of the AWS CLI user guide.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use super::identity::{Identity, Variable, firmware_says, variable_of_process};
use super::options::RemoteOptions;

/// What decides as whom a bucket is used, and where it is: variables of the environment and two files.
pub(super) struct AwsSettings {
    variable: Variable,
    profile: String,
    chosen: bool,
    credentials: HashMap<String, String>,
    config: HashMap<String, String>,
}

impl AwsSettings {
    /// The settings of this process for a remote with `options`.
    pub fn of_process(options: &RemoteOptions) -> Self {
        Self::new(variable_of_process(), std::env::home_dir(), options)
    }

    fn new(variable: Variable, home: Option<PathBuf>, options: &RemoteOptions) -> Self {
        let chosen = options.profile.clone().or_else(|| variable("AWS_PROFILE"));
        let profile = chosen.clone().unwrap_or_else(|| "default".into());
        let file = |name: &str, usual: &str| {
            variable(name).map(PathBuf::from).or_else(|| Some(home.as_ref()?.join(".aws").join(usual)))
        };
        let section = if profile == "default" { profile.clone() } else { format!("profile {profile}") };
        let credentials = read_section(file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), &profile);
        let config = read_section(file("AWS_CONFIG_FILE", "config"), &section);
        Self { variable, profile, chosen: chosen.is_some(), credentials, config }
    }

    /// As whom requests will be signed.
    pub fn identity(&self, options: &RemoteOptions) -> Identity {
        let set = |name: &str| (self.variable)(name);
        if options.anonymous {
            return Identity::Anonymous;
        }
        if let (Some(id), Some(_)) = (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
            return Identity::AccessKey { id };
        }
        let key = self.credentials.get("aws_access_key_id").or_else(|| self.config.get("aws_access_key_id"));
        let other = ["sso_session", "sso_start_url", "role_arn", "credential_process"];
        let usable = key.is_some() || other.iter().any(|name| self.config.contains_key(*name));
        if usable || self.chosen {
            return Identity::Profile { name: self.profile.clone(), key: key.cloned() };
        }
        if let (Some(arn), Some(_)) = (set("AWS_ROLE_ARN"), set("AWS_WEB_IDENTITY_TOKEN_FILE")) {
            return Identity::Role { arn };
        }
        let container = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
        if container.iter().any(|name| set(name).is_some()) {
            return Identity::Container;
        }
        let disabled = set("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value == "true");
        let named = set("AWS_EC2_METADATA_SERVICE_ENDPOINT").is_some();
        if !disabled && (named || firmware_says("sys_vendor", "Amazon EC2")) {
            Identity::Machine
        } else {
            Identity::Anonymous
        }
    }

    /// The region of the bucket; `us-east-1`, which services other than AWS take, where nothing says another.
    pub fn region(&self, options: &RemoteOptions) -> String {
        let set = |name: &str| (self.variable)(name);
        let told = options.region.clone().or_else(|| set("AWS_REGION")).or_else(|| set("AWS_DEFAULT_REGION"));
        told.or_else(|| self.config.get("region").cloned()).unwrap_or_else(|| "us-east-1".into())
    }

    /// The address of the service, where it is not AWS.
    pub fn endpoint(&self, options: &RemoteOptions) -> Option<String> {
        let set = |name: &str| (self.variable)(name);
        let told = options.endpoint.clone().or_else(|| set("AWS_ENDPOINT_URL_S3"));
        told.or_else(|| set("AWS_ENDPOINT_URL")).or_else(|| self.config.get("endpoint_url").cloned())
    }
}

/// The pairs of the section `wanted` of an INI file, keys in lower case; empty where there is none.
fn read_section(file: Option<PathBuf>, wanted: &str) -> HashMap<String, String> {
    let text = file.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let mut inside = false;
    let mut pairs = HashMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = section.split_whitespace().eq(wanted.split_whitespace());
        } else if let Some((key, value)) =
            line.split_once('=').filter(|_| inside && !line.starts_with(['#', ';']))
        {
            let secret = key.contains("secret") || key.contains("token");
            let value = if secret { String::new() } else { value.trim().to_owned() };
            pairs.insert(key.trim().to_ascii_lowercase(), value);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings of an invented process; `files` are written to its `~/.aws`.
    fn settings(variables: &[(&str, &str)], files: &[(&str, &str)], options: &RemoteOptions) -> AwsSettings {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        for (name, text) in files {
            crate::storage::durable::write_atomically(&home.path().join(".aws").join(name), text.as_bytes())
                .unwrap();
        }
        let variables: HashMap<String, String> =
            variables.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        AwsSettings::new(
            Box::new(move |name| variables.get(name).cloned()),
            Some(home.path().into()),
            options,
        )
    }

    const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = hunter2\n\
                               # [x]\n[ci]\naws_access_key_id=AKIACI\n";
    const OFF: (&str, &str) = ("AWS_EC2_METADATA_DISABLED", "true");

    #[test]
    fn the_sources_apply_in_their_order() {
        let options = RemoteOptions::default();
        let files = [
            ("credentials", CREDENTIALS),
            ("config", "[profile sso]\nsso_session = acme\nregion=eu-west-1\n"),
        ];
        let told = |variables: &[(&str, &str)], options: &RemoteOptions| {
            settings(variables, &files, options).identity(options).to_string()
        };
        let key =
            [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "hunter2"), ("AWS_PROFILE", "ci")];
        assert_eq!(told(&key, &options), "access key AKIAENV");
        assert_eq!(told(&key[2..], &options), "profile ci, access key AKIACI");
        assert_eq!(told(&[], &options), "profile default, access key AKIADEFAULT");
        let sso = RemoteOptions { profile: Some("sso".into()), ..options.clone() };
        assert_eq!(told(&[], &sso), "profile sso");
        assert_eq!(settings(&[], &files, &sso).region(&sso), "eu-west-1");
        let anonymous = RemoteOptions { anonymous: true, ..options };
        assert_eq!(told(&key, &anonymous), "anonymous");
    }

    #[test]
    fn without_files_roles_are_found_and_then_nobody() {
        let options = RemoteOptions::default();
        let told =
            |variables: &[(&str, &str)]| settings(variables, &[], &options).identity(&options).to_string();
        assert_eq!(told(&[("AWS_ROLE_ARN", "arn:x"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]), "role arn:x");
        assert_eq!(told(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x")]), "role of this container");
        assert_eq!(told(&[OFF]), "anonymous");
        assert_eq!(settings(&[OFF], &[], &options).region(&options), "us-east-1");
        assert_eq!(settings(&[("AWS_REGION", "eu-west-1")], &[], &options).region(&options), "eu-west-1");
    }

    #[test]
    fn no_secret_is_kept() {
        let read = settings(&[], &[("credentials", CREDENTIALS)], &RemoteOptions::default());
        assert!(!format!("{:?}", read.credentials).contains("hunter2"));
    }
}
