"""Bad input of every kind: a clear answer, nothing lost, and the daemon heals by itself.

Bytes that break HTTP or JSON, disks that fill up or rot, data
of another version, clocks that are wrong, rules that do harm.
"""
import calendar
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import time

import pytest

from conftest import BUILD, gzipped

HERE = pathlib.Path(__file__).resolve().parent
MEBIBYTE = 1 << 20
TRACK = {"type": "track", "event": "Hello", "userId": "u-1"}


# -- Wire ----------------------------------------------------------------------------------------


def raw(daemon, data):
    """What the daemon answers to these bytes until it closes; our side is shut down at the end."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as peer:
        peer.sendall(data if isinstance(data, bytes) else data.encode())
        peer.shutdown(socket.SHUT_WR)
        return read_all(peer)


def read_all(peer):
    answer = b""
    while part := peer.recv(65536):
        answer += part
    return answer.decode()


def statuses(answer):
    return [int(status) for status in re.findall(r"HTTP/1\.1 (\d+) ", answer)]


def post_head(daemon, path, *fields, key="write"):
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Authorization: Bearer {daemon.key(key)}"]
    return "\r\n".join([*lines, *fields, "", ""])


GET = "GET /healthz HTTP/1.1\r\n"
NO_REQUESTS = [  # bytes, status, words of the answer
    (GET + "\r\n", 400, "HTTP/1.1 requires a Host"),
    (GET + "Host: a\r\nHost: b\r\n\r\n", 400, "more than one Host"),
    (GET + "Host: a, b\r\n\r\n", 400, "Host must be a name or address and a port"),
    (GET + "Host: a\r\n" + "X: 1\r\n" * 100 + "\r\n", 431, "at most 100 lines"),
    (GET + "Host: a\r\nX: " + "y" * 17000 + "\r\n\r\n", 431, "at most 16384 bytes"),
    (f"GET /{'y' * 9000} HTTP/1.1\r\nHost: a\r\n\r\n", 414, "at most 8192 bytes"),
    (GET + "Host: a\r\nX Y: 1\r\n\r\n", 400, "must begin with a name and a colon"),
    (GET + "Host : a\r\n\r\n", 400, "must begin with a name and a colon"),
    (GET + "Host: a\r\nX: 1\r\n 2\r\n\r\n", 400, "folded header line"),
    (GET + "Host: a\0\r\n\r\n", 400, "a control byte in the head"),
    ("GET /healthz HTTP/1.1\nHost: a\n\n", 400, "must end in CR LF"),
    ("GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n", 505, "speaks HTTP/1.1 and HTTP/1.0"),
    ("BREW /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 501, "method is not known"),
    ("GET /healthz HTTP/1.1\r\nHos", 400, "the request broke off"),
    ("\x16\x03\x01\x02\x00", 400, "a control byte in the head"),
]
NO_BODIES = [  # fields, bytes behind them, status, words
    (["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n", 501, "understood is chunked"),
    (["Transfer-Encoding: chunked", "Content-Length: 5"], "0\r\n\r\n", 400, "and without Transfer"),
    (["Content-Length: 2", "Content-Length: 3"], "{}", 400, "one number, given once"),
    (["Content-Length: 2, 2"], "{}", 400, "one number, given once"),
    (["Content-Length: +2"], "{}", 400, "one number, given once"),
    (["Transfer-Encoding: chunked"], "zz\r\n", 400, "its size in hexadecimal digits"),
    (["Expect: tea", "Content-Length: 2"], "{}", 417, "understood is 100-continue"),
    (["Content-Encoding: br", "Content-Length: 2"], "{}", 415, "gzip, deflate or identity"),
    (["Content-Encoding: gzip", "Content-Length: 2"], "{}", 400, "not what Content-Encoding says"),
    (["Content-Length: 20"], "{}", 400, "the request broke off"),
]


def test_what_is_no_request_is_refused_in_words(daemon):
    before = daemon.metric("kith_log_entries")
    cases = list(NO_REQUESTS)
    for fields, rest, status, words in NO_BODIES:
        cases.append((post_head(daemon, "/v1/track", *fields) + rest, status, words))
    for data, status, words in cases:
        answer = raw(daemon, data)
        assert statuses(answer) == [status], (data[:100], answer)
        head, body = answer.split("\r\n\r\n")
        assert "\r\nDate: " in head and "application/problem+json" in head
        problem = json.loads(body)
        assert problem["status"] == status and words in problem["detail"], (data[:100], problem)
    assert daemon.metric("kith_log_entries") == before


def test_pipelined_requests_are_answered_in_order(daemon):
    event = json.dumps(TRACK)
    track = post_head(daemon, "/v1/track?wait=applied", f"Content-Length: {len(event)}") + event
    head = "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = raw(
        daemon, track + head + "GET /no HTTP/1.1\r\nHost: a\r\n\r\n" + GET + "Host: a\r\n\r\n"
    )
    assert statuses(answer) == [200, 200, 404, 200]
    success, health = answer.index('{"success":true}'), answer.rindex('{"status":"ok"}')
    assert success < answer.index('"status":404') < health
    assert answer.count('{"status":"ok"}') == 1  # HEAD has none
    assert answer.count("\r\nDate: ") == 4 and "Connection: close" not in answer


def test_a_body_is_asked_for_only_when_it_will_be_read(daemon):
    event = json.dumps(TRACK).encode()
    expect = ["Expect: 100-continue", f"Content-Length: {len(event)}"]
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as peer:
        peer.sendall(post_head(daemon, "/v1/track", *expect).encode())
        assert peer.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(event)
        assert statuses(peer.recv(65536).decode()) == [200]
    too_large = ["Expect: 100-continue", f"Content-Length: {6 * MEBIBYTE}"]
    for data, status in (
        (post_head(daemon, "/v1/batch", *too_large), 413),
        (post_head(daemon, "/v1/nothing", *expect), 404),
        (post_head(daemon, "/v1/reminders", *expect), 403),
    ):
        assert statuses(raw(daemon, data)) == [status]


def send_blindly(daemon, path, framing, body):
    """Send all of a body, then look at the answer, as most clients do."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=30) as peer:
        peer.sendall(post_head(daemon, path, framing).encode() + body)
        return read_all(peer)


def test_a_body_that_is_too_large_is_told_to_those_who_send_it_all(daemon):
    size = 64 * MEBIBYTE
    chunked = b"100000\r\n" + b" " * MEBIBYTE + b"\r\n"
    for answer in (
        send_blindly(daemon, "/v1/batch", f"Content-Length: {size}", bytes(size)),
        send_blindly(daemon, "/v1/batch", "Transfer-Encoding: chunked", chunked * 64),
    ):
        assert statuses(answer) == [413]
        assert "at most 5242880 bytes are allowed" in answer
    track = send_blindly(daemon, "/v1/track", f"Content-Length: {MEBIBYTE}", bytes(MEBIBYTE))
    assert "at most 262144 bytes are allowed" in track


def test_limits_of_batches_are_told_by_number(daemon):
    answer = daemon.post("/v1/batch", {"batch": [TRACK] * 5001}, key="write")
    assert answer.status == 413 and "at most 5000 events" in answer.json["detail"]
    large = dict(TRACK, properties={"x": "x" * 300000})
    rejected = daemon.send(TRACK, large, TRACK)
    assert [item["index"] for item in rejected] == [1]
    assert "an event has at most 256 KiB" in rejected[0]["reason"]
    bomb = gzipped({"batch": [dict(TRACK, properties={"x": " " * 20 * MEBIBYTE})]})
    answer = daemon.post("/v1/batch", bomb, key="write", headers={"Content-Encoding": "gzip"})
    assert answer.status == 413 and "at most 8388608 bytes" in answer.json["detail"]


def test_unknown_fields_come_back_as_they_were_sent(daemon):
    properties = {"深": {"ö": [1, None, {"x": False}]}, "": "no name", "big": 1e300, "n": 1 << 62}
    daemon.send(dict(TRACK, properties=properties, integrations={"All": False}, _own={"a": [1]}))
    assert daemon.timeline("user_id:u-1")[-1]["data"] == properties
    daemon.send({"type": "identify", "userId": "u-1", "traits": {"unheard of": {"a": ["b"]}}})
    assert daemon.get("/v1/customers/1").json["traits"]["unheard of"] == {"a": ["b"]}


SYSTEM_TYPES = """tick daemon.started effect.claim effect.release bundle.activated key.set
    customer.merged identity.unlinked reminder.due reminder.done rule.failed clock.accepted
    replay.started erase.requested staff.set consent.changed owner.changed tag.changed""".split()


def test_events_with_names_of_the_system_are_kept_as_foreign(daemon):
    rules = 'rule "r" { on = { %s }, run = function(event, customer) customer:tag("fooled") end }'
    names = ", ".join(f'"{name}"' for name in SYSTEM_TYPES)
    assert daemon.post("/v1/bundles", {"files": {"r.lua": rules % names}}).status == 201
    events = [{"type": "track", "event": name, "userId": "u-1"} for name in SYSTEM_TYPES]
    assert daemon.send(*events) == []
    items = [item for item in daemon.timeline("user_id:u-1") if item.get("call")]
    assert [item["type"] for item in items] == SYSTEM_TYPES[::-1]
    assert all(item["trace"]["foreign"] for item in items)
    record = daemon.get("/v1/customers/1").json
    assert not record["tags"] and not record.get("owner")
    assert daemon.post("/v1/verify", {}).json["ok"]


# -- Disks ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def faults(tmp_path_factory):
    """faults(**variables): the environment in which faults.c stands before the libraries."""
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    command = ["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, HERE / "faults.c"]
    subprocess.run([*command, "-ldl"], check=True)
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"

    def environment(**variables):
        return {"LD_PRELOAD": str(library), "ASAN_OPTIONS": sanitizer, **variables}

    return environment


def write_whole(path, text):
    path.with_suffix(".new").write_text(text)
    path.with_suffix(".new").rename(path)


NO_ROOM = 75  # of sysexits.h: it may be tried again


class SmallDisk:
    """A file system of its own, filled to the last byte at will."""

    def __init__(self, folder):
        self.folder, self.env = folder, {}
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]
        self.is_mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill(self, spared=0):
        with open(self.folder / "ballast", "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
            file.truncate(file.tell() - spared)

    def free(self):
        (self.folder / "ballast").unlink()

    def close(self):
        if self.is_mounted:
            subprocess.run(["umount", self.folder], check=True)


class FakedDisk(SmallDisk):
    """Without the right to mount: faults.c says that there is no room."""

    def __init__(self, folder, faults):
        super().__init__(folder)
        self.plan = folder / "plan"
        self.env = faults(KITH_FAULTS=str(self.plan))

    def fill(self):
        write_whole(self.plan, "stuffed 0\n")

    def free(self):
        write_whole(self.plan, "none 0\n")


@pytest.fixture
def small_disk(tmp_path, faults):
    disk = SmallDisk(tmp_path / "disk")
    if not disk.is_mounted:
        disk.folder.rmdir()
        disk = FakedDisk(tmp_path / "disk", faults)
    yield disk
    disk.close()


class Sender:
    """Sends events one by one and remembers which were acknowledged."""

    def __init__(self, daemon):
        self.daemon, self.count, self.acked = daemon, 0, []

    def send(self, size=4000):
        self.count += 1
        name = f"m-{self.count}"
        properties = {"x": secrets.token_hex(size)}
        event = {"event": "E", "userId": "u-1", "messageId": name, "properties": properties}
        answer = self.daemon.post("/v1/track", event, key="write")
        if answer.status == 200:
            self.acked.append(name)
        return answer

    def send_until(self, status, **options):
        deadline = time.monotonic() + 60
        while (answer := self.send(**options)).status != status:
            assert answer.status in (200, 503), answer.body
            assert time.monotonic() < deadline, answer.body
        return answer

    def check(self):
        """Everything acknowledged is there, and nothing else."""
        items, after = [], ""
        while after is not None:
            path = f"/v1/customers/user_id:u-1/timeline?limit=1000&after={after}"
            page = self.daemon.get(path).json
            items, after = items + page["items"], page["next"]
        names = [item["messageId"] for item in items if item.get("messageId")]
        assert names[::-1] == self.acked
        assert self.daemon.post("/v1/verify", {}).json["ok"]


def has_line(daemon, words):
    return any(words in line for line in daemon.lines)


def wait_ready(daemon):
    deadline = time.monotonic() + 60
    while daemon.get("/readyz", key=None).status != 200:  # though nobody sends anything
        assert time.monotonic() < deadline, daemon.lines
        time.sleep(0.05)


def fill_before_a_checkpoint(small_disk, sender):
    """Fill the disk when events are in the log and not in a checkpoint yet; the log's refusal.  One
    may have been written while the disk filled, or failed before it: then once more."""
    daemon = sender.daemon
    for _ in range(20):
        for _ in range(20):
            assert sender.send().status == 200
        small_disk.fill()
        answer = sender.send_until(503)
        time.sleep(2)
        is_of_the_log = "nothing was written" in answer.json["detail"]
        if is_of_the_log and has_line(
            daemon, "a checkpoint failed, and is tried again every second: "
        ):
            return answer
        small_disk.free()
        wait_ready(daemon)
    raise AssertionError(daemon.lines)


def test_a_full_disk_refuses_events_and_nothing_else_until_there_is_room(small_disk, start):
    daemon = start(name="disk/data", env=small_disk.env)
    sender = Sender(daemon)
    answer = fill_before_a_checkpoint(small_disk, sender)
    assert answer.headers["Retry-After"] == "1"
    assert "No space left on device" in answer.json["detail"]
    daemon.wait_line("the log cannot be written, and is tried again: .*No space left on device")
    answer = daemon.get("/readyz", key=None)
    assert answer.status == 503 and "is the disk full?" in answer.json["reasons"][0]
    answer = daemon.post("/v1/customers/1/notes", {"text": "x"})
    assert answer.status == 503 and "is the disk full?" in answer.json["detail"]
    for path in ("/healthz", "/v1/customers", "/v1/customers/1", "/v1/reminders", "/v1/effects"):
        assert daemon.get(path).status == 200
    assert len(daemon.timeline("1")) >= 20
    small_disk.free()
    wait_ready(daemon)
    for _ in range(20):
        assert sender.send().status == 200
    daemon.wait_line("the log is written again")
    daemon.wait_line("checkpoints are written again")
    sender.check()
    daemon.stop()


def test_a_start_on_a_full_disk_says_so_and_leaves_nothing_half_made(small_disk, start):
    small_disk.fill()
    if not small_disk.env:  # of a file that is not there yet the library knows nothing
        daemon = start(name="disk/data", is_ready=False)
        assert daemon.wait() == NO_ROOM
        assert "No space left on device" in daemon.lines[-1]
    small_disk.free()
    daemon = start(name="disk/data", env=small_disk.env)
    assert daemon.send(TRACK) == []
    daemon.stop()
    small_disk.fill()
    daemon = start(name="disk/data", env=small_disk.env, is_ready=False)
    assert daemon.wait() == NO_ROOM
    assert f"in {daemon.data}/log: No space left on device" in daemon.lines[-1]
    small_disk.free()
    daemon = start(name="disk/data", env=small_disk.env)
    assert len([item for item in daemon.timeline("1") if item.get("call")]) == 1
    daemon.stop()


def test_a_first_start_on_a_disk_that_fills_up_under_it_says_so(small_disk, start):
    if small_disk.env:
        pytest.skip("needs a file system of its own")
    for kib in range(0, 80, 4):  # some are as much as a file takes before it is mapped
        small_disk.fill(spared=kib * 1024)
        daemon = start(name=f"disk/data-{kib}", is_ready=False)
        assert daemon.wait() == NO_ROOM, (kib, daemon.lines)
        assert "No space left on device" in daemon.lines[-1], (kib, daemon.lines)
        small_disk.free()
        shutil.rmtree(daemon.data)


def test_a_full_map_refuses_events_and_a_larger_one_goes_on(start, faults):
    daemon = start(env=faults(KITH_MAP_BYTES=str(MEBIBYTE)))
    sender = Sender(daemon)
    answer = sender.send_until(503)
    assert f"cannot write to the log in {daemon.data}/log: MDB_MAP_FULL" in answer.json["detail"]
    assert "build kithd with a larger ENV_MAP_BYTES" in answer.json["detail"]
    daemon.wait_line("the log cannot be written, and is tried again: .*MDB_MAP_FULL")
    assert daemon.get("/v1/customers/1").status == 200
    assert sender.send_until(503).headers["Retry-After"] == "1"
    daemon.stop()
    sender.daemon = start(env=faults(KITH_MAP_BYTES=str(16 * MEBIBYTE)))
    for _ in range(50):
        assert sender.send().status == 200
    sender.check()


# -- Damage --------------------------------------------------------------------------------------


class File:
    """One of the daemon's files, to be changed behind its back."""

    def __init__(self, data, folder):
        self.path = data / folder / "data.mdb"
        self.bytes = bytearray(self.path.read_bytes())

    def places(self, mark):
        return [found.start() for found in re.finditer(re.escape(mark), bytes(self.bytes))]

    def block(self, seq):
        """The one place of the log's block that begins with entry `seq`; docs/log.md, "Blocks"."""
        places = self.places(b"KTHL" + b"\1\0")
        found = [at for at in places if self.number(at + 16, 8) == seq]
        assert len(found) == 1, found
        return found[0]

    def number(self, at, size):
        return int.from_bytes(self.bytes[at : at + size], "little")

    def spoil(self, at):
        self.bytes[at] ^= 0x55
        self.save()

    def save(self):
        self.path.write_bytes(self.bytes)


def ten_customers(start):
    """A stopped daemon's data: an event for each of ten customers, each in a block of its own."""
    daemon = start()
    seqs = {}
    for i in range(10):
        properties = {"x": secrets.token_hex(4000)}
        daemon.send({"type": "track", "event": "E", "userId": f"u-{i}", "properties": properties})
        seqs[i] = daemon.timeline(f"user_id:u-{i}")[-1]["seq"]
    assert daemon.stop() == 0
    return daemon.data, seqs


def refused_start(start, *flags):
    daemon = start(*flags, is_ready=False)
    assert daemon.wait() == 1, daemon.lines
    return daemon.lines[-1]


def test_a_corrupt_block_is_named_and_refused_and_the_rest_is_readable(start):
    data, seqs = ten_customers(start)
    log = File(data, "log")
    log.spoil(log.block(seqs[4]) + 300)
    daemon = start()
    named = f"entries {seqs[4]} to {seqs[4]}"
    answer = daemon.get(f"/v1/entries/{seqs[4]}/explain")
    assert answer.status == 500, answer.body
    assert named in answer.json["detail"] and "checksum" in answer.json["detail"]
    (damaged,) = [
        item for item in daemon.timeline("user_id:u-4") if item["seq"] == seqs[4] and item["n"] == 0
    ]
    assert named in damaged["unreadable"] and "checksum" in damaged["unreadable"]
    assert damaged["type"] == "E" and "data" not in damaged and damaged["trace"]["rules"] == []
    environment = dict(
        os.environ, KITH_URL=f"http://127.0.0.1:{daemon.port}", KITH_KEY=daemon.key("admin")
    )
    shown = subprocess.run(
        [BUILD / "kith", "timeline", "user_id:u-4"],
        env=environment,
        text=True,
        capture_output=True,
        check=True,
    )
    assert named in shown.stdout and "customer.created" in shown.stdout
    daemon.wait_line(f"timeline is shown without .*{named} of the log cannot be read: the checksum")
    for i in (0, 1, 2, 3, 5, 6, 7, 8, 9):
        assert len(daemon.timeline(f"user_id:u-{i}")[-1]["data"]["x"]) == 8000
    assert daemon.get("/v1/customers/user_id:u-4").status == 200
    verified = daemon.post("/v1/verify", {}).json
    assert not verified["ok"] and named in verified["faults"][0]
    assert daemon.send(TRACK) == []
    assert daemon.get("/readyz", key=None).status == 200
    assert daemon.stop() == 0
    # To fold it anew would lose what only the state still knows.
    line = refused_start(start, "--rebuild")
    assert named in line and "nothing was rebuilt; put back a copy of the whole data dir" in line
    assert start().get("/v1/customers/user_id:u-4").status == 200


def test_a_corrupt_last_block_refuses_the_start(start):
    data, _ = ten_customers(start)
    start().stop()
    log = File(data, "log")
    last = max(log.number(at + 16, 8) for at in log.places(b"KTHL" + b"\1\0"))
    for at in log.places(b"KTHL" + b"\1\0"):
        if log.number(at + 16, 8) == last:
            log.spoil(at + 90)
    line = refused_start(start)
    assert f"the last block of the log, from entry {last}, cannot be read" in line
    assert "put back a copy of the whole data directory, made while kithd was stopped" in line


def test_a_log_of_another_version_is_refused_by_number(start):
    data, _ = ten_customers(start)
    log = File(data, "log")
    for at in log.places(b"format\1\0\0\0"):
        log.bytes[at + len("format")] = 9
    log.save()
    line = refused_start(start)
    assert "has format 9; this version reads 1" in line
    assert "use the version of kithd that wrote it" in line


def another_version(state):
    for at in state.places(b"mformat\1"):  # the value is a number of one byte
        state.bytes[at + len(b"mformat\1")] += 7


def no_pages(state):
    state.bytes[:8192] = b"x" * 8192


@pytest.mark.parametrize(
    "damage, words", [(another_version, "has format"), (no_pages, "cannot open the store")]
)
def test_a_state_that_cannot_be_read_is_made_anew_on_request(start, damage, words):
    data, _ = ten_customers(start)
    state = File(data, "state")
    damage(state)
    state.save()
    line = refused_start(start)
    assert words in line and "start with --rebuild to make it anew" in line
    daemon = start("--rebuild")
    assert len(daemon.timeline("user_id:u-9")[-1]["data"]["x"]) == 8000
    assert daemon.post("/v1/verify", {}).json["ok"]


def test_a_state_without_its_log_is_refused(start):
    data, _ = ten_customers(start)
    for file in (data / "log").iterdir():
        file.unlink()
    line = refused_start(start)
    assert "but its log ends at 0" in line and "put the log back" in line


# -- Clocks --------------------------------------------------------------------------------------

DAY = 24 * 3600
DUE = """
rule "remind" {
  on = "Order",
  run = function(event, customer) remind { title = "call", due = "1h", key = event.key } end,
}
rule "count" {
  on = "reminder.due",
  run = function(event, customer) customer:set("due", (customer.due or 0) + 1) end,
}
"""


class Clock:
    """A daemon whose wall clock is as wrong as its file says."""

    def __init__(self, start, faults, path):
        self.path, self.begin, self.orders = path, start, 0
        self.env = faults(KITH_CLOCK=str(path))
        self.set(0)
        self.daemon = start(env=self.env)
        assert self.daemon.post("/v1/bundles", {"files": {"rules.lua": DUE}}).status == 201

    def set(self, seconds):
        write_whole(self.path, str(seconds))

    def restart(self):
        assert self.daemon.stop() == 0
        self.daemon = self.begin(env=self.env)

    def order(self):
        """The log time of an order that is placed now, in seconds of the true clock."""
        self.orders += 1
        order = {"type": "track", "event": "Order", "userId": "u-1"}
        assert self.daemon.send(dict(order, properties={"key": str(self.orders)})) == []
        entry = next(i for i in self.daemon.timeline("1") if i["type"] == "Order")
        whole, milliseconds = entry["logged"][:-1].split(".")
        parsed = time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z")
        return calendar.timegm(parsed) + int(milliseconds) / 1000 - time.time()

    def reasons(self):
        return " ".join(self.daemon.get("/readyz", key=None).json["reasons"])

    def due(self):
        return self.daemon.get("/v1/customers/1").json["traits"].get("due", 0)


@pytest.fixture
def clock(start, faults, tmp_path):
    return Clock(start, faults, tmp_path / "clock")


def test_a_clock_set_back_stops_log_time_until_it_is_right(clock):
    assert abs(clock.order()) < 60
    clock.set(-2 * DAY)
    for _ in range(3):
        assert abs(clock.order()) < 60  # it waits
    assert "the machine's clock is behind the last entry: set the clock right" in clock.reasons()
    clock.daemon.wait_line("log time stands still, .* is behind the last entry")
    clock.restart()
    assert "is behind the last entry" in clock.reasons()
    clock.daemon.wait_line("log time stands still")
    clock.set(0)
    clock.daemon.wait_line("log time goes on")  # without any event
    assert abs(clock.order()) < 60 and clock.reasons() == "" and clock.due() == 0
    assert clock.daemon.post("/v1/verify", {}).json["ok"]


def test_a_clock_set_forward_fires_nothing_until_it_is_accepted(clock):
    assert abs(clock.order()) < 60
    clock.set(300)
    assert 240 < clock.order() < 360  # a few minutes are nothing
    clock.set(365 * DAY)
    for _ in range(3):
        assert 240 < clock.order() < 360
    assert "leapt ahead of the last entry: set the clock right" in clock.reasons()
    clock.daemon.wait_line("log time stands still, .* leapt ahead")
    clock.set(300)
    clock.daemon.wait_line("log time goes on")  # without any event
    assert 240 < clock.order() < 360 and clock.reasons() == "" and clock.due() == 0
    clock.set(30 * DAY)
    clock.restart()
    clock.order()
    assert "accept it with: kith clock accept" in clock.reasons() and clock.due() == 0
    assert clock.daemon.post("/v1/clock/accept", {}).status == 200
    assert abs(clock.order() - 30 * DAY) < 5 and clock.reasons() == ""
    deadline = time.monotonic() + 60
    while clock.due() < clock.orders - 1:
        assert time.monotonic() < deadline, clock.due()
        time.sleep(0.05)
    assert clock.daemon.post("/v1/verify", {}).json["ok"]


# -- Rules ---------------------------------------------------------------------------------------

OVER = "over the budget of 2000000 instructions; do less at a time (limit rule_instructions)"
HARMFUL = {  # what the rule does, what its failure says
    "loops": ("while true do end", OVER),
    "recurses": ("local function f() return 1 + f() end f()", "more than 1000 calls deep"),
    "eats memory": ("local t = {} for i = 1, 1e9 do t[i] = { i } end", "8388608 bytes of memory"),
    "grows a text": ('local s = "x" while true do s = s .. s end', "more than 262144 bytes"),
    "sorts a million": (
        "local t = {} for i = 1, 1000000 do t[i] = (i * 7919) % 1000003 end table.sort(t)",
        OVER,
    ),
    "matches for ever": ('return ("a"):rep(60):find(".-.-.-.-.-.-b")', OVER),
    "walks calendars": ('for i = 1, 10000 do ago("25000wd") ago("25000wh") end', OVER),
    "hides in pcall": ("while true do pcall(function() while true do end end) end", OVER),
    "hides and goes on": ("pcall(function() while true do end end) customer:tag('x')", OVER),
    "loops when closed": (
        "local c <close> = setmetatable({}, { __close = function() while true do end end })",
        OVER,
    ),
    "finalizes": (
        "setmetatable({}, { __gc = function() while true do end end })",
        "__gc is not available: nobody can tell when memory is collected",
    ),
    "counts in a global": ("count = (count or 0) + 1", "the global 'count' cannot be set"),
    "changes a shared table": ("prices.apple = 7", "cannot be changed any more"),
    "changes the library": ("string.rep = nil", "cannot be changed any more"),
    "reads files": ('io.open("/etc/passwd")', "io"),
    "draws lots": ("math.random()", "random"),
    "writes bytes": ('customer:tag("\\xff")', "text that is not UTF-8 cannot be kept"),
    "names bytes": ('emit("X", { ["\\xff"] = 1 })', "128 bytes of UTF-8"),
    "reminds in bytes": ('remind { title = "\\xff", due = "1d" }', "text that is not UTF-8"),
    "sends bytes": ('send { channel = "log", purpose = "service", body = "\\xff" }', "not UTF-8"),
    "misspells a lot": ('remind { titel = "x", tue = "1d", ado = 1, zu = 2 }', 'knows no "ado"'),
    "emits for ever": ('for i = 1, 100000 do emit("X", {}) end', "more than 1000 events"),
}
ODD = {  # what the rule does, what it leaves: trace.changed and trace.log
    "hash order": (
        'local s = "" for k in pairs({ zeta = 1, alpha = 2, [3] = 1, mid = 3, [1] = 1 }) do\n'
        '    s = s .. tostring(k) .. " " end customer:set("order", s)',
        {"order": "1 3 alpha mid zeta "},
        None,
    ),
    "addresses": ("log({}) log(log) log(customer)", {}, ["table", "function", "userdata"]),
    "an error's address": ("log(select(2, pcall(error, {})))", {}, ["table"]),
    "bytes in a log": ('log("a\\xffb")', {}, ["a\ufffdb"]),
    "a sign of nothing": ("log(-(0/0))", {}, ["nan"]),
    "an honest pcall": ('pcall(error, "x") customer:set("fine", 1)', {"fine": 1}, None),
}
RULE = 'rule "%s" { on = "%s", run = function(event, customer)\n  %s\nend }\n'


def rules_of_all():
    text = 'prices = { apple = 5 }\nlocal n = 0\n'
    for name, (body, *_) in {**HARMFUL, **ODD}.items():
        text += RULE % (name, name, body)
    return text + RULE % ("counts", "counts", 'n = n + 1 customer:set("n", n)')


def traces(daemon):
    """For each rule: what its event left, and what its failure says."""
    answer = daemon.post("/v1/bundles", {"files": {"rules.lua": rules_of_all()}})
    assert answer.status == 201, answer.body
    found = {}
    for name in (*HARMFUL, *ODD):
        daemon.send({"type": "track", "event": name, "userId": name})
        items = daemon.timeline("user_id:" + name)
        failures = [item["data"] for item in items if item["type"] == "rule.failed"]
        trace = next(item["trace"] for item in items if item["type"] == name)
        found[name] = (trace["changed"], trace.get("log"), failures)
    return found


@pytest.mark.long(4)
def test_rules_that_do_harm_fail_alone_and_the_same_everywhere(start):
    daemon = start()
    found = traces(daemon)
    for name, (_, words) in HARMFUL.items():
        changed, _, failures = found[name]
        assert changed == {} and len(failures) == 1, (name, found[name])
        assert words in failures[0]["message"] and failures[0]["rule"] == name, failures
        if name != "eats memory":  # of which a repetition knows only that it was so
            assert re.match(r"rules\.lua:\d+: ", failures[0]["message"]), failures
    for name, (_, changed, log) in ODD.items():
        assert found[name] == (changed, log, []), name
    assert daemon.post("/v1/verify", {}).json["ok"]  # in a sandbox with other hash seeds
    assert traces(start(name="other")) == found


def test_a_counter_in_a_local_counts_nothing_and_says_so(start):
    daemon = start()
    assert daemon.post("/v1/bundles", {"files": {"rules.lua": rules_of_all()}}).status == 201
    for i in range(3):
        daemon.send({"type": "track", "event": "counts", "userId": f"u-{i}"})
        trace = daemon.timeline(f"user_id:u-{i}")[-1]["trace"]
        assert trace["changed"] == {"n": 1}
        assert 'changed the local "n"' in trace["log"][0]
        assert "keep it in the customer" in trace["log"][0]


def test_a_cascade_without_end_is_cut(start):
    daemon = start()
    rules = RULE % ("again", "Again", 'emit("Again", {})')
    assert daemon.post("/v1/bundles", {"files": {"rules.lua": rules}}).status == 201
    daemon.send({"type": "track", "event": "Again", "userId": "u-1"})
    items = daemon.timeline("user_id:u-1")
    assert 1 < sum(item["type"] == "Again" for item in items) < 100
    assert "limit cascade_depth" in json.dumps(items[:2])
