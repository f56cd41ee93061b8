//! Addresses of files, and what of them may be kept.

/// Words in the names of parameters that carry secrets.
const SECRET: [&str; 12] = [
    "token",
    "sig",
    "secret",
    "password",
    "passwd",
    "pwd",
    "auth",
    "credential",
    "key",
    "signature",
    "session",
    "x-amz-",
];

/// An address, and what opens it, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What may be kept in a pointer.
    pub kept: String,
    /// What is asked.
    pub asked: String,
    /// User and password, where the address has them.
    pub login: Option<(String, String)>,
    /// Whether parameters were left out of what is kept.
    pub shortened: bool,
}

impl Address {
    /// Takes an address apart. One without a scheme is a file of this machine.
    pub fn of(text: &str) -> Self {
        let Some((scheme, rest)) = text.split_once("://") else {
            let path =
                std::path::absolute(text).map_or_else(|_| text.to_owned(), |path| path.display().to_string());
            let path = format!("file://{path}");
            return Self { kept: path.clone(), asked: path, login: None, shortened: false };
        };
        let scheme = scheme.to_ascii_lowercase();
        let rest = rest.split('#').next().unwrap_or_default();
        if !matches!(scheme.as_str(), "http" | "https") {
            let text = format!("{scheme}://{rest}");
            return Self { kept: text.clone(), asked: text, login: None, shortened: false };
        }
        let (host, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        let (user, host) = host.rsplit_once('@').map_or((None, host), |(user, host)| (Some(user), host));
        let login = user.and_then(|user| user.split_once(':'));
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        let asked = format!("{scheme}://{host}{path}");
        let (plain, query) =
            asked.split_once('?').map_or((asked.as_str(), None), |(plain, query)| (plain, Some(query)));
        let shortened = query.is_some_and(has_secret);
        let kept = if shortened { plain.to_owned() } else { asked.clone() };
        Self { kept, asked, login, shortened }
    }

    /// Scheme, host and path of an address of the web.
    pub fn web(&self) -> Option<(&str, &str, &str)> {
        let (scheme, rest) = self.asked.split_once("://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        matches!(scheme, "http" | "https").then_some((scheme, host, path))
    }

    /// The file of this machine that it names.
    pub fn file(&self) -> Option<&str> {
        self.asked.strip_prefix("file://")
    }
}

fn has_secret(query: &str) -> bool {
    query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        SECRET.iter().any(|word| name.contains(word))
    })
}

/// The address of a repository without user and password.
pub fn repository_kept(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
            let host = match host.rsplit_once('@') {
                // The user of SSH opens nothing by itself.
                Some((user, host)) if scheme.contains("ssh") && !user.contains(':') => {
                    format!("{user}@{host}")
                }
                Some((_, host)) => host.to_owned(),
                None => host.to_owned(),
            };
            path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_kept() {
        let address = Address::of("https://ada:hunter2@host/x.csv?X-Amz-Signature=abc&v=1#frag");
        assert_eq!((address.kept.as_str(), address.shortened), ("https://host/x.csv", true));
        assert_eq!(address.asked, "https://host/x.csv?X-Amz-Signature=abc&v=1");
        assert_eq!(address.login, Some(("ada".into(), "hunter2".into())));
        let address = Address::of("https://host/x.csv?format=csv&v=1");
        assert_eq!((address.kept.as_str(), address.shortened), ("https://host/x.csv?format=csv&v=1", false));
        assert_eq!(repository_kept("https://u:p@h/r.git"), "https://h/r.git");
        assert_eq!(repository_kept("ssh://git@h/r.git"), "ssh://git@h/r.git");
        assert_eq!(repository_kept("git@h:r.git"), "git@h:r.git");
    }

    #[test]
    fn a_path_is_a_file_of_this_machine() {
        assert_eq!(Address::of("/srv/x.csv").file(), Some("/srv/x.csv"));
        assert_eq!(Address::of("file:///srv/x.csv").file(), Some("/srv/x.csv"));
        assert!(Address::of("s3://b/x").file().is_none() && Address::of("s3://b/x").web().is_none());
    }
}
