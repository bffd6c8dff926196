"""The clients of others, unmodified, against the daemon: every event is read back, none twice.

They are installed from their registry into build/clients, at the versions and hashes of
tests/e2e/clients/package-lock.json; once installed they are used again until that changes.
"""
import collections
import hashlib
import json
import os
import shutil
import subprocess

import pytest

import npm
from conftest import ROOT
from test_stream import Stream

SOURCE = ROOT / "tests" / "e2e" / "clients"
INSTALLED = ROOT / "build" / "clients"
CHROMIUM = "/usr/bin/chromium"
COUNT = 25
NODE_OF_THE_BROWSER = 20
KINDS = ["alias", "group", "identify", "page", "screen"]


def lock_hash():
    names = ("package.json", "package-lock.json")
    return hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in names)).hexdigest()


@pytest.fixture(scope="session")
def clients():
    with npm.alone():
        return install()


def install():
    stamp = INSTALLED / "installed"
    if not stamp.exists() or stamp.read_text() != lock_hash():
        shutil.rmtree(INSTALLED, ignore_errors=True)
        INSTALLED.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(SOURCE / name, INSTALLED)
        # Not `npm ci`: it wants the optional packages of every other system in the lock, too.
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        stamp.write_text(lock_hash())
    shutil.copy(SOURCE / "send.mjs", INSTALLED)
    return INSTALLED


def node_version():
    return int(subprocess.check_output(["node", "--version"], text=True)[1:].split(".")[0])


def send(clients, daemon, client):
    if "analytics-next" in client and node_version() < NODE_OF_THE_BROWSER:
        pytest.skip(f"the browser's driver needs Node {NODE_OF_THE_BROWSER} or higher")
    done = subprocess.run(
        [
            "node",
            "send.mjs",
            client,
            f"http://127.0.0.1:{daemon.port}",
            daemon.key("write"),
            str(COUNT),
            CHROMIUM,
        ],
        cwd=clients,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def came(daemon):
    """All events from outside, in order, by what they are."""
    daemon.send({"type": "track", "event": "end", "userId": "end"})
    stream, events = Stream(daemon, "?after=0"), []
    while not events or events[-1]["type"] != "end":
        stream.block()
        events = [event for event in stream.events if event["class"] == "client"]
    stream.close()
    kinds = collections.defaultdict(list)
    for event in events[:-1]:
        kinds[event["type"]].append(event)
    return kinds


@pytest.mark.parametrize(
    "client",
    [
        "analytics-node-3",
        "analytics-node",
        "rudder-sdk-node",
        "customerio-node",
        "analytics-next",
        "analytics-next-batching",
    ],
)
def test_a_tracking_client_loses_nothing_and_sends_nothing_twice(daemon, clients, client):
    send(clients, daemon, client)
    kinds = came(daemon)
    assert sorted(kinds) == sorted([*KINDS, "Order Completed"])
    assert [len(kinds[kind]) for kind in KINDS] == [1] * len(KINDS)
    orders = kinds["Order Completed"]
    assert sorted(event["data"]["n"] for event in orders) == list(range(COUNT))
    assert {event["data"]["product"] for event in orders} == {"茶"}
    assert {event["call"] for event in orders} == {"track"}

    [identify], [page], [screen] = kinds["identify"], kinds["page"], kinds["screen"]
    [group], [alias] = kinds["group"], kinds["alias"]
    assert identify["data"] == {"name": "Ann", "email": "ann@example.com"}
    assert page["data"]["name"] == "Start" and page["data"]["category"] == "Docs"
    assert screen["data"]["name"] == "Home" and screen["data"]["width"] == 320
    assert group["data"] == {"groupId": "g1", "traits": {"name": "Acme"}}
    assert alias["data"] == {"previousId": "a1"}
    everything = [event for events in kinds.values() for event in events]
    assert {event["userId"] for event in everything} == {"u1"}
    assert all("library" in event["context"] for event in everything)
    assert len({event["customer"] for event in everything}) == 1


def test_the_cloudevents_sdk_loses_nothing_and_sends_nothing_twice(daemon, clients):
    send(clients, daemon, "cloudevents")
    kinds = came(daemon)
    assert list(kinds) == ["Order Completed"]
    orders = kinds["Order Completed"]
    assert sorted(event["data"]["n"] for event in orders) == list(range(COUNT))
    assert {event["data"]["product"] for event in orders} == {"茶"}
    assert {event["source"] for event in orders} == {"/shop"}
    assert {event["userId"] for event in orders} == {"u1"}
    assert len({event["id"] for event in orders}) == COUNT
    for event in orders:
        assert event["context"]["comexample"] == "é%"
        assert event["context"]["subject"] == "user_id:u1"
        assert event["context"]["datacontenttype"].startswith("application/json")
        assert event["at"] == event["context"]["time"]


def test_the_lock_names_no_host():
    for line in (SOURCE / "package-lock.json").read_text().splitlines():
        assert '"resolved"' not in line


@pytest.mark.parametrize(
    "letter, body, kind",
    [
        ("i", {"traits": {"a": 1}}, "identify"),
        ("t", {"event": "Order"}, "Order"),
        ("p", {"name": "Start"}, "page"),
        ("s", {"name": "Home"}, "screen"),
        ("g", {"groupId": "g1"}, "group"),
        ("a", {"previousId": "a1"}, "alias"),
    ],
)
def test_a_browser_without_preflight_has_the_key_in_the_body(daemon, letter, body, kind):
    for number, label in enumerate(
        ("text/plain;charset=UTF-8", "application/x-www-form-urlencoded", None)
    ):
        call = {"userId": "u1", "messageId": str(number), "writeKey": daemon.key("write"), **body}
        headers = {"Origin": "https://shop.example.com"}
        if label is not None:
            headers["Content-Type"] = label
        answer = daemon.call("POST", f"/v1/{letter}", json.dumps(call), key=None, headers=headers)
        assert (answer.status, answer.json) == (200, {"success": True})
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    kinds = came(daemon)
    assert {kind: [event["messageId"] for event in events] for kind, events in kinds.items()} == {
        kind: ["0", "1", "2"]
    }
    assert daemon.key("write") not in json.dumps(kinds)
