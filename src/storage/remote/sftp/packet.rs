//! The packets of SFTP, version 3: <https://datatracker.ietf.org/doc/html/draft-ietf-secsh-filexfer-02>, and the extensions of
//! OpenSSH: <https://github.com/openssh/openssh-portable/blob/master/PROTOCOL>.

/// What a client asks.
pub(super) mod ask {
    pub const INIT: u8 = 1;
    pub const OPEN: u8 = 3;
    pub const CLOSE: u8 = 4;
    pub const READ: u8 = 5;
    pub const WRITE: u8 = 6;
    pub const OPENDIR: u8 = 11;
    pub const READDIR: u8 = 12;
    pub const REMOVE: u8 = 13;
    pub const MKDIR: u8 = 14;
    pub const STAT: u8 = 17;
    pub const RENAME: u8 = 18;
    pub const EXTENDED: u8 = 200;
}

/// What a server answers.
mod answer {
    pub const VERSION: u8 = 2;
    pub const STATUS: u8 = 101;
    pub const HANDLE: u8 = 102;
    pub const DATA: u8 = 103;
    pub const NAME: u8 = 104;
    pub const ATTRIBUTES: u8 = 105;
}

/// Codes of a status.
pub(super) mod code {
    pub const OK: u32 = 0;
    pub const END: u32 = 1;
    pub const NO_SUCH_FILE: u32 = 2;
    pub const DENIED: u32 = 3;
    pub const UNSUPPORTED: u32 = 8;
}

/// How a file is opened.
pub(super) mod open {
    pub const READ: u32 = 0x01;
    pub const WRITE_NEW: u32 = 0x02 | 0x08 | 0x20;
}

/// The longest packet that is read, in bytes: four times what servers send.
pub(super) const LONGEST: u32 = 1 << 20;

/// What is known of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub size: Option<u64>,
    /// Kind and permissions, as `stat` has them.
    pub mode: Option<u32>,
    /// Seconds since 1970.
    pub modified: Option<u32>,
}

impl Attributes {
    pub(super) fn is_folder(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o170_000 == 0o040_000)
    }

    pub(super) fn is_file(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o170_000 == 0o100_000)
    }
}

/// An answer of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The names of its extensions.
    Version(Vec<String>),
    Status(u32, String),
    Handle(Vec<u8>),
    Data(Vec<u8>),
    Names(Vec<(Vec<u8>, Attributes)>),
    Attributes(Attributes),
}

/// A question under construction.
pub(super) struct Question(Vec<u8>);

impl Question {
    /// The first one, which has no number.
    pub(super) fn init() -> Self {
        Self(vec![ask::INIT]).number(3)
    }

    /// A question of this kind; the place of its number is kept free.
    pub(super) fn new(kind: u8) -> Self {
        Self(vec![kind, 0, 0, 0, 0])
    }

    pub(super) fn number(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    pub(super) fn long(mut self, number: u64) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    pub(super) fn text(mut self, text: &[u8]) -> Self {
        self.0.extend((text.len() as u32).to_be_bytes());
        self.0.extend(text);
        self
    }

    /// No attributes are asked for.
    pub(super) fn plain(self) -> Self {
        self.number(0)
    }

    /// The packet, with its number in place.
    pub(super) fn packet(mut self, number: Option<u32>) -> Vec<u8> {
        if let Some((number, place)) = number.zip(self.0.get_mut(1..5)) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        let mut packet = (self.0.len() as u32).to_be_bytes().to_vec();
        packet.extend(self.0);
        packet
    }
}

/// The number of an answer (0 for the first one) and what it says; `None` where it is not understood.
pub(super) fn read(packet: &[u8]) -> Option<(u32, Answer)> {
    let (kind, rest) = packet.split_first()?;
    let mut rest = Rest(rest);
    let number = rest.number()?;
    if *kind == answer::VERSION {
        let mut extensions = Vec::new();
        while !rest.0.is_empty() {
            extensions.push(String::from_utf8_lossy(rest.text()?).into_owned());
            rest.text()?;
        }
        return (number == 3).then_some((0, Answer::Version(extensions)));
    }
    let answer = match *kind {
        answer::STATUS => {
            let code = rest.number()?;
            // Old servers leave the words out.
            let words = rest.text().unwrap_or_default();
            Answer::Status(code, String::from_utf8_lossy(words).into_owned())
        }
        answer::HANDLE => Answer::Handle(rest.text()?.to_vec()),
        answer::DATA => Answer::Data(rest.text()?.to_vec()),
        answer::ATTRIBUTES => Answer::Attributes(rest.attributes()?),
        answer::NAME => {
            let mut names = Vec::new();
            for _ in 0..rest.number()? {
                let name = rest.text()?.to_vec();
                // As 'ls -l' would show it: for people.
                rest.text()?;
                names.push((name, rest.attributes()?));
            }
            Answer::Names(names)
        }
        _ => return None,
    };
    Some((number, answer))
}

/// What is still to be read of a packet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn long(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(length as usize)
    }

    fn attributes(&mut self) -> Option<Attributes> {
        const SIZE: u32 = 1;
        const OWNER: u32 = 2;
        const MODE: u32 = 4;
        const TIMES: u32 = 8;
        const EXTENDED: u32 = 0x8000_0000;
        let flags = self.number()?;
        let mut attributes = Attributes::default();
        if flags & SIZE != 0 {
            attributes.size = Some(self.long()?);
        }
        if flags & OWNER != 0 {
            self.take(8)?;
        }
        if flags & MODE != 0 {
            attributes.mode = Some(self.number()?);
        }
        if flags & TIMES != 0 {
            self.number()?;
            attributes.modified = Some(self.number()?);
        }
        if flags & EXTENDED != 0 {
            for _ in 0..self.number()? {
                self.text()?;
                self.text()?;
            }
        }
        Some(attributes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_packets_with_a_length_and_a_number() {
        assert_eq!(Question::init().packet(None), [0, 0, 0, 5, 1, 0, 0, 0, 3]);
        let packet = Question::new(ask::OPENDIR).text(b"a").packet(Some(258));
        assert_eq!(packet, [0, 0, 0, 10, 11, 0, 0, 1, 2, 0, 0, 0, 1, b'a']);
    }

    #[test]
    fn answers_are_understood_and_no_prefix_of_one_is_a_panic() {
        let status = [&[101, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 4][..], b"gone", &[0, 0, 0, 0]].concat();
        assert_eq!(read(&status), Some((7, Answer::Status(2, "gone".into()))));
        let attributes = [
            &[0, 0, 0, 13][..],
            &9_u64.to_be_bytes(),
            &0o040_755_u32.to_be_bytes(),
            &[0, 0, 0, 1, 0, 0, 0, 2],
        ];
        let names =
            [&[104, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, b'x', 0, 0, 0, 0][..], &attributes.concat()].concat();
        let found = Attributes { size: Some(9), mode: Some(0o040_755), modified: Some(2) };
        assert!(found.is_folder() && !found.is_file());
        assert_eq!(read(&names), Some((1, Answer::Names(vec![(b"x".to_vec(), found)]))));
        let version = [&[2, 0, 0, 0, 3, 0, 0, 0, 1][..], b"f", &[0, 0, 0, 1], b"1"].concat();
        assert_eq!(read(&version), Some((0, Answer::Version(vec!["f".into()]))));
        for packet in [status, names, version] {
            (0..packet.len()).for_each(|length| drop(read(&packet[..length])));
        }
    }
}
