//! Annotated tags: a message, an author and a time for a commit, in one object that every Git host shows.
//!
//! Making a tag has two steps that can lie apart: the object is written first, then a ref is pointed to it, here or by a
//! push that claims the name on the server.

use gix::bstr::ByteSlice;
use gix::objs::Kind;

use crate::git::GitError;
use crate::git::GitProgram;
use crate::git::ObjectId;
use crate::git::Repository;
use crate::git::Role;
use crate::git::Signature;

/// A tag as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The name without `refs/tags/`.
    pub name: String,
    /// What the ref points to: the tag's own object, or the target itself for a lightweight tag.
    pub id: ObjectId,
    /// The object that is tagged, nested tags peeled.
    pub target: ObjectId,
    /// Who made it and when; `None` for a lightweight tag.
    pub tagger: Option<Signature>,
    /// The message without the signature; empty for a lightweight tag.
    pub message: String,
    /// Whether it is an object of its own.
    pub annotated: bool,
    /// Whether it carries a cryptographic signature (which is not verified here).
    pub signed: bool,
}

impl Repository {
    /// All tags, sorted by name.
    ///
    /// # Errors
    ///
    /// [`GitError::Ref`]. A tag whose object is damaged or missing is left out.
    pub fn tags(&self) -> Result<Vec<Tag>, GitError> {
        let refs = self.refs_below("refs/tags/")?;
        Ok(refs.iter().filter_map(|found| self.read_tag(&found.name, found.target).ok()).collect())
    }

    /// The tag of this name (without `refs/tags/`); `None` when there is none.
    ///
    /// # Errors
    ///
    /// Those of reading refs and objects.
    pub fn find_tag(&self, name: &str) -> Result<Option<Tag>, GitError> {
        let full = format!("refs/tags/{name}");
        self.find_ref(&full)?.map(|id| self.read_tag(&full, id)).transpose()
    }

    /// What a ref `name` that points to `id` says as a tag. (Refs fetched to a place of their own are read so.)
    ///
    /// # Errors
    ///
    /// [`GitError::Missing`], [`GitError::Object`].
    pub fn read_tag(&self, name: &str, id: ObjectId) -> Result<Tag, GitError> {
        let short = name.strip_prefix("refs/tags/").unwrap_or(name).to_owned();
        let damaged = |error: gix::Error| GitError::Object { id, source: error.into() };
        let header = self.gix.try_find_header(id.0).map_err(damaged)?.ok_or(GitError::Missing { id })?;
        if header.kind() != Kind::Tag {
            let (tagger, message) = (None, String::new());
            return Ok(Tag { name: short, id, target: id, tagger, message, annotated: false, signed: false });
        }
        let bytes = self.read(id, Kind::Tag)?;
        let tag = gix::objs::TagRef::from_bytes(&bytes, id.0.kind()).map_err(damaged)?;
        let target =
            self.gix.find_object(id.0).and_then(|object| object.peel_tags_to_end()).map_err(damaged)?;
        let tagger = tag.tagger().map_err(damaged)?;
        Ok(Tag {
            name: short,
            id,
            target: ObjectId(target.id),
            tagger: tagger.map(Signature::from_gix),
            message: message_of(&bytes, &tag).to_str_lossy().into_owned(),
            annotated: true,
            signed: tag.signature.is_some(),
        })
    }

    /// Writes the object of an annotated tag, with the message verbatim, signed where `tag.gpgSign` is set. No ref
    /// points to it yet.
    ///
    /// # Errors
    ///
    /// [`GitError::NoIdentity`], [`GitError::WriteObject`], and the words of `git tag` when signing fails.
    pub fn write_tag(&self, name: &str, target: ObjectId, message: &str) -> Result<ObjectId, GitError> {
        if self.gix.config_snapshot().boolean("tag.gpgSign") == Some(true) {
            return self.write_signed_tag(name, target, message);
        }
        let header = self.gix.try_find_header(target.0);
        let header = header.map_err(|error| GitError::Object { id: target, source: error.into() })?;
        let tag = gix::objs::Tag {
            target: target.0,
            target_kind: header.ok_or(GitError::Missing { id: target })?.kind(),
            name: name.into(),
            tagger: Some(self.signature(Role::Committer)?.to_gix()),
            message: message.into(),
            signature: None,
        };
        let written = self.gix.write_object(&tag);
        let id = written.map_err(|error| GitError::WriteObject { kind: "tag", source: error.into() })?;
        Ok(ObjectId(id.detach()))
    }

    /// Only Git knows all ways to sign. `git tag` also makes a ref, so it works in a throw-away repository that has our
    /// objects and settings and refs of its own.
    fn write_signed_tag(&self, name: &str, target: ObjectId, message: &str) -> Result<ObjectId, GitError> {
        let folder = tempfile::tempdir().map_err(GitError::io("create", std::env::temp_dir()))?;
        let common = self.common_dir();
        let settings = format!("[include]\n\tpath = {}\n", quoted(&common.join("config").to_string_lossy()));
        for (file, text) in [("HEAD", "ref: refs/heads/none\n"), ("config", &settings)] {
            let path = folder.path().join(file);
            let mut options = std::fs::OpenOptions::new();
            let mut file =
                options.write(true).create_new(true).open(&path).map_err(GitError::io("create", &path))?;
            std::io::Write::write_all(&mut file, text.as_bytes()).map_err(GitError::io("write", &path))?;
        }
        for inner in ["refs", "objects"] {
            let path = folder.path().join(inner);
            std::fs::create_dir(&path).map_err(GitError::io("create", path))?;
        }
        let target = target.to_string();
        let git = |args: &[&str]| {
            let call =
                GitProgram::elsewhere(folder.path()).args(["-c", "core.bare=true", "-c", "core.worktree="]);
            call.args(args).env("GIT_DIR", folder.path()).env("GIT_OBJECT_DIRECTORY", common.join("objects"))
        };
        let make = git(&["tag", "--annotate", "--cleanup=verbatim", "--file=-", name, &target]);
        make.input(message).run()?;
        let id = git(&["rev-parse", "--verify", &format!("refs/tags/{name}")]).text()?;
        id.parse().map_err(|_| GitError::RefName {
            name: name.into(),
            source: gix::Error::from_error(gix::error::message("git answered no object name")).into(),
        })
    }
}

/// What lies between the header and the signature, every byte of it.
fn message_of<'a>(bytes: &'a [u8], tag: &gix::objs::TagRef<'_>) -> &'a [u8] {
    let body = bytes.find(b"\n\n").map_or(&[][..], |end| &bytes[end + 2..]);
    let signature = tag.signature.map_or(0, |signature| signature.len());
    &body[..body.len().saturating_sub(signature)]
}

/// A value in quotes for a settings file of Git.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
