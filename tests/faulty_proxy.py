"""A proxy that fails now and then, between a test and a service of HTTP.

    python3 faulty_proxy.py UPSTREAM [SEED [PERCENT]]

Prints its address, and on the end of its input how many requests went through and how many failed in which way. Of a hundred
requests PERCENT (5) end in a reset connection (half of them after the service has done its work), as many in a 503, as many
answers are cut off in the middle, and as many wait 200 ms first.
"""

import collections
import http.client
import http.server
import random
import socket
import struct
import sys
import threading
import time
import urllib.parse

BUSY = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"


class Faults:
    """Which fault the next request meets."""

    def __init__(self, seed, percent):
        self.random = random.Random(seed)
        self.share = percent / 100
        self.lock = threading.Lock()
        self.counts = collections.Counter()

    def next(self):
        with self.lock:
            point = self.random.random() / self.share
            names = ["reset before", "reset after", "503", "cut off", "stall"]
            bounds = [0.5, 1, 2, 3, 4]
            name = next((name for name, bound in zip(names, bounds) if point < bound), "through")
            self.counts[name] += 1
            return name


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.faults.next()
        if fault == "stall":
            time.sleep(0.2)
        if fault == "reset before":
            return self.reset()
        if fault == "503":
            return self.answer(503, [("Content-Type", "application/xml")], BUSY, len(BUSY))
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body)
        response = upstream.getresponse()
        content = response.read()
        headers = [pair for pair in response.getheaders() if pair[0].lower() not in ("connection", "transfer-encoding")]
        upstream.close()
        if fault == "reset after":
            return self.reset()
        length = len(content)
        if self.command == "HEAD":
            length = int(response.getheader("Content-Length") or 0)
        if fault == "cut off" and len(content) > 1:
            self.answer(response.status, headers, content[: len(content) // 2], length)
            return self.reset()
        return self.answer(response.status, headers, content, length)

    def answer(self, status, headers, content, length):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def reset(self):
        """Ends the connection without a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """The other side may go at any time."""


def main(upstream, seed="1", percent="5"):
    server = Server(("127.0.0.1", 0), Handler)
    server.upstream = urllib.parse.urlsplit(upstream).netloc
    server.faults = Faults(int(seed), float(percent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.stdin.read()
    print(" ".join(f"{name.replace(' ', '-')}={count}" for name, count in sorted(server.faults.counts.items())), flush=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
