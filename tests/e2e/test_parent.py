"""kithd is two processes: the daemon, and a parent that starts it again when it crashes."""
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

from conftest import BUILD, child_of
from test_service import ask, listening, manager, start_with  # noqa: F401: manager is a fixture

HERE = pathlib.Path(__file__).resolve().parent
# A sanitizer would report the signal instead of dying of it.
BARE = {
    name: os.environ.get(name, "") + ":handle_segv=0:verify_asan_link_order=0"
    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
}
RULE = """
rule "read" {
  on = "Read",
  run = function(event, customer)
    customer:set("word", event.word)
  end,
}
"""


@pytest.fixture(name="crasher")
def build_crasher(tmp_path):
    """The environment of a daemon that crashes when it is told to."""
    library = tmp_path / "crash.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", library, HERE / "crash.c", "-ldl"],
        check=True,
    )
    return {**BARE, "LD_PRELOAD": str(library)}


def count(daemon, pattern):
    return sum(1 for line in list(daemon.lines) if re.search(pattern, line))


def wait_lines(daemon, pattern, wanted):
    """Until so many lines match."""
    with daemon.changed:
        assert daemon.changed.wait_for(lambda: count(daemon, pattern) >= wanted, 60), daemon.lines


def send(daemon, number):
    answer = daemon.post("/v1/track", {"event": f"E{number}", "userId": "u-1"}, key="write")
    assert answer.status == 200


def sent(daemon):
    types = [item["type"] for item in daemon.timeline("user_id:u-1")]
    return [kind for kind in reversed(types) if kind.startswith("E")]


# -- A crash ---------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_daemon_that_crashes_is_started_again(start, number):
    daemon = start(env=BARE)
    for i in range(20):
        send(daemon, i)
    before = daemon.pid
    os.kill(before, number)
    wait_lines(daemon, "ready on", 2)
    crashed = r"^kithd: the daemon crashed \(.*\)( at entry \d+)?; it is started again$"
    assert count(daemon, crashed) == 1  # a signal may meet it at work
    assert daemon.pid != before
    assert daemon.get("/readyz", key=None).status == 200  # on the port it had
    send(daemon, 20)
    assert sent(daemon) == [f"E{i}" for i in range(21)]
    assert daemon.metric("kith_crashes_total") == 1


@pytest.mark.long(10)
def test_one_that_comes_to_nothing_is_given_up(start, crasher):
    daemon = start(is_ready=False, env={**crasher, "KITH_CRASH": "start"})
    assert daemon.wait() == 70
    assert count(daemon, "it is started again") == 4
    assert count(daemon, "giving up") == 1


def test_a_daemon_that_rests_can_be_told_to_end(start, crasher):
    daemon = start(is_ready=False, env={**crasher, "KITH_CRASH": "start"})
    daemon.wait_line("it is started again in 1 s")
    assert daemon.stop() == 0
    assert count(daemon, "giving up") == 0


def poison(daemon):
    """An event that ends the daemon; the acknowledgement may be lost with it."""
    try:
        event = {"event": "Read", "userId": "u-1", "properties": {"word": "crash here"}}
        daemon.post("/v1/track", event, key="write")
    except (OSError, http.client.HTTPException):
        pass


def test_an_entry_that_crashes_twice_is_left_alone(start, tmp_path, crasher):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "read.lua").write_text(RULE)
    daemon = start("--scripts", tmp_path / "rules", env=crasher)
    daemon.send({"type": "identify", "userId": "u-1", "traits": {"name": "Ann"}})
    poison(daemon)
    wait_lines(daemon, "ready on", 2)
    assert count(daemon, "the daemon crashed .* at entry") == 2
    seq = int(daemon.wait_line(r"read-only: nothing is applied from entry (\d+) on").group(1))
    ready = daemon.get("/readyz", key=None)
    assert ready.status == 503
    assert [f"entry {seq} of the log" in reason for reason in ready.json["reasons"]] == [True]
    refused = daemon.post("/v1/track", {"event": "A", "userId": "u-1"}, key="write")
    assert refused.status == 503 and f"entry {seq}" in refused.json["detail"]
    assert daemon.get("/v1/customers/user_id:u-1").json["traits"]["name"] == "Ann"
    assert daemon.get("/v1/customers").status == 200
    assert daemon.post("/v1/verify", {}).json["ok"]
    assert daemon.metric("kith_is_ready") == 0
    assert daemon.stop() == 0
    again = start()  # whatever made it crash has gone
    kinds = [item["type"] for item in again.timeline("user_id:u-1")]
    assert kinds[0] == "Read" and "identify" in kinds
    assert again.get("/readyz", key=None).status == 200


# -- The parent ------------------------------------------------------------------------------


def test_a_daemon_dies_with_its_parent_and_the_next_waits_for_it(start):
    for i in range(10):
        daemon = start()
        send(daemon, i)
        daemon.process.kill()  # and at once, without looking whether anything of it is left
    daemon = start()
    assert sent(daemon) == [f"E{i}" for i in range(10)]


@pytest.mark.long(6)
def test_a_daemon_that_lives_is_not_disturbed_by_a_second(start):
    daemon = start()
    second = start(is_ready=False)
    second.wait_line("waiting 5 s for its end")
    assert second.wait() == 1
    assert count(second, "stop it first, or choose another --data") == 1
    assert daemon.get("/readyz", key=None).status == 200


def test_signals_to_the_whole_group_end_it_once(tmp_path):
    process = subprocess.Popen(
        [BUILD / "kithd", "--data", tmp_path / "data", "--listen", "127.0.0.1:0"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert "ready on" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=60)[1].splitlines() == ["kithd: stopping"]
    assert process.returncode == 0


def test_the_parent_sleeps(start):
    def wakes():
        status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
        return re.findall(r"ctxt_switches:\s+(\d+)", status)

    daemon = start()
    before = wakes()
    for i in range(50):
        send(daemon, i)
    assert wakes() == before


def test_without_a_parent_it_is_one_process(start):
    daemon = start("--no-parent", env=BARE)
    with pytest.raises(IndexError):
        child_of(daemon.process.pid)
    daemon.process.send_signal(signal.SIGSEGV)
    assert daemon.wait() == -signal.SIGSEGV
    assert start("--no-parent").stop() == 0


# -- Under a service manager -----------------------------------------------------------------


def test_the_manager_hears_of_a_crash_and_of_its_end(start, manager):  # noqa: F811
    daemon = start(env={**BARE, "NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "300000"})
    manager.wait_for("READY=1")
    os.kill(daemon.pid, signal.SIGSEGV)
    while not (message := manager.next()).startswith("WATCHDOG=1\nSTATUS=the daemon crashed ("):
        assert message == "WATCHDOG=1"
    manager.wait_for("READY=1")
    manager.wait_for("WATCHDOG=1")


def test_who_connects_while_it_is_down_is_served_when_it_is_back(tmp_path):
    with listening() as given:
        port = given.getsockname()[1]
        process = start_with(tmp_path, given)
        try:
            assert f"ready on http://127.0.0.1:{port}" in process.stderr.readline()
            for _ in range(2):  # the second time it rests before it comes back
                os.kill(child_of(process.pid), signal.SIGKILL)
                assert "it is started again" in process.stderr.readline()
                with socket.create_connection(("127.0.0.1", port), 60) as early:
                    assert f"ready on http://127.0.0.1:{port}" in process.stderr.readline()
                    assert ask(early)
        finally:
            process.terminate()
            assert process.wait(60) == 0
            process.stderr.close()


def test_a_watchdog_that_bites_ends_both(start):
    daemon = start(env=BARE)
    daemon.process.send_signal(signal.SIGABRT)
    assert daemon.wait() == -signal.SIGABRT
    assert count(daemon, "while it was told to end") == 1
    assert count(daemon, "ready on") == 1
