//! What the parts of the store cost, one by one: `cargo bench`, or `cargo bench -- hash` for those with this in their
//! names. Whole commands are timed by `measure.py` beside this file.
//!
//! The data is made here, in memory: noise, rows of a table, floats of a model. Throughput is in bytes of data, or in
//! files.

#![expect(clippy::unwrap_used, reason = "what fails here measures nothing")]
#![expect(clippy::disallowed_methods, reason = "nobody would miss these files")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};

use git_ml::base::{Digest, Progress, RepoPath};
use git_ml::data::Workspace;
use git_ml::data::add::{AddOptions, add};
use git_ml::data::diff::{DiffOptions, Sides, diff};
use git_ml::data::setup::{SetUpOptions, init};
use git_ml::data::status::status;
use git_ml::git::Repository;
use git_ml::objects::{ChunkReader, Encoder, ItemKind, codec};
use git_ml::storage::store::{Parcel, Store};

const MIB: usize = 1 << 20;
/// A chunk of mean length, and a small file.
const LENGTHS: [(&str, usize); 2] = [("chunk", 64 << 10), ("small file", 10 << 10)];
/// Files of the work tree that is compared.
const FILES: usize = 5_000;

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(next).collect()
}

fn rows(length: usize) -> Vec<u8> {
    let numbers = noise(length / 8);
    let row =
        |(id, pair): (usize, &[u8])| format!("{id},{},adelie,{}.{}\n", 1_000 + id % 977, pair[0], pair[1]);
    let mut text: Vec<u8> =
        numbers.chunks_exact(2).enumerate().flat_map(|row_of| row(row_of).into_bytes()).collect();
    text.truncate(length);
    text
}

fn floats(length: usize) -> Vec<u8> {
    let weight = |bytes: &[u8]| (f32::from(bytes[0]) + f32::from(bytes[1]) / 256.0 - 127.6).powi(3) / 1e7;
    noise(length / 2).chunks_exact(2).flat_map(|bytes| weight(bytes).to_le_bytes()).collect()
}

fn samples() -> [(&'static str, Vec<u8>); 3] {
    [("noise", noise(4 * MIB)), ("rows", rows(4 * MIB)), ("floats", floats(4 * MIB))]
}

fn group<'a>(criterion: &'a mut Criterion, name: &str, bytes: usize) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64)).measurement_time(Duration::from_secs(3));
    group
}

fn chunking(criterion: &mut Criterion) {
    for (name, data) in samples() {
        group(criterion, "chunking", data.len()).bench_function(name, |bencher| {
            bencher.iter(|| {
                let (mut chunks, mut count) = (ChunkReader::new(data.as_slice()), 0);
                while let Ok(Some(chunk)) = chunks.next() {
                    count += chunk.len();
                }
                count
            });
        });
    }
}

fn hashing(criterion: &mut Criterion) {
    for (name, length) in LENGTHS {
        let data = noise(length);
        group(criterion, "hashing", length)
            .bench_function(name, |bencher| bencher.iter(|| Digest::of(black_box(&data))));
    }
}

fn encoding(criterion: &mut Criterion) {
    for (name, data) in samples() {
        let mut stored = Vec::new();
        group(criterion, "encoding", data.len()).bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut encoder = Encoder::default();
                stored.clear();
                for chunk in data.chunks(LENGTHS[0].1) {
                    encoder.encode(chunk, &mut stored);
                }
                stored.len()
            });
        });
        let encode = |chunk: &[u8]| {
            let mut stored = Vec::new();
            (Encoder::default().encode(chunk, &mut stored), stored, chunk.len() as u32)
        };
        let encoded: Vec<_> = data.chunks(LENGTHS[0].1).map(encode).collect();
        group(criterion, "decoding", data.len()).bench_function(name, |bencher| {
            bencher.iter(|| {
                encoded
                    .iter()
                    .map(|(codec, stored, raw)| codec::decode(*codec, stored, *raw))
                    .filter(Result::is_ok)
                    .count()
            });
        });
    }
}

/// Chunks with their ids into packs, made to last.
fn packing(criterion: &mut Criterion) {
    for (name, length) in LENGTHS {
        let data = noise(16 * MIB);
        let chunks: Vec<_> = data.chunks(length).map(|chunk| (Digest::of(chunk), chunk)).collect();
        group(criterion, "packing", data.len()).sample_size(20).bench_function(name, |bencher| {
            bencher.iter_with_large_drop(|| {
                let folder = tempfile::tempdir().unwrap();
                let (writer, mut parcel) = (Store::open(folder.path()).writer(), Parcel::default());
                let mut encoder = Encoder::default();
                for (id, chunk) in &chunks {
                    writer.encode(&mut parcel, &mut encoder, *id, ItemKind::Chunk, chunk).unwrap();
                    if parcel.len() >= MIB {
                        writer.append(&mut parcel).unwrap();
                    }
                }
                writer.append(&mut parcel).unwrap();
                writer.sync().unwrap();
                folder
            });
        });
    }
}

fn git(top: &Path, args: &[&str]) {
    let identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"];
    let output = Command::new("git").arg("-C").arg(top).args(identity).args(args).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// The stat cache: a status of a tree of which nothing changed. The diff of trees: two versions that differ in one file.
fn comparing(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let top = fs::canonicalize(folder.path()).unwrap();
    git(&top, &["init", "--quiet", "--initial-branch=main"]);
    let workspace = || Workspace::open(Repository::open(&top).unwrap()).unwrap();
    init(&workspace(), SetUpOptions { hooks: false, stage: true }).unwrap();
    for number in 0..FILES {
        let file = top.join(format!("data/{:02}/{number}.bin", number % 50));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, number.to_string()).unwrap();
    }
    let data = RepoPath::new("data").unwrap();
    for version in ["one", "two"] {
        fs::write(top.join("data/00/0.bin"), version).unwrap();
        let options = AddOptions { all: false, sidecar: false, in_place: false, stage: true };
        add(&workspace(), std::slice::from_ref(&data), options, &Progress::hidden()).unwrap();
        git(&top, &["commit", "--quiet", "--message", version]);
    }
    let mut group = criterion.benchmark_group("comparing");
    group.throughput(Throughput::Elements(FILES as u64)).sample_size(20);
    group.bench_function("stat cache", |bencher| {
        bencher.iter(|| status(&workspace(), std::slice::from_ref(&data), &[], &Progress::hidden()).unwrap());
    });
    let sides = || Sides::Commits("HEAD~".into(), "HEAD".into());
    let options = || DiffOptions { sides: sides(), paths: Vec::new(), rows: false, samples: 0 };
    group.bench_function("tree diff", |bencher| {
        bencher.iter(|| diff(&workspace(), &options(), &Progress::hidden()).unwrap());
    });
}

criterion_group!(benches, chunking, hashing, encoding, packing, comparing);
criterion_main!(benches);
