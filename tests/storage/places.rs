//! The remotes that the suite runs over.

use std::collections::BTreeMap;
use std::path::Path;

use git_ml::base::RandomId;
use git_ml::storage::remote::{Remote, RemoteError, RemoteOptions, RemoteUrl};
use tempfile::TempDir;

/// A remote that nobody else uses, with whatever must live as long.
pub struct PlaceOfTest {
    pub remote: Remote,
    _folder: Option<TempDir>,
}

/// One remote of each kind that this machine has.
pub fn every_kind() -> Vec<PlaceOfTest> {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("remote").display().to_string();
    let in_folder = open(&url, &[]).unwrap();
    let mut places = vec![
        PlaceOfTest { remote: Remote::memory().unwrap(), _folder: None },
        PlaceOfTest { remote: in_folder, _folder: Some(folder) },
    ];
    match bucket() {
        Some((url, endpoint)) => {
            let prefix = format!("{url}/{}", RandomId::generate());
            let remote = open(&prefix, &[("endpoint", &endpoint)]).unwrap();
            places.push(PlaceOfTest { remote, _folder: None });
        }
        None => println!("S3 tests need tests/run"),
    }
    places
}

/// Address and endpoint of the bucket for tests. Without it there is nothing to test, unless `tests/run` has promised one.
pub fn bucket() -> Option<(String, String)> {
    let found = |name| std::env::var(name).ok();
    let bucket = found("GIT_ML_TEST_S3_BUCKET").zip(found("GIT_ML_TEST_S3_ENDPOINT"));
    let is_promised = std::env::var_os("GIT_ML_TEST_REQUIRE").is_some();
    assert!(bucket.is_some() || !is_promised, "GIT_ML_TEST_REQUIRE is set, and there is no bucket");
    bucket.map(|(bucket, endpoint)| (format!("s3://{bucket}"), endpoint))
}

/// Opens a remote as `ml.toml` would.
pub fn open(url: &str, options: &[(&str, &str)]) -> Result<Remote, RemoteError> {
    let url = RemoteUrl::parse(url).unwrap();
    let map: BTreeMap<String, String> =
        options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Remote::open(&url, &RemoteOptions::from_map(&url, &map).unwrap(), Path::new("/"))
}
