//! Names of the tags that make up the registry: GTO's grammar, so that GTO reads ours and we read GTO's.
//!
//! ```text
//! tag   := model ( ( '#' alias | '@' version ) '!'? | '@' ( 'deprecated' | 'created' ) ) ( '#' counter )?
//! model := ( folder '=' )? name
//! name  := [a-zA-Z0-9] ( [a-zA-Z0-9-/_]* [a-zA-Z0-9] )?        folder := [a-zA-Z0-9-_./]+        counter := [0-9]+
//! ```
//!
//! | tag | means |
//! | --- | --- |
//! | `churn@v1.2.0` | the version is registered |
//! | `churn@v1.2.0!` | the version is taken back |
//! | `churn#prod#4` | the alias `prod` moves to the version at the tag's commit; 4 counts all tags of the model |
//! | `churn#prod!#5` | the alias is taken away |
//! | `churn@deprecated` | the model should not be used any more |
//! | `churn@created` | the model was announced |
//!
//! People may type `folder:name` for `folder=name`, as in GTO, and `churn@prod` for `churn#prod`, as in MLflow; `#` begins
//! a comment in Makefiles. One form is printed: the one of the table.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::version::Version;

/// The name of a model; in GTO's words the artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModelName(String);

/// A movable name for a version; in GTO's words the stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Alias(String);

/// What one tag says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A version is registered.
    Registered(Version),
    /// A version is taken back.
    Deregistered(Version),
    /// An alias moves to the version at the tag's commit.
    Assigned(Alias),
    /// An alias is taken away.
    Unassigned(Alias),
    /// The model should not be used any more.
    Deprecated,
    /// The model was announced.
    Created,
}

/// The name of a tag of the registry, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelTag {
    /// The model that it speaks of.
    pub model: ModelName,
    /// What it says.
    pub event: Event,
    /// The place among all counted tags of the model.
    pub counter: Option<u64>,
}

/// Which version of a model is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// This one.
    Version(Version),
    /// The one that the alias names now.
    Alias(Alias),
    /// The one registered last.
    Latest,
    /// The one of the highest precedence.
    Greatest,
}

/// A model, or one of its versions, as people name it: `churn`, `churn@v1.2.0`, `churn#prod`, `churn@latest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRef {
    /// The model.
    pub model: ModelName,
    /// One version of it, if one is named.
    pub which: Option<Which>,
}

/// Text that names no model, alias or tag of the registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a name of letters, digits, `-`, `_` and `/`.
    #[error("'{0}' is not a name: letters and digits, with '-', '_' and '/' between them")]
    Name(String),
    /// The part before `=` is no folder that Git takes in a tag.
    #[error("'{0}' is not a folder that can stand in the name of a tag")]
    Folder(String),
    /// A word that means something else after `@`.
    #[error("'{0}' cannot be an alias: the word has another meaning")]
    ReservedAlias(String),
    /// No tag of the registry.
    #[error("'{0}' is not a tag of a model registry")]
    NotATag(String),
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/');
    let bytes = text.as_bytes();
    let ends = [bytes.first(), bytes.last()];
    ends.iter().all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && bytes.iter().all(|byte| inner(*byte))
        && !text.contains("//")
}

/// Whether `text` is a folder of GTO's grammar that Git also takes as a part of a ref.
fn is_folder(text: &str) -> bool {
    let portable = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
    let part = |part: &str| !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock");
    text.bytes().all(portable) && !text.contains("..") && !text.ends_with('.') && text.split('/').all(part)
}

impl ModelName {
    /// The text, as it stands in tags.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModelName {
    type Err = NameError;

    /// Reads `name`, `folder=name`, and `folder:name` as people type it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (folder, name) = match text.split_once(['=', ':']) {
            Some((folder, name)) => (Some(folder), name),
            None => (None, text),
        };
        if !is_name(name) {
            return Err(NameError::Name(name.into()));
        }
        match folder {
            Some(folder) if !is_folder(folder) => Err(NameError::Folder(folder.into())),
            Some(folder) => Ok(Self(format!("{folder}={name}"))),
            None => Ok(Self(name.into())),
        }
    }
}

impl Alias {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An alias for a new tag: like [`Alias::from_str`], but no word that means something else after `@`.
    ///
    /// # Errors
    ///
    /// [`NameError`] for such a word, and for what is no name at all.
    pub fn fresh(text: &str) -> Result<Self, NameError> {
        let taken = ["latest", "greatest", "deprecated", "created"].contains(&text);
        if taken || text.parse::<Version>().is_ok() || text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NameError::ReservedAlias(text.into()));
        }
        text.parse()
    }
}

impl FromStr for Alias {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_name(text) { Ok(Self(text.into())) } else { Err(NameError::Name(text.into())) }
    }
}

impl FromStr for ModelTag {
    type Err = NameError;

    /// Reads the name of a tag, without `refs/tags/`. Only the exact form is read: no `:`, no version without `v`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || NameError::NotATag(text.into());
        let at = text.find(['@', '#']).filter(|_| !text.contains(':')).ok_or_else(refuse)?;
        let model = text[..at].parse().map_err(|_| refuse())?;
        let (word, counter) = split_counter(&text[at + 1..]).ok_or_else(refuse)?;
        let (word, taken_back) = match word.strip_suffix('!') {
            Some(word) => (word, true),
            None => (word, false),
        };
        let event = match (text.as_bytes()[at], word, taken_back) {
            (b'@', "deprecated", false) => Event::Deprecated,
            (b'@', "created", false) => Event::Created,
            (b'@', version, _) => {
                let version = Some(version).filter(|version| version.starts_with('v')).ok_or_else(refuse)?;
                let version = version.parse().map_err(|_| refuse())?;
                if taken_back { Event::Deregistered(version) } else { Event::Registered(version) }
            }
            (_, alias, taken_back) => {
                let alias = alias.parse().map_err(|_| refuse())?;
                if taken_back { Event::Unassigned(alias) } else { Event::Assigned(alias) }
            }
        };
        Ok(Self { model, event, counter })
    }
}

/// The word before `#counter`, and the counter; `None` when what follows `#` is no number.
fn split_counter(text: &str) -> Option<(&str, Option<u64>)> {
    let Some((word, counter)) = text.split_once('#') else { return Some((text, None)) };
    let digits = !counter.is_empty() && counter.bytes().all(|byte| byte.is_ascii_digit());
    let counter = counter.parse().ok().filter(|_| digits)?;
    Some((word, Some(counter)))
}

impl FromStr for ModelRef {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(at) = text.find(['@', '#']) else {
            return Ok(Self { model: text.parse()?, which: None });
        };
        let model = text[..at].parse()?;
        let which = match (text.as_bytes()[at], &text[at + 1..]) {
            (b'@', "latest") => Which::Latest,
            (b'@', "greatest") => Which::Greatest,
            (b'@', word) if word.parse::<Version>().is_ok() => {
                Which::Version(word.parse().map_err(|_| NameError::NotATag(text.into()))?)
            }
            (_, word) => Which::Alias(word.parse()?),
        };
        Ok(Self { model, which: Some(which) })
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ModelTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model.as_str())?;
        match &self.event {
            Event::Registered(version) => write!(f, "@{version}")?,
            Event::Deregistered(version) => write!(f, "@{version}!")?,
            Event::Assigned(alias) => write!(f, "#{alias}")?,
            Event::Unassigned(alias) => write!(f, "#{alias}!")?,
            Event::Deprecated => f.write_str("@deprecated")?,
            Event::Created => f.write_str("@created")?,
        }
        self.counter.map_or(Ok(()), |counter| write!(f, "#{counter}"))
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.model.as_str())?;
        match &self.which {
            None => Ok(()),
            Some(Which::Version(version)) => write!(f, "@{version}"),
            Some(Which::Alias(alias)) => write!(f, "#{alias}"),
            Some(Which::Latest) => f.write_str("@latest"),
            Some(Which::Greatest) => f.write_str("@greatest"),
        }
    }
}

impl Serialize for ModelName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for Alias {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_the_grammar_round_trip() {
        let tags = [
            "churn@v0.0.1",
            "churn@v0.0.1!",
            "churn@v1.2.0-rc.1+build.5#3",
            "churn#dev#1",
            "churn#dev",
            "churn#dev!#3",
            "churn@deprecated",
            "churn@created",
            "models/a.b=team/churn@v1.0.0",
            "a=b#prod#12",
        ];
        for text in tags {
            assert_eq!(text.parse::<ModelTag>().map(|tag| tag.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn other_tags_are_not_ours() {
        let others = [
            "v1.0.0",
            "churn",
            "churn@1.0.0",
            "churn@latest",
            "@v1.0.0",
            "churn#",
            "churn#a#b",
            "churn#a#",
            "-a@v1.0.0",
            "churn@v1.0.0!!",
            "churn@deprecated!",
            "x:churn@v1.0.0",
            "../x=churn@v1.0.0",
            "a.lock=b@v1.0.0",
            "a//b@v1.0.0",
        ];
        for text in others {
            assert!(text.parse::<ModelTag>().is_err(), "{text} was read as a tag of the registry");
        }
    }

    #[test]
    fn people_may_write_at_and_colon_but_one_form_is_printed() {
        let printed = |text: &str| text.parse::<ModelRef>().map(|name| name.to_string());
        assert_eq!(printed("churn@prod"), Ok("churn#prod".into()));
        assert_eq!(printed("models:churn@1.2.0"), Ok("models=churn@v1.2.0".into()));
        assert_eq!(printed("churn@latest"), Ok("churn@latest".into()));
        assert_eq!(printed("churn"), Ok("churn".into()));
        assert!(printed("churn@").is_err());
        assert!(
            Alias::fresh("v1.2.0").is_err() && Alias::fresh("latest").is_err() && Alias::fresh("7").is_err()
        );
        assert_eq!(Alias::fresh("prod").map(|alias| alias.to_string()), Ok("prod".into()));
    }
}
