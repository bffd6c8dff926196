"""The outside side of a plugin that crashes, hangs, or eats memory: in the daemon's process, and in
one of its own, which is what one is for.
"""
import http.client
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

from conftest import ROOT, eventually
from test_bad_input import SmallDisk
from test_parent import BARE, wait_lines
from test_plugin_outside import PLUGINS, counted, number
from test_plugins import kith

pytestmark = pytest.mark.skipif(
    not (PLUGINS / "bad_outside.so").exists(), reason="a build tree without test plugins"
)

RULES = """
purpose "news" { opt_in = true }
rule "send" { on = "Send", run = function(event)
  send { channel = "glass", purpose = "service", body = event.body }
end }
"""


def opened(start, tmp_path, options="", name="data"):
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text(RULES)
    config = tmp_path / "kith.lua"
    config.write_text(
        f'plugins "{PLUGINS}"\n'
        f'plugin "bad_outside" {{ {options} grant = {{ "routes", "channel", "work" }} }}\n'
        'plugin "good_route" { grant = { "routes" } }\n'
    )
    return start("--config", config, "--scripts", scripts, name=name, env=BARE)


@pytest.fixture(name="isolated")
def _isolated(start, tmp_path):
    return opened(start, tmp_path, "isolate = true,")


def up(daemon):
    return number(daemon, r'kith_plugin_up\{plugin="bad_outside"\}')


def processes(daemon):
    """Those of isolated plugins."""
    found = []
    for path in pathlib.Path(f"/proc/{daemon.pid}/task").glob("*/children"):
        for pid in path.read_text().split():
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"--plugin-process" in words:
                found.append(int(pid))
    return found


def types(daemon):
    """Of the entries of plugins coming and going, as the operator is told of them."""
    return daemon.get("/v1/plugins/bad_outside").json


def fragile(daemon, word):
    try:
        return daemon.get(f"/v1/fragile/{word}", key=None).status
    except (ConnectionError, http.client.HTTPException):
        return None


def say(daemon, body):
    """To somebody who has that name: one customer's messages come one after the other."""
    daemon.send({"type": "track", "userId": body, "event": "Send", "properties": {"body": body}})


def states(daemon):
    """Of messages, by what they say."""
    items = daemon.get("/v1/effects?limit=50").json["items"]
    return {item["message"]["body"]: item["state"] for item in items if "message" in item}


def goes_on(daemon, before):
    """It is the same process, and serves."""
    assert daemon.pid == before
    assert daemon.get("/v1/echo/x", key=None).status == 200


def comes_back(daemon, before):
    goes_on(daemon, before)
    eventually(lambda: fragile(daemon, "well") == 200)
    eventually(lambda: up(daemon) == 1 and types(daemon)["state"] == "active")
    goes_on(daemon, before)


# -- In a process of its own -------------------------------------------------------------------


@pytest.mark.parametrize("word", ["crash", "hang", "memory"])
def test_a_request_that_ends_the_process_is_answered_and_it_comes_back(isolated, word):
    before, (process,) = isolated.pid, processes(isolated)
    assert fragile(isolated, "well") == 200
    assert fragile(isolated, word) == 503
    comes_back(isolated, before)
    assert process not in processes(isolated)


@pytest.mark.parametrize("word", ["job", "work"])
def test_a_crash_in_a_job_or_a_work_ends_that_process_alone(isolated, word):
    before, (process,) = isolated.pid, processes(isolated)
    fragile(isolated, word)
    eventually(lambda: process not in processes(isolated))
    comes_back(isolated, before)


def test_what_is_under_way_at_a_crash_is_answered_for_the_plugin(isolated):
    before = isolated.pid
    answers = []
    waiting = [
        threading.Thread(target=lambda: answers.append(fragile(isolated, "never")))
        for _ in range(5)
    ]
    for thread in waiting:
        thread.start()
    eventually(lambda: counted(isolated, "bad_outside", "requests") == 5)
    say(isolated, "held")
    eventually(lambda: counted(isolated, "bad_outside", "messages") == 1)
    say(isolated, "crash")
    for thread in waiting:
        thread.join(60)
    assert answers == [503] * 5
    eventually(lambda: states(isolated) == {"held": "uncertain", "crash": "uncertain"})
    comes_back(isolated, before)
    say(isolated, "well")
    eventually(lambda: states(isolated).get("well") == "sent")


def test_a_message_that_hangs_the_plugin_is_uncertain_and_the_next_one_is_sent(isolated):
    before = isolated.pid
    say(isolated, "hang")
    eventually(lambda: states(isolated) == {"hang": "uncertain"})
    isolated.wait_line("plugin bad_outside: it does not answer")
    comes_back(isolated, before)
    say(isolated, "well")
    eventually(lambda: states(isolated).get("well") == "sent")


def test_a_crash_of_the_deterministic_side_takes_the_outside_with_it_and_both_come_back(isolated):
    before = isolated.pid
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(fragile(isolated, "never")))
    waiting.start()
    eventually(lambda: counted(isolated, "bad_outside", "requests") == 1)
    isolated.send({"type": "track", "userId": "u1", "event": "Break"})
    waiting.join(60)
    assert answers == [503]
    eventually(lambda: up(isolated) == 0)
    assert types(isolated)["quarantined"]["kind"] == "crash"
    goes_on(isolated, before)
    code, _, err = kith(isolated, "plugin", "enable", "bad_outside", "--skip")
    assert code == 0, err
    comes_back(isolated, before)


def test_a_process_that_stands_still_is_ended_when_something_is_wanted_of_it(isolated):
    before = isolated.pid
    os.kill(processes(isolated)[0], signal.SIGSTOP)
    assert fragile(isolated, "well") == 503
    comes_back(isolated, before)


def test_the_list_says_why_a_process_is_gone(isolated):
    os.kill(processes(isolated)[0], signal.SIGKILL)
    eventually(lambda: types(isolated)["state"] == "quarantined")
    standing = types(isolated)["quarantined"]
    assert standing["kind"] == "crash" and "process has ended" in standing["reason"]
    eventually(lambda: types(isolated)["state"] == "active")
    eventually(lambda: up(isolated) == 1)


def test_the_messages_say_how_a_process_crashed(isolated):
    before = isolated.pid
    assert fragile(isolated, "crash") == 503
    line = isolated.wait_line(r"plugin bad_outside: it.*: it is quarantined")
    assert re.search(r"it crashed \(SIG(SEGV|ABRT)\)", line.string), line.string
    comes_back(isolated, before)


def test_the_process_ends_with_the_daemon_however_that_ends(isolated):
    (process,) = processes(isolated)
    assert os.path.exists(f"/proc/{process}")
    isolated.kill()
    eventually(lambda: not os.path.exists(f"/proc/{process}"))


def test_a_hung_process_does_not_keep_the_daemon_from_its_end(isolated):
    os.kill(processes(isolated)[0], signal.SIGSTOP)
    assert isolated.stop() == 0


# -- In the daemon's process -------------------------------------------------------------------


@pytest.mark.parametrize("word", ["crash", "exit", "_exit", "job", "work", "timer", "done"])
def test_in_the_daemon_a_crash_is_blamed_on_the_plugin_which_stays_out(start, tmp_path, word):
    daemon = opened(start, tmp_path)
    before = daemon.pid
    assert fragile(daemon, "well") == 200
    fragile(daemon, word)
    wait_lines(daemon, "ready on", 2)
    assert daemon.pid != before
    call = word if word in ("job", "work", "timer", "done") else "route"
    end = {"exit": r"was ended by an exit \(code 0\)", "_exit": r"was ended by an exit \(code 3\)"}
    how = end.get(word, r"crashed \(SIG\w+\)")
    daemon.wait_line(rf'the daemon {how} in plugin "bad_outside" \({call}\)')
    assert types(daemon)["state"] == "quarantined"
    assert types(daemon)["quarantined"]["kind"] == "crash"
    assert up(daemon) == 0
    assert fragile(daemon, "well") == 503
    assert daemon.get("/v1/echo/x", key=None).status == 200
    code, said, err = kith(daemon, "plugin", "list")
    assert code == 0 and "quarantined" in said, err
    seq = types(daemon)["quarantined"]["seq"]
    ends = {"exit": "it ended the process", "_exit": r"it ended the process by exit\(3\)"}
    ended = ends.get(word, r"it crashed \(SIG(SEGV|ABRT)\)")
    places = {"job": "in a job", "work": r"in a work\(\)", "timer": "in a timer"}
    place = places.get(word, "when it was told an answer" if word == "done" else "in a route")
    assert re.search(f"{ended} {place}, and takes no part from entry {seq} on", said), said

    again = daemon.pid
    code, _, err = kith(daemon, "plugin", "enable", "bad_outside")
    assert code == 0, err
    eventually(lambda: up(daemon) == 1)
    assert fragile(daemon, "well") == 200
    assert daemon.pid == again and types(daemon)["state"] == "active"


def test_messages_wait_for_a_plugin_that_is_quarantined(start, tmp_path):
    daemon = opened(start, tmp_path)
    fragile(daemon, "crash")
    wait_lines(daemon, "ready on", 2)
    say(daemon, "well")
    assert states(daemon) == {"well": "pending"} or "well" not in states(daemon)
    assert kith(daemon, "plugin", "enable", "bad_outside")[0] == 0
    eventually(lambda: states(daemon).get("well") == "sent")


def test_an_exit_in_a_handler_is_blamed_and_its_entry_is_not_applied_again(start, tmp_path):
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{PLUGINS}"\nplugin "bad_exit" {{ grant = {{ "append" }} }}\n')
    daemon = start("--config", config, env=BARE)
    order = {"type": "track", "userId": "u1", "event": "Order Completed"}
    try:
        daemon.send(order)
    except (ConnectionError, http.client.HTTPException):
        pass
    wait_lines(daemon, "ready on", 2)
    daemon.wait_line(r'was ended by an exit \(code 3\) at entry \d+ in plugin "bad_exit" \(event\)')
    standing = daemon.get("/v1/plugins/bad_exit").json
    assert standing["state"] == "quarantined" and standing["quarantined"]["kind"] == "crash"
    how = "it ended the process by exit(3) in its handler order, and takes no part from entry "
    assert standing["quarantined"]["reason"].startswith(how)
    daemon.send({**order, "properties": {"total": 3}})
    kinds = [item["type"] for item in daemon.timeline("user_id:u1")]
    assert kinds.count("Order Completed") == 2
    assert daemon.stop() == 0
    again = start("--config", config, env=BARE)
    assert again.get("/v1/plugins/bad_exit").json["state"] == "quarantined"


@pytest.mark.long(15)
def test_a_loop_in_a_handler_is_told_ended_and_blamed(start, tmp_path):
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{PLUGINS}"\nplugin "bad_hang" {{ grant = {{ "append" }} }}\n')
    daemon = start("--config", config, env=BARE)
    order = {"type": "track", "userId": "u1", "event": "Order Completed"}
    assert (
        daemon.post("/v1/batch", {"batch": [{**order, "properties": {"quantity": -1}}]}).status
        == 200
    )
    daemon.wait_line(r'the plugin "bad_hang" does not come back at entry \d+ \(event\)')
    ready = daemon.get("/readyz", key=None)
    assert ready.status == 503 and '"bad_hang" does not come back' in ready.json["reasons"][0]
    assert daemon.metric("kith_is_ready") == 0
    wait_lines(daemon, "ready on", 2)
    daemon.wait_line(
        r'the daemon hung at entry \d+ in plugin "bad_hang" \(event\); .* without that'
    )
    standing = daemon.get("/v1/plugins/bad_hang").json
    assert standing["state"] == "quarantined" and standing["quarantined"]["kind"] == "hang"
    assert standing["quarantined"]["reason"].startswith(
        "it did not come back within 10000 ms in its handler order, and takes no part from entry "
    )
    assert daemon.get("/readyz", key=None).status == 200
    daemon.send({**order, "properties": {"quantity": 3}})
    kinds = [item["type"] for item in daemon.timeline("user_id:u1")]
    assert kinds.count("Order Completed") == 2


CONSTRUCTOR = """
#include "kith.h"

#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void begin(void)
{
    END;
}

const struct kith_plugin *kith_describe(void)
{
    return NULL;
}
"""


@pytest.mark.parametrize("end", ["exit(0)", "_exit(3)", "abort()"])
def test_a_file_that_ends_the_daemon_is_an_error_until_it_is_mended(start, tmp_path, end):
    (tmp_path / "early.c").write_text(CONSTRUCTOR)
    flags = f"-std=c17 -fPIC -shared -fvisibility=hidden -I {ROOT}/plugins/sdk".split()
    library = tmp_path / "early.so"
    subprocess.run(["cc", *flags, f"-DEND={end}", "-o", library, tmp_path / "early.c"], check=True)
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}"\nplugin "early" {{}}\n')
    daemon = start("--config", config, env=BARE, is_ready=False)
    daemon.wait_line(r'the daemon (crashed|was ended) .* in plugin "early" \(describe\)')
    daemon.wait_line(f"kith.lua:2: plugin early crashed when it was loaded: mend {library}, or ")
    assert daemon.wait() == 1
    mended = ROOT / "tests" / "plugins" / "good_tally.c"
    subprocess.run(["cc", *flags, "-o", library, mended], check=True)
    config.write_text(config.read_text().replace("early", "good_tally"))
    library.rename(tmp_path / "good_tally.so")
    daemon = start("--config", config, env=BARE)
    assert daemon.get("/readyz", key=None).status == 200
    assert not [line for line in daemon.lines if "cannot write" in line]  # where nothing is yet


def hanging(tmp_path, name):
    flags = f"-std=c17 -fPIC -shared -fvisibility=hidden -I {ROOT}/plugins/sdk".split()
    library = tmp_path / f"{name}.so"
    subprocess.run(
        ["cc", *flags, "-o", library, ROOT / "tests" / "plugins" / f"{name}.c"], check=True
    )
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}"\nplugin "{name}" {{}}\n')
    return config, library


@pytest.mark.long(25)
@pytest.mark.parametrize("name", ["bad_hang_load", "bad_hang_describe"])
def test_a_plugin_that_does_not_come_back_as_it_is_loaded_is_an_error(start, tmp_path, name):
    config, library = hanging(tmp_path, name)
    daemon = start("--config", config, env=BARE, is_ready=False)
    daemon.wait_line(f'"{name}" does not come back while it is loaded, from {library} ')
    daemon.wait_line(rf'the daemon hung in plugin "{name}" \(describe\); it is started again$')
    daemon.wait_line(f"plugin {name} did not come back when it was loaded: mend {library}, or ")
    assert daemon.wait() == 1


@pytest.mark.long(25)
def test_without_a_parent_a_start_that_hangs_in_a_plugin_ends(start, tmp_path):
    config, library = hanging(tmp_path, "bad_hang_load")
    daemon = start("--config", config, "--no-parent", env=BARE, is_ready=False)
    daemon.wait_line(f'"bad_hang_load" does not come back while it is loaded, from {library} ')
    daemon.wait_line(f"has not come back within 20000 ms .* have {library} mended")
    assert daemon.wait() == 1


@pytest.mark.long(12)
def test_an_isolated_plugin_that_hangs_as_it_is_loaded_is_an_error_that_names_it(start, tmp_path):
    config, library = hanging(tmp_path, "bad_hang_load")
    config.write_text(config.read_text().replace("{}", "{ isolate = true }"))
    daemon = start("--config", config, is_ready=False)
    daemon.wait_line(
        "kith.lua:2: plugin bad_hang_load: its process has not said within 10000 ms what it is: "
        f"{library} does not come back"
    )
    assert daemon.wait() == 1


def test_a_pipe_that_is_called_a_plugin_is_refused(start, tmp_path):
    os.mkfifo(tmp_path / "early.so")
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}"\nplugin "early" {{}}\n')
    daemon = start("--config", config, is_ready=False)
    daemon.wait_line("early.so: it is no file of at most")
    assert daemon.wait() == 1


@pytest.mark.parametrize("options", ["{}", "{ isolate = true }"])
def test_an_empty_file_is_refused_as_one(start, tmp_path, options):
    (tmp_path / "early.so").write_bytes(b"")
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}"\nplugin "early" {options}\n')
    daemon = start("--config", config, is_ready=False)
    daemon.wait_line("early.so: the file is empty")
    assert daemon.wait() == 1


def test_what_the_loader_says_names_the_file(start, tmp_path):
    (tmp_path / "early.so").write_bytes(b"no shared object")
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}"\nplugin "early" {{}}\n')
    daemon = start("--config", config, is_ready=False)
    daemon.wait_line(f"plugin early cannot be loaded: {tmp_path}/early.so: ")
    assert daemon.wait() == 1


# -- On a full disk ----------------------------------------------------------------------------


@pytest.fixture(name="disk")
def _disk(tmp_path):
    disk = SmallDisk(tmp_path / "disk")
    if not disk.is_mounted:
        pytest.skip("needs a file system of its own")
    yield disk
    disk.close()


def crash_without_room(start, tmp_path, disk):
    daemon = opened(start, tmp_path, name="disk/data")
    assert fragile(daemon, "well") == 200
    disk.fill()
    fragile(daemon, "crash")
    daemon.wait_line("No space left on device")
    daemon.wait_line(r"it is tried again in \d+ s")
    return daemon


def test_a_crash_on_a_full_disk_waits_for_room_and_shuts_the_plugin_out(start, tmp_path, disk):
    daemon = crash_without_room(start, tmp_path, disk)
    disk.free()
    wait_lines(daemon, "ready on", 2)
    assert types(daemon)["quarantined"]["kind"] == "crash"
    assert fragile(daemon, "well") == 503
    assert daemon.get("/v1/echo/x", key=None).status == 200
    assert daemon.stop() == 0


def test_who_crashed_is_known_also_to_a_start_by_hand_after_a_full_disk(start, tmp_path, disk):
    daemon = crash_without_room(start, tmp_path, disk)
    assert daemon.stop() == 0
    disk.free()
    flags = ("--config", tmp_path / "kith.lua", "--scripts", tmp_path / "scripts")
    again = start(*flags, name="disk/data", env=BARE)
    again.wait_line('plugin "bad_outside" ended the daemon before this start')
    assert types(again)["quarantined"]["kind"] == "crash"
    assert "route" in types(again)["quarantined"]["reason"]
    assert again.stop() == 0
