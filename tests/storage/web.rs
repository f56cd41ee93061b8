//! A folder that a web server shows, to read only.

use git_ml::base::{Advice, RandomId};
use git_ml::storage::remote::{Remote, RemoteErrorKind};

use crate::canned::Canned;
use crate::places::{open, web_server};

/// A remote that is filled as a folder and read by HTTP.
fn shown() -> Option<(Remote, Remote)> {
    let (service, folder) = web_server()?;
    let unique = RandomId::generate().to_string();
    let filled = open(&folder.join(&unique).display().to_string(), &[]).unwrap();
    Some((filled, service.open(&unique).unwrap()))
}

#[test]
fn what_a_folder_holds_is_listed_and_read_by_http() {
    let Some((folder, web)) = shown() else { return };
    for number in 0..30_usize {
        folder.put(&format!("packs/{:02}/{number}", number % 3), vec![7; number]).unwrap();
    }
    folder.put("config", b"penguins".to_vec()).unwrap();
    web.check().unwrap();
    let sorted = |remote: &Remote, folder: &str| {
        let mut objects: Vec<_> =
            remote.list(folder).unwrap().into_iter().map(|object| (object.name, object.size)).collect();
        objects.sort();
        objects
    };
    for part in ["", "packs", "packs/02", "gc"] {
        assert_eq!(sorted(&web, part), sorted(&folder, part), "{part}");
    }
    assert_eq!(web.get("config").unwrap(), b"penguins");
    assert_eq!(web.get_range("config", 3, 4).unwrap(), b"guin");
    assert_eq!(web.get_range("config", 5, 9).unwrap_err().kind(), RemoteErrorKind::WrongSize);
    assert_eq!(web.get("none").unwrap_err().kind(), RemoteErrorKind::NotFound);
    assert_eq!(web.stat("packs/01/7").unwrap().map(|object| object.size), Some(7));
    assert_eq!(web.stat("packs/01/8").unwrap(), None);
}

#[test]
fn nothing_is_written_or_deleted_by_http() {
    let Some((folder, web)) = shown() else { return };
    folder.put("config", vec![1]).unwrap();
    for refused in
        [web.put("x", vec![1]).map(drop), web.delete("config"), web.put_once_without_retry("x", vec![1])]
    {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), RemoteErrorKind::ReadOnly);
        assert!(!error.hints().is_empty());
    }
    assert_eq!(folder.list("").unwrap().len(), 1);
}

#[test]
fn a_server_that_does_not_list_its_folders_says_so() {
    type Answers = &'static [(u16, &'static str)];
    let cases: [(Answers, RemoteErrorKind); 3] = [
        (&[(403, "<html>Forbidden</html>")], RemoteErrorKind::Denied),
        (&[(404, "none")], RemoteErrorKind::NotFound),
        (&[(401, "who?")], RemoteErrorKind::BadCredentials),
    ];
    for (answers, kind) in cases {
        let service = Canned::start(answers);
        let error = open(&service.endpoint, &[]).unwrap().check().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(service.asked().len(), 1);
    }
}

#[test]
fn a_server_that_ignores_ranges_is_found_out() {
    let service = Canned::start(&[(200, "all the bytes of the object")]);
    let error = open(&service.endpoint, &[]).unwrap().get_range("packs/ab/x", 4, 3).unwrap_err();
    assert_eq!(error.kind(), RemoteErrorKind::WrongSize, "{error}");
}
