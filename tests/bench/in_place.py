#!/usr/bin/env python3
"""Times Git on files that are tracked in place, beside a filter process that does nothing, and beside Git LFS.

    cargo build --release
    python3 tests/bench/in_place.py [--in FOLDER] [--binaries FOLDER] [--files N] [--bytes N] [--runs N]

Each contestant has a repository of its own with the same files. A round lets each of them do the same step once, one after
the other, so that what else the machine does falls on all of them; the first round does not count. Told are the medians of
elapsed and of CPU seconds (of Git and all that it starts), and the ratio of each elapsed time to the pass-through's of
the same round, again as a median. `mldata` has our hooks installed, `mldata, no hooks` has not; `git lfs` has its own.
"""

import argparse
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


class Contestant:
    """A repository with a filter of its own."""

    def __init__(self, name, folder, environment):
        self.name, self.folder, self.environment = name, folder, environment
        folder.mkdir()
        self.git("init", "-q")

    def git(self, *words):
        subprocess.run(("git", *words), cwd=self.folder, env=self.environment, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def track(self):
        if self.name == "git lfs":
            self.git("lfs", "install", "--local")
            self.git("lfs", "track", "*.bin")
        elif self.name == "pass-through":
            self.git("config", "filter.through.process", str(self.folder.parent / "pass_through"))
            self.git("config", "filter.through.required", "true")
            (self.folder / ".gitattributes").write_text("*.bin filter=through -text\n")
        else:
            hooks = ["--no-hooks"] if "no hooks" in self.name else []
            self.git("mldata", "init", *hooks)
            self.git("mldata", "track", "*.bin")

    def fill(self, files, length):
        self.git("add", ".")
        self.git("commit", "-qm", "empty")
        self.git("branch", "empty")
        source = random.Random(1)
        for number in range(files):
            path = self.folder / "data" / f"{number % 16:x}" / f"{number}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(source.randbytes(length))
        # As old as files are that one works with: Git asks again for files that are as young as its index.
        time.sleep(1.1)

    def time(self, *words):
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        self.git(*words)
        seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rounds(contestants, count, prepare, words):
    times = {contestant.name: [] for contestant in contestants}
    for number in range(count + 1):
        for contestant in contestants:
            prepare(contestant)
            taken = contestant.time(*words)
            if number > 0:
                times[contestant.name].append(taken)
    return times


def show(step, times):
    through = times["pass-through"]
    for name, taken in times.items():
        elapsed, cpu = (statistics.median(values) for values in zip(*taken))
        ratio = statistics.median(one[0] / other[0] for one, other in zip(taken, through))
        print(f"{step:<24} {name:<18} {elapsed:8.3f} s {cpu:8.3f} CPU s   x pass-through {ratio:5.2f}", flush=True)


def unstage(contestant):
    contestant.git("rm", "-rq", "--cached", "--ignore-unmatch", "data")
    # What was stored before would be known.
    if "mldata" in contestant.name:
        shutil.rmtree(contestant.folder / ".git/ml/open", ignore_errors=True)
    shutil.rmtree(contestant.folder / ".git/lfs/objects", ignore_errors=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--in", dest="folder", type=pathlib.Path, default=pathlib.Path("/dev/shm"))
    arguments.add_argument("--binaries", type=pathlib.Path, default=HERE.parent.parent / "target/release")
    arguments.add_argument("--files", type=int, default=1000)
    arguments.add_argument("--bytes", type=int, default=10 << 10)
    arguments.add_argument("--runs", type=int, default=7)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        (folder / "home").mkdir()
        environment = {
            "PATH": f"{options.binaries.resolve()}:{os.environ['PATH']}", "HOME": str(folder / "home"),
            "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8",
            "GIT_AUTHOR_NAME": "Bench", "GIT_AUTHOR_EMAIL": "bench@example.org",
            "GIT_COMMITTER_NAME": "Bench", "GIT_COMMITTER_EMAIL": "bench@example.org",
        }
        # Where rustup keeps its toolchains is told by the true home.
        subprocess.run(("rustc", "-O", "--edition", "2024", "-o", folder / "pass_through", HERE / "pass_through.rs"), check=True)
        names = ["pass-through", "mldata", "mldata, no hooks"] + (["git lfs"] if shutil.which("git-lfs") else [])
        contestants = [Contestant(name, folder / name.replace(", ", "-"), environment) for name in names]
        for contestant in contestants:
            contestant.track()
            contestant.fill(options.files, options.bytes)
        what = f"{options.files} x {options.bytes} B"
        show(f"add {what}", rounds(contestants, min(options.runs, 3), unstage, ("add", "data")))
        for contestant in contestants:
            contestant.git("commit", "-qm", "full")
            contestant.git("branch", "full")
        # From nothing to all of the files.
        show(f"checkout {what}", rounds(contestants, options.runs, lambda it: it.git("checkout", "-q", "empty"), ("checkout", "-q", "full")))
        show("status after it", rounds(contestants, options.runs, lambda _: None, ("status", "--short")))


if __name__ == "__main__":
    main()
