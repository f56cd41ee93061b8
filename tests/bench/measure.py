#!/usr/bin/env python3
"""Times whole commands on the workloads of workloads.py, beside cp and the peers that are installed.

    python3 -m venv target/bench && target/bench/bin/pip install -r tests/bench/requirements.txt
    cargo build --release
    target/bench/bin/python tests/bench/measure.py [--in FOLDER] [--binaries FOLDER] [--peers] [WORKLOAD...]

Without names: A B C D E. The folder to work in should be in memory (default: /dev/shm). Every step runs once on memory
that a copy has touched before. `x cp` is the step against a copy of the same data, `cp -r`, in the same run. CPU and
memory are those of the command and the programs that it started (wait4). Peers: DVC and Git LFS, where `dvc` and
`git-lfs` are found, and of second versions the Xet client (`pip install hf-xet`), which stores chunks as we do: what a
second version adds depends on its data, so it is told beside what the same data adds there.
"""

import argparse
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SECOND_VERSIONS = {"A", "C", "D", "E"}
LARGE_SECOND_VERSIONS = SECOND_VERSIONS - {"A"}


class Bench:
    """A folder to work in, an environment in which no setting of this user counts, and the rows of the table."""

    def __init__(self, folder, binaries):
        self.folder = folder
        home = folder / "home"
        home.mkdir()
        self.environment = {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "DVC_NO_ANALYTICS": "1",
            "LC_ALL": "C.UTF-8",
        }
        for setting in (("user.name", "Bench"), ("user.email", "bench@example.org"), ("init.defaultBranch", "main")):
            self.run(folder, "git", "config", "--global", *setting)
        self.copy_seconds = None

    def run(self, where, *command):
        subprocess.run(command, cwd=where, env=self.environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def time(self, step, where, *command, more=list):
        """Runs a command, prints its row with `more` columns, gives its seconds."""
        log = self.folder / "log"
        with open(log, "wb") as out:
            begin = time.perf_counter()
            process = subprocess.Popen(command, cwd=where, env=self.environment, stdout=out, stderr=out)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}: exit code {process.returncode}\n{log.read_text(errors='replace')}")
        ratio = f"{seconds / self.copy_seconds:.2f}" if self.copy_seconds else ""
        cpu = usage.ru_utime + usage.ru_stime
        columns = [step, f"{seconds:.2f}", f"{cpu:.2f}", usage.ru_maxrss // 1024, ratio, *more()]
        print("|", " | ".join(map(str, columns)), "|", flush=True)
        return seconds


def bytes_below(folder):
    """Allocated bytes, as `du` counts them."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def workload(name, folder):
    subprocess.run([sys.executable, HERE / "workloads.py", name, folder], check=True)


def repository(bench, name):
    folder = bench.folder / name
    folder.mkdir()
    bench.run(folder, "git", "init", "--quiet")
    return folder


def baseline(bench, original):
    """What a copy and a walk cost; the first copy touches fresh memory and is not counted."""
    copy = bench.folder / "copy"
    for step in ("cp -r, on fresh memory", "cp -r"):
        bench.copy_seconds = bench.time(step, bench.folder, "cp", "-r", original, copy)
        shutil.rmtree(copy)
    bench.time("find with stat", bench.folder, "find", original, "-printf", "%s %T@\\n")
    if shutil.which("b3sum"):
        files = "find " + str(original) + " -type f -print0 | xargs -0 b3sum"
        bench.time("b3sum", bench.folder, "sh", "-c", files)


def ours(bench, name, original):
    where = repository(bench, "ours")
    bench.run(where, "git", "mldata", "init")
    bench.run(where, "git", "commit", "--quiet", "--message", "begin")
    shutil.move(original, where / "data")
    store = where / ".git" / "ml"
    bench.time("add", where, "git", "mldata", "add", "data")
    stored = bytes_below(store)
    print(f"| stored, MB | {stored / 1e6:.1f} | | | |")
    bench.run(where, "git", "commit", "--quiet", "--message", "first")
    bench.time("status", where, "git", "mldata", "status")
    bench.time("add again", where, "git", "mldata", "add", "data")
    for command in ("fsck", "gc", "du"):
        bench.time(command, where, "git", "mldata", command)
    if name in SECOND_VERSIONS:
        workload(f"{name}2", where / "data")
        bench.time("add of the second version", where, "git", "mldata", "add", "data")
        print(f"| store grows, MB | {(bytes_below(store) - stored) / 1e6:.1f} | | | |")
        bench.run(where, "git", "commit", "--quiet", "--message", "second")
        bench.time("switch back", where, "git", "checkout", "--quiet", "HEAD~")
        bench.time("switch forth", where, "git", "checkout", "--quiet", "main")
    shutil.rmtree(where / "data")
    bench.time("checkout into an empty folder", where, "git", "mldata", "checkout")
    bench.run(where, "git", "mldata", "remote", "add", "main", "../bucket")
    bench.run(where, "git", "commit", "--quiet", "--message", "remote")
    bench.time("push to a folder", where, "git", "mldata", "push")
    bench.time("drop", where, "git", "mldata", "drop")
    bench.time("fsck of what is left", where, "git", "mldata", "fsck")
    bench.time("gc of what is left", where, "git", "mldata", "gc")
    shutil.move(where / "data", original)
    shutil.rmtree(bench.folder / "bucket")
    shutil.rmtree(where)


def dvc(bench, original):
    where = repository(bench, "dvc")
    bench.run(where, "dvc", "init", "--quiet")
    bench.run(where, "git", "commit", "--quiet", "--message", "begin")
    shutil.move(original, where / "data")
    bench.time("DVC: add", where, "dvc", "add", "--quiet", "data")
    bench.run(where, "git", "add", "--all")
    bench.run(where, "git", "commit", "--quiet", "--message", "first")
    bench.time("DVC: status", where, "dvc", "status", "--quiet")
    shutil.rmtree(where / "data")
    bench.time("DVC: checkout into an empty folder", where, "dvc", "checkout", "--quiet")
    shutil.move(where / "data", original)
    shutil.rmtree(where)


def lfs(bench, original):
    where = repository(bench, "lfs")
    bench.run(where, "git", "lfs", "install", "--local")
    bench.run(where, "git", "lfs", "track", "data/**")
    shutil.move(original, where / "data")
    bench.time("Git LFS: add", where, "git", "add", "--all")
    bench.time("Git LFS: commit", where, "git", "commit", "--quiet", "--message", "first")
    bench.time("Git LFS: status", where, "git", "status", "--short")
    shutil.rmtree(where / "data")
    bench.time("Git LFS: checkout into an empty folder", where, "git", "checkout", "--quiet", "--", "data")
    shutil.move(where / "data", original)
    shutil.rmtree(where)


XET = "import hf_xet, sys; hf_xet.upload_files(sys.argv[2:], sys.argv[1], None, None, None, None)"


def xet(bench, name, original):
    where, store = bench.folder / "xet", bench.folder / "xet-store"
    shutil.copytree(original, where)
    store.mkdir()

    def upload(step):
        files = sorted(path for path in where.rglob("*") if path.is_file())
        bench.time(f"Xet: {step}", bench.folder, sys.executable, "-c", XET, f"local://{store}", *files)
        return bytes_below(store)

    stored = upload("first version")
    print(f"| Xet: stored, MB | {stored / 1e6:.1f} | | | |")
    workload(f"{name}2", where)
    grown = upload("second version") - stored
    print(f"| Xet: store grows, MB | {grown / 1e6:.1f} | | | |")
    for folder in (where, store):
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description="Times whole commands beside cp and the peers that are installed.")
    parser.add_argument("--in", dest="folder", type=pathlib.Path, default=pathlib.Path("/dev/shm"))
    parser.add_argument("--binaries", type=pathlib.Path, default=HERE.parent.parent / "target" / "release")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("workloads", nargs="*", default=["A", "B", "C", "D", "E"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="git-ml-bench-", dir=options.folder) as folder:
        bench = Bench(pathlib.Path(folder), options.binaries.resolve())
        for name in options.workloads:
            print(f"\n| {name} | seconds | CPU, s | peak, MiB | x cp |\n| --- | ---: | ---: | ---: | ---: |", flush=True)
            bench.copy_seconds = None
            original = bench.folder / "original"
            workload(name, original)
            baseline(bench, original)
            if options.peers and shutil.which("dvc"):
                dvc(bench, original)
            if options.peers and shutil.which("git-lfs"):
                lfs(bench, original)
            if options.peers and name in LARGE_SECOND_VERSIONS and importlib.util.find_spec("hf_xet"):
                xet(bench, name, original)
            ours(bench, name, original)
            shutil.rmtree(original)


if __name__ == "__main__":
    main()
