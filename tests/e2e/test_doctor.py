"""kith doctor: whatever may be the matter is found, alone, and told with what to do about it."""
import base64
import fcntl
import json
import os
import stat
import time

import pytest

from command import attach
from receiver import Receiver, Reply, receiver, receivers
from test_bad_input import DAY, faults, write_whole  # noqa: F401: the fixture is used by its name
from test_quota import configuration, fill

RULES = """
rule "thank" {
  on = "Order",
  run = function(event, customer)
    send { channel = event.channel, purpose = "service", body = "thanks" }
  end,
}
"""


def diagnosis(daemon):
    """What is the matter: check -> finding; the command ends with 1 if anything is."""
    kith = attach(daemon)
    code, out, err = kith.run("--json", "doctor")
    answer = json.loads(out)
    bad = {c["name"]: c["text"] for c in answer["checks"] if not c["ok"]}
    assert (code, answer["ok"], err) == (1 if bad else 0, not bad, ""), out
    return bad


def found(daemon, seconds=60):
    """The only finding, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while not (bad := diagnosis(daemon)):
        assert time.monotonic() < deadline, daemon.lines[-5:]
        time.sleep(0.05)
    assert len(bad) == 1, bad
    return bad.popitem()


def order(daemon, channel, user="u-1", wait=True):
    event = {"type": "track", "event": "Order", "userId": user, "properties": {"channel": channel}}
    path = "/v1/track?wait=applied" if wait else "/v1/track"
    assert daemon.post(path, event, key="write").status == 200


def deploy(daemon):
    assert daemon.post("/v1/bundles", {"files": {"rules.lua": RULES}}).status == 201


def post(daemon, path, body=None):
    answer = daemon.post(path, body or {})
    assert answer.status == 200, answer.body


def test_nothing_is_the_matter_with_a_new_daemon(daemon):
    assert diagnosis(daemon) == {}
    names = [check["name"] for check in daemon.get("/v1/doctor").json["checks"]]
    assert len(names) == len(set(names))
    assert {"work", "clock", "log", "state", "disk", "rules", "channels"} <= set(names)


@pytest.mark.parametrize("name", ["admin.key", "write.key", "links.key"])
def test_a_key_that_others_can_read(daemon, name):
    (daemon.data / name).chmod(0o640)
    assert found(daemon) == (name, "others can read it: chmod 600 it, or replace it")
    (daemon.data / name).chmod(0o600)
    assert diagnosis(daemon) == {}


def test_a_key_of_links_that_is_missing(daemon):
    (daemon.data / "links.key").rename(daemon.data / "elsewhere")
    name, text = found(daemon)
    assert name == "links.key" and "put it back from a backup before the next start" in text
    (daemon.data / "elsewhere").rename(daemon.data / "links.key")


def test_a_base_that_is_missing(daemon):
    daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}})
    assert daemon.call("DELETE", "/v1/customers/user_id:u-1").status == 202
    daemon.wait_line("nothing of it is in the files any more")
    (base,) = (daemon.data / "base").iterdir()
    assert diagnosis(daemon) == {}
    base.rename(daemon.data / "elsewhere")
    name, text = found(daemon)
    assert name == "base" and text.startswith(str(base) + " is missing: put it back from a backup")
    (daemon.data / "elsewhere").rename(base)


def test_a_state_that_cannot_be_written(start, tmp_path):
    daemon = start("--config", configuration(tmp_path, state="2 MB"))
    fill(daemon)
    said = "the state cannot be written: is the disk full? Or its quota?"
    deadline = time.monotonic() + 60
    while diagnosis(daemon).get("work") != said:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_quota_that_is_nearly_reached_while_work_goes_on(start, tmp_path):
    daemon = start("--config", configuration(tmp_path, log="4 MB"))
    event = {"type": "track", "userId": "u-1", "event": "E"}
    while not (bad := diagnosis(daemon)):
        text = base64.b64encode(os.urandom(60000)).decode()
        assert not daemon.send(event | {"properties": {"text": text}})
    assert set(bad) == {"log"} and "at it nothing is taken in" in bad["log"]
    assert not daemon.send(event)


def test_messages_that_are_held_after_a_rebuild(start):
    daemon = start()
    deploy(daemon)
    post(daemon, "/v1/channels/log/pause")
    order(daemon, "log")
    daemon.stop()
    daemon = start("--rebuild")
    assert found(daemon) == ("held", "1 message wait for a decision: kith effects --held")


def test_a_message_that_nobody_knows_whether_it_went_out(start, tmp_path):
    """The daemon dies while it writes the message into a pipe that is full."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    ends = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    size = fcntl.fcntl(ends, fcntl.F_GETPIPE_SZ)
    assert os.write(ends, b"x" * size) == size
    (tmp_path / "kith.lua").write_text(f'channel "log" {{ file = "{pipe}" }}\n')
    daemon = start("--config", tmp_path / "kith.lua")
    deploy(daemon)
    order(daemon, "log", wait=False)
    wait_until_stuck(daemon)
    daemon.kill()
    assert len(os.read(ends, size)) == size
    daemon = start("--config", tmp_path / "kith.lua")
    assert found(daemon) == ("uncertain", "1 message wait for a decision: kith effects --uncertain")
    daemon.stop()
    os.close(ends)


def wait_until_stuck(daemon):
    """Its loop's thread sleeps in write()."""
    path = f"/proc/{daemon.pid}/task/{daemon.pid}/wchan"
    deadline = time.monotonic() + 60
    while "pipe" not in open(path).read():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_receiver_that_does_not_answer(start, tmp_path):
    dead = Receiver(lambda request: Reply(503))
    secret = "whsec_" + base64.b64encode(b"0" * 32).decode()
    (tmp_path / "hook.secret").write_text(secret + "\n")
    (tmp_path / "kith.lua").write_text(receivers(receiver("hook", dead.port, 'rest = "60s"')))
    daemon = start("--config", tmp_path / "kith.lua")
    deploy(daemon)
    for i in range(8):
        order(daemon, "hook", f"u-{i}")
    name, text = found(daemon)
    assert name == "hook" and "in a row" in text and "see kith channels" in text
    daemon.stop()
    dead.stop()


class Years:
    """A daemon whose clock is moved, and log time with it."""

    def __init__(self, start, environment, path):
        self.path = path
        self.set(-9 * DAY)
        self.daemon = start(env=environment(KITH_CLOCK=str(path)))

    def set(self, seconds):
        write_whole(self.path, str(seconds))

    def pass_to(self, seconds):
        self.set(seconds)
        post(self.daemon, "/v1/clock/accept")


@pytest.fixture
def years(start, faults, tmp_path):  # noqa: F811
    return Years(start, faults, tmp_path / "clock")


def test_a_clock_that_is_wrong(years):
    daemon = years.daemon
    event = {"type": "track", "event": "E", "userId": "u-1"}
    daemon.send(event)
    years.set(0)
    daemon.send(event)
    name, text = found(daemon)
    assert name == "clock" and "accept it with: kith clock accept" in text
    years.set(-20 * DAY)
    daemon.send(event)
    deadline = time.monotonic() + 60
    while "is behind the last entry: set the clock right" not in diagnosis(daemon).get("clock", ""):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_pauses_that_were_forgotten(years):
    daemon = years.daemon
    deploy(daemon)
    post(daemon, "/v1/rules/thank/pause")
    post(daemon, "/v1/channels/log/pause")
    assert daemon.metric("kith_rules_paused") == 1
    years.pass_to(-7 * DAY)
    assert diagnosis(daemon) == {}  # two days are none
    years.pass_to(-5 * DAY)
    bad = diagnosis(daemon)
    assert set(bad) == {"rules", "channels"}
    assert "thank for 4 days: was it forgotten? kith resume rule thank" in bad["rules"]
    assert "log for 4 days: was it forgotten? kith resume channel log" in bad["channels"]
    post(daemon, "/v1/rules/thank/resume")
    post(daemon, "/v1/channels/log/resume")
    post(daemon, "/v1/channels/*/pause")
    assert diagnosis(daemon) == {} and daemon.metric("kith_rules_paused") == 0
    years.pass_to(0)
    assert found(daemon)[1] == "1 paused, all for 5 days: was it forgotten? kith resume"
    daemon.stop()


def test_an_erasure_that_takes_longer_than_a_day(years):
    daemon = years.daemon
    daemon.send({"type": "identify", "userId": "u-1"}, {"type": "identify", "userId": "u-2"})
    run = daemon.post("/v1/dry-runs", {}).json["id"]  # it holds the state's file
    assert daemon.call("DELETE", "/v1/customers/user_id:u-1").status == 202
    assert diagnosis(daemon) == {}
    years.pass_to(0)
    name, text = found(daemon)
    assert name == "erasures" and "takes longer than a day; the daemon's messages say why" in text
    assert daemon.call("DELETE", f"/v1/dry-runs/{run}").status < 300


def test_keys_are_made_for_their_owner_only(daemon):
    for name in ("admin.key", "write.key", "links.key"):
        assert stat.S_IMODE((daemon.data / name).stat().st_mode) == 0o600
