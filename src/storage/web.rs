//! Plain requests to web servers, beside remotes: a file at an address, an answer in JSON.
//!
//! A demanding user expects of it: the body is never held in memory as a whole; a server that is silent is given up after
//! seconds; what is temporary is tried again; no message shows what an address carries beside host and path. A header with a
//! secret does not follow a redirection to another host (the client below sees to that). The best peer: `curl --fail
//! --location --retry`.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use http::{HeaderMap, Request, header};
use opendal::raw::oio::ReadStream;
use opendal::{Buffer, HttpTransporter};

use crate::base::Advice;

use super::remote::runtime;

/// How long a server may be silent.
const QUIET: Duration = Duration::from_secs(30);
/// How often a request is made again where it failed for a passing reason.
const RETRIES: u32 = 3;
/// Longer answers of a server are not read into memory.
const LONGEST_ANSWER: usize = 64 << 20;

/// What is asked for.
#[derive(Clone, Default)]
pub struct WebRequest {
    /// The address, `http://…` or `https://…`.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// What is sent: then it is a POST, otherwise a GET.
    pub body: Option<Vec<u8>>,
}

/// Headers and address may carry secrets.
impl fmt::Debug for WebRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebRequest").field("url", &shown(&self.url)).finish_non_exhaustive()
    }
}

/// What a server says about a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebAnswer {
    /// Whether it is still what the request said it had (304).
    pub unchanged: bool,
    /// Which version it is, in the server's words.
    pub etag: Option<String>,
    /// When it was changed, in the server's words.
    pub last_modified: Option<String>,
    /// Its length in bytes, where the server says it.
    pub length: Option<u64>,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address is none of the web.
    #[error("'{0}' is no address of the web")]
    Address(String),
    /// The server did not answer, or the way to it broke.
    #[error("no answer from '{address}': {said}")]
    Unreachable {
        /// Host and path.
        address: String,
        /// What was noticed.
        said: String,
    },
    /// The server said no.
    #[error("'{address}' answers {status}{}", reason(*.status))]
    Status {
        /// Host and path.
        address: String,
        /// The number of the answer.
        status: u16,
    },
    /// More than is read into memory.
    #[error("the answer of '{0}' is too long")]
    TooLong(String),
    /// What came could not be written.
    #[error("cannot write what '{address}' sends")]
    Write {
        /// Host and path.
        address: String,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
}

fn reason(status: u16) -> String {
    let status = http::StatusCode::from_u16(status).ok();
    status.and_then(|status| status.canonical_reason()).map(|words| format!(" ({words})")).unwrap_or_default()
}

impl WebError {
    /// The number of the answer, where there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether the same request may succeed later.
    fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }
}

impl Advice for WebError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Address(_) => vec!["write it as https://HOST/PATH".into()],
            Self::Status { status: 401 | 403, address } => {
                let host = address.split("://").nth(1).and_then(|rest| rest.split('/').next());
                vec![format!(
                    "git credential approve      stores a name and password for '{}'",
                    host.unwrap_or_default()
                )]
            }
            Self::Unreachable { .. } => vec!["try again when the network is there".into()],
            _ => Vec::new(),
        }
    }
}

/// An address without what may be secret: user, query and fragment.
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
            let host = host.rsplit('@').next().unwrap_or(host);
            path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
        }
        None => url.to_owned(),
    }
}

/// Writes what lies at an address to `out`, from its beginning; `restart` makes `out` empty again, when a broken transfer
/// begins anew.
///
/// # Errors
///
/// [`WebError`].
pub fn download<W: Write>(
    request: &WebRequest,
    out: &mut W,
    restart: &dyn Fn(&mut W) -> io::Result<()>,
) -> Result<WebAnswer, WebError> {
    again(|tried| {
        let failed = |source| WebError::Write { address: shown(&request.url), source };
        if tried > 0 {
            restart(out).map_err(failed)?;
        }
        receive(request, &mut |bytes| out.write_all(bytes).map_err(failed))
    })
}

/// Sends a request and gives what the server answers, whole.
///
/// # Errors
///
/// [`WebError`].
pub fn ask(request: &WebRequest) -> Result<Vec<u8>, WebError> {
    again(|_| {
        let mut body = Vec::new();
        receive(request, &mut |bytes| {
            if body.len() + bytes.len() > LONGEST_ANSWER {
                return Err(WebError::TooLong(shown(&request.url)));
            }
            body.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(body)
    })
}

/// What a server says about a file, without the file.
///
/// # Errors
///
/// [`WebError`].
pub fn look(request: &WebRequest) -> Result<WebAnswer, WebError> {
    again(|_| exchange(request, http::Method::HEAD, &mut |_| Ok(())))
}

fn again<T>(mut attempt: impl FnMut(u32) -> Result<T, WebError>) -> Result<T, WebError> {
    let mut tried = 0;
    loop {
        match attempt(tried) {
            Err(error) if error.is_passing() && tried < RETRIES => {
                std::thread::sleep(Duration::from_millis(250) * 2_u32.pow(tried));
                tried += 1;
            }
            done => return done,
        }
    }
}

type Take<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), WebError>;

fn receive(request: &WebRequest, take: Take<'_>) -> Result<WebAnswer, WebError> {
    let method = if request.body.is_some() { http::Method::POST } else { http::Method::GET };
    exchange(request, method, take)
}

/// One request; its body is handed to `take` piece by piece.
fn exchange(request: &WebRequest, method: http::Method, take: Take<'_>) -> Result<WebAnswer, WebError> {
    let address = shown(&request.url);
    let unreachable = |said: String| WebError::Unreachable { address: address.clone(), said };
    if !request.url.starts_with("http://") && !request.url.starts_with("https://") {
        return Err(WebError::Address(address));
    }
    let mut made = Request::builder().method(method).uri(request.url.as_str());
    for (name, value) in &request.headers {
        made = made.header(name.as_str(), value.as_str());
    }
    let body = request.body.clone().map_or_else(Buffer::new, Buffer::from);
    let made = made.body(body).map_err(|_| WebError::Address(address.clone()))?;
    opendal::install_default();
    let runtime = runtime().map_err(|error| unreachable(error.to_string()))?;
    runtime.block_on(async {
        let silent = |_| unreachable(format!("nothing was heard for {} s", QUIET.as_secs()));
        let broken = |error: opendal::Error| unreachable(words(&error));
        let transport = HttpTransporter::default();
        let answer = tokio::time::timeout(QUIET, transport.fetch(made)).await;
        let answer = answer.map_err(silent)?.map_err(broken)?;
        let status = answer.status();
        if status.as_u16() == 304 {
            return Ok(WebAnswer { unchanged: true, ..told(answer.headers()) });
        }
        if !status.is_success() {
            return Err(WebError::Status { address: address.clone(), status: status.as_u16() });
        }
        let told = told(answer.headers());
        let mut body = answer.into_body();
        loop {
            let piece = tokio::time::timeout(QUIET, body.read()).await;
            let piece = piece.map_err(silent)?.map_err(broken)?;
            if piece.is_empty() {
                return Ok(told);
            }
            for bytes in piece {
                take(&bytes)?;
            }
        }
    })
}

/// What the layers below say, the innermost last, without the address.
fn words(error: &opendal::Error) -> String {
    let mut said = error.message().to_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        said = format!("{said}: {cause}");
        source = cause.source();
    }
    said
}

fn told(headers: &HeaderMap) -> WebAnswer {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    WebAnswer {
        unchanged: false,
        etag: text(header::ETAG),
        last_modified: text(header::LAST_MODIFIED),
        length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
    }
}

/// The header that carries a name and a password.
pub fn basic(user: &str, password: &str) -> Option<(String, String)> {
    let value = opendal::raw::format_authorization_by_basic(user, password).ok()?;
    Some(("Authorization".into(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_of_an_address_is_shown() {
        assert_eq!(shown("https://ada:hunter2@host/a/b?token=x#y"), "https://host/a/b");
        assert_eq!(shown("http://host"), "http://host");
        assert_eq!(shown("http://host?x=1"), "http://host");
        let request = WebRequest { url: "https://u:p@h/x?secret=1".into(), ..WebRequest::default() };
        assert!(!format!("{request:?}").contains("secret"), "{request:?}");
    }

    #[test]
    fn what_is_no_address_of_the_web_is_refused() {
        for url in ["", "file:///etc/passwd", "ftp://x", "https://"] {
            let request = WebRequest { url: url.into(), ..WebRequest::default() };
            assert!(matches!(ask(&request), Err(WebError::Address(_))), "{url}");
        }
    }
}
