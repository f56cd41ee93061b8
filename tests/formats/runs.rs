//! Records of runs, metric chunks, spools and registry tags: golden bytes, round trips, hostile input.
//!
//! The files in `fixtures/formats` are never made anew: a format that changes gets a new version and further files.

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use git_ml::base::{Digest, RandomId};
use git_ml::checks::{CheckStatus, CheckSummary, Verdict, VerdictRecord};
use git_ml::models::{ContentKind, ContentRecord, Facts, ModelTag};
use git_ml::runs::metric_chunk::{MAX_POINTS, MetricChunkError, decode, encode};
use git_ml::runs::number::Number;
use git_ml::runs::record::{
    CodeState, CreateRecord, Environment, MetricSummary, Op, OpBatch, Point, SpoolMark, Status, TimedOp,
    Versioned,
};
use git_ml::runs::spool::{Event, Spool};
use git_ml::runs::{CommitRecord, Drawing, PointsPart, Rewriting, Source, StoredPoints};
use jiff::Timestamp;
use proptest::prelude::*;

fn golden(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn time() -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_123).unwrap()
}

fn random(byte: u8) -> RandomId {
    RandomId::from_bytes([byte; 16])
}

fn hex(byte: u8) -> String {
    format!("{byte:02x}").repeat(20)
}

fn content() -> ContentRecord {
    let (blake3, manifest) = (Digest::of(b"penguins"), Some(Digest::of(b"a manifest")));
    ContentRecord {
        path: "data/größe.csv".into(), kind: ContentKind::File, blake3, size: 300_000, manifest
    }
}

fn points() -> Vec<Point> {
    let point = |(step, value): (i64, f64)| Point { step, time: 1_700_000_000_000 + step * 1000, value };
    let mut points: Vec<_> = (0..300).map(|step| (step, 1.0 / (step as f64 + 1.0))).map(point).collect();
    points.push(Point { step: i64::MIN, time: -1, value: f64::NEG_INFINITY });
    points.push(Point { step: i64::MAX, time: i64::MAX, value: -0.0 });
    points
}

fn create() -> CreateRecord {
    CreateRecord {
        version: 1,
        id: random(0x5e),
        name: Some("base".into()),
        writer: random(0x77),
        lamport: 12,
        start: time(),
        user: Some("Ann <ann@example.org>".into()),
        parent: Some(random(0x44)),
        command: ["python3", "train.py", "--token=***"].map(String::from).to_vec(),
        folder: "churn".into(),
        git: CodeState {
            commit: Some(hex(0x4c)),
            tree: Some(hex(0x9d)),
            branch: Some("main".into()),
            patch_id: Some(hex(0xaa)),
            change_id: Some(format!("I{}", hex(0xbb))),
            changed_files: 2,
            left_out: vec![".env".into()],
        },
        environment: Environment {
            os: "linux".into(),
            arch: "x86_64".into(),
            cpus: 8,
            git: Some("2.47.3".into()),
            git_ml: "0.1.0".into(),
            python: Some("3.11.7".into()),
        },
    }
}

fn batch() -> OpBatch {
    let last = Point { step: 3, time: 1_700_000_000_000, value: f64::NAN };
    let metric = MetricSummary { key: "val/loss".into(), count: 4, last, min: Some(Number(0.25)), max: None };
    let ops = vec![
        Op::Param { key: "lr".into(), value: "0.1".into() },
        Op::Tag { key: "owner".into(), value: Some("ann".into()) },
        Op::Tag { key: "old".into(), value: None },
        Op::Input(content()),
        Op::Output(content()),
        Op::Metric(metric),
        Op::Status { status: Status::Killed, exit_code: Some(137), signal: Some(9), duration_ms: Some(1500) },
        Op::Delete,
        Op::Restore,
    ];
    let ops = ops.into_iter().map(|op| TimedOp { time: time(), op }).collect();
    let spool = Some(SpoolMark { id: random(0x01), end: 4096 });
    OpBatch { version: 1, writer: random(0x77), lamport: 13, spool, metric_bytes: 0, ops }
}

/// A batch whose points lie in the store.
fn batch_of_points() -> OpBatch {
    let part = |key: &str, offset| PointsPart { key: key.into(), offset, length: 150_000 };
    let ContentRecord { blake3, manifest, kind, size, .. } = content();
    let parts = vec![part("loss", 0), part("val/loss", 150_000)];
    let points = StoredPoints { kind, blake3, size, manifest, parts };
    let ops = vec![TimedOp { time: time(), op: Op::Points(points) }];
    OpBatch { version: 1, writer: random(0x77), lamport: 14, spool: None, metric_bytes: 999_000, ops }
}

fn commit() -> CommitRecord {
    let from = [Rewriting::Amend, Rewriting::Rebase, Rewriting::CherryPick, Rewriting::Squash];
    CommitRecord {
        version: 1,
        time: time(),
        commit: hex(0x4c),
        tree: hex(0x9d),
        patch_id: Some(hex(0xaa)),
        change_id: None,
        from: from.map(|how| Source { how, commit: hex(0x77) }).to_vec(),
        runs: vec![random(0x5e)],
    }
}

fn verdict() -> VerdictRecord {
    let check = |status, verdict| CheckSummary {
        name: "penguin-drift".into(),
        status,
        verdict,
        value: Some(Number(0.589)),
        reference: Some(Digest::of(b"penguins")),
    };
    let checks = vec![
        check(CheckStatus::Fail, Verdict::Retrain),
        check(CheckStatus::InsufficientData, Verdict::InsufficientData),
    ];
    VerdictRecord { version: 1, time: time(), commit: Some(hex(0x4c)), verdict: Verdict::Retrain, checks }
}

/// NaN is not equal to itself, its text is.
fn shown(value: &impl Debug) -> String {
    format!("{value:?}")
}

fn holds<T: Versioned + Debug>(name: &str, record: &T) {
    let bytes = golden(name);
    assert_eq!(
        String::from_utf8_lossy(&record.to_json().unwrap()),
        String::from_utf8_lossy(&bytes),
        "{name}"
    );
    assert_eq!(shown(&T::from_json(&bytes).unwrap()), shown(record), "{name}");
}

#[test]
fn records_of_version_1_are_read_and_written_for_ever() {
    holds("run-create-1.json", &create());
    holds("run-ops-1.json", &batch());
    holds("run-ops-1-points.json", &batch_of_points());
    holds("run-commit-1.json", &commit());
    holds("check-verdict-1.json", &verdict());
    let long: Vec<_> = (0..2000).map(|step| Point { step, time: 0, value: 0.5 }).collect();
    let mut drawing = Drawing::of(long.len() as u64).unwrap();
    long.iter().for_each(|point| drawing.add(*point));
    holds("metric-roll-1.json", &drawing.finish(vec!["a.mcol".into()]));
}

#[test]
fn a_metric_chunk_of_version_1_is_read_and_written_for_ever() {
    let bytes = golden("metric-chunk-1");
    assert_eq!(encode(&points()).unwrap(), bytes);
    assert_eq!(decode(&bytes).unwrap(), points());
}

#[test]
fn tags_of_the_registry_are_read_and_written_for_ever() {
    for (name, tag) in [("model-version-1", "churn@v1.2.0"), ("model-alias-1", "churn#prod#4")] {
        let message = String::from_utf8(golden(name)).unwrap();
        let facts = Facts::parse(&message).unwrap();
        let tag: ModelTag = tag.parse().unwrap();
        assert_eq!(facts.message(&tag), message);
        assert_eq!(facts.id, random(0x9a));
    }
}

#[test]
fn a_spool_of_version_1_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spool"), golden("run-spool-1")).unwrap();
    let events = Spool::open(folder.path()).unwrap().read_from(0, u64::MAX).unwrap().events;
    assert_eq!(events[0], Event::Spool { id: random(0x01), run: random(0x5e) });
    assert_eq!(events[1], Event::Create { record: Box::new(create()), code: Some(hex(0x9d)) });
    assert_eq!(shown(&events[2]), shown(&Event::Op(batch().ops[0].clone())));
    assert_eq!(events[3], Event::Metric { key: "loss".into(), point: points()[1] });
    assert_eq!(events.len(), 4, "a line of other digits, and what follows it, does not count");
}

#[test]
fn a_million_points_take_little_more_than_their_values() {
    let mut random = 1_u64;
    let mut noisy = |step: i64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Point { step, time: 1_700_000_000_000 + step * 50, value: 1.0 + (random >> 40) as f64 / 1e9 }
    };
    let points: Vec<_> = (0..1_000_000).map(&mut noisy).collect();
    let chunks = points.chunks(MAX_POINTS).map(|points| encode(points).unwrap());
    let total: usize = chunks.map(|chunk| chunk.len()).sum();
    assert!(total < 12_000_000, "{total} bytes, before Git packs them");
}

#[test]
fn damaged_chunks_are_told() {
    let good = golden("metric-chunk-1");
    assert_eq!(decode(&[]), Err(MetricChunkError::Length));
    assert_eq!(decode(&good[..good.len() - 1]), Err(MetricChunkError::Length));
    assert_eq!(decode(&[good.as_slice(), b"x"].concat()), Err(MetricChunkError::Length));
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        decode(&bytes)
    };
    assert_eq!(with(7, b'2'), Err(MetricChunkError::Magic));
    assert_eq!(with(20, 1), Err(MetricChunkError::Magic));
    assert!(matches!(with(11, 255), Err(MetricChunkError::Count(_))));
    assert_eq!(encode(&[]), Err(MetricChunkError::Count(0)));
    let zero = Point { step: 0, time: 0, value: 0.0 };
    let mut overlong = encode(&[zero]).unwrap();
    overlong[12] = 2;
    overlong.splice(24..25, [0x80, 0x00]);
    assert_eq!(decode(&overlong), Err(MetricChunkError::Column), "one meaning has one encoding");
}

proptest! {
    #[test]
    fn points_round_trip(points in prop::collection::vec((any::<i64>(), any::<i64>(), any::<u64>()), 1..200)) {
        let point = |(step, time, bits)| Point { step, time, value: f64::from_bits(bits) };
        let points: Vec<_> = points.into_iter().map(point).collect();
        let bytes = encode(&points).unwrap();
        let decoded = decode(&bytes).unwrap();
        prop_assert_eq!(encode(&decoded).unwrap(), bytes);
        for (one, other) in points.iter().zip(&decoded) {
            prop_assert_eq!((one.step, one.time, one.value.to_bits()), (other.step, other.time, other.value.to_bits()));
        }
    }

    #[test]
    fn bytes_that_are_read_as_a_chunk_are_what_it_is_written_as(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)
    ) {
        let mut bytes = golden("metric-chunk-1");
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(points) = decode(&bytes) {
            prop_assert_eq!(encode(&points).unwrap(), bytes);
        }
    }

    #[test]
    fn hostile_records_and_spools_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _refused = (CreateRecord::from_json(&bytes), OpBatch::from_json(&bytes), decode(&bytes));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("spool"), &bytes).unwrap();
        prop_assert!(Spool::open(folder.path()).is_err());
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Facts::parse(&text).is_none() || text.contains("[git-mlmodel]"));
    }
}
