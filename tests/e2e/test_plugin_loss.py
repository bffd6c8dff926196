"""Plugins that crash, hang and are killed: nothing is lost, nothing comes twice.

The plugin here, tally, counts the orders of each customer, in a document and in the trait
tally.count.  An order with `crash` or `hang` ends it, until it is built again with MENDED.
"""
import http.client
import os
import random
import signal
import subprocess
import threading
import time

import pytest

from conftest import BUILD, ROOT, eventually

FLAGS = "-std=c17 -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -ffp-contract=off"
# A sanitizer would report the signal instead of dying of it.
BARE = {
    name: os.environ.get(name, "") + ":handle_segv=0:verify_asan_link_order=0"
    for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS")
}
TALLY = r"""
#include "kith.h"

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    struct kith_doc kept;
    struct kith_value crash, hang, count;
    int32_t rc = engine->state(call, "tally", &kept);
    if (rc == KITH_OK)
        rc = engine->read(call, 1, &crash);
    if (rc == KITH_OK)
        rc = engine->read(call, 2, &hang);
    if (rc != KITH_OK)
        return rc;
#ifndef MENDED
    if (kith_as_int(&crash, 0) != 0)
        *(volatile int *)0 = 1;
    for (volatile int64_t left = kith_as_int(&hang, 0); left != 0;)
        continue;
#endif
    count = kith_int(kith_get_int(kept, "count", 0) + 1);
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "count", count.as.integer);
    rc = engine->keep(call, "tally", kith_end(&w));
    return rc == KITH_OK ? engine->publish(call, "count", &count) : rc;
}

static const char *const types[] = { "Order Completed", NULL };
static const char *const reads[] = { "state.tally", "event.crash", "event.hang", NULL };
static const struct kith_handler handler = {
    .size = sizeof handler, .name = "order", .types = types, .reads = reads, .run = on_order
};
static const struct kith_handler *const handlers[] = { &handler, NULL };
static const struct kith_state state = { .size = sizeof state, .key = "tally", .version = 1 };
static const struct kith_state *const states[] = { &state, NULL };
static const struct kith_trait trait = {
    .size = sizeof trait, .name = "count", .type = "whole", .about = "How many orders there were"
};
static const struct kith_trait *const traits[] = { &trait, NULL };

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = {
        .size = sizeof plugin, .abi = KITH_ABI, .name = "tally", .version = "1",
        .about = "Counts orders", .handlers = handlers, .states = states, .traits = traits,
    };
    return &plugin;
}
"""
RULES = """
rule "count" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
  end,
}
"""


class House:
    """A folder with plugins, rules and kith.lua; daemons on the same data one after the other."""

    def __init__(self, folder, start):
        self.folder, self.begin, self.daemon = folder, start, None
        (folder / "plugins").mkdir()
        (folder / "rules").mkdir()
        (folder / "rules" / "rules.lua").write_text(RULES)
        (folder / "tally.c").write_text(TALLY)

    def build(self, *flags):
        made = self.folder / "plugins" / "new"
        command = ["cc", *FLAGS.split(), *flags, "-I", ROOT / "plugins" / "sdk", "-o", made]
        subprocess.run([*command, self.folder / "tally.c"], check=True)
        made.rename(self.folder / "plugins" / "tally.so")

    def configure(self, isolated):
        flag = "isolate = true" if isolated else ""
        config = f'plugins "{self.folder}/plugins"\nplugin "tally" {{ {flag} }}\n'
        (self.folder / "kith.lua").write_text(config)

    def start(self):
        flags = ("--config", self.folder / "kith.lua", "--scripts", self.folder / "rules")
        self.daemon = self.begin(*flags, env=BARE)
        return self.daemon


@pytest.fixture(name="house")
def _house(start, tmp_path):
    house = House(tmp_path, start)
    house.build()
    return house


def order(number, **properties):
    return {
        "type": "track",
        "event": "Order Completed",
        "userId": f"u-{number}",
        "properties": properties,
    }


def counted(daemon, number):
    """As tally has it, and as the rule has it."""
    traits = daemon.get(f"/v1/customers/user_id:u-{number}").json["traits"]
    return traits.get("tally.count", 0), traits.get("orders", 0)


def tally(daemon):
    return daemon.get("/v1/plugins/tally").json


def kith(daemon, *words):
    done = subprocess.run(
        [BUILD / "kith", *words],
        capture_output=True,
        text=True,
        check=False,
        env={"KITH_URL": f"http://127.0.0.1:{daemon.port}", "KITH_KEY": daemon.key("admin")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def send_deadly(daemon, event):
    """The acknowledgement is lost with the daemon: the event is sent again until it is there."""
    event = {**event, "messageId": "deadly"}
    body = {"batch": [event]}

    def is_there():
        try:
            return daemon.post("/v1/batch?wait=applied", body, key="write").status == 200
        except (OSError, http.client.HTTPException):
            return False

    eventually(is_there)


# -- Crashes ---------------------------------------------------------------------------------


def test_a_null_pointer_takes_out_the_plugin_and_nothing_else(house):
    house.configure(False)
    daemon = house.start()
    daemon.send(order(1), order(2))
    send_deadly(daemon, order(1, crash=1))
    daemon.wait_line(r"the daemon crashed .* in plugin \"tally\" .*without that plugin")
    daemon.send(order(1), order(2))
    assert counted(daemon, 1) == (1, 3) and counted(daemon, 2) == (1, 2)
    item = tally(daemon)
    assert item["state"] == "quarantined" and item["quarantined"]["kind"] == "crash"
    assert item["parked"] == 3
    assert daemon.post("/v1/verify", {}).json["ok"]
    assert daemon.stop() == 0

    house.build("-DMENDED")
    daemon = house.start()
    assert tally(daemon)["state"] == "quarantined"
    kith(daemon, "plugin", "enable", "tally")
    eventually(lambda: tally(daemon)["state"] == "active")
    daemon.send(order(1))
    assert counted(daemon, 1) == (4, 4) and counted(daemon, 2) == (2, 2)
    assert daemon.post("/v1/verify", {}).json["ok"]


def test_one_that_crashes_while_it_catches_up_can_skip_what_it_crashed_at(house):
    house.configure(False)
    daemon = house.start()
    daemon.send(order(1))
    kith(daemon, "plugin", "disable", "tally")
    daemon.send(order(1), order(2), order(1, crash=1), order(1), order(2))
    kith(daemon, "plugin", "enable", "tally")
    eventually(lambda: sum("ready on" in line for line in daemon.lines) == 2)
    assert tally(daemon)["state"] == "quarantined"
    assert tally(daemon)["parked"] == 5
    kith(daemon, "plugin", "enable", "tally", "--skip")
    eventually(lambda: tally(daemon)["state"] == "active")
    assert counted(daemon, 1) == (3, 4) and counted(daemon, 2) == (2, 2)
    timeline = daemon.timeline("user_id:u-1")
    (told,) = [one for one in timeline if one["type"] == "plugin.passed_over"]
    (lost,) = [one for one in timeline if str(one["id"]) == told["data"]["event"]]
    assert told["data"]["plugin"] == "tally" and lost["data"].get("crash") == 1
    said = kith(daemon, "explain", told["data"]["event"])
    assert "Plugin tally: passed over, at entry " in said, said
    assert "plugin tally: passed over, at entry " in kith(daemon, "timeline", "user_id:u-1")
    assert "passed_over" not in str(daemon.timeline("user_id:u-2"))
    assert daemon.post("/v1/verify", {}).json["ok"]


@pytest.mark.parametrize("what", ["crash", "hang"])
def test_isolated_the_daemon_goes_on(what, house):
    house.configure(True)
    daemon = house.start()
    pid = daemon.pid
    daemon.send(order(1), order(2))
    daemon.send(order(1, **{what: 1}), order(2), order(1))
    assert counted(daemon, 1) == (1, 3) and counted(daemon, 2)[1] == 2
    how = {"crash": r"it crashed \(SIG[A-Z]+\)", "hang": "no answer within 100 ms"}[what]
    daemon.wait_line(f"plugin tally: {how} in its handler [a-z]+: it is quarantined")
    house.build("-DMENDED")  # which is loaded at the next start, or by a reload, and not before
    assert daemon.pid == pid and daemon.metric("kith_crashes_total") == 0
    assert daemon.stop() == 0
    daemon = house.start()
    eventually(lambda: tally(daemon)["state"] == "active")
    assert counted(daemon, 1) == (3, 3) and counted(daemon, 2) == (2, 2)
    assert daemon.post("/v1/verify", {}).json["ok"]


def test_isolated_it_is_brought_back_by_itself(house):
    house.configure(True)
    daemon = house.start()
    daemon.send(order(1))
    children = subprocess.run(["pgrep", "-P", str(daemon.pid)], capture_output=True, check=True)
    os.kill(int(children.stdout.split()[0]), signal.SIGKILL)
    daemon.send(order(1), order(1))
    daemon.wait_line("plugin tally has a new process")
    eventually(lambda: tally(daemon)["state"] == "active")
    daemon.send(order(1))
    assert counted(daemon, 1) == (4, 4)
    assert daemon.post("/v1/verify", {}).json["ok"]


# -- Under load ------------------------------------------------------------------------------


class Client(threading.Thread):
    """Sends batches, each until it is acknowledged, and counts the orders of each customer."""

    def __init__(self, house, name):
        super().__init__(daemon=True)
        self.house, self.name_, self.is_over, self.sent = house, name, False, [0] * 5

    def run(self):
        number = 0
        while not self.is_over:
            events = []
            for _ in range(20):
                number += 1
                event = order(number % 5)
                events.append({**event, "messageId": f"{self.name_}-{number}"})
            while not self.is_accepted(events):
                time.sleep(0.02)
            for event in events:
                self.sent[int(event["userId"][2:])] += 1
            time.sleep(0.05)  # all of it is folded once more in the end

    def is_accepted(self, events):
        try:
            answer = self.house.daemon.post("/v1/batch", {"batch": events}, key="write")
        except (OSError, http.client.HTTPException):
            return False
        return answer.status == 200


@pytest.mark.long(8)
@pytest.mark.parametrize("isolated", [False, True])
def test_killed_at_any_moment_it_has_heard_of_each_event_once(isolated, house):
    dice = random.Random(7)
    house.configure(isolated)
    daemon = house.start()
    clients = [Client(house, f"c{i}") for i in range(2)]
    for client in clients:
        client.start()
    for cycle in range(5):
        time.sleep(dice.uniform(0.05, 0.6))
        children = subprocess.run(
            ["pgrep", "-P", str(daemon.pid)], capture_output=True, check=False
        ).stdout.split()
        if cycle % 2 == 1 and children:
            os.kill(int(children[0]), signal.SIGKILL)
        else:
            daemon.kill()
            daemon = house.start()
    for client in clients:
        client.is_over = True
    for client in clients:
        client.join(60)
        assert not client.is_alive()
    # What is acknowledged is not applied yet, and it may be lost once more before it is.
    daemon.send({"type": "track", "event": "End", "userId": "u-0"})
    eventually(lambda: tally(daemon)["state"] == "active")
    assert tally(daemon)["missed"] == 0
    for number in range(5):
        sent = sum(client.sent[number] for client in clients)
        assert counted(daemon, number) == (sent, sent)
    assert daemon.post("/v1/verify", {}).json["ok"]


# -- What is shown -----------------------------------------------------------------------------


def test_what_it_keeps_of_her_is_exported_and_what_it_did_is_explained(house):
    house.configure(False)
    daemon = house.start()
    daemon.send(order(1), order(1))
    (item,) = daemon.get("/v1/customers/user_id:u-1/export").json["plugins"]
    assert (item["plugin"], item["key"], item["state"]) == ("tally", "tally", {"count": 2})
    entry = daemon.timeline("user_id:u-1")[0]
    assert entry["type"] == "Order Completed"
    assert entry["trace"]["handlers"] == ["tally.order"]
    assert "tally.order" in kith(daemon, "explain", entry["id"])
    assert "handler tally.order" in kith(daemon, "timeline", "user_id:u-1")
    page = daemon.get("/metrics", key=None).body.decode()
    assert 'kith_plugin_engine_calls_total{plugin="tally"} 2' in page
    assert daemon.metric("kith_plugins_quarantined") == 0
    kith(daemon, "plugin", "disable", "tally")
    assert daemon.metric("kith_plugins_quarantined") == 1


# -- Several ---------------------------------------------------------------------------------


def test_two_in_one_process_are_two(house):
    command = ["cc", *FLAGS.split(), "-I", ROOT / "plugins" / "sdk"]
    made = house.folder / "plugins" / "good_state.so"
    source = ROOT / "tests" / "plugins" / "good_state.c"
    subprocess.run([*command, "-o", made, source], check=True)
    house.configure(False)
    with open(house.folder / "kith.lua", "a", encoding="utf-8") as config:
        config.write('plugin "good_state" {}\n')
    daemon = house.start()
    daemon.send(order(1), order(1))
    traits = daemon.get("/v1/customers/user_id:u-1").json["traits"]
    assert (traits["tally.count"], traits["good_state.orders"]) == (2, 2)
