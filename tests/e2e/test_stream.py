"""GET /v1/stream: everything that happens, once, in order, to as many as listen."""
import http.client
import json
import os
import resource
import selectors
import signal
import socket
import subprocess

import pytest

from conftest import BUILD

TAIL = 2000  # bytes of what was received; an event of the tests is shorter, or not looked for
RULES = """
rule "greet" {
  on = "Order",
  run = function(event, customer)
    if event.total >= 100 then
      remind { title = "Thank them", due = "1d" }
      emit("Big Order", { total = event.total })
    end
  end,
}
"""


class Stream:
    """One subscriber, read in blocking steps; `ids` and `events` are what came, `id` the last."""

    def __init__(self, daemon, query="", last=None, key="admin"):
        self.connection = daemon.connect()
        headers = {"Authorization": f"Bearer {daemon.key(key)}"}
        if last is not None:
            headers["Last-Event-ID"] = last
        self.connection.request("GET", "/v1/stream" + query, headers=headers)
        self.response = self.connection.getresponse()
        self.status, self.id, self.ids, self.events = self.response.status, None, [], []

    def block(self):
        """The fields of the next block; {} of a comment; None at the end."""
        fields = {}
        while True:
            try:
                line = self.response.readline()
            except (http.client.HTTPException, ConnectionError):
                return None
            if not line:
                return None
            line = line.rstrip(b"\n").decode()
            if not line:
                break
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
        self.id = fields.get("id", self.id)
        if "data" in fields:
            self.ids.append(fields["id"])
            self.events.append(json.loads(fields["data"]))
        return fields

    def until(self, id):
        while self.id is None or number_of(self.id) < number_of(id):
            assert self.block() is not None, f"the stream ended at {self.id}, before {id}"
        return self

    def take(self, count):
        while len(self.events) < count:
            assert self.block() is not None, f"the stream ended after {len(self.events)} events"
        return self.events

    def close(self):
        self.connection.close()


def track(user, event, number, **properties):
    return {
        "type": "track",
        "userId": user,
        "event": event,
        "messageId": f"{event}-{number}",
        "properties": properties,
    }


def number_of(id):
    seq, _, n = id.partition(".")
    return int(seq), int(n or 0)


def end_of(daemon):
    """The id of the place behind the last event."""
    stream = Stream(daemon)
    stream.block()
    stream.close()
    return stream.id


def whole(daemon):
    end = end_of(daemon)
    stream = Stream(daemon, "?after=0").until(end)
    stream.close()
    return stream


@pytest.fixture
def busy(start, tmp_path):
    """A daemon whose log has derived events, second copies, refusals and ticks."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "rules.lua").write_text(RULES)
    daemon = start("--scripts", tmp_path / "scripts")
    for number in range(20):
        event = track(f"u{number % 3}", "Order", number, total=number * 20)
        daemon.send(event, event)
    assert daemon.post("/v1/customers/1/merge", {"absorbed": "999"}).status >= 400
    return daemon


def test_who_wants_nothing_of_a_long_past_hears_on_the_way_where_it_is(daemon):
    for batch in range(9):
        daemon.send(*(track("u1", "Visit", f"{batch}-{number}") for number in range(4500)))
    daemon.send(track("u1", "Order", 1))
    stream, places = Stream(daemon, "?after=0&type=Order"), []
    while not stream.events:
        assert stream.block() is not None
        places.append(number_of(stream.id))
    stream.close()
    assert len(places) >= 3 and places == sorted(
        set(places)
    ), "its place, one on the way, the order"
    stream = Stream(daemon, "?type=Order", last="%d.%d" % places[1])
    assert stream.take(1)[0]["type"] == "Order"
    stream.close()


def test_an_event_is_told_in_full(daemon):
    stream = Stream(daemon)
    assert stream.response.headers["Content-Type"] == "text/event-stream"
    assert stream.response.headers["Cache-Control"] == "no-store"
    daemon.send(
        {
            "type": "track",
            "userId": "u1",
            "anonymousId": "a1",
            "event": "线\nx",
            "messageId": "m1",
            "timestamp": "2020-01-02T03:04:05.678Z",
            "properties": {"total": 1.5, "list": [1, None, {"a": "\u2028\r\n"}]},
            "context": {"ip": "::1"},
            "integrations": {"All": True},
        }
    )
    [event] = [event for event in stream.take(3) if event["n"] == 0]
    logged = event.pop("logged")
    assert logged.endswith("Z")
    assert event == {
        "seq": event["seq"],
        "n": 0,
        "event": str(event["seq"]),
        "id": "m1",
        "type": "线\nx",
        "call": "track",
        "messageId": "m1",
        "userId": "u1",
        "anonymousId": "a1",
        "customer": 1,
        "at": "2020-01-02T03:04:05.678Z",
        "class": "client",
        "source": "write",
        "data": {"total": 1.5, "list": [1, None, {"a": "\u2028\r\n"}]},
        "context": {"ip": "::1"},
        "extra": {"integrations": {"All": True}},
    }
    made = [event for event in stream.events if event["n"] != 0]
    assert [event["type"] for event in made] == ["customer.created", "identity.linked"]
    assert {event["class"] for event in made} == {"system"}
    stream.close()


def test_the_stream_is_all_timelines_in_order_and_nothing_twice(busy):
    stream = whole(busy)
    assert stream.ids == [event["event"] for event in stream.events]
    places = [number_of(id) for id in stream.ids]
    assert places == sorted(set(places))
    for customer in ("1", "2", "3"):
        told = [e["event"] for e in stream.events if e.get("customer") == int(customer)]
        timeline = [item for item in busy.timeline(customer) if "refused" not in item["trace"]]
        assert told == [item["event"] for item in reversed(timeline)]
    types = [event["type"] for event in stream.events]
    assert types.count("Order") == 20 and types.count("Big Order") == 15
    assert "tick" not in types


def test_whoever_comes_back_goes_on_behind_the_last_id(busy):
    ids = whole(busy).ids
    assert any("." in id for id in ids)
    for at, id in enumerate(ids):
        for place in ({"last": id}, {"query": f"?after={id}"}, {"last": id, "query": "?after=1"}):
            stream = Stream(busy, **place).until(ids[-1])
            assert stream.ids == ids[at + 1 :]
            stream.close()


def test_types_are_chosen_and_the_place_goes_on_without_them(busy):
    end = end_of(busy)
    chosen = ("Big Order", "reminder.created")
    wanted = [event["event"] for event in whole(busy).events if event["type"] in chosen]
    stream = Stream(busy, "?after=0&type=Big%20Order&type=reminder.created").until(end)
    assert stream.ids == wanted and len(wanted) == 15 + 3
    assert number_of(stream.id) > number_of(wanted[-1])
    stream.close()


def test_what_cannot_be_followed_is_refused(busy):
    def answer(**options):
        stream = Stream(busy, **options)
        body = stream.response.read()
        stream.close()
        return stream.status, json.loads(body)["detail"]

    assert answer(query="?after=x")[0] == 400
    assert answer(last="1.2.3")[0] == 400
    assert answer(query="?before=1")[0] == 400
    assert answer(query="?" + "&".join(f"type=t{i}" for i in range(17)))[0] == 400
    status, detail = answer(last="99999999")
    assert status == 409 and "older copy" in detail
    assert answer(key="write")[0] == 403
    assert busy.get("/v1/stream", key=None).status == 401
    head = busy.call("HEAD", "/v1/stream?after=0")
    assert head.status == 200 and head.body == b""


class Crowd:
    """Many subscribers on one selector; each keeps what it got as bytes."""

    def __init__(self, daemon):
        self.daemon, self.selector, self.received = daemon, selectors.DefaultSelector(), {}

    def add(self, query, is_read=True, bytes_max=None):
        sock = socket.socket()
        if bytes_max is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, bytes_max)
        sock.connect(("127.0.0.1", self.daemon.port))
        key = self.daemon.key("admin")
        sock.sendall(
            f"GET /v1/stream{query} HTTP/1.0\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        )
        self.received[sock] = bytearray()
        if is_read:
            self.selector.register(sock, selectors.EVENT_READ)
        return sock

    def read_until(self, is_done):
        """Read until is_done(the last bytes) of everybody."""
        waiting = {key.fileobj for key in self.selector.get_map().values()}
        waiting = {sock for sock in waiting if not is_done(self.received[sock][-TAIL:])}
        while waiting:
            for key, _ in self.selector.select(60) or pytest.fail("nothing comes any more"):
                data = key.fileobj.recv(1 << 18)
                self.received[key.fileobj] += data
                if not data:
                    self.selector.unregister(key.fileobj)
                    waiting.discard(key.fileobj)
                elif is_done(self.received[key.fileobj][-TAIL:]):
                    waiting.discard(key.fileobj)

    def close(self):
        for sock in self.received:
            sock.close()
        self.selector.close()


def events_in(received):
    body = bytes(received).partition(b"\r\n\r\n")[2].decode()
    lines = [line for line in body[: body.rfind("\n\n") + 1].split("\n") if line[:6] == "data: "]
    return [json.loads(line[6:]) for line in lines]


def test_a_thousand_follow_and_one_that_stalls_is_noticed_by_nobody(daemon):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    crowd = Crowd(daemon)
    small = [crowd.add("?type=Small") for _ in range(998)]
    reader = crowd.add("?type=Small&type=Large")
    stalled = crowd.add("?type=Small&type=Large", is_read=False, bytes_max=4096)
    crowd.read_until(lambda received: received.endswith(b"\n\n"))
    while daemon.metric("kith_stream_subscribers") < 1000:
        pass

    before = daemon.metric("kith_stream_reads_total")
    wanted, rounds = [], 40
    for number in range(rounds):  # more than its backlog and both sockets' buffers hold
        batch = [track("u", "Large", number, text="x" * 240000), track("u", "Small", number)]
        daemon.send(*batch)
        wanted += [event["messageId"] for event in batch]
    crowd.read_until(lambda received: b"Small-%d" % (rounds - 1) in received)
    for sock in small:
        ids = [event["messageId"] for event in events_in(crowd.received[sock])]
        assert ids == wanted[1::2]
    assert [event["messageId"] for event in events_in(crowd.received[reader])] == wanted
    reads = daemon.metric("kith_stream_reads_total") - before
    assert reads <= 8 * rounds, "one read is for all, not for each"

    # The one that stalled takes it up where it was, or where it was cut off for taking nothing for
    # too long: from the log, and nothing is missing.
    crowd.selector.register(stalled, selectors.EVENT_READ)
    crowd.read_until(lambda received: b"Small-%d" % (rounds - 1) in received)
    events = events_in(crowd.received[stalled])
    rest = Stream(daemon, "?type=Small&type=Large", last=events[-1]["event"])
    events += rest.take(len(wanted) - len(events))
    rest.close()
    assert [event["messageId"] for event in events] == wanted
    crowd.close()
    while daemon.metric("kith_stream_subscribers") > 0:
        pass


def test_a_thousand_that_begin_at_the_beginning_share_their_reads(busy):
    ids = whole(busy).ids
    crowd = Crowd(busy)
    before = busy.metric("kith_stream_reads_total")
    for _ in range(300):
        crowd.add("?after=0")
    mark = b"id: %s\n" % ids[-1].encode()
    crowd.read_until(lambda received: mark in received)
    for received in crowd.received.values():
        assert [event["event"] for event in events_in(received)] == ids
    assert busy.metric("kith_stream_reads_total") - before < 300
    crowd.close()


def test_killed_and_started_again_nothing_is_missing_and_nothing_comes_twice(start):
    daemon = start()
    got = [[] for _ in range(10)]
    last = [None] * len(got)
    for life in range(3):
        streams = [Stream(daemon, "?after=0", last=place) for place in last]
        for number in range(life * 40, life * 40 + 40):
            daemon.send(track(f"u{number}", "Order", number))
            for at, stream in enumerate(streams):
                if (at + number) % 3 == 0:
                    stream.block()
        daemon.kill()
        for at, stream in enumerate(streams):
            while stream.block() is not None:
                pass
            got[at] += stream.ids
            last[at] = stream.id
            stream.close()
        daemon = start()
    ids = whole(daemon).ids
    for at, place in enumerate(last):
        stream = Stream(daemon, last=place).until(ids[-1])
        assert got[at] + stream.ids == ids
        stream.close()


def test_a_daemon_that_stops_ends_its_streams(start):
    daemon = start()
    stream = Stream(daemon)
    stream.block()
    assert daemon.stop() == 0
    assert stream.block() is None


# -- kith tail -----------------------------------------------------------------------------------


class Tail:
    """`kith tail`, its lines as they come."""

    def __init__(self, daemon, *words, port=None):
        address = f"http://127.0.0.1:{port or daemon.port}"
        self.process = subprocess.Popen(
            [str(BUILD / "kith"), "tail", *words],
            env=dict(os.environ, KITH_URL=address, KITH_KEY=daemon.key("admin")),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def events(self, count):
        return [json.loads(self.process.stdout.readline()) for _ in range(count)]

    def stop(self):
        """Ctrl-C: the exit code and what it said on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def test_tail_shows_a_line_for_each_event(daemon):
    daemon.send(track("u1", "Order\x1b[2J", 1, total=12, product="茶"))
    tail = Tail(daemon, "--after", "0", "--type", "Order\x1b[2J", "--type", "customer.created")
    order, created = tail.process.stdout.readline(), tail.process.stdout.readline()
    assert "total 12, product 茶" in order and "\x1b" not in order
    assert "customer.created" in created
    assert tail.stop() == (0, "")


def test_tail_takes_up_where_it_was_when_the_daemon_comes_back(start):
    daemon = start()
    port, tail = daemon.port, None
    daemon.send(track("u1", "Order", 0))
    tail = Tail(daemon, "--json", "--after", "0", "--type", "Order")
    assert [event["messageId"] for event in tail.events(1)] == ["Order-0"]
    for number in (1, 2):
        daemon.kill()
        daemon = start("--listen", f"127.0.0.1:{port}")
        daemon.send(track("u1", "Order", number))
        assert [event["messageId"] for event in tail.events(1)] == [f"Order-{number}"]
    code, said = tail.stop()
    assert code == 0 and all("trying again" in line for line in said.splitlines())


def test_tail_says_what_it_cannot_follow(daemon):
    for words, code, reason in (
        (("--after", "x"), 2, "--after"),
        (("--after", "999"), 1, "older copy"),
        (("--limit", "1"), 2, "--limit"),
    ):
        with Tail(daemon, *words).process as process:
            _, said = process.communicate(timeout=60)
            assert process.returncode == code and reason in said
    with Tail(daemon, port=1).process as process:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 3 and "not reachable" in said
