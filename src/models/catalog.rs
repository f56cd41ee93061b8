//! The registry as its tags tell it: models, versions, aliases. Pure; the tags are read by [`super::registry`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::base::RandomId;

use super::message::{ContentRecord, Facts};
use super::tag::{Alias, Event, ModelName, ModelRef, ModelTag, Which};
use super::version::Version;

/// One tag of the registry, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTag {
    /// Its name.
    pub tag: ModelTag,
    /// The commit that it names, in hexadecimal.
    pub commit: String,
    /// When it was made.
    pub time: Timestamp,
    /// Who made it: name and address.
    pub by: String,
    /// Its message.
    pub message: String,
}

/// A registered version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegisteredVersion {
    /// The version.
    pub version: Version,
    /// The tag that registers it.
    pub tag: String,
    /// The commit that the tag names.
    pub commit: String,
    /// When it was registered.
    pub time: Timestamp,
    /// Who registered it.
    pub by: String,
    /// What it stands for; unknown for tags of GTO.
    pub content: Option<ContentRecord>,
    /// The run that made it, if known.
    pub run: Option<RandomId>,
    /// The aliases that name it now.
    pub aliases: Vec<Alias>,
    /// Whether it was taken back.
    pub deregistered: bool,
}

/// One move of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AliasMove {
    /// The alias.
    pub alias: Alias,
    /// Where it moved to; `None` when it was taken away, or when no registered version fits the tag.
    pub version: Option<Version>,
    /// Whether it was taken away.
    pub unassigned: bool,
    /// The tag that says so.
    pub tag: String,
    /// The commit that the tag names.
    pub commit: String,
    /// When.
    pub time: Timestamp,
    /// By whom.
    pub by: String,
}

/// A model of the registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Model {
    /// Its name.
    pub name: ModelName,
    /// Whether it should not be used any more.
    pub deprecated: bool,
    /// Its versions, the greatest first, those taken back among them.
    pub versions: Vec<RegisteredVersion>,
    /// Where each alias is now.
    pub aliases: BTreeMap<Alias, Version>,
    /// Every move of an alias, the newest first.
    pub history: Vec<AliasMove>,
    /// The greatest counter in any tag of the model.
    #[serde(skip)]
    pub last_counter: u64,
}

/// All models, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Catalog(BTreeMap<ModelName, Model>);

impl Catalog {
    /// The state that `tags` add up to, in whatever order they come.
    pub fn of_tags(tags: impl IntoIterator<Item = FoundTag>) -> Self {
        let mut by_model: BTreeMap<ModelName, Vec<FoundTag>> = BTreeMap::new();
        for tag in tags {
            by_model.entry(tag.tag.model.clone()).or_default().push(tag);
        }
        Self(by_model.into_iter().map(|(name, tags)| (name.clone(), Model::of_tags(name, tags))).collect())
    }

    /// The models, by name.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.0.values()
    }

    /// The model of this name.
    pub fn model(&self, name: &ModelName) -> Option<&Model> {
        self.0.get(name)
    }

    /// The version that `named` means; where it names a model alone, the greatest.
    pub fn version(&self, named: &ModelRef) -> Option<&RegisteredVersion> {
        self.model(&named.model)?.version(named.which.as_ref().unwrap_or(&Which::Greatest))
    }
}

impl Model {
    fn of_tags(name: ModelName, mut tags: Vec<FoundTag>) -> Self {
        // A counter is older than a clock; GTO's tags without a counter (0) are ordered by time alone.
        tags.sort_by_cached_key(|tag| (tag.tag.counter.unwrap_or(0), tag.time, tag.tag.to_string()));
        let mut versions = registered_versions(&tags);
        let history: Vec<AliasMove> = tags.iter().filter_map(|tag| alias_move(tag, &versions)).collect();
        let mut aliases = BTreeMap::new();
        for alias_move in &history {
            match &alias_move.version {
                Some(version) => aliases.insert(alias_move.alias.clone(), version.clone()),
                None => aliases.remove(&alias_move.alias),
            };
        }
        for version in &mut versions {
            let here = aliases.iter().filter(|(_, at)| **at == version.version);
            version.aliases = here.map(|(alias, _)| alias.clone()).collect();
        }
        Self {
            name,
            deprecated: tags.iter().any(|tag| tag.tag.event == Event::Deprecated),
            versions,
            aliases,
            history: history.into_iter().rev().collect(),
            last_counter: tags.iter().filter_map(|tag| tag.tag.counter).max().unwrap_or(0),
        }
    }

    /// The version that `which` means now.
    pub fn version(&self, which: &Which) -> Option<&RegisteredVersion> {
        let mut usable = self.versions.iter().filter(|version| !version.deregistered);
        match which {
            Which::Version(wanted) => self.versions.iter().find(|version| version.version == *wanted),
            Which::Alias(alias) => {
                let wanted = self.aliases.get(alias)?;
                self.versions.iter().find(|version| version.version == *wanted)
            }
            Which::Latest => usable.max_by_key(|version| (version.time, version.version.clone())),
            Which::Greatest => usable.next(),
        }
    }
}

/// The versions that `tags` register, the greatest first.
fn registered_versions(tags: &[FoundTag]) -> Vec<RegisteredVersion> {
    let taken_back: BTreeSet<&Version> = tags.iter().filter_map(|tag| taken_back(&tag.tag.event)).collect();
    let mut versions: BTreeMap<&Version, RegisteredVersion> = BTreeMap::new();
    for found in tags {
        let Event::Registered(version) = &found.tag.event else { continue };
        let facts = Facts::parse(&found.message);
        versions.entry(version).or_insert_with(|| RegisteredVersion {
            version: version.clone(),
            tag: found.tag.to_string(),
            commit: found.commit.clone(),
            time: found.time,
            by: found.by.clone(),
            run: facts.as_ref().and_then(|facts| facts.run),
            content: facts.and_then(|facts| facts.content),
            aliases: Vec::new(),
            deregistered: taken_back.contains(version),
        });
    }
    versions.into_values().rev().collect()
}

fn taken_back(event: &Event) -> Option<&Version> {
    match event {
        Event::Deregistered(version) => Some(version),
        _ => None,
    }
}

/// The move that a tag tells of; the version by the tag's own words, else by its commit, as GTO does.
fn alias_move(found: &FoundTag, versions: &[RegisteredVersion]) -> Option<AliasMove> {
    let (alias, unassigned) = match &found.tag.event {
        Event::Assigned(alias) => (alias, false),
        Event::Unassigned(alias) => (alias, true),
        _ => return None,
    };
    let facts = Facts::parse(&found.message).and_then(|facts| facts.version);
    let told = facts
        .or_else(|| version_in_first_line(&found.message))
        .filter(|told| versions.iter().any(|version| version.version == *told));
    let at_commit =
        || versions.iter().find(|version| version.commit == found.commit && !version.deregistered);
    let version = told.or_else(|| at_commit().map(|version| version.version.clone()));
    Some(AliasMove {
        alias: alias.clone(),
        version: version.filter(|_| !unassigned),
        unassigned,
        tag: found.tag.to_string(),
        commit: found.commit.clone(),
        time: found.time,
        by: found.by.clone(),
    })
}

/// The version in GTO's own sentence: "Assigning stage prod to artifact churn version v1.2.0".
fn version_in_first_line(message: &str) -> Option<Version> {
    message.lines().next()?.rsplit_once(" version ")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tag: &str, commit: &str, second: i64, message: &str) -> FoundTag {
        let time = Timestamp::from_second(second).unwrap();
        let (commit, by, message) = (commit.into(), "Ann".into(), message.into());
        FoundTag { tag: tag.parse().unwrap(), commit, time, by, message }
    }

    #[test]
    fn tags_of_gto_add_up_in_any_order() {
        let mut tags = vec![
            found("churn@v0.0.1", "a", 1, ""),
            found("churn@v0.0.2", "b", 2, ""),
            found("churn#prod#1", "a", 3, ""),
            found("churn#prod#2", "b", 3, ""),
            found("churn#dev#3", "b", 3, ""),
            found("churn#dev!#4", "b", 3, ""),
            found("other@v1.0.0", "a", 9, ""),
        ];
        let catalog = Catalog::of_tags(tags.clone());
        tags.reverse();
        assert_eq!(catalog, Catalog::of_tags(tags));
        let churn = catalog.model(&"churn".parse().unwrap()).unwrap();
        assert_eq!(churn.last_counter, 4);
        assert_eq!(churn.aliases.len(), 1);
        assert_eq!(churn.history.len(), 4);
        let named = |text: &str| catalog.version(&text.parse().unwrap()).map(|version| version.tag.clone());
        assert_eq!(named("churn@prod"), Some("churn@v0.0.2".into()));
        assert_eq!(named("churn#dev"), None);
        assert_eq!(named("churn"), Some("churn@v0.0.2".into()));
    }

    #[test]
    fn an_alias_goes_where_its_message_says_even_when_two_versions_share_a_commit() {
        let moved = |version: &str| {
            Facts::of_alias(version.parse().unwrap()).message(&"churn#prod#1".parse().unwrap())
        };
        let tags = [
            found("churn@v1.0.0", "a", 1, ""),
            found("churn@v2.0.0", "a", 2, ""),
            found("churn#prod#1", "a", 3, &moved("v1.0.0")),
            found("churn#next#2", "a", 3, &moved("v7.0.0")),
        ];
        let catalog = Catalog::of_tags(tags);
        let named = |text: &str| catalog.version(&text.parse().unwrap()).map(|version| version.tag.clone());
        assert_eq!(named("churn#prod"), Some("churn@v1.0.0".into()));
        assert_eq!(
            named("churn#next"),
            Some("churn@v2.0.0".into()),
            "a version that is not there is not believed"
        );
    }

    #[test]
    fn a_version_that_was_taken_back_is_not_the_greatest() {
        let tags = [
            found("churn@v1.0.0", "a", 1, ""),
            found("churn@v2.0.0", "b", 2, ""),
            found("churn@v2.0.0!", "b", 3, ""),
            found("churn@deprecated", "b", 4, ""),
        ];
        let catalog = Catalog::of_tags(tags);
        let churn = catalog.models().next().unwrap();
        assert!(churn.deprecated && churn.versions[0].deregistered);
        assert_eq!(churn.version(&Which::Greatest).map(|version| version.tag.as_str()), Some("churn@v1.0.0"));
    }
}
