//! The text that Git LFS keeps in Git instead of a content.
//!
//! ```text
//! version https://git-lfs.github.com/spec/v1
//! oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
//! size 12345
//! ```

use crate::interop::checksum::is_hex;

/// A pointer of LFS is shorter than this, in bytes.
pub const LONGEST: u64 = 1024;
/// SHA-256 of nothing: an empty file is its own pointer.
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/// Who may have written it.
const VERSIONS: [&str; 3] =
    ["https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1", "http://git-media.io/v/2"];

/// What a pointer of LFS names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LfsPointer {
    /// SHA-256 of the content, 64 hexadecimal digits.
    pub oid: String,
    /// Bytes.
    pub size: u64,
}

impl LfsPointer {
    /// Reads a pointer; `None` for anything else, and for one whose content went through an extension of LFS.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self { oid: OF_NOTHING.into(), size: 0 });
        }
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= LONGEST)?;
        let mut lines = text.lines();
        let version = lines.next()?.strip_prefix("version ")?;
        if !VERSIONS.contains(&version.trim()) {
            return None;
        }
        let (mut oid, mut size) = (None, None);
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) => oid = value.strip_prefix("sha256:").filter(|oid| is_hex(oid, 64)),
                ("size", value) => size = value.trim().parse().ok(),
                (key, _) if key.starts_with("ext-") => return None,
                _ => {}
            }
        }
        Some(Self { oid: oid?.to_owned(), size: size? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_read_and_nothing_else() {
        let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n");
        let pointer = LfsPointer { oid: oid.into(), size: 12345 };
        assert_eq!(LfsPointer::parse(text.as_bytes()), Some(pointer.clone()));
        assert_eq!(LfsPointer::parse(text.replace('\n', "\r\n").as_bytes()), Some(pointer));
        assert_eq!(LfsPointer::parse(b"").unwrap().size, 0);
        let wrong = [
            text.replace("sha256:4", "sha256:../"),
            text.replace("size 12345", "size -1"),
            text.replace("spec/v1", "spec/v9"),
            text.replace("oid", "ext-0-x sha256:00\noid"),
            "id,name\n1,x\n".into(),
        ];
        for text in wrong {
            assert_eq!(LfsPointer::parse(text.as_bytes()), None, "{text}");
        }
    }
}
