//! The points of one run, wherever they lie: in the logs, or in the store.

use std::collections::BTreeMap;

use crate::base::RandomId;
use crate::data::{Presence, presence};
use crate::git::ObjectId;
use crate::storage::store::Store;

use super::error::RunsError;
use super::layout::{self, RecordName};
use super::metric_chunk;
use super::points::{PointsError, StoredPoints};
use super::record::{Op, OpBatch, Point};
use super::view::View;

/// Where some points of a metric lie.
#[derive(Debug, Clone)]
enum Place {
    /// A chunk in Git.
    Chunk(ObjectId),
    /// A content that the batch of this name tells; by its number.
    Stored(usize),
}

/// Where the points of a run lie.
#[derive(Debug, Default)]
pub struct LoggedPoints {
    run: RandomId,
    stored: Vec<StoredPoints>,
    /// Of each metric, in the order of the logs: the file, and where its points are.
    places: BTreeMap<String, Vec<(RecordName, Place)>>,
    counts: BTreeMap<String, u64>,
}

impl View<'_> {
    /// Where the points of a run lie.
    ///
    /// # Errors
    ///
    /// [`RunsError::Record`], and those of Git.
    pub fn logged_points(&self, run: &RandomId) -> Result<LoggedPoints, RunsError> {
        let mut logged = LoggedPoints { run: *run, ..LoggedPoints::default() };
        let folder = layout::run_folder(run);
        for (escaped, found) in self.list(&self.folders_at(&format!("{folder}/m"))?)? {
            let Some(key) = layout::unescape_key(&escaped) else { continue };
            for (file, found) in self.list(&found.folders)? {
                if let (Some((name, "mcol")), Some(id)) = (RecordName::parse(&file), found.file) {
                    logged.places.entry(key.clone()).or_default().push((name, Place::Chunk(id)));
                }
            }
        }
        for (file, found) in self.list(&self.folders_at(&format!("{folder}/ops"))?)? {
            let (Some((name, "json")), Some(blob)) = (RecordName::parse(&file), found.file) else { continue };
            let batch: OpBatch = self.record(blob, &format!("{folder}/ops/{file}"))?;
            logged.take(name, batch);
        }
        logged.places.values_mut().for_each(|places| places.sort_by_key(|(name, _)| *name));
        Ok(logged)
    }

    /// All points of a metric of a run, by step, time and value.
    ///
    /// # Errors
    ///
    /// [`RunsError::PointsAbsent`] where some are not here, [`RunsError::Chunk`], [`RunsError::StoredPoints`], and those
    /// of Git.
    pub fn points(&self, run: &RandomId, key: &str) -> Result<Vec<Point>, RunsError> {
        let mut points = Vec::new();
        self.logged_points(run)?.each(self, key, |more| points.extend(more))?;
        points.sort_by(super::metric::later);
        Ok(points)
    }
}

impl LoggedPoints {
    fn take(&mut self, name: RecordName, batch: OpBatch) {
        for timed in batch.ops {
            match timed.op {
                Op::Metric(summary) => {
                    let count = self.counts.entry(summary.key).or_default();
                    *count = count.saturating_add(summary.count);
                }
                Op::Points(stored) => {
                    for part in &stored.parts {
                        let place = Place::Stored(self.stored.len());
                        self.places.entry(part.key.clone()).or_default().push((name, place));
                    }
                    self.stored.push(stored);
                }
                _ => {}
            }
        }
    }

    /// How many points each metric has, as its batches say.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// Gives the points of a metric to `take`, some at a time, in the order of the logs; nothing where some are not here.
    /// Returns the names of the files that hold them, or that tell where they lie.
    ///
    /// # Errors
    ///
    /// As [`View::points`].
    pub fn each(
        &self,
        view: &View<'_>,
        key: &str,
        mut take: impl FnMut(Vec<Point>),
    ) -> Result<Vec<String>, RunsError> {
        let places = self.places.get(key).map(Vec::as_slice).unwrap_or_default();
        let stored = || {
            let stored = places.iter().filter_map(|(_, place)| match place {
                Place::Stored(number) => self.stored.get(*number),
                Place::Chunk(_) => None,
            });
            stored.collect::<Vec<_>>()
        };
        let missing = absent(view.store(), stored());
        if missing > 0 {
            let (run, key, all) = (self.run, key.to_owned(), stored().len() as u64);
            return Err(RunsError::PointsAbsent { run, key, missing, all });
        }
        let mut files = Vec::new();
        for (name, place) in places {
            match place {
                Place::Chunk(id) => {
                    let decoded = metric_chunk::decode(&view.read(*id)?);
                    take(decoded.map_err(|source| RunsError::Chunk { id: *id, source })?);
                    files.push(name.file("mcol"));
                }
                Place::Stored(number) => {
                    let Some(stored) = self.stored.get(*number) else { continue };
                    let failed = |source: PointsError| RunsError::StoredPoints {
                        id: stored.blake3,
                        source: Box::new(source),
                    };
                    take(stored.read(view.store(), key).map_err(failed)?);
                    files.push(name.file("json"));
                }
            }
        }
        Ok(files)
    }
}

/// How many of these contents are not whole in the store.
pub fn absent<'a>(store: &Store, stored: impl IntoIterator<Item = &'a StoredPoints>) -> u64 {
    let is_absent = |stored: &&StoredPoints| presence(store, &stored.root()) != Presence::Whole;
    stored.into_iter().filter(is_absent).count() as u64
}
