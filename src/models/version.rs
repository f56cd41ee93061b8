//! Versions of models: Semantic Versioning 2.0.0 with a leading `v`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Which part of a version is counted up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bump {
    /// What callers rely on changed.
    Major,
    /// Something was added.
    Minor,
    /// The same, better: the default, as in GTO.
    #[default]
    Patch,
}

/// A version, written `v1.2.0`; ordered by precedence (a pre-release comes before its release).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(semver::Version);

impl Version {
    /// The first version of a model: one `bump` above `v0.0.0`, so `v0.0.1` by default.
    pub fn first(bump: Bump) -> Self {
        Self(semver::Version::new(0, 0, 0)).bumped(bump)
    }

    /// The next version. A pre-release is counted up to the release that it announced, where that is high enough.
    pub fn bumped(&self, bump: Bump) -> Self {
        let semver::Version { major, minor, patch, .. } = self.0;
        let announces = !self.0.pre.is_empty();
        let next = match bump {
            Bump::Patch if announces => (major, minor, patch),
            Bump::Patch => (major, minor, patch.saturating_add(1)),
            Bump::Minor if announces && patch == 0 => (major, minor, 0),
            Bump::Minor => (major, minor.saturating_add(1), 0),
            Bump::Major if announces && minor == 0 && patch == 0 => (major, 0, 0),
            Bump::Major => (major.saturating_add(1), 0, 0),
        };
        Self(semver::Version::new(next.0, next.1, next.2))
    }

    /// Whether it is a release, not something before one.
    pub fn is_release(&self) -> bool {
        self.0.pre.is_empty()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

/// Text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a version like v1.2.0: {why}")]
pub struct ParseVersionError {
    text: String,
    why: String,
}

impl FromStr for Version {
    type Err = ParseVersionError;

    /// Reads `v1.2.0`, and `1.2.0` as people type it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_prefix('v').unwrap_or(text);
        let refuse = |why: semver::Error| ParseVersionError { text: text.into(), why: why.to_string() };
        semver::Version::parse(number).map(Self).map_err(refuse)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn versions_count_up() {
        assert_eq!(Version::first(Bump::default()), version("v0.0.1"));
        assert_eq!(Version::first(Bump::Major), version("1.0.0"));
        assert_eq!(version("v1.2.3").bumped(Bump::Minor), version("v1.3.0"));
        assert_eq!(version("v1.2.3").bumped(Bump::Major), version("v2.0.0"));
        assert_eq!(version("v1.3.0-rc.1").bumped(Bump::Patch), version("v1.3.0"));
        assert_eq!(version("v1.3.0-rc.1").bumped(Bump::Minor), version("v1.3.0"));
        assert_eq!(version("v1.3.1-rc.1").bumped(Bump::Minor), version("v1.4.0"));
    }

    #[test]
    fn versions_sort_by_precedence_and_print_with_v() {
        let mut all = [version("1.10.0"), version("v1.9.0"), version("v1.10.0-rc.1")];
        all.sort();
        assert_eq!(all.map(|version| version.to_string()), ["v1.9.0", "v1.10.0-rc.1", "v1.10.0"]);
        assert!("v1.2".parse::<Version>().is_err());
        assert!("v01.2.0".parse::<Version>().is_err());
    }
}
