//! The whole way over real services, with real `git`: see tests/run.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::support::{Place, Sandbox};

/// A variable of `tests/run`; none elsewhere, said aloud.
fn promised(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    let is_promised = std::env::var_os("GIT_ML_TEST_REQUIRE").is_some();
    assert!(value.is_some() || !is_promised, "GIT_ML_TEST_REQUIRE is set, and {name} is not");
    if value.is_none() {
        println!("skipped: {name} needs tests/run");
    }
    value
}

/// The bucket of `tests/run` with its endpoint.
fn bucket() -> Option<(String, String)> {
    let bucket = promised("GIT_ML_TEST_S3_BUCKET").zip(promised("GIT_ML_TEST_S3_ENDPOINT"));
    let unique = std::process::id();
    bucket.map(|(bucket, endpoint)| (format!("s3://{bucket}/cli-{unique}"), endpoint))
}

/// What opens the services of `tests/run`.
const CREDENTIALS: [&str; 4] =
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY"];

/// The place with the credentials of `tests/run`.
fn with_credentials(place: Place) -> Place {
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    let place = place.with("GIT_SSH_COMMAND", &value("GIT_ML_TEST_SSH"));
    CREDENTIALS.into_iter().fold(place, |place, name| place.with(name, &value(name)))
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
    there.run("git mldata add data/images && git commit -qm more && git mldata remote trust store").ok();
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
        .tells("cannot be reached")
        .lacks("transferred");
    place.run("git mldata push").ok().shows("sent 1 version");
}

/// A service, with what `git mldata remote add` is told of it.
struct ServiceOfTest {
    name: &'static str,
    url: String,
    options: String,
}

/// The services of `tests/run` beside SeaweedFS.
fn other_services() -> Vec<ServiceOfTest> {
    let mut services = Vec::new();
    let unique = std::process::id();
    let mut add = |name, url: Option<String>, options: String| {
        services.extend(url.map(|url| ServiceOfTest { name, url: format!("{url}/cli-{unique}"), options }));
    };
    let endpoint = |name| promised(name).map(|endpoint| format!("-o endpoint={endpoint}"));
    let bucket =
        |scheme: &str, options: &Option<String>| options.as_ref().map(|_| format!("{scheme}://git-ml-tests"));
    let options = endpoint("GIT_ML_TEST_BAD_S3_ENDPOINT");
    add("bad-s3", bucket("s3", &options), options.unwrap_or_default());
    let options = endpoint("GIT_ML_TEST_AZURE_ENDPOINT");
    add("azure", bucket("az", &options), options.unwrap_or_default());
    let options = endpoint("GIT_ML_TEST_GOOGLE_ENDPOINT");
    add("google", bucket("gs", &options), options.unwrap_or_default() + " -o anonymous=true");
    add("webdav", promised("GIT_ML_TEST_WEBDAV"), String::new());
    add("sftp", promised("GIT_ML_TEST_SFTP"), String::new());
    services
}

/// Lets Git know the password of the WebDAV server, as a user would.
fn keep_password(place: &Place) {
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    place.run("git config --global credential.helper store").ok();
    let host = value("GIT_ML_TEST_WEBDAV");
    let host = host.trim_start_matches("webdav://");
    let (user, password) = (value("GIT_ML_TEST_WEBDAV_USER"), value("GIT_ML_TEST_WEBDAV_PASSWORD"));
    let asked = format!("protocol=http\\nhost={host}\\nusername={user}\\npassword={password}\\n");
    place.run(&format!("printf '{asked}' | git credential approve")).ok();
}

#[test]
fn data_goes_to_every_service_and_comes_back() {
    for service in other_services() {
        println!("{}", service.name);
        let sandbox = Sandbox::new();
        sandbox.folder("origin.git").run("git init -q --bare .").ok();
        let place = with_credentials(sandbox.repository("here"));
        keep_password(&place);
        place.run("git remote add origin ../origin.git && git mldata init -q --no-hooks").ok();
        let ServiceOfTest { url, options, .. } = &service;
        place.run(&format!("git mldata remote add store {url} {options}")).ok().shows("reachable as");
        place.write("data/train.csv", "id,mass\n1,3750\n2,3800\n");
        place.write("data/images/a/1.png", noise(2_000_000));
        place.write("data/images/b/2.png", noise(70_000));
        place.run("git mldata add data/train.csv data/images && git commit -qm data").ok();
        place.run("git push -q origin main && git mldata push").ok().shows("sent 2 versions to 'store'");
        place.run("git mldata push").ok().shows("everything is on 'store'");

        with_credentials(sandbox.folder(".")).run("git clone -q origin.git there").ok();
        let there = with_credentials(sandbox.folder("there"));
        if service.name == "webdav" {
            there
                .run("git mldata pull --no-setup")
                .fails(128)
                .tells("the credentials are not accepted")
                .tells("hint: ")
                .tells("git mldata remote trust store");
        }
        there.run("git mldata remote trust store").ok().shows("remote 'store' trusted");
        there.run("git mldata pull --no-setup data/images/b").ok();
        assert!(!there.has("data/images/a"), "only what was asked for");
        there.run("git mldata pull --no-setup").ok();
        for path in ["data/train.csv", "data/images/a/1.png", "data/images/b/2.png"] {
            assert!(
                there.read(path) == place.read(path),
                "{}: {path} came back with other bytes",
                service.name
            );
        }
        there.write("data/images/b/3.png", noise(50_000));
        there.run("git mldata add data/images && git commit -qm more && git mldata push").ok();
        there.run("git mldata status").ok().shows("if this disk dies, nothing is lost");
    }
}

/// A day of the future on which something is done.
fn on_day(day: u64, line: &str) -> String {
    format!("{line} --now $(($(date +%s) + {day} * 86400))")
}

#[test]
fn what_no_ref_names_any_more_goes_from_every_service_and_nothing_else_does() {
    let mut services = other_services();
    services.extend(bucket().map(|(url, endpoint)| ServiceOfTest {
        name: "s3",
        url,
        options: format!("-o endpoint={endpoint}"),
    }));
    for ServiceOfTest { name, url, options } in services {
        println!("{name}");
        let sandbox = Sandbox::new();
        sandbox.folder("origin.git").run("git init -q --bare .").ok();
        let place = with_credentials(sandbox.repository("here"));
        keep_password(&place);
        place.run("git remote add origin $(dirname $PWD)/origin.git && git mldata init -q --no-hooks").ok();
        place.run(&format!("git mldata remote add store {url}/collected {options}")).ok();
        let version = |name: &str, bytes: &[u8]| {
            place.write("data/a.bin", bytes);
            place
                .run(&format!("git mldata add -q data/a.bin && git commit -qm {name} && git mldata push -q"))
                .ok();
        };
        version("one", &noise(300_000));
        place.run("git switch -qc idea").ok();
        version("idea", &noise(400_000)[100_000..]);
        place.run("git push -q origin main idea && git push -q origin :idea").ok();

        place.run("git clone -q $(dirname $PWD)/origin.git ../there").ok();
        let there = with_credentials(sandbox.folder("there"));
        let gc = |day| on_day(day, "git mldata gc --remote store --yes --json");
        there.run(&gc(1)).fails(128).tells("nothing was sent there from this clone yet");
        there.run("git mldata remote trust store && git mldata pull -q --no-setup").ok();
        there.run(&on_day(40, "git mldata remote forget store --yes")).ok().shows("forgot 1 of 2 records");
        let deleted = [41, 50, 52, 60].map(|day| {
            let told = there.run(&gc(day)).ok().json();
            told[0]["deleted"]["packs"].as_u64().expect("a count")
        });
        assert_eq!(deleted.iter().sum::<u64>(), 1, "{name}: the pack of the version that went: {deleted:?}");
        there.run("rm -r .git/ml data/a.bin && git mldata pull -q").ok();
        assert!(there.read("data/a.bin") == noise(300_000), "{name}");
        // Whoever has the other version still sends it again.
        place.run("git mldata push").ok().shows("sent 1 version to 'store'");
    }
}

#[test]
fn a_mirror_on_a_web_server_is_read() {
    let Some((url, folder)) = promised("GIT_ML_TEST_HTTP").zip(promised("GIT_ML_TEST_HTTP_FOLDER")) else {
        return;
    };
    let unique = format!("mirror-{}", std::process::id());
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("here");
    place.run(&format!("git mldata remote add store {folder}/{unique}")).ok();
    place.write("data/a.bin", noise(300_000));
    place.write("data/b.txt", "text");
    place.run("git mldata add data && git commit -qm data && git mldata push").ok();
    sandbox.folder(".").run("git clone -q here there").ok();
    let there = sandbox.folder("there");
    there.run(&format!("git config mldata.store.url {url}/{unique}")).ok();
    there.run("git mldata pull --no-setup").ok();
    assert!(there.read("data/a.bin") == place.read("data/a.bin"));
    there.write("data/c.txt", "new");
    there.run("git mldata add data && git commit -qm new").ok();
    there.run("git mldata push").fails(128).tells("it can only be read").tells("hint: ");
}

/// The proxy of `tests/faulty_proxy.py` before a service.
struct FaultyProxy {
    process: Child,
    address: String,
    told: BufReader<std::process::ChildStdout>,
}

impl FaultyProxy {
    fn before(endpoint: &str, seed: u32) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faulty_proxy.py");
        let mut command = Command::new("python3");
        command.args([script, endpoint, &seed.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("python3");
        let mut told = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut address = String::new();
        told.read_line(&mut address).expect("its address");
        Self { process, address: address.trim().to_owned(), told }
    }

    /// What it did.
    fn end(mut self) -> String {
        drop(self.process.stdin.take());
        let mut counts = String::new();
        self.told.read_to_string(&mut counts).expect("its counts");
        self.process.wait().expect("its end");
        counts
    }
}

#[test]
fn a_network_that_fails_now_and_then_is_survived() {
    let Some((url, endpoint)) = bucket() else { return };
    for seed in 1..=3 {
        let proxy = FaultyProxy::before(&endpoint, seed);
        let sandbox = Sandbox::new();
        let place = with_credentials(sandbox.data_repository("here"));
        let url = format!("{url}/faulty-{seed}");
        place.run(&format!("git mldata remote add store {url} -o endpoint={}", proxy.address)).ok();
        for version in 0..8_u8 {
            for file in 0..20 {
                place.write(&format!("data/{version}/{file}.bin"), noise(20_000 + 7_000 * file));
            }
            place.write("data/large.bin", [&[version; 500_000], noise(400_000).as_slice()].concat());
            place.run(&format!("git mldata add data && git commit -qm {version}")).ok();
            place.run("git mldata push").ok();
        }
        with_credentials(sandbox.folder(".")).run("git clone -q here there").ok();
        let there = with_credentials(sandbox.folder("there"));
        there.run("git mldata pull --no-setup").ok();
        for version in 0..8 {
            for file in 0..20 {
                let path = format!("data/{version}/{file}.bin");
                assert!(there.read(&path) == place.read(&path), "{path}");
            }
        }
        println!("{}", proxy.end());
    }
}

/// Everything that lies below a folder, as bytes; objects of Git unpacked.
fn everything_written(sandbox: &Sandbox) -> Vec<u8> {
    let mut all = Vec::new();
    let mut folders = vec![sandbox.path()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with(".git-credentials") {
                all.extend(std::fs::read(&path).unwrap_or_default());
            }
        }
    }
    all
}

/// What every command of the session said, and how it ended.
fn session(place: &Place, lines: &[&str]) -> String {
    let mut said = String::new();
    for line in lines {
        let output = place.shell(line).output().expect("a shell");
        said += &format!("{line}\n{}", String::from_utf8_lossy(&output.stdout));
        said += &String::from_utf8_lossy(&output.stderr);
    }
    said
}

#[test]
fn a_secret_is_written_nowhere() {
    let planted = "Planted7Secret7Of7The7Tests7";
    let base64 = "UGxhbnRlZDdTZWNyZXQ3T2Y3VGhlN1Rlc3RzNw==";
    let endpoints = [
        "GIT_ML_TEST_S3_ENDPOINT",
        "GIT_ML_TEST_AZURE_ENDPOINT",
        "GIT_ML_TEST_GOOGLE_ENDPOINT",
        "GIT_ML_TEST_WEBDAV",
        "GIT_ML_TEST_SFTP",
    ];
    let Some(endpoints) = endpoints.into_iter().map(promised).collect::<Option<Vec<_>>>() else { return };
    let [s3, azure, google, webdav, sftp] = &endpoints[..] else { return };
    let sandbox = Sandbox::new();
    let place = sandbox.data_repository("here");
    let place =
        place.with("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST").with("AWS_SECRET_ACCESS_KEY", planted);
    let place = place.with("AWS_SESSION_TOKEN", planted).with("AZURE_STORAGE_ACCOUNT", "devstoreaccount1");
    let key = place.with("AZURE_STORAGE_KEY", base64);
    let signature = place.with("AZURE_STORAGE_SAS_TOKEN", &format!("sv=2021-12-02&sig={planted}"));
    let google_key = format!(
        r#"{{"type": "service_account", "client_email": "ci@acme.example", "private_key": "{planted}"}}"#
    );
    let home = sandbox.path().join("home");
    std::fs::write(home.join(".git-credentials"), &google_key).expect("a file");
    let token =
        place.with("GOOGLE_APPLICATION_CREDENTIALS", home.join(".git-credentials").to_str().expect("UTF-8"));
    place.write("x.bin", noise(100_000));
    let mut said = session(&place, &["git mldata add x.bin", "git commit -qm x"]);
    let adds = [
        (&place, format!("git mldata remote add s3 s3://git-ml-tests/secret -o endpoint={s3}")),
        (&key, format!("git mldata remote add key az://git-ml-tests/secret -o endpoint={azure}")),
        (&signature, format!("git mldata remote add sas az://git-ml-tests/secret -o endpoint={azure}")),
        (&token, format!("git mldata remote add gs gs://git-ml-tests/secret -o endpoint={google}")),
        (&place, format!("git mldata remote add dav webdav://ada:{planted}@host/secret")),
        (&place, format!("git mldata remote add dav2 {webdav}/secret --json")),
        (&place, "git mldata remote add opt s3://git-ml-tests/secret -o secret_access_key=x".to_owned()),
    ];
    // What the user typed is the user's; what we said about it is looked at.
    let shown =
        |place: &Place, line: &str| session(place, &[line]).split_once('\n').unwrap_or_default().1.to_owned();
    for (place, line) in &adds {
        said += &shown(place, line);
    }
    let team = place.text("ml.toml");
    let remote =
        |name: &str, url: &str, endpoint: &str| format!("[remote.{name}]\nurl = \"{url}\"\n{endpoint}");
    let told = |endpoint: &str| format!("endpoint = \"{endpoint}\"\n");
    let remotes = [
        remote("s3", "s3://git-ml-tests/secret", &told(s3)),
        remote("key", "az://git-ml-tests/secret", &told(azure)),
        remote("sas", "az://git-ml-tests/secret", &told(azure)),
        remote("gs", "gs://git-ml-tests/secret", &told(google)),
        remote("dav", &format!("{webdav}/secret"), ""),
    ];
    place.write("ml.toml", team + &remotes.concat());
    let helper =
        format!("git config credential.helper '!f() {{ echo username=ada; echo password={planted}; }}; f'");
    let _ = place.shell(&helper.replace("git config", "git config --file ../home/.git-credentials")).output();
    let place = place.with("GIT_CONFIG_COUNT", "1").with("GIT_CONFIG_KEY_0", "credential.helper");
    let place = place
        .with("GIT_CONFIG_VALUE_0", &format!("!f() {{ echo username=ada; echo password={planted}; }}; f"));
    for (as_whom, name) in
        [(&place, "s3"), (&key, "key"), (&signature, "sas"), (&token, "gs"), (&place, "dav")]
    {
        for line in
            ["push REMOTE", "push REMOTE --json", "pull REMOTE --json", "remote trust REMOTE", "push REMOTE"]
        {
            let line = format!("git mldata {}", line.replace("REMOTE", name));
            let said_now = shown(as_whom, &line);
            assert!(
                said_now.contains("error: ")
                    || line.contains("trust")
                    || line.contains("pull")
                    || name == "gs",
                "{line}: {said_now}"
            );
            said += &said_now;
        }
    }
    // An address with a password is refused; what the command for ssh holds stays there, whether it works or not.
    let ssh = std::env::var("GIT_ML_TEST_SSH").unwrap_or_default();
    let works = place.with("GIT_SSH_COMMAND", &format!("{ssh} -o SetEnv=TOKEN={planted}"));
    let fails = place.with("GIT_SSH_COMMAND", &format!("sh -c 'echo refused >&2; exit 1' {planted}"));
    said += &shown(&works, &format!("git mldata remote add typed sftp://ada:{planted}@host/secret"));
    let add = format!("git mldata remote add ssh {sftp}/secret-{}", std::process::id());
    let refused = shown(&fails, &add);
    assert!(refused.contains("error: ") && refused.contains("refused"), "{refused}");
    let sent = shown(&works, &format!("{add} && git mldata push ssh --json && git mldata fsck --remote ssh"));
    assert!(sent.contains("\"sent\""), "{sent}");
    said += &(refused + &sent);
    said += &shown(&place, "git mldata remote list --json");
    said += &shown(&place, "git mldata status --json");
    said += &shown(&place, "git cat-file --batch-all-objects --batch");
    assert!(said.contains("not accepted"), "{said}");
    let written = everything_written(&sandbox);
    for secret in [planted, base64, base64.trim_end_matches('=')] {
        assert!(!said.contains(secret), "it was said:\n{said}");
        let found = written.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "a file holds the secret");
    }
}
