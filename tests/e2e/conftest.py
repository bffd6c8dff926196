"""A real kithd for each test: own directory, free port, ended and checked afterwards.

KITH_BUILD names the build tree whose programs are tested (default: build/release), KITH_RELEASE
the one whose daemon serves the tests marked `volume`: it is much that they are about.  With
`-n 4` (pytest-xdist) four workers share the tests; those marked `long` begin first.
"""
import base64
import gzip
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("KITH_BUILD", "build/release")
RELEASE = ROOT / os.environ.get("KITH_RELEASE", BUILD)
START_SECONDS = 60
STOP_SECONDS = 60
REPORTS = ("Sanitizer", "runtime error:", "assertion")


def pytest_configure(config):
    config.addinivalue_line("markers", "long(seconds): about so many; the longest begin first")
    config.addinivalue_line("markers", "volume: the daemon of the release, where much takes less")


def pytest_collection_modifyitems(items):
    marks = {item: item.get_closest_marker("long") for item in items}
    items.sort(key=lambda item: -marks[item].args[0] if marks[item] else 0)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A worker holds the test it runs and the next: xdist's own choice gives the first worker the
    first quarter of all, and so everything long."""
    from xdist.scheduler import LoadScheduling

    class OneByOne(LoadScheduling):
        def _send_tests(self, node, num):
            super()._send_tests(node, min(num, 2 - len(self.node2pending[node])))

    return OneByOne(config, log)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


def child_of(pid):
    """The daemon behind the process that was started, its parent (core/server/parent.h)."""
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


class Daemon:
    """kithd as a person runs it: flags in, a ready line out, HTTP, signals."""

    def __init__(self, data, flags=(), env=None, build=BUILD):
        self.data, self.lines, self.port = pathlib.Path(data), [], None
        self.answered = set()  # (method, path, status) of every call
        command = [str(build / "kithd"), "--data", str(data), "--listen", "127.0.0.1:0", *flags]
        self.process = subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=dict(os.environ, **(env or {})),
        )
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def wait_line(self, pattern, seconds=START_SECONDS):
        """The first line that matches; fails when the process ends before."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                for line in self.lines:
                    found = re.search(pattern, line)
                    if found:
                        return found
                left = deadline - time.monotonic()
                assert (
                    left > 0 and self.reader.is_alive()
                ), f"no line like {pattern!r} among {self.lines}"
                self.changed.wait(min(left, 0.2))

    def ready(self):
        self.port = int(self.wait_line(r"ready on https?://\S*?:(\d+)").group(1))
        return self

    @property
    def pid(self):
        """Of the process that does the work."""
        return child_of(self.process.pid)

    def key(self, name):
        return (self.data / f"{name}.key").read_text().strip()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def call(self, method, path, body=None, key="admin", headers=None, connection=None):
        """One request; `body` bytes, text, or something for JSON; `key` None: without."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        if key is not None:
            headers.setdefault("Authorization", f"Bearer {self.key(key)}")
        own = connection or self.connect()
        own.request(method, path, body, headers)
        response = own.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        self.answered.add((method, path, answer.status))
        if connection is None:
            own.close()
        return answer

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body, **options):
        return self.call("POST", path, body, **options)

    def send(self, *events):
        """Events of a batch, applied when this returns; the answer's rejected ones."""
        answer = self.post("/v1/batch?wait=applied", {"batch": list(events)}, key="write")
        assert answer.status == 200, answer.body
        return answer.json.get("rejected", [])

    def timeline(self, customer, **query):
        path = f"/v1/customers/{urllib.parse.quote(customer, safe='')}/timeline"
        answer = self.get(path + "?" + urllib.parse.urlencode({"limit": 1000, **query}))
        assert answer.status == 200, answer.body
        return answer.json["items"]

    def metric(self, name):
        for line in self.get("/metrics", key=None).body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise KeyError(name)

    def undescribed(self):
        """Answers whose status /openapi.json does not name at their operation."""
        paths = self.get("/openapi.json", key=None).json["paths"]
        # A path with the fewest braces that fits comes first, as it does in the daemon.
        patterns = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))), operations)
            for path, operations in sorted(paths.items(), key=lambda item: item[0].count("{"))
        ]
        missing = []
        for method, target, status in self.answered:
            path = urllib.parse.urlsplit(target).path
            fits = (operations for pattern, operations in patterns if pattern.fullmatch(path))
            operations = next(fits, {})
            operation = operations.get("get" if method == "HEAD" else method.lower())
            if operation and "x-plugin" in operation:
                continue  # what it answers with is its own affair
            if operation and str(status) not in operation["responses"]:
                missing.append((method, target, status))
        return missing

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        return self.wait()

    def wait(self, seconds=STOP_SECONDS):
        code = self.process.wait(seconds)
        self.reader.join(seconds)
        return code


def eventually(is_so, seconds=60):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gzipped(value):
    return gzip.compress(json.dumps(value).encode())


def basic(user, password=""):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def start(tmp_path, request):
    """start(*flags, name="data"): a daemon that is ready; several may run, one after the other."""
    daemons, build = [], RELEASE if request.node.get_closest_marker("volume") else BUILD

    def begin(*flags, name="data", is_ready=True, env=None):
        daemon = Daemon(tmp_path / name, [str(flag) for flag in flags], env, build)
        daemons.append(daemon)
        return daemon.ready() if is_ready else daemon

    yield begin
    for daemon in daemons:
        if daemon.process.poll() is None:
            try:
                undescribed = daemon.undescribed() if daemon.answered else []
            finally:
                assert daemon.stop() == 0, daemon.lines
            assert undescribed == []
        reports = [line for line in daemon.lines if any(word in line for word in REPORTS)]
        assert not reports, daemon.lines


@pytest.fixture
def daemon(start):
    return start()
