"""Isolated plugins in folds: a process that ends there is not what ended in the log's own time.

The plugin here, ballast, counts the gifts of each customer.  Told to, it leaks, stops itself or
closes what it has open; one file in its folder makes it end in every call, another in one call of
one process, which no log knows of.
"""
import subprocess

import pytest

from conftest import ROOT, eventually
from test_plugin_check import is_sanitized
from test_plugin_loss import BARE, FLAGS, kith

BALLAST = r"""
#include "kith.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define LEAK ((size_t)60 << 20)

static void misbehave(int64_t how)
{
    static int calls;
    if (access(ILL, F_OK) == 0 || (++calls == 700 && unlink(ONCE) == 0))
        _exit(3);
    if (how == 1) {
        volatile char *room = malloc(LEAK);
        for (size_t i = 0; i < LEAK; i += 4096)
            room[i] = 1;
    }
    if (how == 2)
        raise(SIGSTOP); /* this thread stops here; by kill() it might go on for a while */
    for (int i = 3; how == 3 && i < 200; i++)
        close(i);
}

static int32_t on_gift(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    struct kith_doc kept;
    struct kith_value how, count;
    int32_t rc = engine->state(call, "gifts", &kept);
    if (rc == KITH_OK)
        rc = engine->read(call, 1, &how);
    if (rc != KITH_OK)
        return rc;
    misbehave(kith_as_int(&how, 0));
    count = kith_int(kith_get_int(kept, "count", 0) + 1);
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "count", count.as.integer);
    rc = engine->keep(call, "gifts", kith_end(&w));
    return rc == KITH_OK ? engine->publish(call, "count", &count) : rc;
}

static int32_t add(const struct kith_engine *engine, struct kith_call *call)
{
    char room[128];
    struct kith_writer w;
    struct kith_doc both;
    int32_t rc = engine->arguments(call, &both);
    if (rc != KITH_OK)
        return rc;
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "count",
                 kith_get_int(kith_get_doc(both, "survivor"), "count", 0) +
                     kith_get_int(kith_get_doc(both, "absorbed"), "count", 0));
    struct kith_value sum = kith_value_of_doc(kith_end(&w));
    return engine->answer(call, &sum);
}

static const char *const types[] = { "Gift Given", NULL };
static const char *const reads[] = { "state.gifts", "event.how", NULL };
static const struct kith_handler *const handlers[] = {
    KITH_ITEM(handler, .name = "gift", .types = types, .reads = reads, .run = on_gift), NULL
};
static const struct kith_state *const states[] = {
    KITH_ITEM(state, .key = "gifts", .version = 1, .merge = add), NULL
};
static const struct kith_trait *const traits[] = {
    KITH_ITEM(trait, .name = "count", .type = "whole", .about = "How many gifts"), NULL
};

const struct kith_plugin *kith_describe(void)
{
    static const struct kith_plugin plugin = {
        .size = sizeof plugin, .abi = KITH_ABI, .name = "ballast", .version = "1",
        .about = "Counts gifts", .handlers = handlers, .states = states, .traits = traits,
    };
    return &plugin;
}
"""


class House:
    def __init__(self, folder, start):
        self.begin, self.ill, self.once = start, folder / "ill", folder / "once"
        source, made = folder / "ballast.c", folder / "plugins" / "ballast.so"
        made.parent.mkdir()
        source.write_text(BALLAST)
        command = [
            "cc",
            *FLAGS.split(),
            f'-DILL="{self.ill}"',
            f'-DONCE="{self.once}"',
            "-D_GNU_SOURCE",
        ]
        subprocess.run([*command, "-I", ROOT / "plugins" / "sdk", "-o", made, source], check=True)
        self.config = folder / "kith.lua"
        self.config.write_text(f'plugins "{made.parent}"\nplugin "ballast" {{ isolate = true }}\n')
        self.daemon = None

    def start(self, *flags, is_ready=True):
        self.daemon = self.begin("--config", self.config, *flags, env=BARE, is_ready=is_ready)
        return self.daemon

    def standing(self):
        return self.daemon.get("/v1/plugins/ballast").json

    def is_back(self):
        standing = self.standing()
        return standing["state"] == "active" and standing["parked"] == 0


@pytest.fixture(name="house")
def _house(start, tmp_path):
    return House(tmp_path, start)


def gift(user=1, how=0):
    return {
        "type": "track",
        "event": "Gift Given",
        "userId": f"u-{user}",
        "properties": {"how": how},
    }


def count(daemon, user=1):
    return daemon.get(f"/v1/customers/user_id:u-{user}").json["traits"].get("ballast.count", 0)


def last_seq(daemon):
    return daemon.get("/v1/state-hash").json["seq"]


# -- What was lost in the log's own time -------------------------------------------------------


@pytest.mark.parametrize("how", [1, 2, 3], ids=["leaks", "stops", "closes"])
def test_what_a_process_left_behind_ends_with_it_in_a_fold_too(house, how):
    daemon = house.start()
    if how == 1 and is_sanitized():
        pytest.skip("a sanitizer has no limit of memory")
    sent = 40 if how == 1 else 1
    for _ in range(sent):
        daemon.send(gift(how=how))
    daemon.send(gift())
    if how == 1:
        daemon.wait_line("plugin ballast: .* in its handler [a-z]+: it is quarantined")
        kith(daemon, "plugin", "enable", "ballast")
    else:
        # It is heard again when it is back, and would stop again: it passes it by.
        eventually(lambda: house.standing()["state"] == "quarantined")
        kith(daemon, "plugin", "disable", "ballast")
        kith(daemon, "plugin", "enable", "ballast", "--skip")
    eventually(house.is_back)
    before = count(daemon)
    assert before == sent + 1 if how == 1 else before >= 1
    assert daemon.post("/v1/verify", {}).json.get("ok"), daemon.lines
    assert daemon.stop() == 0
    daemon = house.start("--rebuild")
    assert house.is_back() and count(daemon) == before
    assert daemon.post("/v1/verify", {}).json.get("ok"), daemon.lines


# -- What is lost in a fold --------------------------------------------------------------------


def fill(daemon):
    for _ in range(20):
        daemon.send(*[gift(i % 5) for i in range(100)])


def test_a_verification_survives_the_end_of_its_process(house):
    daemon = house.start()
    fill(daemon)
    seq = last_seq(daemon)
    house.once.touch()
    assert daemon.post("/v1/verify", {}).json["ok"]
    assert not house.once.exists(), "one process has ended"
    assert house.standing()["state"] == "active" and last_seq(daemon) == seq


def test_a_verification_that_loses_every_process_finds_no_fault(house):
    daemon = house.start()
    daemon.send(gift(), gift())
    house.ill.touch()
    answer = daemon.post("/v1/verify", {})
    house.ill.unlink()
    assert answer.status == 503
    assert "could not be verified: the process of plugin ballast ended" in answer.json["detail"]
    assert daemon.post("/v1/verify", {}).json["ok"]
    assert count(daemon) == 2 and house.standing()["state"] == "active"


def test_a_rebuild_that_loses_every_process_changes_nothing(house):
    daemon = house.start()
    daemon.send(gift(), gift())
    first = last_seq(daemon)
    assert daemon.stop() == 0
    daemon = house.start("--rebuild")
    second = last_seq(daemon)
    assert daemon.stop() == 0
    house.ill.touch()
    daemon = house.start("--rebuild", is_ready=False)
    assert daemon.wait() == 1
    assert any("the process of plugin ballast ended" in line for line in daemon.lines)
    house.ill.unlink()
    daemon = house.start("--rebuild")
    assert house.is_back() and count(daemon) == 2
    assert last_seq(daemon) - second == 2 * (second - first), "two starts more, and no verdict"
    assert daemon.post("/v1/verify", {}).json["ok"]


def test_a_rebuild_survives_the_end_of_its_process(house):
    daemon = house.start()
    fill(daemon)
    assert daemon.stop() == 0
    house.once.touch()
    daemon = house.start("--rebuild")
    assert not house.once.exists(), "one process has ended"
    assert house.is_back() and [count(daemon, i) for i in range(5)] == [400] * 5
    assert daemon.post("/v1/verify", {}).json["ok"]


# -- A hook that is not asked ------------------------------------------------------------------


def test_a_merge_without_the_plugin_is_told_and_counted(house):
    daemon = house.start()
    daemon.send(gift(1), gift(2))
    kith(daemon, "plugin", "disable", "ballast")
    answer = daemon.post(
        "/v1/customers/user_id:u-1/merge?wait=durable", {"absorbed": "user_id:u-2"}
    )
    assert answer.status < 300
    eventually(lambda: house.standing()["hook_failures"] == 1)
    (told,) = [e["data"] for e in daemon.timeline("user_id:u-1") if e["type"] == "plugin.failed"]
    assert (told["hook"], told["message"]) == ("merge", "it is quarantined and was not asked")
    kith(daemon, "plugin", "enable", "ballast")
    eventually(house.is_back)
    daemon.send(gift(1))
    assert count(daemon) == 2, "the survivor's, and one more"
    assert daemon.post("/v1/verify", {}).json["ok"]
