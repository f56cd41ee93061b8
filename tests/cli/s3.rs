//! The whole way over a real S3 service, with real `git`: see tests/run.

use crate::support::{Place, Sandbox};

/// The bucket of `tests/run` with its endpoint; none elsewhere, said aloud.
fn bucket() -> Option<(String, String)> {
    let found = |name: &str| std::env::var(name).ok();
    let bucket = found("GIT_ML_TEST_S3_BUCKET").zip(found("GIT_ML_TEST_S3_ENDPOINT"));
    let is_promised = std::env::var_os("GIT_ML_TEST_REQUIRE").is_some();
    assert!(bucket.is_some() || !is_promised, "GIT_ML_TEST_REQUIRE is set, and there is no bucket");
    if bucket.is_none() {
        println!("S3 tests need tests/run");
    }
    let unique = std::process::id();
    bucket.map(|(bucket, endpoint)| (format!("s3://{bucket}/cli-{unique}"), endpoint))
}

/// The place with the credentials of `tests/run`.
fn with_credentials(place: Place) -> Place {
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    let place = place.with("AWS_ACCESS_KEY_ID", &value("AWS_ACCESS_KEY_ID"));
    place.with("AWS_SECRET_ACCESS_KEY", &value("AWS_SECRET_ACCESS_KEY"))
}

/// Bytes that do not compress, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn data_models_and_runs_go_to_a_bucket_and_come_back() {
    let Some((url, endpoint)) = bucket() else { return };
    let sandbox = Sandbox::new();
    sandbox.folder("origin.git").run("git init -q --bare .").ok();
    let place = with_credentials(sandbox.repository("here"));
    place.run("git remote add origin ../origin.git && git mldata init -q --no-hooks").ok();
    place
        .run(&format!("git mldata remote add store {url}/whole --option endpoint={endpoint}"))
        .ok()
        .shows("reachable as")
        .lacks(&std::env::var("AWS_SECRET_ACCESS_KEY").unwrap_or_default());
    place.write("data/train.csv", "id,mass\n1,3750\n2,3800\n");
    place.write("data/images/a/1.png", noise(3_000_000));
    place.write("data/images/b/2.png", noise(70_000));
    place.run("git mldata add data/train.csv data/images && git commit -qm data").ok();
    place.run("git mlrun exec -q --name train -i data/train.csv -o model.bin -- cp data/images/b/2.png model.bin").ok();
    place.run("git add . && git commit -qm model").ok();
    place.run("git push -q origin main").ok();
    place.run("git mldata push").ok().shows("sent 3 versions to 'store'");
    place.run("git mldata push").ok().shows("everything is on 'store'");
    place.run("git mlmodel register digits model.bin").ok();
    place.run("git mlmodel promote digits@v0.0.1 prod").ok();
    place.run("git mlrun sync").ok();

    let clone = with_credentials(sandbox.folder("."));
    clone.run("git clone -q origin.git there").ok();
    let there = with_credentials(sandbox.folder("there"));
    there.run("git mldata pull --no-setup data/images/b").ok();
    assert!(!there.path().join("data/images/a").exists(), "only what was asked for");
    there.run("git mldata pull --no-setup").ok();
    for path in ["data/train.csv", "data/images/a/1.png", "data/images/b/2.png", "model.bin"] {
        assert!(there.read(path) == place.read(path), "{path} came back with other bytes");
    }
    there.run("git mldata status").ok().shows("if this disk dies, nothing is lost");
    there.run("git mlmodel show digits").ok().shows("v0.0.1");
    there.run("git mlrun sync && git mlrun lineage model.bin").ok().shows("data/train.csv");

    // A second version of a large folder sends what is new.
    there.write("data/images/b/3.png", noise(50_000));
    there.run("git mldata add data/images && git commit -qm more").ok();
    let sent = there.run("git mldata push --json").ok().json();
    let bytes = sent[0]["bytes"].as_u64().expect("bytes");
    assert!(bytes < 60_000, "sent {bytes} bytes for 50,000 new ones");
}

#[test]
fn a_bucket_that_refuses_says_why_and_loses_nothing() {
    let Some((url, endpoint)) = bucket() else { return };
    let sandbox = Sandbox::new();
    let place = with_credentials(sandbox.data_repository("repo"));
    place.run(&format!("git mldata remote add store {url}/refused --option endpoint={endpoint}")).ok();
    place.write("x.bin", "bytes");
    place.run("git mldata add x.bin").ok();
    let wrong = place.with("AWS_SECRET_ACCESS_KEY", "not-the-secret-of-anybody");
    wrong
        .run("git mldata push")
        .fails(128)
        .tells("error: ")
        .tells("credentials are not accepted")
        .tells("hint: ")
        .lacks("not-the-secret");
    place
        .run("git mldata remote add other s3://no-such-bucket-of-ours/x --option endpoint=http://127.0.0.1:9")
        .fails(128)
        .tells("cannot be reached");
    place.run("git mldata push").ok().shows("sent 1 version");
}
