//! Services that say no, or nothing.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use git_ml::base::{Advice, RandomId};
use git_ml::storage::durable::write_atomically;
use git_ml::storage::remote::{Access, Remote, RemoteError, RemoteErrorKind};

use crate::canned::{CLOSED, CUT, Canned};
use crate::places::{ServiceOfTest, bucket, container, google_bucket, open, open_as};

const SLOW_DOWN: &str = "<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>";
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
const BAD_SECRET: &str =
    "<Error><Code>SignatureDoesNotMatch</Code><Message>The signature does not match</Message></Error>";

fn at(service: &Canned) -> Remote {
    open("s3://acme/churn", &[("endpoint", &service.endpoint), ("anonymous", "true")]).unwrap()
}

fn hints(error: &RemoteError) -> String {
    error.hints().join("\n")
}

#[test]
fn what_is_permanent_is_asked_once() {
    for (body, kind) in [(DENIED, RemoteErrorKind::Denied), (BAD_SECRET, RemoteErrorKind::BadCredentials)] {
        let service = Canned::start(if body == DENIED { &[(403, DENIED)] } else { &[(403, BAD_SECRET)] });
        let error = at(&service).get("config").unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(service.asked().len(), 1);
        assert!(hints(&error).contains("no credentials were found"), "{}", hints(&error));
    }
}

#[test]
fn what_is_temporary_is_tried_again() {
    let service = Canned::start(&[(503, SLOW_DOWN), (503, SLOW_DOWN), (200, "penguins")]);
    assert_eq!(at(&service).get("config").unwrap(), b"penguins");
    assert_eq!(service.asked().len(), 3);
    let service = Canned::start(&[(503, SLOW_DOWN), (200, "")]);
    at(&service).put("packs/ab/x", vec![1; 100]).unwrap();
    assert_eq!(service.asked().len(), 2);
}

#[test]
fn answers_are_told_apart_and_what_may_pass_is_tried_as_often_as_wanted() {
    type Answers = &'static [(u16, &'static str)];
    const NO_KEY: &str = "<Error><Code>NoSuchKey</Code><Message>The key does not exist</Message></Error>";
    const BROKEN: &str = "<Error><Code>InternalError</Code><Message>We failed</Message></Error>";
    let cases: [(Answers, RemoteErrorKind, bool); 8] = [
        (&[(404, NO_KEY)], RemoteErrorKind::NotFound, false),
        (&[(403, DENIED)], RemoteErrorKind::Denied, false),
        (&[(403, BAD_SECRET)], RemoteErrorKind::BadCredentials, false),
        (&[(429, SLOW_DOWN)], RemoteErrorKind::Busy, true),
        (&[(503, SLOW_DOWN)], RemoteErrorKind::Busy, true),
        (&[(500, BROKEN)], RemoteErrorKind::Busy, true),
        (&[(CLOSED, "")], RemoteErrorKind::Unreachable, true),
        (&[(CUT, "")], RemoteErrorKind::Unreachable, true),
    ];
    for (answers, kind, may_pass) in cases {
        for retries in [0, 2] {
            let service = Canned::start(answers);
            let tries = retries.to_string();
            let options =
                [("endpoint", service.endpoint.as_str()), ("anonymous", "true"), ("retries", &tries)];
            let error = open("s3://acme/churn", &options).unwrap().get("config").unwrap_err();
            let asked = service.asked().len();
            println!("{answers:?} {retries}: {:?}, {asked} requests: {error}", error.kind());
            assert_eq!((error.kind(), asked), (kind, if may_pass { 1 + retries } else { 1 }), "{answers:?}");
        }
    }
}

#[test]
fn silence_lasts_as_long_as_wanted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let begun = Instant::now();
    let options = [("endpoint", endpoint.as_str()), ("anonymous", "true"), ("timeout", "1")];
    let error = open("s3://acme", &options).unwrap().check().unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
    assert!((1..5).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[test]
fn a_root_is_sent_once_whatever_is_answered() {
    let service = Canned::start(&[(503, SLOW_DOWN)]);
    let error = at(&service).put_once_without_retry("roots/r/x/s", vec![1; 100]).unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Busy);
    assert!(error.to_string().ends_with("the service is overloaded: SlowDown: Reduce your rate"), "{error}");
    assert_eq!(service.asked(), ["PUT /acme/churn/roots/r/x/s HTTP/1.1"]);
}

#[test]
fn nobody_listening_is_given_up_soon() {
    let free_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let begun = Instant::now();
    let endpoint = format!("http://127.0.0.1:{free_port}");
    let remote = open("s3://acme", &[("endpoint", &endpoint), ("anonymous", "true")]).unwrap();
    let error = remote.check().unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
    assert!(error.said().contains("refused"), "{error}");
    assert!(hints(&error).contains("endpoint"));
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
}

#[test]
fn a_host_that_does_not_exist_is_given_up_soon() {
    let begun = Instant::now();
    let options = [("endpoint", "http://no-such-host.invalid"), ("anonymous", "true")];
    let error = open("s3://acme", &options).unwrap().check().unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
    println!("{error}");
}

#[test]
fn silence_is_given_up_after_ten_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let begun = Instant::now();
    let remote = open("s3://acme", &[("endpoint", &endpoint), ("anonymous", "true")]).unwrap();
    let error = remote.check().unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::Unreachable);
    assert_eq!(error.said(), "no answer within 10 s");
    assert!(begun.elapsed() < Duration::from_secs(12), "{:?}", begun.elapsed());
}

#[test]
fn an_answer_that_never_ends_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let remote = open(&folder.path().display().to_string(), &[]).unwrap();
    let file = std::fs::File::create(folder.path().join("endless")).unwrap();
    file.set_len(1 << 40).unwrap();
    assert_eq!(remote.get("endless").unwrap_err().kind(), RemoteErrorKind::WrongSize);
}

#[test]
fn a_missing_bucket_is_named() {
    for service in [bucket(), container(), google_bucket()].into_iter().flatten() {
        let missing = format!("none-{}", RandomId::generate());
        let (scheme, _) = service.url.split_once("://").unwrap();
        let service = ServiceOfTest { url: format!("{scheme}://{missing}"), ..service };
        let remote = service.open("x").unwrap();
        let mut errors = vec![remote.check().unwrap_err()];
        // The emulator of Google does not say what is missing.
        errors.extend(remote.get("config").err().filter(|_| scheme != "gs"));
        for error in errors {
            assert_eq!(error.kind(), RemoteErrorKind::NoRemote, "{error}");
            assert!(error.to_string().contains(&missing), "{error}");
        }
    }
}

/// Runs the ignored test `task` of this file in a process with these variables; what it printed.
fn in_a_process(task: &str, variables: &[(&str, &str)]) -> String {
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("failing::{task}"), "--ignored", "--nocapture"])
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let output =
        String::from_utf8_lossy(&again.stdout).into_owned() + &String::from_utf8_lossy(&again.stderr);
    assert!(again.status.success(), "{output}");
    output
}

#[test]
fn a_wrong_secret_fails_at_once_and_is_not_shown() {
    if bucket().is_none() {
        return;
    }
    let key = std::env::var("AWS_ACCESS_KEY_ID").unwrap();
    let variables = [("AWS_ACCESS_KEY_ID", key.as_str()), ("AWS_SECRET_ACCESS_KEY", "hunter2hunter2")];
    let output = in_a_process("child_is_refused", &variables);
    assert!(
        output.contains(&format!("used was access key {key}")) && !output.contains("hunter2"),
        "{output}"
    );
    let output = in_a_process("child_is_refused", &[("HOME", "/nowhere")]);
    assert!(output.contains("anonymous") && output.contains("no credentials were found"), "{output}");
}

#[test]
#[ignore = "run by the test above, with credentials that are wrong or missing"]
fn child_is_refused() {
    let begun = Instant::now();
    let remote = bucket().unwrap().open("refused").unwrap();
    for error in [remote.check().unwrap_err(), remote.put("config", vec![1]).unwrap_err()] {
        println!("{remote:?}: {error}\n{error:?}\n{}", hints(&error));
        assert!(matches!(error.kind(), RemoteErrorKind::BadCredentials | RemoteErrorKind::Denied));
    }
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_profile_of_the_home_folder_is_found() {
    if bucket().is_none() {
        return;
    }
    let (key, secret) =
        (std::env::var("AWS_ACCESS_KEY_ID").unwrap(), std::env::var("AWS_SECRET_ACCESS_KEY").unwrap());
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let text = format!("[ci]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n");
    write_atomically(&home.path().join(".aws/credentials"), text.as_bytes()).unwrap();
    let home = home.path().to_str().unwrap();
    let output = in_a_process("child_is_let_in", &[("HOME", home), ("AWS_PROFILE", "ci")]);
    assert!(
        output.contains(&format!("profile ci, access key {key}")) && !output.contains(&secret),
        "{output}"
    );
    let output = in_a_process("child_is_let_in", &[("HOME", home), ("GIT_ML_TEST_PROFILE", "ci")]);
    assert!(output.contains("profile ci"), "{output}");
}

#[test]
#[ignore = "run by the test above, with a home folder of its own"]
fn child_is_let_in() {
    let mut service = bucket().unwrap();
    if let Ok(profile) = std::env::var("GIT_ML_TEST_PROFILE") {
        service = service.with("profile", &profile);
    }
    let remote = service.open("profile").unwrap();
    remote.check().unwrap();
    println!("{remote:?}");
}

/// An `ssh` that is this line of a shell.
fn by_ssh(line: &str) -> (RemoteError, Duration) {
    let access = Access { ssh: Some(line.to_owned()), ..Access::default() };
    let remote = open_as("sftp://ada@storage.example.com/ml", &[("timeout", "1")], &access).unwrap();
    let begun = Instant::now();
    let error = remote.check().unwrap_err();
    (error, begun.elapsed())
}

#[test]
fn what_ssh_says_is_told_at_once_and_nothing_waits_for_an_answer() {
    let said = |line: &str| format!("echo 'ada@storage.example.com: {line}' >&2; exit 255; true");
    let cases = [
        (
            said("Permission denied (publickey)."),
            RemoteErrorKind::BadCredentials,
            "Permission denied (publickey)",
        ),
        (said("Host key verification failed."), RemoteErrorKind::Denied, "Host key verification failed"),
        (said("Connection refused"), RemoteErrorKind::Unreachable, "Connection refused"),
        ("no-such-program-of-ssh".into(), RemoteErrorKind::Unreachable, "no-such-program-of-ssh"),
        ("sleep 60; true".into(), RemoteErrorKind::Unreachable, "no answer within 1 s"),
        ("echo 'welcome to storage'; true".into(), RemoteErrorKind::Unreachable, "ssh ended"),
    ];
    for (line, kind, words) in cases {
        let (error, took) = by_ssh(&line);
        assert_eq!(error.kind(), kind, "{line}: {error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.hints().is_empty() && took < Duration::from_secs(8), "{error} after {took:?}");
    }
    let (error, _) = by_ssh(&said("Permission denied (publickey)."));
    let hint = "sftp sftp://ada@storage.example.com/ml      must work without a question";
    assert!(error.hints()[0].starts_with(hint), "{:?}", error.hints());
}
