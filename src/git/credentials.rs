//! Passwords out of Git's credential helpers.

use super::repository::Repository;

impl Repository {
    /// Name and password that the credential helpers know for a place; `None` where they know none. Nobody is asked at the
    /// terminal: a place may need no password at all.
    pub fn login(
        &self,
        protocol: &str,
        host: &str,
        path: &str,
        user: Option<&str>,
    ) -> Option<(String, String)> {
        let mut asked = format!("protocol={protocol}\nhost={host}\npath={path}\n");
        if let Some(user) = user {
            if user.contains(['\n', '\0']) {
                return None;
            }
            asked += &format!("username={user}\n");
        }
        let program = self.program().args(["credential", "fill"]).input(asked + "\n");
        let told = program.env("GIT_TERMINAL_PROMPT", "0").env("SSH_ASKPASS", "").text().ok()?;
        let value = |key: &str| told.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        Some((value("username")?.to_owned(), value("password")?.to_owned()))
    }
}
