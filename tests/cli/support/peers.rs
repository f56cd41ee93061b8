//! Other tools, the real ones: DVC, Git LFS, a server of Git LFS. `tests/run` brings them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::Place;

/// The folder of programs that `tests/run` made for this; none elsewhere, said aloud.
pub fn peers() -> Option<String> {
    let folder = std::env::var("GIT_ML_TEST_PEERS").ok();
    let is_promised = std::env::var_os("GIT_ML_TEST_REQUIRE").is_some();
    assert!(folder.is_some() || !is_promised, "GIT_ML_TEST_REQUIRE is set, and GIT_ML_TEST_PEERS is not");
    if folder.is_none() {
        println!("skipped: GIT_ML_TEST_PEERS needs tests/run");
    }
    folder
}

/// The place with these programs on its PATH, and nothing of them outside of the sandbox.
pub fn with_peers(place: &Place, peers: &str) -> Place {
    let built = Path::new(env!("CARGO_BIN_EXE_git-mldata")).parent().expect("a folder").display().to_string();
    let path = std::env::var("PATH").expect("a PATH");
    let cache = place.path().with_extension("dvc-site").display().to_string();
    let place = place.with("PATH", &format!("{built}:{peers}:{path}"));
    place.with("DVC_NO_ANALYTICS", "1").with("DVC_SITE_CACHE_DIR", &cache)
}

/// A server of Git LFS; it ends with this.
pub struct LfsServer {
    /// Its address.
    pub url: String,
    process: Child,
}

impl LfsServer {
    /// Starts one that keeps its objects in `folder`; with a `login` it lets only that user in.
    pub fn start(peers: &str, folder: &Path, login: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lfs_server.py");
        let mut server = Command::new(format!("{peers}/python"));
        server.arg(script).arg(folder).args(login).stdin(Stdio::null()).stderr(Stdio::null());
        let mut process = server.stdout(Stdio::piped()).spawn().expect("a server of Git LFS");
        let mut url = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut url).expect("its address");
        Self { url: url.trim().to_owned(), process }
    }
}

impl Drop for LfsServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}
