//! What a user can do about an error of a remote.

use super::error::{Details, RemoteError, RemoteErrorKind};
use super::identity::Identity;
use super::url::ServiceKind;
use crate::base::{Advice, typed};

impl Advice for RemoteError {
    fn hints(&self) -> Vec<String> {
        let Details { kind, step, remote, identity, said, service, .. } = self.details();
        let folder = matches!(service, ServiceKind::Folder | ServiceKind::Memory);
        // Of a question alone nothing was transferred.
        let transferred = match *step {
            "read" | "write" => "; what was transferred is not lost",
            _ => "",
        };
        let hint = match kind {
            RemoteErrorKind::BadCredentials if said.contains("TimeTooSkewed") => {
                "the clock of this machine is wrong; set it and try again".into()
            }
            RemoteErrorKind::Denied if folder => format!("check who may read and write '{remote}'"),
            RemoteErrorKind::BadCredentials | RemoteErrorKind::Denied => return self.hints_of_refusal(),
            RemoteErrorKind::NoRemote if folder => {
                "create the folder above it, or check that the disk is mounted".into()
            }
            RemoteErrorKind::NoRemote => "check the bucket's name, or create the bucket".into(),
            RemoteErrorKind::WrongRegion => "set the option region of the remote".into(),
            RemoteErrorKind::Unreachable => match service {
                ServiceKind::S3 | ServiceKind::Azure | ServiceKind::Google => {
                    format!("check the network, and the option endpoint of the remote{transferred}")
                }
                _ => format!("check the network, and the address of the remote{transferred}"),
            },
            RemoteErrorKind::Busy => format!("try again later{transferred}"),
            RemoteErrorKind::ReadOnly => "push to another remote: git mldata remote list".into(),
            RemoteErrorKind::Full => format!("make room at '{remote}'{transferred}"),
            RemoteErrorKind::Misconfigured if *service == ServiceKind::Azure && identity.is_none() => {
                "give the option account, or set AZURE_STORAGE_ACCOUNT".into()
            }
            _ => return Vec::new(),
        };
        vec![hint]
    }
}

impl RemoteError {
    /// Credentials are missing, kept back, wrong, or not enough.
    fn hints_of_refusal(&self) -> Vec<String> {
        let Details { kind, remote, name, identity, service, .. } = self.details();
        if *service == ServiceKind::Sftp {
            let try_it = format!("sftp {remote}", remote = typed(remote));
            return vec![format!(
                "{try_it}      must work without a question: by a key, with the host's key known"
            )];
        }
        let who = identity.as_ref().map(ToString::to_string).unwrap_or_default();
        // A place that is set nowhere has no name: a remote of another tool, an address.
        let trust = match name.as_str() {
            "" => format!("export GIT_MLDATA_TRUST={}", typed(remote)),
            name => format!("git mldata remote trust {}", typed(name)),
        };
        match (identity, service) {
            (Some(Identity::Withheld { what }), _) => {
                vec![format!("{what} is only sent to what you trust; if you do: {trust}")]
            }
            (Some(Identity::Anonymous), ServiceKind::S3) => vec![
                "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
                    .into(),
            ],
            (Some(Identity::Anonymous), ServiceKind::Azure) => vec![
                "no credentials were found: set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, or AZURE_STORAGE_SAS_TOKEN"
                    .into(),
            ],
            (Some(Identity::Anonymous), ServiceKind::Google) => vec![
                "no credentials were found: set GOOGLE_APPLICATION_CREDENTIALS, or sign in with gcloud".into(),
            ],
            (Some(Identity::Anonymous), _) => vec![
                format!("a password is taken from Git's credential helpers, and only for what you trust: {trust}"),
                "git credential approve".into(),
            ],
            _ if *kind == RemoteErrorKind::BadCredentials => {
                vec![format!("used was {who}; check its secret, or use another")]
            }
            _ => vec![format!("used was {who}; ask for the right to list, read and write '{remote}'")],
        }
    }
}
