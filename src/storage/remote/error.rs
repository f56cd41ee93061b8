//! What can go wrong at a remote, sorted by what one does about it, in the service's own words.

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use opendal::ErrorKind;

use super::credentials::Identity;
use crate::base::Advice;
use crate::storage::durable::{DurableError, is_full};

/// What an error of a remote means to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteErrorKind {
    /// The object does not exist.
    NotFound,
    /// The bucket or folder itself does not exist.
    NoRemote,
    /// The service knows who asks and says no.
    Denied,
    /// The service does not take the credentials, or there are none that can be used.
    BadCredentials,
    /// The bucket lies in another region.
    WrongRegion,
    /// The service did not answer, or the way to it is broken.
    Unreachable,
    /// The service answers, but asked for patience for too long.
    Busy,
    /// There is no room.
    Full,
    /// The object is shorter than what was asked for, or longer than any object of a remote.
    WrongSize,
    /// The address or the options cannot be used.
    Misconfigured,
    /// Anything else; the service's words say what.
    Other,
}

/// A call to a remote failed.
#[derive(Debug)]
pub struct RemoteError(Box<Details>);

#[derive(Debug)]
struct Details {
    kind: RemoteErrorKind,
    step: &'static str,
    object: String,
    remote: String,
    identity: Option<Identity>,
    said: String,
}

/// What was being done when a call failed.
pub(super) struct Attempt<'a> {
    /// A verb: "read", "write", "list".
    pub step: &'static str,
    /// The name of the object; empty for the remote itself.
    pub object: &'a str,
    /// The address of the remote.
    pub remote: &'a str,
    /// As whom.
    pub identity: Option<&'a Identity>,
}

impl RemoteError {
    pub(super) fn new(kind: RemoteErrorKind, attempt: &Attempt<'_>, said: &str) -> Self {
        Self(Box::new(Details {
            kind,
            step: attempt.step,
            object: attempt.object.to_owned(),
            remote: attempt.remote.to_owned(),
            identity: attempt.identity.cloned(),
            said: one_line(said),
        }))
    }

    pub(super) fn of_service(attempt: &Attempt<'_>, error: &opendal::Error) -> Self {
        Self::new(kind_of(error), attempt, &words_of(error))
    }

    pub(super) fn of_file(attempt: &Attempt<'_>, error: &DurableError) -> Self {
        let (kind, source) = match error {
            DurableError::Full { source, .. } => (RemoteErrorKind::Full, source),
            DurableError::Io { source, .. } => (kind_of_io(source), source),
        };
        Self::new(kind, attempt, &source.to_string())
    }

    pub(super) fn no_answer(attempt: &Attempt<'_>, waited: Duration, trouble: Option<&str>) -> Self {
        let trouble = trouble.map(|trouble| format!(" ({trouble})")).unwrap_or_default();
        let said = format!("no answer within {} s{trouble}", waited.as_secs());
        Self::new(RemoteErrorKind::Unreachable, attempt, &said)
    }

    /// What it means.
    pub fn kind(&self) -> RemoteErrorKind {
        self.0.kind
    }

    /// The service's own words.
    pub fn said(&self) -> &str {
        &self.0.said
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Details { kind, step, object, remote, said, .. } = &*self.0;
        match object.as_str() {
            "" => write!(f, "cannot {step} '{remote}': ")?,
            object => write!(f, "cannot {step} '{object}' of '{remote}': ")?,
        }
        f.write_str(match kind {
            RemoteErrorKind::NotFound => "it does not exist",
            RemoteErrorKind::NoRemote => "no such bucket or folder",
            RemoteErrorKind::Denied => "access denied",
            RemoteErrorKind::BadCredentials => "the credentials are not accepted",
            RemoteErrorKind::WrongRegion => "the bucket is in another region",
            RemoteErrorKind::Unreachable => "the service cannot be reached",
            RemoteErrorKind::Busy => "the service is overloaded",
            RemoteErrorKind::Full => "no space left",
            RemoteErrorKind::WrongSize => "its size is not the expected one",
            RemoteErrorKind::Misconfigured => "the remote cannot be used as it is set",
            RemoteErrorKind::Other => "the service failed",
        })?;
        if said.is_empty() { Ok(()) } else { write!(f, ": {said}") }
    }
}

impl Error for RemoteError {}

impl Advice for RemoteError {
    fn hints(&self) -> Vec<String> {
        let Details { kind, remote, identity, said, .. } = &*self.0;
        let who = identity.as_ref().map(ToString::to_string).unwrap_or_default();
        let anonymous = matches!(identity, Some(Identity::Anonymous));
        let folder = matches!(identity, None | Some(Identity::Folder { .. }));
        match kind {
            RemoteErrorKind::BadCredentials | RemoteErrorKind::Denied if anonymous => vec![
                "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
                    .into(),
            ],
            RemoteErrorKind::BadCredentials if said.contains("TimeTooSkewed") => {
                vec!["the clock of this machine is wrong; set it and try again".into()]
            }
            RemoteErrorKind::BadCredentials => {
                vec![format!("used was {who}; check its secret, or use another")]
            }
            RemoteErrorKind::Denied if folder => vec![format!("check who may read and write '{remote}'")],
            RemoteErrorKind::Denied => {
                vec![format!("used was {who}; ask for the right to list, read and write '{remote}'")]
            }
            RemoteErrorKind::NoRemote if folder => {
                vec!["create the folder above it, or check that the disk is mounted".into()]
            }
            RemoteErrorKind::NoRemote => vec!["check the bucket's name, or create the bucket".into()],
            RemoteErrorKind::WrongRegion => vec!["set the option region of the remote".into()],
            RemoteErrorKind::Unreachable => vec![
                "check the network, and the option endpoint of the remote; what was transferred is not lost"
                    .into(),
            ],
            RemoteErrorKind::Busy => vec!["try again later; what was transferred is not lost".into()],
            RemoteErrorKind::Full => {
                vec![format!("make room at '{remote}'; what was transferred is not lost")]
            }
            _ => Vec::new(),
        }
    }
}

/// One line of at most 300 characters, with nothing that a terminal would obey.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Code and message of an answer of S3, out of OpenDAL's rendering of it.
fn s3_answer(message: &str) -> Option<(&str, &str)> {
    let fields = message.strip_prefix("S3Error { code: \"")?;
    let (code, rest) = fields.split_once("\", message: \"")?;
    let (text, _) = rest.split_once("\", resource: ")?;
    Some((code, text)).filter(|(code, _)| !code.is_empty())
}

/// The last error of a chain: nearest to what the system said.
fn root_cause(error: &opendal::Error) -> Option<&(dyn Error + 'static)> {
    let mut cause = Error::source(error)?;
    while let Some(next) = cause.source() {
        cause = next;
    }
    Some(cause)
}

/// What the service, or the system on the way to it, said.
pub(super) fn words_of(error: &opendal::Error) -> String {
    match (s3_answer(error.message()), root_cause(error)) {
        (Some((code, "")), _) => code.to_owned(),
        (Some((code, text)), _) => format!("{code}: {text}"),
        (None, Some(cause)) => cause.to_string(),
        (None, None) => error.message().to_owned(),
    }
}

/// What an error of OpenDAL means here.
pub(super) fn kind_of(error: &opendal::Error) -> RemoteErrorKind {
    let code = s3_answer(error.message()).map(|(code, _)| code).unwrap_or_default();
    if let Some(kind) = kind_of_code(code) {
        return kind;
    }
    let system = root_cause(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    match error.kind() {
        ErrorKind::NotFound => RemoteErrorKind::NotFound,
        ErrorKind::PermissionDenied => RemoteErrorKind::Denied,
        ErrorKind::ConfigInvalid => RemoteErrorKind::Misconfigured,
        ErrorKind::RateLimited => RemoteErrorKind::Busy,
        ErrorKind::RangeNotSatisfied => RemoteErrorKind::WrongSize,
        _ if error.message().contains("too little data") => RemoteErrorKind::WrongSize,
        _ if error.message().contains("sign") => RemoteErrorKind::BadCredentials,
        _ if ["send http request", "timeout", "http response"]
            .iter()
            .any(|way| error.message().contains(way)) =>
        {
            RemoteErrorKind::Unreachable
        }
        _ => system.map_or(RemoteErrorKind::Other, kind_of_io),
    }
}

/// The meaning of the codes of S3 and of its relatives.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>
fn kind_of_code(code: &str) -> Option<RemoteErrorKind> {
    Some(match code {
        "NoSuchBucket" => RemoteErrorKind::NoRemote,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => RemoteErrorKind::Denied,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "InvalidSecurity"
        | "TokenRefreshRequired"
        | "NotSignedUp"
        | "RequestTimeTooSkewed"
        | "UnauthorizedAccess" => RemoteErrorKind::BadCredentials,
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => {
            RemoteErrorKind::WrongRegion
        }
        "QuotaExceeded" | "InsufficientStorage" | "XMinioStorageFull" | "XMinioAdminBucketQuotaExceeded" => {
            RemoteErrorKind::Full
        }
        "SlowDown" | "ServiceUnavailable" | "InternalError" | "RequestTimeout" | "TooManyRequests" => {
            RemoteErrorKind::Busy
        }
        _ => return None,
    })
}

fn kind_of_io(error: &io::Error) -> RemoteErrorKind {
    match error.kind() {
        _ if is_full(error) => RemoteErrorKind::Full,
        io::ErrorKind::NotFound => RemoteErrorKind::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => RemoteErrorKind::Denied,
        io::ErrorKind::TimedOut | io::ErrorKind::StaleNetworkFileHandle => RemoteErrorKind::Unreachable,
        io::ErrorKind::NotADirectory => RemoteErrorKind::NoRemote,
        _ => RemoteErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_s3_are_taken_out_of_the_rendering() {
        let message = r#"S3Error { code: "SignatureDoesNotMatch", message: "The request signature differs.", resource: "/x", request_id: "1" }"#;
        let error = opendal::Error::new(ErrorKind::PermissionDenied, message);
        assert_eq!(words_of(&error), "SignatureDoesNotMatch: The request signature differs.");
        assert_eq!(kind_of(&error), RemoteErrorKind::BadCredentials);
    }

    #[test]
    fn the_system_speaks_where_no_service_did() {
        let system = io::Error::from_raw_os_error(28);
        let error = opendal::Error::new(ErrorKind::Unexpected, "storage full").set_source(system);
        assert_eq!(kind_of(&error), RemoteErrorKind::Full);
        assert!(words_of(&error).starts_with("No space left"), "{}", words_of(&error));
        assert_eq!(one_line("a\n  b\u{1b}[31m"), "a b[31m");
    }
}
