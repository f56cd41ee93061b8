#!/usr/bin/env python3
"""Times push and pull of the workloads of workloads.py, and counts what they ask of the remote.

    target/bench/bin/python tests/bench/remote.py [--in FOLDER] [--binaries FOLDER] [--endpoint URL] [--latency MS] [WORKLOAD...]

Without names: A B C E. Without an endpoint the remote is a folder. The endpoint is one of an S3 server on this machine
whose bucket `bench` is there or is made by the first write. Requests and bytes are counted by the server, if it answers
`GET /__stats` with JSON (`requests`, `body_in`, `body_out`) and `POST /__reset`; it delays each answer if it takes
`POST /__latency?ms=MS`. `publish` is add, commit and push together.
"""

import argparse
import json
import pathlib
import shutil
import tempfile
import time
import urllib.error
import urllib.request

from measure import HERE, SECOND_VERSIONS, Bench, bytes_below, repository, workload

loopback = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Counter:
    """What the server counts of a step; nothing where it does not count."""

    def __init__(self, endpoint):
        self.endpoint = endpoint

    def ask(self, method, path):
        if self.endpoint is None:
            return None
        try:
            with loopback.open(urllib.request.Request(self.endpoint + path, method=method)) as answer:
                return json.load(answer)
        except (urllib.error.HTTPError, ValueError):
            return None

    def row(self, bench, step, where, *command):
        """Runs a command and prints its row with the columns of the server."""
        self.ask("POST", "/__reset")
        bench.time(step, where, *command, more=self.columns)

    def columns(self):
        counts = self.ask("GET", "/__stats")
        if counts is None:
            return ["", "", ""]
        return [counts["requests"], f"{counts['body_in'] / 1e6:.2f}", f"{counts['body_out'] / 1e6:.2f}"]


def remote(bench, name, endpoint):
    """The URL of a remote of its own and the options that open it."""
    if endpoint is None:
        folder = bench.folder / f"remote-{name}"
        folder.mkdir()
        return [str(folder)]
    return [f"s3://bench/{name}-{time.time_ns()}", "--option", f"endpoint={endpoint}", "--option", "region=us-east-1"]


def transfers(bench, name, original, counter):
    bench.run(bench.folder, "git", "init", "--quiet", "--bare", "origin.git")
    where = repository(bench, "here")
    bench.run(where, "git", "remote", "add", "origin", str(bench.folder / "origin.git"))
    bench.run(where, "git", "mldata", "init", "--no-hooks")
    bench.run(where, "git", "mldata", "remote", "add", "store", *remote(bench, name, counter.endpoint))
    bench.run(where, "git", "commit", "--quiet", "--message", "begin")
    shutil.move(original, where / "data")
    begin = time.perf_counter()
    bench.run(where, "git", "mldata", "add", "data")
    bench.run(where, "git", "commit", "--quiet", "--message", "first")
    counter.row(bench, "push", where, "git", "mldata", "push")
    print(f"| publish (add, commit, push) | {time.perf_counter() - begin:.2f} | | | | | | |", flush=True)
    counter.row(bench, "push with nothing to do", where, "git", "mldata", "push")
    bench.run(where, "git", "push", "--quiet", "origin", "HEAD")
    clones(bench, name, counter)
    if name in SECOND_VERSIONS:
        workload(f"{name}2", where / "data")
        bench.run(where, "git", "mldata", "add", "data")
        bench.run(where, "git", "commit", "--quiet", "--message", "second")
        counter.row(bench, "push of the second version", where, "git", "mldata", "push")
    shutil.rmtree(where)
    shutil.rmtree(bench.folder / "origin.git")


def clones(bench, name, counter):
    """What a new machine pays: clone and pull of all, and of one folder from a shallow clone."""
    origin = f"file://{bench.folder / 'origin.git'}"
    command = "git clone --quiet $0 there && cd there && git mldata pull"
    counter.row(bench, "clone and pull", bench.folder, "sh", "-c", command, origin)
    shutil.rmtree(bench.folder / "there")
    if name == "A":
        command = "git clone --quiet --depth 1 $0 there && cd there && git mldata pull data/0000"
        counter.row(bench, "shallow clone, pull of one folder", bench.folder, "sh", "-c", command, origin)
        shutil.rmtree(bench.folder / "there")


def touch(folder, size):
    """Touches as much memory as a run will hold. On a virtual machine the first touch costs up to four times a copy, and
    which step would pay for it is chance."""
    size = min(size, shutil.disk_usage(folder).free - (1 << 30))
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(max(size, 0) >> 24):
            file.write(bytes(1 << 24))


def main():
    parser = argparse.ArgumentParser(description="Times push and pull, and counts what they ask of the remote.")
    parser.add_argument("--in", dest="folder", type=pathlib.Path, default=pathlib.Path("/dev/shm"))
    parser.add_argument("--binaries", type=pathlib.Path, default=HERE.parent.parent / "target" / "release")
    parser.add_argument("--endpoint")
    parser.add_argument("--latency", type=int, default=0, help="milliseconds that the server waits before each answer")
    parser.add_argument("workloads", nargs="*", default=["A", "B", "C", "E"])
    options = parser.parse_args()
    counter = Counter(options.endpoint)
    with tempfile.TemporaryDirectory(prefix="git-ml-bench-", dir=options.folder) as folder:
        bench = Bench(pathlib.Path(folder), options.binaries.resolve())
        bench.environment |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench-secret"}
        for name in options.workloads:
            print(f"\n| {name}, {options.latency} ms | seconds | CPU, s | peak, MiB | x cp | requests | MB sent | MB read |")
            print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
            bench.copy_seconds = None
            original = bench.folder / "original"
            workload(name, original)
            # The workload, a store, the remote, a clone's store and its work tree.
            touch(bench.folder, 4 * bytes_below(original))
            for step in ("cp -r, on fresh memory", "cp -r"):
                copy = bench.folder / "copy"
                bench.copy_seconds = bench.time(step, bench.folder, "cp", "-r", original, copy, more=lambda: ["", "", ""])
                shutil.rmtree(copy)
            counter.ask("POST", f"/__latency?ms={options.latency}")
            transfers(bench, name, original, counter)
            counter.ask("POST", "/__latency?ms=0")
            shutil.rmtree(bench.folder / f"remote-{name}", ignore_errors=True)


if __name__ == "__main__":
    main()
