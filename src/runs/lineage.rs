//! Lineage: from a content, run, model version or commit back to the data and code that it came from, and forward to the models
//! that came of it.
//!
//! What holds it together are content ids: a run names those that it read and made, a version the one that it stands for.
//! So it survives every rewriting of history, renamed paths and fresh clones.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use crate::base::{Digest, RandomId, RepoPath};
use crate::git::Repository;
use crate::models::{
    Alias, Catalog, ContentRecord, ModelName, ModelRef, Version, catalog, committed_content,
};

use super::commits;
use super::error::RunsError;
use super::flush;
use super::history;
use super::record::{CodeState, Status};
use super::state::Run;
use super::view::View;

/// Longer chains are cut.
const LONGEST_CHAIN: usize = 64;

/// Something that has an origin.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "thing", rename_all = "snake_case")]
pub enum Thing {
    /// A content.
    Content(ContentRecord),
    /// A content of which only the id is known.
    ContentId {
        /// The id.
        blake3: Digest,
    },
    /// A run.
    Run {
        /// Its id.
        id: RandomId,
        /// Its name.
        name: Option<String>,
        /// How it went.
        status: Status,
        /// When it began.
        start: Timestamp,
        /// The command and its arguments.
        command: Vec<String>,
    },
    /// The code that a run ran.
    Code(CodeState),
    /// A model version.
    Version {
        /// The model.
        model: ModelName,
        /// The version.
        version: Version,
        /// The aliases that name it now.
        aliases: Vec<Alias>,
        /// When it was registered.
        time: Timestamp,
    },
    /// A commit.
    Commit {
        /// Its id.
        commit: String,
        /// By what its runs were found.
        found_by: Option<commits::FoundBy>,
    },
}

/// How one thing belongs to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It was made by this run.
    MadeBy,
    /// It ran this code.
    Ran,
    /// It read this content.
    Read,
    /// It stands for this content.
    StandsFor,
    /// It made this content.
    Made,
    /// It was read by this run.
    ReadBy,
    /// It was registered as this version.
    RegisteredAs,
}

/// A thing, and what belongs to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Link {
    /// How it belongs to the thing before.
    pub relation: Relation,
    /// The thing.
    #[serde(flatten)]
    pub thing: Thing,
    /// What belongs to it in turn. A thing that was met before has nothing here again.
    pub links: Vec<Link>,
}

/// Where something comes from, and where it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lineage {
    /// What was asked about.
    pub subject: Thing,
    /// What it comes from.
    pub back: Vec<Link>,
    /// What came of it.
    pub forward: Vec<Link>,
}

/// The lineage of what `named` means: a model version (`churn@v1.0.0`, `churn#prod`), a content id, a path with data, a run,
/// a model, or a revision of Git, in this order.
///
/// # Errors
///
/// [`RunsError::NoSuchSubject`], and those of reading.
pub fn lineage(repository: &Repository, named: &str) -> Result<Lineage, RunsError> {
    flush::recover(repository)?;
    let view = View::open(repository)?;
    let graph = Graph::new(view.runs()?, catalog(repository)?);
    let missing = || RunsError::NoSuchSubject { named: named.into() };
    if named.contains(['@', '#'])
        && let Some(lineage) = named.parse().ok().and_then(|named| graph.of_version(&named))
    {
        return Ok(lineage);
    }
    if let Ok(blake3) = named.parse::<Digest>() {
        return Ok(graph.of_content(&graph.content(blake3)));
    }
    if let Some(content) = content_at(repository, &graph, named)? {
        return Ok(graph.of_content(&Thing::Content(content)));
    }
    if let Some(run) = history::find_in(&view, named)? {
        return Ok(graph.of_run(&run));
    }
    if let Some(lineage) = named.parse().ok().and_then(|named| graph.of_version(&named)) {
        return Ok(lineage);
    }
    let commit = repository.resolve_commit(named).map_err(|_| missing())?;
    let origin = commits::origin_of(repository, &view, &graph.runs, commit)?;
    Ok(graph.of_commit(commit.to_string(), &origin))
}

/// The content that a path has now (or had last, as far as runs know), or that it had at a revision (`REVISION:PATH`).
fn content_at(
    repository: &Repository,
    graph: &Graph,
    named: &str,
) -> Result<Option<ContentRecord>, RunsError> {
    if let Some((revision, path)) = named.split_once(':') {
        let (Ok(commit), Ok(path)) = (repository.resolve_commit(revision), RepoPath::new(path)) else {
            return Ok(None);
        };
        return Ok(committed_content(repository, commit, &path).ok());
    }
    let Ok(path) = repository.resolve(named) else { return Ok(None) };
    if let Ok(Some(pointer)) = repository.work_tree_pointer(&path) {
        return Ok(Some(ContentRecord::of_pointer(&path, &pointer)));
    }
    let of_path = |run: &&Run| run.contents().any(|content| content.path == path.as_str());
    let latest = graph.runs.iter().filter(of_path).max_by_key(|run| run.start);
    Ok(latest.and_then(|run| run.contents().find(|content| content.path == path.as_str()).cloned()))
}

/// All runs and versions, by the contents that they name.
struct Graph {
    runs: Vec<Run>,
    catalog: Catalog,
    made: HashMap<Digest, Vec<usize>>,
    read: HashMap<Digest, Vec<usize>>,
}

impl Graph {
    fn new(mut runs: Vec<Run>, catalog: Catalog) -> Self {
        runs.retain(|run| !run.deleted);
        runs.sort_by_key(|run| (run.start, run.id));
        let (mut made, mut read) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (at, run) in runs.iter().enumerate() {
            run.outputs.iter().for_each(|output| made.entry(output.blake3).or_default().push(at));
            run.inputs.iter().for_each(|input| read.entry(input.blake3).or_default().push(at));
        }
        Self { runs, catalog, made, read }
    }

    /// What is known of a content by its id.
    fn content(&self, blake3: Digest) -> Thing {
        let registered = self.registered().map(|(_, content)| content);
        let mut named = self.runs.iter().flat_map(Run::contents).chain(registered);
        let record = named.rfind(|content| content.blake3 == blake3);
        record.map_or(Thing::ContentId { blake3 }, |record| Thing::Content(record.clone()))
    }

    /// All versions whose content is known.
    fn registered(&self) -> impl DoubleEndedIterator<Item = (Thing, &ContentRecord)> {
        let versions = self
            .catalog
            .models()
            .flat_map(|model| model.versions.iter().map(move |version| (model, version)));
        let versions = versions.filter_map(|(model, version)| {
            let thing = Thing::Version {
                model: model.name.clone(),
                version: version.version.clone(),
                aliases: version.aliases.clone(),
                time: version.time,
            };
            Some((thing, version.content.as_ref()?))
        });
        versions.collect::<Vec<_>>().into_iter()
    }

    fn of_version(&self, named: &ModelRef) -> Option<Lineage> {
        let version = self.catalog.version(named)?;
        let subject = Thing::Version {
            model: named.model.clone(),
            version: version.version.clone(),
            aliases: version.aliases.clone(),
            time: version.time,
        };
        let mut walk = Walk::over(self);
        let mut back = Vec::new();
        if let Some(content) = &version.content {
            back.push(walk.back_to_content(Relation::StandsFor, content));
        }
        // The run that the version names counts, even if it did not list the content as an output.
        let run = version.run.and_then(|id| self.runs.iter().position(|run| run.id == id));
        if let Some(at) = run.filter(|at| !walk.met_runs.contains(at)) {
            back.push(walk.back_to_run(Relation::MadeBy, at));
        }
        Some(Lineage { subject, back, forward: Vec::new() })
    }

    fn of_content(&self, subject: &Thing) -> Lineage {
        let blake3 = match subject {
            Thing::Content(content) => content.blake3,
            Thing::ContentId { blake3 } => *blake3,
            _ => Digest::ZERO,
        };
        let back = Walk::over(self).makers(blake3);
        let forward = Walk::over(self).uses(blake3);
        Lineage { subject: subject.clone(), back, forward }
    }

    fn of_run(&self, run: &Run) -> Lineage {
        let at = self.runs.iter().position(|known| known.id == run.id);
        let back = at.map(|at| Walk::over(self).back_to_run(Relation::MadeBy, at).links);
        let forward = at.map(|at| Walk::over(self).forward_to_run(Relation::ReadBy, at).links);
        Lineage {
            subject: thing_of_run(run),
            back: back.unwrap_or_default(),
            forward: forward.unwrap_or_default(),
        }
    }

    fn of_commit(&self, commit: String, origin: &commits::Origin) -> Lineage {
        let mut walk = Walk::over(self);
        let places = origin.runs.iter().filter_map(|id| self.runs.iter().position(|run| run.id == *id));
        let back = places.map(|at| walk.back_to_run(Relation::MadeBy, at)).collect();
        Lineage { subject: Thing::Commit { commit, found_by: origin.found_by }, back, forward: Vec::new() }
    }
}

fn thing_of_run(run: &Run) -> Thing {
    Thing::Run {
        id: run.id,
        name: run.name.clone(),
        status: run.status,
        start: run.start,
        command: run.command.clone(),
    }
}

/// A walk that meets each thing once.
struct Walk<'a> {
    graph: &'a Graph,
    met_runs: BTreeSet<usize>,
    met_contents: BTreeSet<Digest>,
    depth: usize,
}

impl<'a> Walk<'a> {
    fn over(graph: &'a Graph) -> Self {
        Self { graph, met_runs: BTreeSet::new(), met_contents: BTreeSet::new(), depth: 0 }
    }

    /// `links` of a thing that lies one step further; none where the chain is cut.
    fn deeper(&mut self, links: impl FnOnce(&mut Self) -> Vec<Link>) -> Vec<Link> {
        if self.depth == LONGEST_CHAIN {
            return Vec::new();
        }
        self.depth += 1;
        let links = links(self);
        self.depth -= 1;
        links
    }

    /// The runs that made a content, and what they come from.
    fn makers(&mut self, content: Digest) -> Vec<Link> {
        if !self.met_contents.insert(content) {
            return Vec::new();
        }
        let makers = self.graph.made.get(&content).cloned().unwrap_or_default();
        makers.into_iter().map(|at| self.back_to_run(Relation::MadeBy, at)).collect()
    }

    fn back_to_content(&mut self, relation: Relation, content: &ContentRecord) -> Link {
        let links = self.deeper(|walk| walk.makers(content.blake3));
        Link { relation, thing: Thing::Content(content.clone()), links }
    }

    fn back_to_run(&mut self, relation: Relation, at: usize) -> Link {
        let run = &self.graph.runs[at];
        let mut links = Vec::new();
        if self.met_runs.insert(at) {
            if run.git.commit.is_some() {
                links.push(Link {
                    relation: Relation::Ran,
                    thing: Thing::Code(run.git.clone()),
                    links: Vec::new(),
                });
            }
            links.extend(self.deeper(|walk| {
                run.inputs.iter().map(|input| walk.back_to_content(Relation::Read, input)).collect()
            }));
        }
        Link { relation, thing: thing_of_run(run), links }
    }

    /// What came of a content.
    fn uses(&mut self, content: Digest) -> Vec<Link> {
        if !self.met_contents.insert(content) {
            return Vec::new();
        }
        let registered = self.graph.registered().filter(|(_, known)| known.blake3 == content);
        let as_version = |(thing, _)| Link { relation: Relation::RegisteredAs, thing, links: Vec::new() };
        let mut links: Vec<_> = registered.map(as_version).collect();
        let readers = self.graph.read.get(&content).cloned().unwrap_or_default();
        links.extend(readers.into_iter().map(|at| self.forward_to_run(Relation::ReadBy, at)));
        links
    }

    fn forward_to_run(&mut self, relation: Relation, at: usize) -> Link {
        let run = &self.graph.runs[at];
        let mut links = Vec::new();
        if self.met_runs.insert(at) {
            let made = |walk: &mut Self, output: &ContentRecord| {
                let links = walk.uses(output.blake3);
                Link { relation: Relation::Made, thing: Thing::Content(output.clone()), links }
            };
            links = self.deeper(|walk| run.outputs.iter().map(|output| made(walk, output)).collect());
        }
        Link { relation, thing: thing_of_run(run), links }
    }
}
