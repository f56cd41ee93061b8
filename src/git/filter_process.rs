//! Git's long-running filter protocol, version 2, from the filter's side (gitattributes(5), "Long Running Filter Process").
//!
//! What a demanding user expects: one process for a whole `git add` or `git checkout`; a failure at one file is that file's
//! alone; content of any size passes in little memory. Names of paths are bytes and are given back as they came, blanks at
//! their ends too: the server of `gix-filter` 0.36 trims them, so a delayed `"a "` would be announced as `"a"`, which Git
//! does not know. So the protocol, which is small, is read and written here.
//!
//! Git sends a whole content before it reads the answer: whoever answers earlier may wait for ever.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

/// The most bytes of one packet, without its length.
const PACKET: usize = 65_516;

/// What Git can do, of what we asked it.
const CAPABILITIES: [&str; 3] = ["clean", "smudge", "delay"];

/// What Git asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterCommand {
    /// From the work tree into Git.
    Clean,
    /// From Git into the work tree.
    Smudge,
    /// Which of the delayed paths can be had now. No content follows.
    ListAvailable,
    /// Something that this protocol did not know when it was written down. Content may follow.
    Unknown,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterRequest {
    /// What is asked for.
    pub command: FilterCommand,
    /// The path below the top of the work tree, as Git has it.
    pub path: Vec<u8>,
    /// Whether the answer may be that it comes later.
    pub can_delay: bool,
}

/// How a request ends that has no content to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterStatus {
    /// It comes later.
    Delayed,
    /// This file failed.
    Error,
    /// So will every other of its kind.
    Abort,
}

/// The conversation with one Git process.
#[derive(Debug)]
pub struct FilterProcess<R: Read, W: Write> {
    input: BufReader<R>,
    output: BufWriter<W>,
}

impl<R: Read, W: Write> FilterProcess<R, W> {
    /// Greets the Git at the other end.
    ///
    /// # Errors
    ///
    /// When it is none, speaks no version that is known here, or goes away.
    pub fn begin(input: R, output: W) -> io::Result<Self> {
        let input = BufReader::with_capacity(2 * PACKET, input);
        // A small file goes in one write.
        let output = BufWriter::with_capacity(2 * PACKET, output);
        let mut process = Self { input, output };
        let said = process.lines()?.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
        if said.first().is_none_or(|line| line != b"git-filter-client") {
            return Err(wrong("it is no Git that speaks"));
        }
        if !said.iter().any(|line| line == b"version=2") {
            return Err(wrong("this Git speaks no version 2"));
        }
        process.say(&["git-filter-server", "version=2"])?;
        let offered = process.lines()?.unwrap_or_default();
        let common: Vec<_> = CAPABILITIES.iter().map(|word| format!("capability={word}")).collect();
        let common = common.iter().filter(|line| offered.iter().any(|offer| offer == line.as_bytes()));
        process.say(&common.map(String::as_str).collect::<Vec<_>>())?;
        Ok(process)
    }

    /// The next request; `None` when Git has no more. What was left of the content before is passed over.
    ///
    /// # Errors
    ///
    /// When Git breaks off in the middle, or says what the protocol does not allow.
    pub fn next_request(&mut self) -> io::Result<Option<FilterRequest>> {
        let Some(lines) = self.lines()? else { return Ok(None) };
        let value = |key: &str| lines.iter().find_map(|line| line.strip_prefix(key.as_bytes()));
        let command = match value("command=") {
            Some(b"clean") => FilterCommand::Clean,
            Some(b"smudge") => FilterCommand::Smudge,
            Some(b"list_available_blobs") => FilterCommand::ListAvailable,
            Some(_) => FilterCommand::Unknown,
            None => return Err(wrong("a request without a command")),
        };
        let can_delay = value("can-delay=").is_some_and(|value| value == b"1");
        let path = value("pathname=").unwrap_or_default().to_vec();
        Ok(Some(FilterRequest { command, path, can_delay }))
    }

    /// The content that follows a request, to be read to its end before anything is answered.
    pub fn content(&mut self) -> FilterContent<'_, R> {
        FilterContent { input: &mut self.input, left: 0, ended: false }
    }

    /// Answers with `content`.
    ///
    /// # Errors
    ///
    /// When Git goes away.
    pub fn answer(&mut self, content: &mut dyn Read) -> io::Result<()> {
        self.begin_answer("status=success")?;
        let mut packet = vec![0; PACKET];
        loop {
            let mut filled = 0;
            while filled < PACKET {
                match content.read(&mut packet[filled..]) {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if filled == 0 {
                break;
            }
            self.packet(&packet[..filled])?;
        }
        // The content ends; the list that could take the success back is empty.
        self.output.write_all(b"00000000")?;
        self.output.flush()
    }

    /// Answers with a content in memory.
    ///
    /// # Errors
    ///
    /// When Git goes away.
    pub fn answer_bytes(&mut self, content: &[u8]) -> io::Result<()> {
        self.begin_answer("status=success")?;
        for piece in content.chunks(PACKET) {
            self.packet(piece)?;
        }
        self.output.write_all(b"00000000")?;
        self.output.flush()
    }

    /// Answers without content.
    ///
    /// # Errors
    ///
    /// When Git goes away.
    pub fn answer_status(&mut self, status: FilterStatus) -> io::Result<()> {
        let line = match status {
            FilterStatus::Delayed => "status=delayed",
            FilterStatus::Error => "status=error",
            FilterStatus::Abort => "status=abort",
        };
        self.say(&[line])
    }

    /// Answers which delayed paths can be had now; none: there are no more.
    ///
    /// # Errors
    ///
    /// When Git goes away.
    pub fn answer_available(&mut self, paths: &[Vec<u8>]) -> io::Result<()> {
        for path in paths {
            self.packet(&[b"pathname=", path.as_slice(), b"\n"].concat())?;
        }
        self.output.write_all(b"0000")?;
        self.say(&["status=success"])
    }

    fn begin_answer(&mut self, line: &str) -> io::Result<()> {
        self.packet(format!("{line}\n").as_bytes())?;
        self.output.write_all(b"0000")
    }

    fn say(&mut self, lines: &[&str]) -> io::Result<()> {
        for line in lines {
            self.packet(format!("{line}\n").as_bytes())?;
        }
        self.output.write_all(b"0000")?;
        self.output.flush()
    }

    fn packet(&mut self, bytes: &[u8]) -> io::Result<()> {
        write!(self.output, "{:04x}", bytes.len() + 4)?;
        self.output.write_all(bytes)
    }

    /// The lines until the next flush; `None` at the end of the input.
    fn lines(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut lines = Vec::new();
        while let Some(length) = packet_length(&mut self.input)? {
            let mut line = vec![0; length];
            self.input.read_exact(&mut line)?;
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            lines.push(line);
        }
        Ok(Some(lines))
    }
}

/// The content that follows a request.
#[derive(Debug)]
pub struct FilterContent<'a, R: Read> {
    input: &'a mut BufReader<R>,
    /// Of the packet that is being read.
    left: usize,
    ended: bool,
}

impl<R: Read> FilterContent<'_, R> {
    /// Reads what is left, for nobody.
    ///
    /// # Errors
    ///
    /// When Git goes away.
    pub fn pass_over(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }
}

impl<R: Read> Read for FilterContent<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 && !self.ended {
            match packet_length(self.input)? {
                Some(length) => self.left = length,
                None => self.ended = true,
            }
        }
        if self.ended || out.is_empty() {
            return Ok(0);
        }
        let most = self.left.min(out.len());
        let read = self.input.read(&mut out[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read;
        Ok(read)
    }
}

/// The length of the packet that follows; `None` for a flush.
fn packet_length(input: &mut impl Read) -> io::Result<Option<usize>> {
    let mut digits = [0; 4];
    input.read_exact(&mut digits)?;
    let length = std::str::from_utf8(&digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
    match length {
        Some(0) => Ok(None),
        Some(length) if length >= 4 => Ok(Some(length - 4)),
        _ => Err(wrong("a packet without a length")),
    }
}

fn wrong(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(lines: &[&str]) -> String {
        let line = |line: &&str| match *line {
            "" => "0000".to_owned(),
            line => format!("{:04x}{line}", line.len() + 4),
        };
        lines.iter().map(line).collect()
    }

    const GREETING: [&str; 8] = [
        "git-filter-client\n",
        "version=2\n",
        "",
        "capability=clean\n",
        "capability=smudge\n",
        "capability=new\n",
        "capability=delay\n",
        "",
    ];

    #[test]
    fn greeting_requests_and_answers() {
        let asked = [
            &GREETING[..],
            &["command=smudge\n", "pathname=a =b \n", "can-delay=1\n", "", "one", "two", ""],
            &["command=list_available_blobs\n", ""],
            &["command=dance\n", ""],
        ]
        .concat();
        let (text, mut out) = (packets(&asked), Vec::new());
        let mut process = FilterProcess::begin(text.as_bytes(), &mut out).unwrap();
        let request = process.next_request().unwrap().unwrap();
        assert_eq!(request.command, FilterCommand::Smudge);
        assert_eq!((request.path.as_slice(), request.can_delay), (&b"a =b "[..], true));
        let mut content = String::new();
        process.content().read_to_string(&mut content).unwrap();
        assert_eq!(content, "onetwo");
        process.answer_bytes(b"xyz").unwrap();
        let request = process.next_request().unwrap().unwrap();
        assert_eq!(request.command, FilterCommand::ListAvailable);
        process.answer_available(&[b"a =b ".to_vec()]).unwrap();
        assert_eq!(process.next_request().unwrap().unwrap().command, FilterCommand::Unknown);
        process.answer_status(FilterStatus::Error).unwrap();
        assert_eq!(process.next_request().unwrap(), None);
        drop(process);
        let wanted = [
            &["git-filter-server\n", "version=2\n", ""][..],
            &["capability=clean\n", "capability=smudge\n", "capability=delay\n", ""],
            &["status=success\n", "", "xyz", "", ""],
            &["pathname=a =b \n", "", "status=success\n", "", "status=error\n", ""],
        ]
        .concat();
        assert_eq!(String::from_utf8(out).unwrap(), packets(&wanted));
    }

    #[test]
    fn what_breaks_off_or_is_no_git_is_an_error() {
        for text in
            ["", "0000", "0010git-lfs", "zzzz", "0003", &packets(&["git-filter-client\n", "version=3\n", ""])]
        {
            assert!(FilterProcess::begin(text.as_bytes(), Vec::new()).is_err(), "{text}");
        }
        let text = packets(&[&GREETING[..], &["command=clean\n", "pathname=a\n", ""]].concat()) + "0009ab";
        let mut process = FilterProcess::begin(text.as_bytes(), Vec::new()).unwrap();
        process.next_request().unwrap().unwrap();
        assert!(process.content().pass_over().is_err());
    }

    #[test]
    fn a_large_content_goes_in_packets() {
        let bytes = vec![7; PACKET * 2 + 5];
        let (text, mut out) = (packets(&GREETING), Vec::new());
        FilterProcess::begin(text.as_bytes(), &mut out).unwrap().answer(&mut bytes.as_slice()).unwrap();
        let text = String::from_utf8_lossy(&out);
        assert_eq!(text.matches("fff0").count(), 2);
        assert!(text.ends_with("\u{7}\u{7}00000000"));
    }
}
