//! What may be written as the address of a remote.
//!
//! | address | what it means |
//! | --- | --- |
//! | `PATH`, `file:///PATH` | a folder; a relative one lies under the top of the work tree, `~/` is the home folder |
//! | `s3://BUCKET/PREFIX` | a bucket of S3 or of a service that speaks its language |
//! | `az://CONTAINER/PREFIX` | a container of Azure Blob Storage; also `azure://`, as DVC writes it |
//! | `gs://BUCKET/PREFIX` | a bucket of Google Cloud Storage |
//! | `webdavs://HOST:PORT/PATH` | a folder of a WebDAV server over TLS; without TLS `webdav://` |
//! | `sftp://USER@HOST:PORT/PATH` | a folder of an SSH server, through `ssh`; `/~/PATH` lies in the home folder there |
//! | `https://HOST:PORT/PATH` | a folder that a web server shows, to read only; without TLS `http://` |
//!
//! An address comes with a clone and lands in messages and logs, so it never carries a secret: passwords, and user names
//! where they may be half of a secret (`s3://KEY:SECRET@bucket`), are refused, and the refusal does not repeat them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::url_error::UrlError;

/// The services that remotes lie on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceKind {
    /// A folder of this machine.
    Folder,
    /// The memory of this process.
    Memory,
    /// S3 and its relatives.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Google,
    /// WebDAV.
    WebDav,
    /// SFTP.
    Sftp,
    /// A web server, to read only.
    Http,
}

/// The address of a remote, without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RemoteUrl {
    /// A folder, as it was written.
    Folder(PathBuf),
    /// A bucket or container.
    Bucket {
        /// S3, Azure or Google.
        service: ServiceKind,
        /// Its name.
        bucket: String,
        /// Where in the bucket, without slashes at the ends; often empty.
        prefix: String,
    },
    /// A folder of an SSH server.
    Sftp {
        /// The name there, where it is not left to `ssh`.
        user: Option<String>,
        /// The host, or what the configuration of `ssh` calls so.
        host: String,
        /// The port, where it is not left to `ssh`.
        port: Option<u16>,
        /// The folder: absolute, or below the home folder.
        path: String,
    },
    /// A folder of a server of HTTP.
    Web {
        /// WebDAV or HTTP.
        service: ServiceKind,
        /// Whether by TLS.
        secure: bool,
        /// The host, with its port where that is not the usual one.
        host: String,
        /// Where on the host, without slashes at the ends; often empty.
        path: String,
    },
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
        let bucket = match scheme {
            "s3" | "s3a" => Some(ServiceKind::S3),
            "az" | "azure" => Some(ServiceKind::Azure),
            "gs" => Some(ServiceKind::Google),
            _ => None,
        };
        let is_secret = match (scheme, host.split_once('@')) {
            // A key opens it, so a name is no half of a secret; a password has no place in it.
            ("sftp", Some((user, _))) => user.contains(':'),
            (_, user) => user.is_some(),
        };
        if is_secret || bucket.is_some() && host.contains(':') {
            return Err(UrlError::Secret);
        }
        if let Some(end) = rest.find(['?', '#']).filter(|_| scheme != "file") {
            return Err(UrlError::Query { url: format!("{scheme}://{}", &rest[..end]) });
        }
        match (scheme, bucket) {
            (_, Some(service)) => bucket_and_prefix(service, rest),
            ("webdav" | "webdavs", _) => web(ServiceKind::WebDav, scheme == "webdavs", rest),
            ("http" | "https", _) => web(ServiceKind::Http, scheme == "https", rest),
            ("sftp", _) => sftp(rest),
            ("file", _) => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                let absolute = path.starts_with('/');
                let folder = absolute.then(|| Self::Folder(PathBuf::from(path)));
                folder.ok_or_else(|| UrlError::Path { path: format!("file://{rest}") })
            }
            _ => Err(UrlError::Scheme { scheme: scheme.chars().take(20).collect() }),
        }
    }

    /// The service that it lies on.
    pub fn service(&self) -> ServiceKind {
        match self {
            Self::Folder(_) => ServiceKind::Folder,
            Self::Sftp { .. } => ServiceKind::Sftp,
            Self::Bucket { service, .. } | Self::Web { service, .. } => *service,
        }
    }

    /// The folder that a folder's address means when relative ones lie under `base`; `None` for other kinds.
    pub fn folder_under(&self, base: &Path) -> Option<PathBuf> {
        let Self::Folder(path) = self else { return None };
        let in_home = path.strip_prefix("~").ok().and_then(|rest| Some(std::env::home_dir()?.join(rest)));
        Some(in_home.unwrap_or_else(|| base.join(path)))
    }

    /// Protocol, host and path by which Git's credential helpers know a password for it; `None` where none is ever asked for.
    pub fn login_place(&self) -> Option<(&'static str, &str, &str)> {
        let Self::Web { secure, host, path, .. } = self else { return None };
        Some((if *secure { "https" } else { "http" }, host, path))
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

fn bucket_and_prefix(service: ServiceKind, rest: &str) -> Result<RemoteUrl, UrlError> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let other = |byte: u8| match service {
        ServiceKind::Azure => byte == b'-',
        ServiceKind::Google => matches!(byte, b'.' | b'-' | b'_'),
        _ => matches!(byte, b'.' | b'-'),
    };
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || other(byte);
    let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let named = (3..=63).contains(&bucket.len()) && bucket.bytes().all(fits) && !bucket.contains("..");
    if !named || !ends(bucket.bytes().next()) || !ends(bucket.bytes().last()) {
        return Err(UrlError::Bucket { bucket: bucket.to_owned() });
    }
    Ok(RemoteUrl::Bucket { service, bucket: bucket.to_owned(), prefix: plain_path(prefix)? })
}

fn web(service: ServiceKind, secure: bool, rest: &str) -> Result<RemoteUrl, UrlError> {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (name, port) = host_and_port(host)?;
    let usual = if secure { 443 } else { 80 };
    let host = match port.filter(|port| *port != usual) {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    };
    Ok(RemoteUrl::Web { service, secure, host, path: plain_path(path)? })
}

fn sftp(rest: &str) -> Result<RemoteUrl, UrlError> {
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = place.split_once('@').map_or((None, place), |(user, host)| (Some(user), host));
    let (host, port) = host_and_port(host)?;
    let is_name = |user: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        !user.is_empty() && !user.starts_with('-') && user.bytes().all(fits)
    };
    if user.is_some_and(|user| !is_name(user)) {
        return Err(UrlError::Host { host: place.chars().take(80).collect() });
    }
    let path = match plain_path(path)? {
        path if path.is_empty() || path == "~" => return Err(UrlError::Path { path }),
        path => path.strip_prefix("~/").map_or_else(|| format!("/{path}"), str::to_owned),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(RemoteUrl::Sftp { user: user.map(str::to_owned), host, port, path })
}

/// A host of letters, digits, dots and dashes, or an IPv6 address in brackets, and a port.
fn host_and_port(text: &str) -> Result<(&str, Option<u16>), UrlError> {
    let refused = || UrlError::Host { host: text.chars().take(80).collect() };
    let end = if text.starts_with('[') { text.find(']').map(|at| at + 1) } else { text.find(':') };
    let (host, port) = text.split_at(end.unwrap_or(text.len()));
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = match inner {
        Some(inner) => inner.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')),
    };
    if host.is_empty() || !fits || host.starts_with('-') {
        return Err(refused());
    }
    match port.strip_prefix(':') {
        Some(port) => Ok((host, Some(port.parse().map_err(|_| refused())?))),
        None if port.is_empty() => Ok((host, None)),
        None => Err(refused()),
    }
}

/// A path without slashes at the ends. It is taken as it stands, so codes like `%20` have no place in it.
fn plain_path(path: &str) -> Result<String, UrlError> {
    let path = path.trim_end_matches('/');
    let odd = |part: &str| matches!(part, "" | "." | "..") || part.contains('%');
    if !path.is_empty() && path.split('/').any(odd) {
        return Err(UrlError::Path { path: path.to_owned() });
    }
    Ok(path.to_owned())
}

impl FromStr for RemoteUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self {
            Self::Folder(path) => return write!(f, "{}", path.display()),
            Self::Bucket { service, bucket, prefix } => {
                let scheme = match service {
                    ServiceKind::Azure => "az",
                    ServiceKind::Google => "gs",
                    _ => "s3",
                };
                write!(f, "{scheme}://{bucket}")?;
                prefix
            }
            Self::Sftp { user, host, port, path } => {
                f.write_str("sftp://")?;
                user.iter().try_for_each(|user| write!(f, "{user}@"))?;
                if host.contains(':') {
                    write!(f, "[{host}]")?
                } else {
                    f.write_str(host)?
                }
                port.iter().try_for_each(|port| write!(f, ":{port}"))?;
                return if path.starts_with('/') { f.write_str(path) } else { write!(f, "/~/{path}") };
            }
            Self::Web { service, secure, host, path } => {
                let name = if *service == ServiceKind::WebDav { "webdav" } else { "http" };
                write!(f, "{name}{}://{host}", if *secure { "s" } else { "" })?;
                path
            }
        };
        if path.is_empty() { Ok(()) } else { write!(f, "/{path}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Advice;

    #[test]
    fn addresses_are_read_and_written_the_same() {
        let addresses = [
            "../store",
            "/mnt/ml",
            "~/ml",
            "s3://acme-ml",
            "s3://acme-ml/churn/data",
            "az://acme/churn",
            "gs://acme_ml/churn",
            "webdavs://cloud.example.com/remote.php/dav/files/ada",
            "webdav://127.0.0.1:8080",
            "https://data.example.com/churn",
            "sftp://ada@storage.example.com:2222/mnt/ml",
            "sftp://storage/~/ml",
            "sftp://[::1]:22/ml",
            "http://[::1]:8000/x",
        ];
        for text in addresses {
            assert_eq!(RemoteUrl::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(RemoteUrl::parse("file:///mnt/ml").unwrap().to_string(), "/mnt/ml");
        assert_eq!(RemoteUrl::parse("s3://acme-ml/churn/").unwrap().to_string(), "s3://acme-ml/churn");
        assert_eq!(RemoteUrl::parse("azure://acme/churn").unwrap().to_string(), "az://acme/churn");
        assert_eq!(RemoteUrl::parse("https://host:443/x").unwrap().to_string(), "https://host/x");
    }

    #[test]
    fn a_secret_is_refused_and_not_repeated() {
        let carriers = [
            "s3://AKIA:hunter2@acme-ml/x",
            "s3://acme-ml:hunter2/x",
            "az://acme:hunter2/x",
            "https://me:hunter2@host/x",
            "webdavs://me:hunter2@host/x",
            "webdavs://hunter2@host/x",
            "sftp://ada:hunter2@host/x",
            "https://host/x?token=hunter2",
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
            "ftp://acme",
            "sftp://host",
            "sftp://host/~",
            "sftp://-oProxyCommand=x/y",
            "sftp://-oProxyCommand=x@host/y",
            "sftp://host/../x",
            "s3://",
            "s3://A",
            "s3://ab",
            "s3://-acme",
            "s3://acme/../x",
            "s3://acme/a//b",
            "s3://acme?region=x",
            "az://a.b.c",
            "gs://ab",
            "file://host/x",
            "file://x",
            "host:path",
            "webdavs://",
            "webdavs://-x/y",
            "https://host:x/y",
            "https://host/a%20b",
            "https://host/../x",
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
