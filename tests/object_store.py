"""Runs a command beside an S3 server of its own: SeaweedFS on free loopback ports, with one empty bucket.

    python3 object_store.py WEED COMMAND [ARGUMENT...]

The command finds it by GIT_ML_TEST_S3_ENDPOINT, GIT_ML_TEST_S3_BUCKET, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY. The
server and its data are gone when the command has ended.
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BUCKET = "git-ml-tests"
KEY, SECRET = "AKIATESTTESTTESTTEST", "secret-of-the-tests"
SERVERS = ["master", "volume", "filer", "s3"]
SECONDS_TO_START = 60

# A proxy of the machine must not stand between us and our own server.
loopback = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def main(weed, command):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="git-ml-object-store-", ignore_cleanup_errors=True) as folder:
        server, ports = start(weed, pathlib.Path(folder))
        try:
            return subprocess.run(command, env=environment(ports), check=False).returncode
        except KeyboardInterrupt:
            return 130
        finally:
            server.kill()
            server.wait()


def start(weed, folder):
    """The server when it answers. Another program may take a port before it does: then with other ports."""
    for _ in range(3):
        ports = free_ports()
        server = launch(weed, folder, ports)
        try:
            wait_for(server, ports)
            return server, ports
        except RuntimeError as error:
            server.kill()
            server.wait()
            print(f"object store: {error}; its last words:", file=sys.stderr)
            print("".join((folder / "log").read_text(errors="replace").splitlines(True)[-20:]), file=sys.stderr)
        except BaseException:
            server.kill()
            raise
    sys.exit("object store: it does not start, so the tests that need it cannot run")


def free_ports():
    """A port for each server and one for its other protocol."""
    names = [name + kind for name in SERVERS for kind in (".port", ".port.grpc")]
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = {name: each.getsockname()[1] for name, each in zip(names, sockets)}
    for each in sockets:
        each.close()
    return ports


def launch(weed, folder, ports):
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    data = tempfile.mkdtemp(prefix="data-", dir=folder)
    options = [f"-{name}={port}" for name, port in ports.items()]
    options += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", "-s3", f"-s3.config={folder / 's3.json'}"]
    options += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-volume.preStopSeconds=0"]
    options += ["-volume.max=50", "-master.volumeSizeLimitMB=128", "-volume.minFreeSpace=1MiB"]
    with open(folder / "log", "wb") as log:
        # In a session of its own: an interrupt at the terminal is for the command, which may still need the server.
        return subprocess.Popen([weed, "server", *options], cwd=folder, stdout=log, stderr=log, start_new_session=True)


def wait_for(server, ports):
    """Until a bucket can be made and written."""
    steps = [
        ("GET", f"http://127.0.0.1:{ports['master.port']}/dir/assign", {200}),
        ("POST", f"http://127.0.0.1:{ports['filer.port']}/buckets/{BUCKET}/", {201, 409}),
        ("GET", f"http://127.0.0.1:{ports['s3.port']}/{BUCKET}", {403}),
    ]
    end = time.monotonic() + SECONDS_TO_START
    for method, url, wanted in steps:
        while (status := answer(method, url)) not in wanted:
            if server.poll() is not None:
                raise RuntimeError(f"it ended with {server.returncode}")
            if time.monotonic() > end:
                raise RuntimeError(f"{method} {url} was answered with {status} for too long")
            time.sleep(0.1)


def answer(method, url):
    try:
        with loopback.open(urllib.request.Request(url, method=method), timeout=5) as response:
            body = response.read()
            return 503 if b'"error"' in body else response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return str(error)


def environment(ports):
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ours.update(
        GIT_ML_TEST_S3_ENDPOINT=f"http://127.0.0.1:{ports['s3.port']}",
        GIT_ML_TEST_S3_BUCKET=BUCKET,
        AWS_ACCESS_KEY_ID=KEY,
        AWS_SECRET_ACCESS_KEY=SECRET,
        AWS_EC2_METADATA_DISABLED="true",
    )
    for name in ("NO_PROXY", "no_proxy"):
        ours[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    return ours


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
