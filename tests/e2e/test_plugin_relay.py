"""The outside side of a plugin is loaded anew while it works: requests are answered, messages go
out once, the job goes on, and one that does not start leaves the one before where it was."""
import re
import threading
import time

import pytest

from conftest import eventually
from plugin_house import House, verified

RULES = """
rule "pass on" { on = "Order Completed", run = function(event)
  send { channel = "relay", purpose = "service", body = event.body or "hello" }
end }
"""
REFUSED = {
    3: "customers/{id}",
    4: "does not start: the fourth never does",
    5: "plugin good_relay does not start: it",  # has crashed, or its process has ended
    6: "contract",
}

pytestmark = pytest.mark.parametrize("place", ["in-process", "isolated"])


class RelayHouse(House):
    """It writes into `book`; `place` says where it lives."""

    def __init__(self, folder, start, place):
        super().__init__(folder, start, "good_relay", "RELAY", range(1, 7))
        self.book = folder / "book"
        self.scripts = folder / "scripts"
        self.scripts.mkdir()
        (self.scripts / "rules.lua").write_text(RULES, "utf-8")
        self.configure(
            f'grant = {{ "append", "channel", "routes" }}, config = {{ book = "{self.book}" }}'
            + (", isolate = true" if place == "isolated" else "")
        )

    def begin(self):
        return self.start("--config", self.config, "--scripts", self.scripts)

    def written(self):
        """(version, effect) of each message that went out."""
        return [tuple(line.split()) for line in self.book.read_text().splitlines()]


@pytest.fixture(name="house")
def _house(start, tmp_path, place):
    return RelayHouse(tmp_path, start, place)


def order(number, **more):
    properties = {"properties": more} if more else {}
    return {"type": "track", "event": "Order Completed", "userId": f"u-{number}", **properties}


def version(daemon):
    answer = daemon.get("/v1/relay/x", key=None)
    assert answer.status == 200, answer.body
    return answer.body


def counted(daemon, name):
    try:
        return daemon.metric(f'kith_plugin_count{{plugin="good_relay",name="{name}"}}')
    except KeyError:
        return 0


def effects(daemon):
    found, after = [], ""
    while after is not None:
        page = daemon.get(f"/v1/effects?limit=100{after}").json
        found += page["items"]
        after = f"&after={page['next']}" if page.get("next") else None
    return found


class Busy:
    """Some who ask and one who orders, as fast as they are answered."""

    def __init__(self, daemon, askers):
        self.daemon, self.is_over, self.faults = daemon, False, []
        self.answers, self.orders = [[] for _ in range(askers)], 0
        runs = [lambda number=number: self.ask(number) for number in range(askers)] + [self.order]
        self.threads = [threading.Thread(target=self.run, args=(run,), daemon=True) for run in runs]

    def run(self, run):
        try:
            while not self.is_over:
                run()
        except Exception as fault:  # pylint: disable=broad-except
            self.faults.append(fault)

    def ask(self, number):
        name = f"{number}-{len(self.answers[number])}"
        answer = self.daemon.get(f"/v1/relay/{name}", key=None)
        assert answer.status == 200, (answer.status, answer.body)
        who, what = answer.body.decode().split()
        assert what == name
        self.answers[number].append(who)

    def order(self):
        self.daemon.send(order(self.orders))
        self.orders += 1
        time.sleep(0.005)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        for thread in self.threads:
            thread.join(60)

    def progress(self):
        """Everybody has been answered by whoever is there now."""
        seen, orders = [len(answers) for answers in self.answers], self.orders
        eventually(
            lambda: self.faults
            or self.orders > orders + 3
            and all(len(answers) > count + 3 for answers, count in zip(self.answers, seen))
        )


@pytest.mark.long(20)
def test_under_load_requests_are_answered_and_messages_go_out_once(house):
    daemon = house.begin()
    at = 1
    with Busy(daemon, 3) as busy:
        for number in (2, 5, 1, 6, 4, 2, 3, 1, 2):
            busy.progress()
            house.put(number)
            answer = house.reload(daemon)
            if number in REFUSED:
                assert answer.status == 422, answer.body
                assert REFUSED[number] in answer.json["detail"]
            else:
                assert answer.status == 200, answer.body
                at = number
            assert version(daemon) == b"%d x" % at
        busy.progress()
    assert not busy.faults
    assert {who for answers in busy.answers for who in answers} == {"1", "2"}
    eventually(lambda: all(effect["state"] == "sent" for effect in effects(daemon)))
    written = house.written()
    assert {who for who, _ in written} == {"1", "2"}
    made = sorted(effect["id"] for effect in effects(daemon))
    assert sorted(effect for _, effect in written) == made
    assert len(made) == busy.orders
    assert verified(daemon) == (True, [], True)
    assert daemon.stop() == 0
    assert len(house.written()) == len(made)


def test_the_job_goes_on_in_the_version_that_is_there(house):
    daemon = house.begin()
    eventually(lambda: counted(daemon, "ticks_1") >= 2)
    house.put(2)
    assert house.reload(daemon).status == 200
    first = counted(daemon, "ticks_1")
    eventually(lambda: counted(daemon, "ticks_2") >= 2)
    house.put(5)
    assert house.reload(daemon).status == 422
    second = counted(daemon, "ticks_2")
    eventually(lambda: counted(daemon, "ticks_2") >= second + 2)
    assert counted(daemon, "ticks_1") == first
    # Each event that was written it has been told of, before it was stopped or since.
    eventually(lambda: counted(daemon, "told") == counted(daemon, "asked"))
    assert counted(daemon, "untold") == 0


def test_a_route_comes_and_goes_with_the_version_that_has_it(house):
    daemon = house.begin()
    assert daemon.get("/v1/relay/x/more", key=None).status == 404
    house.put(2)
    assert house.reload(daemon).status == 200
    assert daemon.get("/v1/relay/x/more", key=None).body == b"2 x"
    assert "/v1/relay/{name}/more" in daemon.get("/openapi.json", key=None).json["paths"]
    house.put(1)
    assert house.reload(daemon).status == 200
    assert daemon.get("/v1/relay/x/more", key=None).status == 404
    assert "/v1/relay/{name}/more" not in daemon.get("/openapi.json", key=None).json["paths"]


def test_what_does_not_start_leaves_the_one_before(house):
    daemon = house.begin()
    pid = daemon.pid
    for number, words in REFUSED.items():
        house.put(number)
        answer = house.reload(daemon)
        assert answer.status == 422 and words in answer.json["detail"], answer.body
        daemon.wait_line("plugin good_relay is not reloaded: .*" + re.escape(words))
        assert version(daemon) == b"1 x" and daemon.pid == pid
    daemon.send(order(1))
    eventually(lambda: [effect["state"] for effect in effects(daemon)] == ["sent"])
    plugin = daemon.get("/v1/plugins").json["items"][0]
    assert plugin["version"] == "1" and "quarantined" not in plugin
    assert verified(daemon) == (True, [], True)
    house.put(2)
    assert house.reload(daemon).status == 200
    assert version(daemon) == b"2 x"


@pytest.mark.long(11)
def test_a_message_that_is_never_spoken_of_is_uncertain_and_is_not_sent_again(house):
    daemon = house.begin()
    daemon.send(order(1, body="silence"))
    eventually(lambda: counted(daemon, "silent") == 1)
    house.put(2)
    assert house.reload(daemon).status == 200
    assert version(daemon) == b"2 x"
    eventually(lambda: [effect["state"] for effect in effects(daemon)] == ["uncertain"])
    daemon.send(order(2))
    eventually(lambda: [effect["state"] for effect in effects(daemon)] == ["sent", "uncertain"])
    assert [who for who, _ in house.written()] == ["2"]
    assert counted(daemon, "silent") == 1
    assert verified(daemon) == (True, [], True)
