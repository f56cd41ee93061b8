//! What a service said, and what that means here.
//!
//! OpenDAL sorts answers by status; what a user can do about them depends on the code in the body, which it renders as
//! debugging text. Services of plain HTTP have no codes: there the status is what there is.

use std::error::Error;
use std::io;

use opendal::ErrorKind;

use super::error::RemoteErrorKind;
use crate::storage::durable::is_full;

/// Code and message of an answer of S3 or Azure, or message of Google, out of OpenDAL's rendering of it.
fn coded_answer(message: &str) -> Option<(&str, &str)> {
    if let Some(fields) = message.strip_prefix("GcsErrorResponse ") {
        return Some(("", quoted(fields, "message: ")?));
    }
    let fields = ["S3Error { ", "AzblobError { "].iter().find_map(|name| message.strip_prefix(name))?;
    let code = quoted(fields, "code: ").filter(|code| !code.is_empty())?;
    Some((code, quoted(fields, "message: ").unwrap_or_default()))
}

/// The text in quotes after `label`, up to the first quote that is not escaped; nothing in it is unescaped.
fn quoted<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("{label}\""))?;
    let is_end = |at: &usize| !rest[..*at].ends_with('\\') || rest[..*at].ends_with("\\\\");
    let end = rest.match_indices('"').map(|(at, _)| at).find(is_end)?;
    Some(&rest[..end])
}

/// The status of an answer of HTTP, out of OpenDAL's rendering of it.
fn status_of(error: &opendal::Error) -> Option<u16> {
    let told = error.to_string();
    let (_, rest) = told.split_once("response: Parts { status: ")?;
    rest.get(..3)?.parse().ok()
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
    match (coded_answer(error.message()), root_cause(error)) {
        (Some((code, "")), _) => code.to_owned(),
        (Some(("", text)), _) => text.to_owned(),
        (Some((code, text)), _) => format!("{code}: {text}"),
        (None, Some(cause)) => cause.to_string(),
        (None, None) => plain_words(error),
    }
}

/// Of a page of HTML only the status is worth telling.
fn plain_words(error: &opendal::Error) -> String {
    let message = error.message().trim();
    match status_of(error) {
        Some(status) if message.is_empty() || message.starts_with('<') => format!("status {status}"),
        Some(status) => format!("status {status}: {message}"),
        None => message.to_owned(),
    }
}

/// What an error of OpenDAL means here.
pub(super) fn kind_of(error: &opendal::Error) -> RemoteErrorKind {
    let (code, text) = coded_answer(error.message()).unwrap_or_default();
    if let Some(kind) = kind_of_code(code).or_else(|| kind_of_google(code, text)) {
        return kind;
    }
    if let Some(kind) = status_of(error).and_then(kind_of_status) {
        return kind;
    }
    let system = root_cause(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    match error.kind() {
        ErrorKind::NotFound => RemoteErrorKind::NotFound,
        ErrorKind::PermissionDenied => RemoteErrorKind::Denied,
        ErrorKind::ConfigInvalid => RemoteErrorKind::Misconfigured,
        ErrorKind::RateLimited => RemoteErrorKind::Busy,
        ErrorKind::RangeNotSatisfied => RemoteErrorKind::WrongSize,
        _ if ["too little data", "too much data", "content range is invalid"]
            .iter()
            .any(|said| error.message().contains(said)) =>
        {
            RemoteErrorKind::WrongSize
        }
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

/// The meaning of a status where no code tells more. A missing object is left to OpenDAL: for a folder it is no error.
fn kind_of_status(status: u16) -> Option<RemoteErrorKind> {
    Some(match status {
        401 | 407 => RemoteErrorKind::BadCredentials,
        403 => RemoteErrorKind::Denied,
        405 | 501 => RemoteErrorKind::ReadOnly,
        423 | 429 | 500 | 502 | 503 | 504 => RemoteErrorKind::Busy,
        416 => RemoteErrorKind::WrongSize,
        507 => RemoteErrorKind::Full,
        _ => return None,
    })
}

/// Google tells by the status and by words.
fn kind_of_google(code: &str, text: &str) -> Option<RemoteErrorKind> {
    let missing = code.is_empty() && text.contains("bucket does not exist");
    missing.then_some(RemoteErrorKind::NoRemote)
}

/// The meaning of the codes of S3, of its relatives and of Azure.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>,
/// <https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes>
fn kind_of_code(code: &str) -> Option<RemoteErrorKind> {
    Some(match code {
        "InvalidRange" => RemoteErrorKind::WrongSize,
        "NoSuchBucket" | "ContainerNotFound" | "ContainerBeingDeleted" => RemoteErrorKind::NoRemote,
        "AccessDenied"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "AccountIsDisabled"
        | "AuthorizationFailure"
        | "AuthorizationPermissionMismatch"
        | "InsufficientAccountPermissions"
        | "PublicAccessNotPermitted" => RemoteErrorKind::Denied,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "InvalidSecurity"
        | "TokenRefreshRequired"
        | "NotSignedUp"
        | "RequestTimeTooSkewed"
        | "UnauthorizedAccess"
        | "AuthenticationFailed"
        | "InvalidAuthenticationInfo"
        | "NoAuthenticationInformation" => RemoteErrorKind::BadCredentials,
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => {
            RemoteErrorKind::WrongRegion
        }
        "QuotaExceeded" | "InsufficientStorage" | "XMinioStorageFull" | "XMinioAdminBucketQuotaExceeded" => {
            RemoteErrorKind::Full
        }
        "SlowDown" | "ServiceUnavailable" | "InternalError" | "RequestTimeout" | "TooManyRequests"
        | "ServerBusy" | "OperationTimedOut" => RemoteErrorKind::Busy,
        _ => return None,
    })
}

pub(super) fn kind_of_io(error: &io::Error) -> RemoteErrorKind {
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
    use crate::storage::remote::error::one_line;

    #[test]
    fn the_words_of_s3_are_taken_out_of_the_rendering() {
        let message = r#"S3Error { code: "SignatureDoesNotMatch", message: "The request signature differs.", resource: "/x", request_id: "1" }"#;
        let error = opendal::Error::new(ErrorKind::PermissionDenied, message);
        assert_eq!(words_of(&error), "SignatureDoesNotMatch: The request signature differs.");
        assert_eq!(kind_of(&error), RemoteErrorKind::BadCredentials);
    }

    #[test]
    fn azure_and_google_are_understood_too() {
        let message =
            r#"AzblobError { code: "ContainerNotFound", message: "The \"x\" container is missing." }"#;
        let error = opendal::Error::new(ErrorKind::NotFound, message);
        assert_eq!(kind_of(&error), RemoteErrorKind::NoRemote);
        assert_eq!(words_of(&error), r#"ContainerNotFound: The \"x\" container is missing."#);
        let message = r#"GcsErrorResponse { error: GcsError { code: 404, message: "The specified bucket does not exist.", errors: [] } }"#;
        let error = opendal::Error::new(ErrorKind::NotFound, message);
        assert_eq!(kind_of(&error), RemoteErrorKind::NoRemote);
        assert_eq!(words_of(&error), "The specified bucket does not exist.");
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
