//! What there is of each of the three versions of a merge.

use serde::Serialize;

/// One of the three versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// The common ancestor.
    Base,
    /// The version that is merged into.
    Ours,
    /// The version that is merged in.
    Theirs,
}

impl Version {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Base, Self::Ours, Self::Theirs];
}

/// One value for each version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Three<T> {
    /// Of the common ancestor.
    pub base: T,
    /// Of the version that is merged into.
    pub ours: T,
    /// Of the version that is merged in.
    pub theirs: T,
}

impl<T> Three<T> {
    /// The value of one version.
    pub const fn of(&self, version: Version) -> &T {
        match version {
            Version::Base => &self.base,
            Version::Ours => &self.ours,
            Version::Theirs => &self.theirs,
        }
    }

    /// The value of one version, to be changed.
    pub const fn of_mut(&mut self, version: Version) -> &mut T {
        match version {
            Version::Base => &mut self.base,
            Version::Ours => &mut self.ours,
            Version::Theirs => &mut self.theirs,
        }
    }

    /// What `make` makes of each version.
    pub fn from_each(mut make: impl FnMut(Version) -> T) -> Self {
        Self { base: make(Version::Base), ours: make(Version::Ours), theirs: make(Version::Theirs) }
    }
}

impl<T: Send> Three<T> {
    /// What `work` makes of each version, all at once.
    pub(super) fn at_once<E: Send>(work: impl Fn(Version) -> Result<T, E> + Sync) -> Result<Self, E> {
        let (ours, (base, theirs)) = rayon::join(
            || work(Version::Ours),
            || rayon::join(|| work(Version::Base), || work(Version::Theirs)),
        );
        Ok(Self { base: base?, ours: ours?, theirs: theirs? })
    }
}
