//! A service of HTTP that gives prepared answers and counts what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Instead of a status: the connection is closed without an answer.
pub const CLOSED: u16 = 0;
/// Instead of a status: all is well, and the connection is closed some bytes before the announced end.
pub const CUT: u16 = 1;

/// A running service; it ends with the process.
pub struct Canned {
    pub endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Canned {
    /// Gives the `answers` (status, body) one by one, the last one for ever.
    pub fn start(answers: &'static [(u16, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let Some(line) = request(&stream) else { continue };
                let number = seen.lock().unwrap().len();
                seen.lock().unwrap().push(line);
                let (status, body) = answers[number.min(answers.len() - 1)];
                answer(&stream, status, body);
            }
        });
        Self { endpoint, asked }
    }

    /// The first lines of the requests so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads one request; its first line.
fn request(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).ok()? > 0 && line != "\r\n" {
        head.push(std::mem::take(&mut line));
    }
    let length =
        head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    reader.take(length.unwrap_or(0)).read_to_end(&mut Vec::new()).ok()?;
    head.first().map(|line| line.trim().to_owned())
}

/// Answers, and leaves the rest to the end of the connection.
fn answer(mut stream: &TcpStream, status: u16, body: &str) {
    if status == CLOSED {
        return;
    }
    let (status, length) = if status == CUT { (200, body.len() + 10) } else { (status, body.len()) };
    let head = format!(
        "HTTP/1.1 {status} Told\r\ncontent-length: {length}\r\nconnection: close\r\netag: \"x\"\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
}
