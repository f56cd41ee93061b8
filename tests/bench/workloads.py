"""Makes the data sets that the end-to-end measurements work on, the same bytes every time.

    workloads.py NAME FOLDER     makes workload NAME in FOLDER, which must not exist
    workloads.py NAME2 FOLDER    changes workload NAME in FOLDER into its second version

A   100,000 files of 1 to 20 KiB in 100 folders, incompressible, 1.07 GB
A2  of A: 100 files changed, 50 added, 50 removed, 20 renamed
B   one incompressible file of 2 GiB
C   a CSV of 1.09 GB
C2  of C: 100 rows changed, spread; 1,000 inserted in the middle; 5,000 appended
D   a Parquet file of 1.08 GB, compressed with snappy
D2  of D: one column changed, rows appended
E   a safetensors checkpoint of 511 MB, half of it f32, half bf16
E2  of E: 10 % of the tensors changed slightly
F   1,000,000 files of 1 KiB in 1,000 folders
"""

import json
import pathlib
import struct
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as parquet

CSV_ROWS = 14_920_000
PARQUET_ROWS = 28_400_000
PARQUET_GROUP = 1 << 20
TENSORS, SHAPE = 182, (1024, 1024)


def bytes_of(rng, length):
    return rng.bytes(length)


def small_files(folder, folders, files, sizes, seed):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(sizes[0], sizes[1] + 1, size=folders * files)
    for at in range(folders):
        inside = folder / f"{at:04}"
        inside.mkdir(parents=True)
        mine = lengths[at * files : (at + 1) * files]
        content = memoryview(bytes_of(rng, int(mine.sum())))
        start = 0
        for number, length in enumerate(mine):
            (inside / f"{number:05}.bin").write_bytes(content[start : start + length])
            start += length


def workload_a(folder):
    small_files(folder, 100, 1000, (1024, 20 * 1024), 1)


def workload_a2(folder):
    rng = np.random.default_rng(2)
    files = sorted(path for path in folder.rglob("*.bin"))
    chosen = [files[at] for at in rng.choice(len(files), 170, replace=False)]
    for path in chosen[:100]:
        path.write_bytes(bytes_of(rng, path.stat().st_size + 7))
    for path in chosen[100:150]:
        path.unlink()
    for path in chosen[150:]:
        path.rename(path.with_suffix(".moved"))
    for number in range(50):
        (folder / f"{number * 2:04}" / f"added-{number}.bin").write_bytes(bytes_of(rng, 10_000))


def workload_b(folder):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    with open(folder / "weights.bin", "wb") as out:
        for _ in range(64):
            out.write(bytes_of(rng, 32 << 20))


def readings(rng, first, rows):
    """Rows as sensors and shops write them: keys in order, words that repeat, numbers with few digits."""
    words = np.array(["north", "south", "east", "west", "harbour", "station", "airport", "centre"])
    states = np.array(["ok", "late", "lost", "returned", "open"])
    return pa.table({
        "id": pa.array(np.arange(first, first + rows)),
        "customer": pa.array(rng.integers(100_000, 999_999, rows)),
        "place": pa.array(words[rng.integers(0, len(words), rows)]),
        "state": pa.array(states[rng.integers(0, len(states), rows)]),
        "day": pa.array(np.datetime64("2024-01-01") + np.sort(rng.integers(0, 730, rows)).astype("timedelta64[D]")),
        "price": pa.array(np.round(rng.gamma(2.0, 40.0, rows), 2)),
        "score": pa.array(np.round(rng.normal(0.0, 1.0, rows), 4)),
        "latitude": pa.array(np.round(rng.uniform(47.0, 55.0, rows), 5)),
        "count": pa.array(rng.poisson(3.0, rows)),
        "note": pa.array(np.char.add("batch-", rng.integers(0, 2000, rows).astype(str))),
    })


def workload_c(folder):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(4)
    with pa.csv.CSVWriter(folder / "readings.csv", readings(rng, 0, 1).schema,
                          write_options=pa.csv.WriteOptions(quoting_style="none")) as out:
        step = 500_000
        for first in range(0, CSV_ROWS, step):
            out.write(readings(rng, first, min(step, CSV_ROWS - first)))


def csv_lines(rng, first, rows):
    sink = pa.BufferOutputStream()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="none")
    pa.csv.write_csv(readings(rng, first, rows), sink, options)
    return sink.getvalue().to_pybytes()


def workload_c2(folder):
    rng = np.random.default_rng(5)
    path, other = folder / "readings.csv", folder / "readings.new"
    changed = set((np.arange(100) * (CSV_ROWS // 100) + 4321).tolist())
    middle = CSV_ROWS // 2
    with open(path, "rb") as old, open(other, "wb") as new:
        new.write(old.readline())
        for number, line in enumerate(old):
            if number == middle:
                new.write(csv_lines(rng, 20_000_000, 1000))
            if number in changed:
                fields = line.split(b",")
                fields[5] = b"%.2f" % (float(fields[5]) + 1)
                line = b",".join(fields)
            new.write(line)
        new.write(csv_lines(rng, CSV_ROWS, 5000))
    other.rename(path)


def workload_d(folder):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(6)
    writer = None
    for first in range(0, PARQUET_ROWS, PARQUET_GROUP):
        table = features(rng, first, min(PARQUET_GROUP, PARQUET_ROWS - first))
        writer = writer or parquet.ParquetWriter(folder / "features.parquet", table.schema, compression="snappy")
        writer.write_table(table, row_group_size=PARQUET_GROUP)
    writer.close()


def features(rng, first, rows):
    words = np.array([f"segment-{number}" for number in range(500)])
    return pa.table({
        "id": pa.array(np.arange(first, first + rows)),
        "segment": pa.array(words[rng.integers(0, len(words), rows)]),
        "age": pa.array(rng.integers(18, 90, rows).astype(np.int32)),
        "balance": pa.array(np.round(rng.gamma(2.0, 900.0, rows), 2)),
        "visits": pa.array(rng.poisson(7.0, rows).astype(np.int32)),
        "f0": pa.array(rng.normal(size=rows).astype(np.float32)),
        "f1": pa.array(rng.normal(size=rows).astype(np.float32)),
        "f2": pa.array(rng.normal(size=rows)),
        "f3": pa.array(rng.normal(size=rows)),
    })


def workload_d2(folder):
    rng = np.random.default_rng(7)
    path, other = folder / "features.parquet", folder / "features.new"
    old = parquet.ParquetFile(path)
    with parquet.ParquetWriter(other, old.schema_arrow, compression="snappy") as writer:
        for group in range(old.num_row_groups):
            table = old.read_row_group(group)
            at = table.schema.get_field_index("f2")
            table = table.set_column(at, "f2", pa.array(table.column("f2").to_numpy() * 1.01))
            writer.write_table(table, row_group_size=PARQUET_GROUP)
        writer.write_table(features(rng, PARQUET_ROWS, 200_000), row_group_size=PARQUET_GROUP)
    other.rename(path)


def bfloat16(values):
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def tensors():
    """Two of three tensors, by count, are bf16: half of the bytes each."""
    return [(f"layer.{at}.weight", "F32" if at % 3 == 0 else "BF16") for at in range(TENSORS)]


def write_checkpoint(path, data_of):
    header, offset = {}, 0
    for name, kind in tensors():
        length = SHAPE[0] * SHAPE[1] * (4 if kind == "F32" else 2)
        header[name] = {"dtype": kind, "shape": list(SHAPE), "data_offsets": [offset, offset + length]}
        offset += length
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for at, (_, kind) in enumerate(tensors()):
            values = data_of(at)
            out.write(values.tobytes() if kind == "F32" else bfloat16(values).tobytes())


def weights(at):
    return np.random.default_rng(800 + at).normal(0.0, 0.02, SHAPE).astype(np.float32)


def workload_e(folder):
    folder.mkdir(parents=True)
    write_checkpoint(folder / "model.safetensors", weights)


def workload_e2(folder):
    def data_of(at):
        values = weights(at)
        if at % 10 == 3:
            values += np.random.default_rng(9000 + at).normal(0.0, 1e-4, SHAPE).astype(np.float32)
        return values

    other = folder / "model.new"
    write_checkpoint(other, data_of)
    other.rename(folder / "model.safetensors")


def workload_f(folder):
    small_files(folder, 1000, 1000, (1024, 1024), 10)


def main():
    if len(sys.argv) != 3 or f"workload_{sys.argv[1].lower()}" not in globals():
        sys.exit(__doc__)
    globals()[f"workload_{sys.argv[1].lower()}"](pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    main()
