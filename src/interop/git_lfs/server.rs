//! Where the contents of Git LFS are, beside the clone: a server that speaks LFS's batch API, or a folder.
//!
//! Sources: LFS's `docs/api/batch.md`, `server-discovery.md`, and the folders that its standalone transfer makes.
//!
//! The address comes from the user's own configuration (`lfs.url`, `remote.NAME.lfsurl`, the URL of the Git remote), or from
//! `.lfsconfig`, which came with the clone: what opens an account goes to the latter only if it is on a host that a Git
//! remote of this clone is on.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use serde::Deserialize;

use crate::data::Workspace;
use crate::storage::web::{self, WebError, WebRequest};

use super::pointer::LfsPointer;

/// So many contents are asked for at once: servers refuse more.
const AT_ONCE: usize = 100;
/// How the API calls its JSON.
const JSON: &str = "application/vnd.git-lfs+json";

/// Where contents may be had from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The objects of another repository on this machine.
    Folder(PathBuf),
    /// A server.
    Server(Server),
}

/// A server that speaks the batch API.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its address, without user or password.
    pub url: String,
    /// The header that opens it.
    login: Option<(String, String)>,
}

/// What a server answers about a content.
#[derive(Debug, Clone)]
pub enum Offer {
    /// It can be downloaded so.
    Download(WebRequest),
    /// It cannot be had, in the server's words.
    Refused(String),
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    objects: Vec<AnsweredObject>,
}

#[derive(Deserialize)]
struct AnsweredObject {
    oid: String,
    #[serde(default)]
    actions: HashMap<String, Action>,
    error: Option<ObjectError>,
}

#[derive(Deserialize)]
struct Action {
    href: String,
    #[serde(default)]
    header: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct ObjectError {
    #[serde(default)]
    message: String,
}

/// The address of the LFS store, as the configuration of this clone tells it; `None` where nothing does.
pub fn source_of(workspace: &Workspace) -> Option<Source> {
    let repository = workspace.repository();
    let remotes = repository.remotes();
    let name = repository.setting("remote.lfsdefault").or_else(|| repository.default_remote());
    let remote = remotes.iter().find(|remote| name.as_ref().is_none_or(|name| *name == remote.name));
    let of_remote = |remote: &str| format!("remote.{remote}.lfsurl");
    let own = repository.setting("lfs.url");
    let own = own.or_else(|| repository.setting(&of_remote(&remote?.name)));
    if let Some(url) = own {
        return Some(at(workspace, &url, true));
    }
    let shared = |key: &str| {
        let call = repository.program().args(["config", "--file", ".lfsconfig", "--get", key]);
        call.text().ok().filter(|value| !value.is_empty())
    };
    let shared = shared("lfs.url").or_else(|| shared(&of_remote(&remote?.name)));
    if let Some(url) = shared {
        let known =
            remotes.iter().any(|remote| host_of(&remote.url).is_some_and(|host| host_of(&url) == Some(host)));
        return Some(at(workspace, &url, known));
    }
    remote_source(workspace, &remote?.url)
}

/// The LFS store beside a Git repository.
fn remote_source(workspace: &Workspace, url: &str) -> Option<Source> {
    let trimmed = url.trim_end_matches('/');
    if let Some(folder) = folder_of(trimmed) {
        let below = |part: &str| workspace.top().join(&folder).join(part);
        let places = [below("lfs/objects"), below(".git/lfs/objects")];
        return places.into_iter().find(|place| place.is_dir()).map(Source::Folder);
    }
    let web = match trimmed.split_once("://") {
        Some(("http" | "https", _)) => trimmed.to_owned(),
        Some(("ssh" | "git+ssh" | "git", rest)) => {
            let (host, path) = rest.split_once('/')?;
            let host = host.rsplit('@').next()?.split(':').next()?;
            format!("https://{host}/{path}")
        }
        Some(_) => return None,
        None => {
            let (host, path) = trimmed.split_once(':')?;
            format!("https://{}/{}", host.rsplit('@').next()?, path.trim_start_matches('/'))
        }
    };
    let git = if web.ends_with(".git") { "" } else { ".git" };
    Some(at(workspace, &format!("{web}{git}/info/lfs"), true))
}

/// The folder that a URL of Git means.
fn folder_of(url: &str) -> Option<PathBuf> {
    if let Some(path) = url.strip_prefix("file://") {
        return Some(PathBuf::from(path));
    }
    let is_plain = !url.contains("://") && url.split('/').next().is_some_and(|first| !first.contains(':'));
    is_plain.then(|| PathBuf::from(url))
}

fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split('/').next()?.rsplit('@').next()?;
    host.split(':').next().filter(|host| !host.is_empty())
}

/// The store at an address; `trusted` if what opens it may be sent there.
fn at(workspace: &Workspace, url: &str, trusted: bool) -> Source {
    if let Some(folder) = folder_of(url) {
        return Source::Folder(workspace.top().join(folder).join("objects"));
    }
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let (place, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, host) = place.rsplit_once('@').map_or((None, place), |(user, host)| (Some(user), host));
    let url = format!("{scheme}://{host}/{}", path.trim_end_matches('/'));
    let login = trusted.then(|| login_for(workspace, &url, scheme, host, path, user)).flatten();
    Source::Server(Server { url, login })
}

/// What opens a server: what its address says, a header of Git's configuration, or Git's credential helpers.
fn login_for(
    workspace: &Workspace,
    url: &str,
    scheme: &str,
    host: &str,
    path: &str,
    user: Option<&str>,
) -> Option<(String, String)> {
    if let Some((user, password)) = user.and_then(|user| user.split_once(':')) {
        return web::basic(user, password);
    }
    let repository = workspace.repository();
    let header = repository.program().args(["config", "--get-urlmatch", "http.extraheader", url]).text();
    if let Some((name, value)) = header.ok().as_deref().and_then(|header| header.split_once(':')) {
        return Some((name.trim().to_owned(), value.trim().to_owned()));
    }
    let (user, password) = repository.login(scheme, host, path, user)?;
    web::basic(&user, &password)
}

impl Server {
    /// How each of these contents may be had, by its id.
    ///
    /// # Errors
    ///
    /// [`WebError`] when the server does not answer, or not in its language.
    pub fn offers(&self, wanted: &[&LfsPointer]) -> Result<HashMap<String, Offer>, WebError> {
        let mut offers = HashMap::new();
        for some in wanted.chunks(AT_ONCE) {
            let objects: Vec<_> =
                some.iter().map(|it| serde_json::json!({"oid": it.oid, "size": it.size})).collect();
            let asked = serde_json::json!({
                "operation": "download", "transfers": ["basic"], "hash_algo": "sha256", "objects": objects,
            });
            let mut headers: Vec<(String, String)> = [("Accept", JSON), ("Content-Type", JSON)]
                .map(|(name, value)| (name.into(), value.into()))
                .into();
            headers.extend(self.login.clone());
            let url = format!("{}/objects/batch", self.url);
            let body = Some(asked.to_string().into_bytes());
            let said = match web::ask(&WebRequest { url: url.clone(), headers, body }) {
                // Some servers say so of all at once what others say of each.
                Err(error) if matches!(error.status(), Some(404 | 410 | 422)) => {
                    let refused = |it: &&LfsPointer| (it.oid.clone(), Offer::Refused(error.to_string()));
                    offers.extend(some.iter().map(refused));
                    continue;
                }
                said => said?,
            };
            let answer: Answer = serde_json::from_slice(&said).map_err(|_| WebError::Unreachable {
                address: web::shown(&url),
                said: "what answers there is no server of Git LFS".into(),
            })?;
            offers.extend(answer.objects.into_iter().map(|object| (object.oid.clone(), self.offer(object))));
        }
        Ok(offers)
    }

    fn offer(&self, object: AnsweredObject) -> Offer {
        let refused = |said: &str| Offer::Refused(said.chars().take(200).collect());
        if let Some(error) = object.error {
            return refused(&error.message);
        }
        let Some(action) = object.actions.get("download") else {
            return refused("the server does not have it");
        };
        let mut headers: Vec<_> =
            action.header.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        // A server that serves the bytes itself knows who asks by the same header.
        let is_same = host_of(&action.href) == host_of(&self.url);
        let is_open = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let is_signed = action.href.contains('?');
        if is_same && !is_open && !is_signed {
            headers.extend(self.login.clone());
        }
        Offer::Download(WebRequest { url: action.href.clone(), headers, body: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_folders_are_told_apart() {
        assert_eq!(host_of("https://u:p@host:8443/x"), Some("host"));
        assert_eq!(host_of("git@host:x/y"), Some("host"));
        assert_eq!(folder_of("file:///srv/x.git"), Some(PathBuf::from("/srv/x.git")));
        assert_eq!(folder_of("../x"), Some(PathBuf::from("../x")));
        assert_eq!(folder_of("git@host:x"), None);
        assert_eq!(folder_of("https://host/x"), None);
    }
}
