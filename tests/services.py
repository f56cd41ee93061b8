"""Runs a command beside storage services of its own, on free loopback ports, each with one empty bucket or folder.

    python3 services.py TOOLS COMMAND [ARGUMENT...]

TOOLS is the folder that tests/run fills: bin/weed, bin/rclone, bin/node, node_modules/azurite, fake-gcs-server. The command
finds the services by variables:

    GIT_ML_TEST_S3_ENDPOINT, GIT_ML_TEST_S3_BUCKET     SeaweedFS, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
    GIT_ML_TEST_BAD_S3_ENDPOINT                        rclone serve s3, same key: ignores every condition of a request
    GIT_ML_TEST_AZURE_ENDPOINT                         Azurite, with AZURE_STORAGE_KEY
    GIT_ML_TEST_GOOGLE_ENDPOINT                        fake-gcs-server
    GIT_ML_TEST_WEBDAV, GIT_ML_TEST_WEBDAV_USER, …_PASSWORD   rclone serve webdav
    GIT_ML_TEST_SFTP, GIT_ML_TEST_SSH                  rclone serve sftp, and the ssh that reaches it without a question
    GIT_ML_TEST_HTTP, GIT_ML_TEST_HTTP_FOLDER          rclone serve http, over a folder that the tests may fill

The servers and their data are gone when the command has ended.
"""

import base64
import email.utils
import hashlib
import hmac
import json
import os
import pathlib
import secrets
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
USER, PASSWORD = "ada", secrets.token_hex(8)
# The account that Azurite has by itself; its key is the same everywhere and no secret.
AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
SECONDS_TO_START = 60

# A proxy of the machine must not stand between us and our own servers.
loopback = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Service:
    """One server: its command, the steps after which it can be used, and what tells the tests of it."""

    def __init__(self, tools, folder):
        self.tools = tools
        self.folder = pathlib.Path(folder) / type(self).__name__.lower()
        self.data = self.folder / "data"
        self.process = None

    def launch(self):
        self.data.mkdir(parents=True, exist_ok=True)
        self.ports = free_ports(self.port_names)
        with open(self.folder / "log", "wb") as log:
            # In a session of its own: an interrupt at the terminal is for the command, which may still need the server.
            self.process = subprocess.Popen(
                [str(word) for word in self.command()], cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self):
        """Until it can be used. Another program may take a port before it does: then with other ports."""
        for _ in range(3):
            try:
                return self.wait_once()
            except RuntimeError as error:
                self.end()
                print(f"{type(self).__name__}: {error}; its last words:", file=sys.stderr)
                print("".join((self.folder / "log").read_text(errors="replace").splitlines(True)[-20:]), file=sys.stderr)
                self.launch()
        self.end()
        sys.exit(f"{type(self).__name__} does not start, so the tests that need it cannot run")

    def wait_once(self):
        end = time.monotonic() + SECONDS_TO_START
        for request, wanted in self.steps():
            while (status := answer(request())) not in wanted:
                if self.process.poll() is not None:
                    raise RuntimeError(f"it ended with {self.process.returncode}")
                if time.monotonic() > end:
                    raise RuntimeError(f"{request().full_url} was answered with {status} for too long")
                time.sleep(0.1)

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def url(self, port=None):
        return f"http://127.0.0.1:{self.ports[port or self.port_names[0]]}"


class SeaweedFS(Service):
    servers = ["master", "volume", "filer", "s3"]
    # A port for each server and one for its other protocol.
    port_names = [name + kind for name in servers for kind in (".port", ".port.grpc")]

    def command(self):
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        data = tempfile.mkdtemp(dir=self.data)
        options = [f"-{name}={port}" for name, port in self.ports.items()]
        options += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={data}", "-s3", f"-s3.config={self.folder / 's3.json'}"]
        options += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false", "-volume.preStopSeconds=0"]
        options += ["-volume.max=50", "-master.volumeSizeLimitMB=128", "-volume.minFreeSpace=1MiB"]
        return [self.tools / "bin/weed", "server", *options]

    def steps(self):
        yield lambda: ask("GET", self.url("master.port") + "/dir/assign"), {200}
        yield lambda: ask("POST", f"{self.url('filer.port')}/buckets/{BUCKET}/"), {201, 409}
        yield lambda: ask("GET", f"{self.url('s3.port')}/{BUCKET}"), {403}

    def variables(self):
        yield "GIT_ML_TEST_S3_ENDPOINT", self.url("s3.port")
        yield "GIT_ML_TEST_S3_BUCKET", BUCKET
        yield "AWS_ACCESS_KEY_ID", KEY
        yield "AWS_SECRET_ACCESS_KEY", SECRET
        yield "AWS_EC2_METADATA_DISABLED", "true"


class Rclone(Service):
    port_names = ["http"]

    def rclone(self, protocol, *options):
        address = f"127.0.0.1:{self.ports['http']}"
        options = ["--addr", address, "--config", "/dev/null", *options]
        return [self.tools / "bin/rclone", "serve", protocol, self.data, *options]


class BadS3(Rclone):
    def command(self):
        (self.data / BUCKET).mkdir(exist_ok=True)
        return self.rclone("s3", "--auth-key", f"{KEY},{SECRET}", "--vfs-cache-mode", "off")

    def steps(self):
        yield lambda: ask("GET", f"{self.url()}/{BUCKET}"), {400, 403}

    def variables(self):
        yield "GIT_ML_TEST_BAD_S3_ENDPOINT", self.url()


class WebDav(Rclone):
    def command(self):
        return self.rclone("webdav", "--user", USER, "--pass", PASSWORD)

    def steps(self):
        yield lambda: ask("PROPFIND", self.url() + "/"), {401}

    def variables(self):
        yield "GIT_ML_TEST_WEBDAV", self.url().replace("http", "webdav")
        yield "GIT_ML_TEST_WEBDAV_USER", USER
        yield "GIT_ML_TEST_WEBDAV_PASSWORD", PASSWORD


class Http(Rclone):
    def command(self):
        # Without a cache of folders: the tests fill it behind the back of the server.
        return self.rclone("http", "--dir-cache-time", "0s")

    def steps(self):
        yield lambda: ask("GET", self.url() + "/"), {200}

    def variables(self):
        yield "GIT_ML_TEST_HTTP", self.url()
        yield "GIT_ML_TEST_HTTP_FOLDER", str(self.data)


class Sftp(Rclone):
    def command(self):
        key = self.folder / "key"
        if not key.exists():
            make_key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", USER, "-f", str(key)]
            subprocess.run(make_key, check=True)
        options = ["--authorized-keys", self.folder / "key.pub", "--cache-dir", self.folder / "cache"]
        # The pieces of a file come in any order, and wait for those before.
        return self.rclone("sftp", *options, "--vfs-write-wait", "30s")

    def wait_once(self):
        end = time.monotonic() + SECONDS_TO_START
        while not self.greets():
            if self.process.poll() is not None:
                raise RuntimeError(f"it ended with {self.process.returncode}")
            if time.monotonic() > end:
                raise RuntimeError("it does not greet as a server of SSH does")
            time.sleep(0.1)

    def greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.ports["http"]), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def variables(self):
        config = self.folder / "ssh_config"
        lines = [f"IdentityFile {self.folder / 'key'}", "IdentitiesOnly yes", "StrictHostKeyChecking accept-new"]
        config.write_text("\n".join([*lines, f"UserKnownHostsFile {self.folder / 'known_hosts'}", ""]))
        yield "GIT_ML_TEST_SFTP", f"sftp://{USER}@127.0.0.1:{self.ports['http']}/data"
        yield "GIT_ML_TEST_SSH", f"ssh -F {config}"


class Azurite(Service):
    port_names = ["blob"]

    def command(self):
        options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobHost", "127.0.0.1"]
        options += ["--blobPort", self.ports["blob"], "--location", self.data]
        return [self.tools / "bin/node", self.tools / "node_modules/azurite/dist/src/blob/main.js", *options]

    def steps(self):
        yield self.make_container, {201, 409}

    def make_container(self):
        """The request that makes the container, signed with the key of the account."""
        date = email.utils.formatdate(usegmt=True)
        headers = f"x-ms-date:{date}\nx-ms-version:2021-12-02\n"
        # The account stands twice: once for itself, once as the first part of Azurite's paths.
        resource = f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{BUCKET}\nrestype:container"
        text = "PUT" + "\n" * 12 + headers + resource
        mac = hmac.new(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256).digest()
        request = ask("PUT", f"{self.url()}/{AZURE_ACCOUNT}/{BUCKET}?restype=container")
        request.add_header("x-ms-date", date)
        request.add_header("x-ms-version", "2021-12-02")
        request.add_header("Authorization", f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(mac).decode()}")
        return request

    def variables(self):
        yield "GIT_ML_TEST_AZURE_ENDPOINT", f"{self.url()}/{AZURE_ACCOUNT}"
        yield "AZURE_STORAGE_ACCOUNT", AZURE_ACCOUNT
        yield "AZURE_STORAGE_KEY", AZURE_KEY


class FakeGcs(Service):
    port_names = ["http"]

    def command(self):
        options = ["-scheme", "http", "-host", "127.0.0.1", "-port", self.ports["http"], "-backend", "memory"]
        return [self.tools / "bin/fake-gcs-server", *options, "-public-host", f"127.0.0.1:{self.ports['http']}"]

    def steps(self):
        yield self.make_bucket, {200, 409}

    def make_bucket(self):
        request = ask("POST", self.url() + "/storage/v1/b?project=tests")
        request.data = json.dumps({"name": BUCKET}).encode()
        request.add_header("Content-Type", "application/json")
        return request

    def variables(self):
        yield "GIT_ML_TEST_GOOGLE_ENDPOINT", self.url()


SERVICES = [SeaweedFS, BadS3, WebDav, Sftp, Http, Azurite, FakeGcs]


def main(tools, command):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="git-ml-services-", ignore_cleanup_errors=True) as folder:
        services = [service(pathlib.Path(tools).resolve(), folder) for service in SERVICES]
        try:
            for service in services:
                service.launch()
            for service in services:
                service.wait()
            return subprocess.run(command, env=environment(services), check=False).returncode
        except KeyboardInterrupt:
            return 130
        finally:
            for service in services:
                service.end()


def free_ports(names):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = {name: each.getsockname()[1] for name, each in zip(names, sockets)}
    for each in sockets:
        each.close()
    return ports


def ask(method, url):
    return urllib.request.Request(url, method=method)


def answer(request):
    try:
        with loopback.open(request, timeout=5) as response:
            body = response.read()
            return 503 if b'"error"' in body else response.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError as error:
        return str(error)


def environment(services):
    foreign = ("AWS_", "AZURE_", "GOOGLE_", "STORAGE_EMULATOR_HOST")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    for service in services:
        ours.update(service.variables())
    for name in ("NO_PROXY", "no_proxy"):
        ours[name] = ",".join(filter(None, [os.environ.get(name), "127.0.0.1"]))
    return ours


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
