//! A file at an address, into a file here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::base::{Progress, Unit};
use crate::data::remotes;
use crate::data::workspace::Workspace;
use crate::storage::remote::Remote;
use crate::storage::web::{self, WebAnswer, WebError, WebRequest};

use super::address::Address;
use super::{Source, SourceError};

/// Bytes that are asked for at once.
const RANGE: u64 = 8 << 20;

/// How to ask.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// What is known from the last time.
    pub known: Option<&'a Source>,
    /// Whether the user named the address: then passwords may be sent there.
    pub named_by_user: bool,
}

/// Counts what is written.
struct Counted<'a> {
    file: &'a mut File,
    progress: &'a Progress,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.progress.advance(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Asks whether there is something new at an address, and (with a file `to`) brings it; `None` where nothing is new.
///
/// # Errors
///
/// [`SourceError`].
pub fn bring(
    workspace: &Workspace,
    address: &Address,
    asking: Asking<'_>,
    to: Option<&mut File>,
    progress: &Progress,
) -> Result<Option<Source>, SourceError> {
    progress.begin(&address.kept, Unit::Bytes, None);
    let brought = if address.web().is_some() {
        from_web(workspace, address, asking, to, progress)
    } else if let Some(path) = address.file() {
        from_file(address, Path::new(path), asking.known, to, progress)
    } else {
        from_remote(workspace, address, asking, to, progress)
    };
    progress.end();
    brought
}

fn from_web(
    workspace: &Workspace,
    address: &Address,
    asking: Asking<'_>,
    mut to: Option<&mut File>,
    progress: &Progress,
) -> Result<Option<Source>, SourceError> {
    let mut headers = Vec::new();
    if let Some(Source::Url { etag, last_modified, .. }) = asking.known {
        headers.extend(etag.iter().map(|etag| ("If-None-Match".to_owned(), etag.clone())));
        headers.extend(last_modified.iter().map(|time| ("If-Modified-Since".to_owned(), time.clone())));
    }
    let own = address.login.as_ref().and_then(|(user, password)| web::basic(user, password));
    headers.extend(own);
    let mut request = WebRequest { url: address.asked.clone(), headers, body: None };
    let mut answer = ask(&request, to.as_deref_mut(), progress);
    if matches!(&answer, Err(error) if error.status() == Some(401))
        && asking.named_by_user
        && address.login.is_none()
    {
        let login = address
            .web()
            .and_then(|(scheme, host, path)| workspace.repository().login(scheme, host, path, None));
        if let Some(header) = login.and_then(|(user, password)| web::basic(&user, &password)) {
            request.headers.push(header);
            answer = ask(&request, to, progress);
        }
    }
    let answer = match answer {
        Err(error) if matches!(error.status(), Some(404 | 410)) => {
            return Err(SourceError::NotFound(address.kept.clone()));
        }
        answer => answer?,
    };
    if answer.unchanged || is_known(asking.known, &answer) {
        return Ok(None);
    }
    let WebAnswer { etag, last_modified, length, .. } = answer;
    Ok(Some(Source::Url { url: address.kept.clone(), etag, last_modified, size: length }))
}

/// Without a file, only what the server says is asked for.
fn ask(request: &WebRequest, to: Option<&mut File>, progress: &Progress) -> Result<WebAnswer, WebError> {
    let Some(file) = to else { return web::look(request) };
    web::download(request, &mut Counted { file, progress }, &|counted| {
        counted.file.set_len(0)?;
        counted.file.rewind()
    })
}

/// Whether the server tells of the version that is known (some do not understand conditions).
fn is_known(known: Option<&Source>, answer: &WebAnswer) -> bool {
    match known {
        Some(Source::Url { etag: Some(etag), .. }) => answer.etag.as_ref() == Some(etag),
        Some(Source::Url { last_modified: Some(time), size, .. }) => {
            answer.last_modified.as_ref() == Some(time) && answer.length == *size
        }
        _ => false,
    }
}

fn from_file(
    address: &Address,
    path: &Path,
    known: Option<&Source>,
    to: Option<&mut File>,
    progress: &Progress,
) -> Result<Option<Source>, SourceError> {
    let unread = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => SourceError::NotFound(address.kept.clone()),
        _ => SourceError::Read { path: path.to_owned(), source },
    };
    let metadata = fs::metadata(path).map_err(unread)?;
    if !metadata.is_file() {
        return Err(SourceError::NoFile(address.kept.clone()));
    }
    let source = told(address, Some(metadata.len()), metadata.modified().ok());
    if known == Some(&source) {
        return Ok(None);
    }
    if let Some(file) = to {
        let mut from = File::open(path).map_err(unread)?;
        io::copy(&mut from, &mut Counted { file, progress }).map_err(unread)?;
    }
    Ok(Some(source))
}

fn from_remote(
    workspace: &Workspace,
    address: &Address,
    asking: Asking<'_>,
    to: Option<&mut File>,
    progress: &Progress,
) -> Result<Option<Source>, SourceError> {
    let no_file = || SourceError::NoFile(address.kept.clone());
    let (folder, name) = address.asked.rsplit_once('/').ok_or_else(no_file)?;
    if name.is_empty() || folder.ends_with('/') {
        return Err(no_file());
    }
    let remote: Remote = remotes::connect_to_read(workspace, folder, BTreeMap::new(), asking.named_by_user)?;
    let listed = remote.stat(name)?.ok_or_else(|| SourceError::NotFound(address.kept.clone()))?;
    let source = told(address, Some(listed.size), listed.modified);
    if asking.known == Some(&source) {
        return Ok(None);
    }
    if let Some(file) = to {
        let mut out = Counted { file, progress };
        let mut at = 0;
        while at < listed.size {
            let bytes = remote.get_range(name, at, RANGE.min(listed.size - at))?;
            at += bytes.len() as u64;
            out.write_all(&bytes).map_err(|source| SourceError::Write { path: name.into(), source })?;
        }
    }
    Ok(Some(source))
}

/// The source of a file whose size and time are known.
fn told(address: &Address, size: Option<u64>, modified: Option<SystemTime>) -> Source {
    let seconds = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let time = seconds.and_then(|since| jiff::Timestamp::from_second(since.as_secs() as i64).ok());
    let last_modified = time.map(|time| time.to_string());
    Source::Url { url: address.kept.clone(), etag: None, last_modified, size }
}
