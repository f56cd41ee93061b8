//! `git mldata import url`, and `update` of what came so, with a web server of this file.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::support::{Place, Sandbox};

/// What a web server has, and what it was asked.
#[derive(Default)]
struct Site {
    body: Vec<u8>,
    etag: String,
    /// The header that lets in; empty: everybody comes in.
    login: String,
    asked: Vec<String>,
    /// So many answers break off.
    breaks: usize,
}

/// A web server with one file; it ends with the process.
fn serve(site: &Arc<Mutex<Site>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let site = Arc::clone(site);
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(answer(stream, &site))));
    address
}

fn answer(mut stream: TcpStream, site: &Mutex<Site>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    let mut headers = Vec::new();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        headers.push(line.to_ascii_lowercase().replace("basic ", "Basic ").to_owned() + "|" + &line);
    }
    let header = |name: &str| {
        let found = headers.iter().find(|line| line.starts_with(&format!("{name}: ")));
        found
            .and_then(|line| line.split_once('|'))
            .and_then(|(_, line)| line.split_once(": "))
            .map(|(_, value)| value.to_owned())
    };
    let mut site = site.lock().unwrap();
    site.asked.push(request.clone());
    let known = header("if-none-match");
    let (status, body) = if !site.login.is_empty() && header("authorization").as_ref() != Some(&site.login) {
        ("401 Unauthorized", Vec::new())
    } else if !request.contains(" /x.csv") {
        ("404 Not Found", Vec::new())
    } else if known.as_ref() == Some(&site.etag) {
        ("304 Not Modified", Vec::new())
    } else {
        ("200 OK", site.body.clone())
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: {}\r\nConnection: close\r\n\r\n",
        site.etag
    )?;
    if request.starts_with("GET") {
        let end = if site.breaks > 0 && length > 0 { length / 2 } else { length };
        site.breaks = site.breaks.saturating_sub(usize::from(length > 0));
        stream.write_all(&body[..end])?;
    }
    stream.flush()?;
    // Whoever closes with something unread resets the connection.
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).map(drop)
}

fn site(body: &[u8], etag: &str) -> (Arc<Mutex<Site>>, String) {
    let site = Arc::new(Mutex::new(Site { body: body.to_owned(), etag: etag.to_owned(), ..Site::default() }));
    let address = serve(&site);
    (site, address)
}

fn place() -> Place {
    Sandbox::new().data_repository("repo")
}

#[test]
fn a_file_of_the_web_is_brought_tracked_and_followed() {
    let place = place();
    let (site, address) = site(b"id\n1\n", "\"v1\"");
    site.lock().unwrap().breaks = 1;
    let from = format!("'data/x.csv' from '{address}/x.csv': 1 file, 5 B\n");
    place.run(&format!("git mldata import url -n {address}/x.csv data/x.csv")).ok().prints(&from);
    assert!(!place.has("data"));
    place.run(&format!("git mldata import url {address}/x.csv data/x.csv")).ok().prints(&from);
    assert_eq!(place.text("data/x.csv"), "id\n1\n", "a transfer that broke was begun anew");
    let pointer = place.text("data/x.csv.mld");
    assert!(
        pointer.ends_with(&format!("[source]\netag = '\"v1\"'\nsize = 5\nurl = \"{address}/x.csv\"\n")),
        "{pointer}"
    );
    place.run("git commit -qm data && git status --short").ok().prints("");

    place.run("git mldata update").ok().shows("unchanged");
    {
        let mut site = site.lock().unwrap();
        assert_eq!(site.asked.last().unwrap(), "GET /x.csv HTTP/1.1");
        (site.body, site.etag) = (b"id\n1\n2\n".to_vec(), "\"v2\"".into());
    }
    place.run("git mldata update -n").ok().shows("there is something new");
    assert_eq!(place.text("data/x.csv"), "id\n1\n");
    // An edit is never replaced.
    place.run("cp data/x.csv ../x.csv && echo mine >> data/x.csv").ok();
    place.run("git mldata update").fails(128).tells("was edited here").tells("git mldata add data/x.csv");
    place.run("cp ../x.csv data/x.csv && git mldata update").ok().shows("now ");
    assert_eq!(place.text("data/x.csv"), "id\n1\n2\n");
    place.run("git diff --cached --stat").ok().shows("data/x.csv.mld");
    place.run("git mldata update --json").ok().shows("\"state\":\"unchanged\"");
    place.run("git mldata status").ok().lacks("modified");
}

#[test]
fn nothing_secret_stands_in_the_pointer() {
    let place = place();
    let (site, address) = site(b"1", "\"v1\"");
    let url = address.replace("http://", "http://ada:hunter2@");
    site.lock().unwrap().login = "Basic YWRhOmh1bnRlcjI=".into();
    place
        .run(&format!("git mldata import url '{url}/x.csv?token=s3cret&v=1' x.csv"))
        .ok()
        .tells("the parameters of the address look like secrets")
        .lacks("hunter2")
        .lacks("s3cret");
    place.run("git grep --cached -e hunter2 -e s3cret").fails(1);
    assert!(site.lock().unwrap().asked.last().unwrap().contains("?token=s3cret&v=1"));
    // The pointer's address is asked without a password, even where a helper knows one: the pointer comes with a clone.
    place.run("git config credential.helper '!f() { echo username=ada; echo password=hunter2; }; f'").ok();
    place.run("git mldata update").fails(128).tells("401").lacks("hunter2");
    // What the user names may have it.
    place.run(&format!("git mldata import url {address}/x.csv again.csv")).ok();
}

#[test]
fn files_of_this_machine_and_of_folders_are_brought() {
    let place = place();
    place
        .run("mkdir ../shared && seq 3 > ../shared/x.csv && git mldata import url ../shared/x.csv x.csv")
        .ok();
    assert_eq!(place.text("x.csv"), "1\n2\n3\n");
    // A pointer may come from anybody: this machine is read only for a path that is named.
    place
        .run("git mldata update")
        .fails(128)
        .tells("came from a folder of a machine")
        .tells("git mldata update x.csv");
    place
        .run("seq 4 > ../shared/x.csv && touch -d '1 hour ago' ../shared/x.csv && git mldata update x.csv")
        .ok()
        .shows("now ");
    assert_eq!(place.text("x.csv"), "1\n2\n3\n4\n");
    place.run("git mldata update x.csv").ok().shows("unchanged");
    place.run("git mldata import url ../shared x").fails(129).tells("names no file");
    place.run("git mldata import url ../shared/none y").fails(128).tells("there is nothing at");
}

#[test]
fn what_lies_there_is_never_overwritten_unasked() {
    let place = place();
    let (_site, address) = site(b"new", "\"v1\"");
    place.write("x.csv", "mine");
    place
        .run(&format!("git mldata import url {address}/x.csv x.csv"))
        .fails(128)
        .tells("is there already")
        .tells("--force");
    assert_eq!(place.text("x.csv"), "mine");
    place.run(&format!("git mldata import url --force {address}/x.csv x.csv")).ok();
    assert_eq!(place.text("x.csv"), "new");
    place.run(&format!("git mldata import url {address}/none y.csv")).fails(128).tells("there is nothing at");
    place.run("git mldata import url http://127.0.0.1:9/x y.csv").fails(128).tells("no answer from");
    assert!(!place.has("y.csv") && !place.has("y.csv.mld"));
    place.run("git mldata update ml.toml").fails(128);
    let (_site, address) = site(b"x", "\"v1\"");
    place.run(&format!("git mldata import url --json {address}/x.csv sub/z.csv")).ok().shows("\"files\":1");
}
