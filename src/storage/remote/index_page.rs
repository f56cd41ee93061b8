//! The folders of a web server, as its index pages show them.
//!
//! HTTP has no listing, but the servers that publish a folder of files write a page of links for each folder: nginx
//! (`autoindex on`), Apache (`Options +Indexes`), Caddy (`browse`), `python3 -m http.server`, `rclone serve http`. Only links to
//! what lies right in the folder, with names such as objects of a remote have, are followed; a page can name nothing else.
//!
//! Sources: the pages of these servers; rclone's `backend/http`, which reads them in the same way.

use std::time::Duration;

use http::{Request, StatusCode, header};
use opendal::raw::format_authorization_by_basic;
use opendal::{Buffer, Error, ErrorKind, HttpTransporter};

use super::access::Login;

/// Longer pages are not read: 64 MiB are half a million links.
const LONGEST_PAGE: usize = 64 << 20;
/// Deeper folders are not ours.
const DEEPEST: usize = 6;

/// The index pages below one address.
#[derive(Debug, Clone)]
pub(super) struct IndexPages {
    /// The address of the top, without a slash at the end.
    top: String,
    login: Option<Login>,
    patience: Duration,
}

impl IndexPages {
    pub fn new(top: String, login: Option<Login>, patience: Duration) -> Self {
        Self { top, login, patience }
    }

    /// The names, from the top, of all files below `folder` (without slashes at its ends); none where there is no such folder.
    pub async fn files(&self, folder: &str) -> opendal::Result<Vec<String>> {
        let (mut files, mut folders) = (Vec::new(), vec![(folder.to_owned(), 0)]);
        while let Some((folder, depth)) = folders.pop() {
            let Some(page) = self.page(&folder).await? else { continue };
            let within =
                |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            for link in links(&page, &self.path_of(&folder)) {
                match link.strip_suffix('/') {
                    Some(name) if depth < DEEPEST => folders.push((within(name), depth + 1)),
                    Some(_) => {}
                    None => files.push(within(&link)),
                }
            }
        }
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Whether the top has a page.
    pub async fn check(&self) -> opendal::Result<()> {
        let missing = || {
            Error::new(ErrorKind::NotFound, "there is no page of links: the server does not list its folders")
        };
        self.page("").await?.map(|_| ()).ok_or_else(missing)
    }

    /// The path of a folder on its host, with a slash at the end.
    fn path_of(&self, folder: &str) -> String {
        let (_, after) = self.top.split_once("://").unwrap_or_default();
        let top = after.split_once('/').map_or("", |(_, path)| path);
        let parts = [top, folder].into_iter().filter(|part| !part.is_empty());
        parts.fold("/".to_owned(), |path, part| path + part + "/")
    }

    async fn page(&self, folder: &str) -> opendal::Result<Option<String>> {
        let slash = if folder.is_empty() { "" } else { "/" };
        let address = format!("{}/{folder}{slash}", self.top).replace(' ', "%20");
        let mut request = Request::get(&address);
        if let Some(login) = &self.login {
            let value = format_authorization_by_basic(login.user(), login.password())?;
            request = request.header(header::AUTHORIZATION, value);
        }
        let refused = |error| {
            Error::new(ErrorKind::ConfigInvalid, "the address is not one of the web").set_source(error)
        };
        let request = request.body(Buffer::new()).map_err(refused)?;
        let transport = HttpTransporter::default();
        let answer = tokio::time::timeout(self.patience, transport.send(request)).await;
        let silent = |_| Error::new(ErrorKind::Unexpected, "timeout: the server is silent").set_temporary();
        let answer = answer.map_err(silent)??;
        let status = answer.status();
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = answer.into_body();
        if !status.is_success() {
            let passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
            let error = Error::new(ErrorKind::Unexpected, format!("status {}", status.as_u16()));
            let told = format!("Parts {{ status: {} }}", status.as_u16());
            return Err(error.with_context("response", told).with_temporary(passing));
        }
        if body.len() > LONGEST_PAGE {
            return Err(Error::new(ErrorKind::Unexpected, "the page of links is too long"));
        }
        Ok(Some(String::from_utf8_lossy(&body.to_bytes()).into_owned()))
    }
}

/// What a page of links names right in its folder, which is `path` on the host: files, and folders with a slash at the end.
fn links(page: &str, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in page.match_indices("href=") {
        let rest = &page[at + "href=".len()..];
        let Some(quote) = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')) else { continue };
        let Some((target, _)) = rest[1..].split_once(quote) else { continue };
        let target = target.strip_prefix("./").or_else(|| target.strip_prefix(path)).unwrap_or(target);
        let name = target.strip_suffix('/').unwrap_or(target);
        let ours = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !name.is_empty() && !name.starts_with('.') && name.bytes().all(ours) {
            found.push(target.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_the_usual_servers_are_read() {
        let nginx =
            r#"<a href="../">../</a><a href="ab/">ab/</a> <a href="config">config</a> 1-Jan-2026 128"#;
        assert_eq!(links(nginx, "/x/"), ["ab/", "config"]);
        let apache = r#"<a href="?C=N;O=D">Name</a> <a href="/x/">Parent</a> <a href="00000000-ab">x</a>"#;
        assert_eq!(links(apache, "/x/roots/"), ["00000000-ab"]);
        let rclone = r#"<a href="./ab/">ab</a><a href='./config'>config</a><a href="/x/gc/">gc</a>"#;
        assert_eq!(links(rclone, "/x/"), ["ab/", "config", "gc/"]);
        let odd = r#"<a href="https://evil/y"><a href="//evil"><a href="a/b"><a href=".git/"><a href="javascript:x">"#;
        assert!(links(odd, "/").is_empty());
    }

    #[test]
    fn paths_on_the_host_end_with_a_slash() {
        let pages = |top: &str| IndexPages::new(top.to_owned(), None, Duration::from_secs(1));
        assert_eq!(pages("http://host/x/y").path_of("roots/ab"), "/x/y/roots/ab/");
        assert_eq!(pages("http://host").path_of(""), "/");
    }
}
