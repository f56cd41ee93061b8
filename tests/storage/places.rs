//! The remotes that the suite runs over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git_ml::base::RandomId;
use git_ml::storage::remote::{Access, Login, Remote, RemoteError, RemoteOptions, RemoteUrl};
use tempfile::TempDir;

/// A remote that nobody else uses, with whatever must live as long.
pub struct PlaceOfTest {
    pub remote: Remote,
    _folder: Option<TempDir>,
}

/// One remote of each kind that this machine has and that can be written.
pub fn every_kind() -> Vec<PlaceOfTest> {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("remote").display().to_string();
    let in_folder = open(&url, &[]).unwrap();
    let mut places = vec![
        PlaceOfTest { remote: Remote::memory().unwrap(), _folder: None },
        PlaceOfTest { remote: in_folder, _folder: Some(folder) },
    ];
    let unique = RandomId::generate();
    let services = [bucket(), bad_bucket(), container(), google_bucket(), webdav(), ssh_server()];
    for service in services.into_iter().flatten() {
        let remote = service.open(&unique.to_string()).unwrap();
        places.push(PlaceOfTest { remote, _folder: None });
    }
    places
}

/// A service of `tests/run`.
pub struct ServiceOfTest {
    pub url: String,
    pub options: Vec<(&'static str, String)>,
    pub access: Access,
}

impl ServiceOfTest {
    /// Opens the remote at a path below.
    pub fn open(&self, below: &str) -> Result<Remote, RemoteError> {
        let options: Vec<_> = self.options.iter().map(|(key, value)| (*key, value.as_str())).collect();
        open_as(&format!("{}/{below}", self.url), &options, &self.access)
    }

    /// The same with another option.
    pub fn with(mut self, key: &'static str, value: &str) -> Self {
        self.options.retain(|(known, _)| *known != key);
        self.options.push((key, value.to_owned()));
        self
    }
}

/// A variable of `tests/run`. Without it there is nothing to test, unless `tests/run` has promised it.
fn promised(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    let is_promised = std::env::var_os("GIT_ML_TEST_REQUIRE").is_some();
    assert!(value.is_some() || !is_promised, "GIT_ML_TEST_REQUIRE is set, and {name} is not");
    if value.is_none() {
        println!("skipped: {name} needs tests/run");
    }
    value
}

fn service(url: String, options: &[(&'static str, &str)]) -> ServiceOfTest {
    let options = options.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    ServiceOfTest { url, options, access: Access::default() }
}

/// A bucket of S3 on SeaweedFS.
pub fn bucket() -> Option<ServiceOfTest> {
    let (bucket, endpoint) = promised("GIT_ML_TEST_S3_BUCKET").zip(promised("GIT_ML_TEST_S3_ENDPOINT"))?;
    Some(service(format!("s3://{bucket}"), &[("endpoint", &endpoint)]))
}

/// A bucket of `rclone serve s3`, which ignores every condition of a request.
pub fn bad_bucket() -> Option<ServiceOfTest> {
    let endpoint = promised("GIT_ML_TEST_BAD_S3_ENDPOINT")?;
    Some(service("s3://git-ml-tests".into(), &[("endpoint", &endpoint)]))
}

/// A container of Azurite.
pub fn container() -> Option<ServiceOfTest> {
    let endpoint = promised("GIT_ML_TEST_AZURE_ENDPOINT")?;
    Some(service("az://git-ml-tests".into(), &[("endpoint", &endpoint)]))
}

/// A bucket of fake-gcs-server.
pub fn google_bucket() -> Option<ServiceOfTest> {
    let endpoint = promised("GIT_ML_TEST_GOOGLE_ENDPOINT")?;
    Some(service("gs://git-ml-tests".into(), &[("endpoint", &endpoint), ("anonymous", "true")]))
}

/// A WebDAV server that wants a password.
pub fn webdav() -> Option<ServiceOfTest> {
    let url = promised("GIT_ML_TEST_WEBDAV")?;
    let login = promised("GIT_ML_TEST_WEBDAV_USER").zip(promised("GIT_ML_TEST_WEBDAV_PASSWORD"));
    let login = login.map(|(user, password)| Login::new(user, password));
    Some(ServiceOfTest { access: Access { trusted: true, login, ..Access::default() }, ..service(url, &[]) })
}

/// A folder of an SSH server, and the `ssh` that reaches it without a question.
pub fn ssh_server() -> Option<ServiceOfTest> {
    let (url, ssh) = promised("GIT_ML_TEST_SFTP").zip(promised("GIT_ML_TEST_SSH"))?;
    Some(ServiceOfTest { access: Access { ssh: Some(ssh), ..Access::default() }, ..service(url, &[]) })
}

/// A web server and the folder that it shows.
pub fn web_server() -> Option<(ServiceOfTest, PathBuf)> {
    let (url, folder) = promised("GIT_ML_TEST_HTTP").zip(promised("GIT_ML_TEST_HTTP_FOLDER"))?;
    Some((service(url, &[]), folder.into()))
}

/// Opens a remote as `ml.toml` would.
pub fn open(url: &str, options: &[(&str, &str)]) -> Result<Remote, RemoteError> {
    open_as(url, options, &Access::default())
}

/// Opens a remote as `ml.toml` would, with what the user brings.
pub fn open_as(url: &str, options: &[(&str, &str)], access: &Access) -> Result<Remote, RemoteError> {
    let url = RemoteUrl::parse(url).unwrap();
    let map: BTreeMap<String, String> =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Remote::open(&url, &RemoteOptions::from_map(&url, &map).unwrap(), access, Path::new("/"))
}
