//! The checksums by which other tools name contents.
//!
//! DVC 2 took the MD5 of text with line ends made those of Unix, and of all other files the plain one; which of the two a
//! checksum is cannot be told from it. So a content fits if either does.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use md5::{Digest as _, Md5};
use sha2::Sha256;

/// DVC 2 made line ends anew piece by piece, of so many bytes: one that lies across two pieces stayed as it was.
const PIECE_OF_DVC: usize = 1 << 20;
/// How many bytes are read at once.
const BUFFER: usize = 256 << 10;

/// A checksum that a content must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// MD5 of the bytes, 32 hexadecimal digits.
    Md5(String),
    /// MD5 of the bytes, or of the bytes with line ends of Unix.
    Md5OfDvc2(String),
    /// SHA-256 of the bytes, 64 hexadecimal digits.
    Sha256(String),
}

/// Takes bytes and says at the end whether they have a checksum.
pub struct Checker {
    wanted: String,
    length: u64,
    sums: Sums,
}

enum Sums {
    Md5(Md5),
    Md5OfDvc2 { plain: Md5, text: TextMd5 },
    Sha256(Sha256),
}

impl Checksum {
    /// A checker that has taken nothing.
    pub fn checker(&self) -> Checker {
        let (wanted, sums) = match self {
            Self::Md5(wanted) => (wanted, Sums::Md5(Md5::new())),
            Self::Md5OfDvc2(wanted) => {
                (wanted, Sums::Md5OfDvc2 { plain: Md5::new(), text: TextMd5::default() })
            }
            Self::Sha256(wanted) => (wanted, Sums::Sha256(Sha256::new())),
        };
        Checker { wanted: wanted.clone(), length: 0, sums }
    }

    /// The digits.
    pub fn digits(&self) -> &str {
        match self {
            Self::Md5(digits) | Self::Md5OfDvc2(digits) | Self::Sha256(digits) => digits,
        }
    }

    /// Whether the file at `path` has this checksum, and its length.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn fits_file(&self, path: &Path) -> io::Result<(bool, u64)> {
        let mut checker = self.checker();
        copy(&mut File::open(path)?, &mut checker)?;
        Ok((checker.fits(), checker.length))
    }
}

impl Checker {
    /// Whether what was taken has the checksum.
    pub fn fits(&self) -> bool {
        let is = |digits: String| digits == self.wanted;
        match &self.sums {
            Sums::Md5(sum) => is(hex(&sum.clone().finalize())),
            Sums::Md5OfDvc2 { plain, text } => {
                is(hex(&plain.clone().finalize())) || is(text.clone().finish())
            }
            Sums::Sha256(sum) => is(hex(&sum.clone().finalize())),
        }
    }

    /// How many bytes were taken.
    pub fn length(&self) -> u64 {
        self.length
    }
}

impl Write for Checker {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.sums {
            Sums::Md5(sum) => sum.update(bytes),
            Sums::Md5OfDvc2 { plain, text } => {
                plain.update(bytes);
                text.update(bytes);
            }
            Sums::Sha256(sum) => sum.update(bytes),
        }
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// MD5 as DVC 2 took it of text.
#[derive(Clone, Default)]
struct TextMd5 {
    sum: Md5,
    piece: Vec<u8>,
}

impl TextMd5 {
    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE_OF_DVC - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE_OF_DVC {
                self.take_piece();
            }
        }
    }

    fn take_piece(&mut self) {
        let mut rest = self.piece.as_slice();
        while let Some(at) = rest.windows(2).position(|two| two == b"\r\n") {
            self.sum.update(&rest[..at]);
            rest = &rest[at + 1..];
        }
        self.sum.update(rest);
        self.piece.clear();
    }

    fn finish(mut self) -> String {
        self.take_piece();
        hex(&self.sum.finalize())
    }
}

/// The MD5 of bytes in memory.
pub fn md5_of(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// The MD5 of a file as DVC takes it: DVC 2 takes text by its lines.
///
/// # Errors
///
/// When it cannot be read.
pub fn md5_as_dvc(path: &Path, of_dvc_2: bool) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    (&mut file).take(512).read_to_end(&mut start)?;
    let is_text = of_dvc_2 && is_text(&start);
    let (mut plain, mut text) = (Md5::new(), TextMd5::default());
    let mut take = |bytes: &[u8]| if is_text { text.update(bytes) } else { plain.update(bytes) };
    take(&start);
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        take(&buffer[..read]);
    }
    Ok(if is_text { text.finish() } else { hex(&plain.finalize()) })
}

/// Whether DVC takes a file that begins so for text: no zero byte, and not more than three of ten bytes odd.
fn is_text(start: &[u8]) -> bool {
    let odd = |byte: &&u8| !matches!(byte, 32..=126 | b'\n' | b'\r' | b'\t' | 0x0c | 0x08);
    !start.contains(&0) && start.iter().filter(odd).count() * 10 <= start.len() * 3
}

/// Copies all of `from`.
///
/// # Errors
///
/// When it cannot be read or written.
pub fn copy(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => to.write_all(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether these are so many hexadecimal digits, in lower case.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(checksum: &Checksum, bytes: &[u8]) -> bool {
        let mut checker = checksum.checker();
        checker.write_all(bytes).unwrap();
        checker.fits()
    }

    #[test]
    fn text_of_dvc_2_fits_by_its_lines_and_by_its_bytes() {
        // As `md5sum` says of "a\nb\n" and "a\r\nb\r\n".
        let (unix, windows) = ("dd8c6a395b5dd36c56d23275028f526c", "59b0d7772f0561efb95518f3cb8abc60");
        let lines = md5_of(b"a\nb\n");
        assert_eq!((lines.as_str(), md5_of(b"a\r\nb\r\n").as_str()), (unix, windows));
        assert!(fits(&Checksum::Md5OfDvc2(lines.clone()), b"a\r\nb\r\n"));
        assert!(fits(&Checksum::Md5OfDvc2(md5_of(b"a\r\nb\r\n")), b"a\r\nb\r\n"));
        assert!(!fits(&Checksum::Md5(lines.clone()), b"a\r\nb\r\n"));
        assert!(!fits(&Checksum::Md5OfDvc2(lines), b"a\nc\n"));
    }

    #[test]
    fn sha_256_is_that_of_everybody() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert!(fits(&Checksum::Sha256(empty.into()), b""));
        assert!(!fits(&Checksum::Sha256(empty.into()), b"x"));
    }

    #[test]
    fn text_is_told_as_dvc_tells_it() {
        assert!(is_text(b"") && is_text(b"id,name\n1,x\r\n"));
        assert!(!is_text(b"a\0b") && !is_text(&[0xff; 10]));
    }

    #[test]
    fn only_lower_case_digits_are_a_checksum() {
        assert!(is_hex("d41d8cd98f00b204e9800998ecf8427e", 32));
        assert!(!is_hex("../../etc/passwd", 16) && !is_hex("D41D8CD98F00B204E9800998ECF8427E", 32));
    }
}
