//! As whom a bucket of Google Cloud Storage is used.
//!
//! The sources are those of Google's own libraries ("Application Default Credentials"), first wins: the file that
//! `GOOGLE_APPLICATION_CREDENTIALS` names; what `gcloud auth application-default login` left in `~/.config/gcloud`; the role
//! of a machine of Google. Where none is at hand requests go out unsigned, so that public buckets work. What is sent is a
//! bearer token: to Google's own address always, to another `endpoint` only where the user's own configuration names it
//! (`STORAGE_EMULATOR_HOST` is such a place).

use std::fs;
use std::path::{Path, PathBuf};

use super::access::Access;
use super::identity::{Identity, Variable, firmware_says, variable_of_process};
use super::options::RemoteOptions;

/// What decides as whom a bucket is used, and where it is.
pub(super) struct GoogleSettings {
    variable: Variable,
    home: Option<PathBuf>,
}

impl GoogleSettings {
    /// The settings of this process.
    pub fn of_process() -> Self {
        Self { variable: variable_of_process(), home: std::env::home_dir() }
    }

    /// The address of the service, where it is not Google's own.
    pub fn endpoint(&self, options: &RemoteOptions) -> Option<String> {
        let emulator = || (self.variable)("STORAGE_EMULATOR_HOST");
        let host = options.endpoint.clone().or_else(emulator)?;
        Some(if host.contains("://") { host } else { format!("http://{host}") })
    }

    /// As whom requests will be signed.
    pub fn identity(&self, options: &RemoteOptions, access: &Access) -> Identity {
        if options.anonymous {
            return Identity::Anonymous;
        }
        let found = self.found();
        match options.endpoint.is_some() && !access.trusted && found != Identity::Anonymous {
            true => Identity::Withheld { what: "the token of Google".into() },
            false => found,
        }
    }

    fn found(&self) -> Identity {
        if let Some(path) = (self.variable)("GOOGLE_APPLICATION_CREDENTIALS") {
            return of_file(Path::new(&path)).unwrap_or(Identity::Gcloud);
        }
        let config = (self.variable)("XDG_CONFIG_HOME").map(PathBuf::from);
        let config = config.or_else(|| Some(self.home.as_ref()?.join(".config")));
        let left =
            config.and_then(|config| of_file(&config.join("gcloud/application_default_credentials.json")));
        left.unwrap_or_else(|| match firmware_says("product_name", "Google Compute Engine") {
            true => Identity::Machine,
            false => Identity::Anonymous,
        })
    }
}

/// Whose credentials a file holds; `None` where there is no such file.
fn of_file(path: &Path) -> Option<Identity> {
    let text = fs::read(path).ok()?;
    let fields: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    let email = fields["client_email"].as_str().map(str::to_owned);
    Some(email.map_or(Identity::Gcloud, |email| Identity::ServiceAccount { email }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::durable::write_atomically;

    #[test]
    fn the_sources_apply_in_their_order_and_a_token_goes_to_google_alone() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("key.json");
        write_atomically(&file, br#"{"client_email": "ci@acme.example", "private_key": "hunter2"}"#).unwrap();
        let path = file.display().to_string();
        let named = move |name: &str| (name == "GOOGLE_APPLICATION_CREDENTIALS").then(|| path.clone());
        let settings = GoogleSettings { variable: Box::new(named), home: None };
        let told = |options: &RemoteOptions, trusted| {
            settings.identity(options, &Access { trusted, ..Access::default() }).to_string()
        };
        let usual = RemoteOptions::default();
        assert_eq!(told(&usual, false), "service account ci@acme.example");
        let elsewhere = RemoteOptions { endpoint: Some("https://evil".into()), ..usual.clone() };
        assert_eq!(told(&elsewhere, false), "anonymous (the token of Google is kept back)");
        assert_eq!(told(&elsewhere, true), "service account ci@acme.example");
        let nobody = GoogleSettings { variable: Box::new(|_| None), home: Some(home.path().into()) };
        assert_eq!(nobody.identity(&usual, &Access::default()), Identity::Anonymous);
    }
}
