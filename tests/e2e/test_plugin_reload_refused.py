"""What is not put in force by a reload, though it can be loaded."""
import signal

import pytest

from conftest import eventually
from plugin_house import BARE, kith
from test_plugin_host import built

FRAGILE = """
#include "kith.h"

#ifndef BEGIN
#define BEGIN (void)0
#endif

#include <stdio.h>
#include <stdlib.h>

static int32_t start(const struct kith_host *host, struct kith *kith, void **self, char *reason)
{
    (void)host;
    (void)kith;
    (void)self;
    (void)reason;
    BEGIN;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
    END;
}

static const struct kith_plugin plugin = {
    .size = sizeof plugin, .abi = KITH_ABI, .name = "fragile", .version = VERSION,
    .about = "Ends badly", .start = start, .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &plugin;
}
"""
KEEPS = """
#include "kith.h"

static int32_t on_order(const struct kith_engine *engine, struct kith_call *call)
{
    char room[64];
    struct kith_doc kept;
    struct kith_writer w;
    int32_t rc = engine->state(call, "seen", &kept);
    int64_t seen = rc == KITH_OK ? kith_get_int(kept, "n", 0) + 1 : 0;
    struct kith_value published = kith_int(seen);
    kith_begin(&w, room, sizeof room);
    kith_put_int(&w, "n", seen);
    if (rc == KITH_OK)
        rc = engine->keep(call, "seen", kith_end(&w));
    return rc == KITH_OK ? engine->publish(call, "seen", &published) : rc;
}

static const char *const types[] = { "Order Completed", 0 };
static const char *const reads[] = { "state.seen", 0 };
static const struct kith_handler handler = { sizeof handler, "order", types, reads, on_order };
static const struct kith_handler *const handlers[] = { &handler, 0 };
static const struct kith_state state = { .size = sizeof state, .key = "seen", .version = STATE };
static const struct kith_state *const states[] = { &state, 0 };
static const struct kith_trait seen = {
    .size = sizeof seen, .name = "seen", .type = "whole", .about = "how often"
};
static const struct kith_trait *const traits[] = { &seen, 0 };
static const struct kith_plugin plugin = {
    .size = sizeof plugin, .abi = KITH_ABI, .name = "keeps", .version = VERSION,
    .about = "Counts", .handlers = handlers, .states = states, .traits = traits,
};

const struct kith_plugin *kith_describe(void)
{
    return &plugin;
}
"""


def put(folder, name, source, **words):
    """Built beside, then moved there: what is loaded is not written upon."""
    for word, value in words.items():
        source = f"#define {word} {value}\n" + source
    (folder / f"{name}.beside").mkdir(exist_ok=True)
    file = built(folder / f"{name}.beside", name, source) / f"{name}.so"
    (folder / "plugins").mkdir(exist_ok=True)
    file.replace(folder / "plugins" / f"{name}.so")


def opened(start, folder, name, options=""):
    config = folder / "kith.lua"
    config.write_text(f'plugins "{folder}/plugins"\nplugin "{name}" {{ {options} }}\n')
    return start("--config", config, env=BARE)


@pytest.mark.parametrize("options", ["", "isolate = true"])
@pytest.mark.parametrize("end", ["*(volatile int *volatile)0 = 1", "_Exit(0)", "abort()"])
def test_one_that_does_not_survive_its_stop_is_not_put_in_force(start, tmp_path, options, end):
    put(tmp_path, "fragile", FRAGILE, END="(void)0", VERSION='"1"')
    daemon = opened(start, tmp_path, "fragile", options)
    put(tmp_path, "fragile", FRAGILE, END=end, VERSION='"2"')
    code, said, err = kith(daemon, "plugin", "reload", "fragile")
    assert code != 0, said
    assert "plugin fragile: it starts, but does not survive its stop(): " in err
    assert daemon.get("/v1/plugins/fragile").json["version"] == "1"
    eventually(lambda: daemon.metric('kith_plugin_up{plugin="fragile"}') == 1)
    put(tmp_path, "fragile", FRAGILE, END="(void)0", VERSION='"3"')
    code, said, err = kith(daemon, "plugin", "reload", "fragile")
    assert code == 0 and "version 3" in said, err
    assert daemon.stop() == 0


def test_a_stop_that_ends_the_process_of_an_isolated_one_is_told(start, tmp_path):
    put(tmp_path, "fragile", FRAGILE, END="abort()", VERSION='"1"')
    daemon = opened(start, tmp_path, "fragile", "isolate = true")
    assert daemon.stop() == 0
    daemon.wait_line(r"plugin fragile: its stop\(\) has not returned: ")


FOR_EVER = "for (volatile int more = 1; more != 0;) (void)more"


def test_a_stop_that_does_not_return_is_told_from_a_work_that_does_not_end(start, tmp_path):
    put(tmp_path, "fragile", FRAGILE, END="(void)0", VERSION='"1"')
    daemon = opened(start, tmp_path, "fragile", "isolate = true")
    put(tmp_path, "fragile", FRAGILE, END=FOR_EVER, VERSION='"2"')
    code, said, err = kith(daemon, "plugin", "reload", "fragile")
    assert code != 0, said
    hung = "its stop(), or a call before it, has not returned"
    assert f"plugin fragile: it starts, but does not come to its end: {hung}" in err
    assert daemon.stop() == 0


def test_a_start_that_crashes_in_a_reload_is_told_as_that(start, tmp_path):
    put(tmp_path, "fragile", FRAGILE, END="(void)0", VERSION='"1"')
    daemon = opened(start, tmp_path, "fragile", "isolate = true")
    put(tmp_path, "fragile", FRAGILE, BEGIN="abort()", END="(void)0", VERSION='"2"')
    for _ in range(5):
        code, said, err = kith(daemon, "plugin", "reload", "fragile")
        assert code != 0, said
        assert "plugin fragile does not start: it crashed (SIGABRT)" in err


def test_a_start_that_has_not_returned_at_the_end_is_told_as_that(start, tmp_path):
    begun = tmp_path / "begun"
    begin = f'fclose(fopen("{begun}", "w")); {FOR_EVER}'
    put(tmp_path, "fragile", FRAGILE, BEGIN=begin, END="(void)0", VERSION='"1"')
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}/plugins"\nplugin "fragile" {{ isolate = true }}\n')
    daemon = start("--config", config, is_ready=False, env=BARE)
    eventually(begun.exists)
    assert daemon.stop() == 0
    daemon.wait_line(r"plugin fragile: at its end its start\(\) has not returned")


def seen(daemon):
    order = {"type": "track", "event": "Order Completed", "userId": "u-1"}
    assert daemon.post("/v1/track", order, key="write").status == 200
    return daemon.get("/v1/customers/user_id:u-1").json["traits"]["keeps.seen"]


@pytest.mark.parametrize("options", ["", "isolate = true"])
def test_one_that_could_not_read_what_was_kept_is_not_put_in_force(start, tmp_path, options):
    put(tmp_path, "keeps", KEEPS, STATE=2, VERSION='"2"')
    daemon = opened(start, tmp_path, "keeps", options)
    assert seen(daemon) == 1
    put(tmp_path, "keeps", KEEPS, STATE=1, VERSION='"1"')
    code, said, err = kith(daemon, "plugin", "reload", "keeps")
    assert code != 0, said
    assert 'plugin keeps keeps "seen" in version 1, and the one in force in version 2' in err
    assert seen(daemon) == 2
    put(tmp_path, "keeps", KEEPS, STATE=3, VERSION='"1"')
    code, _, err = kith(daemon, "plugin", "reload", "keeps")
    assert code == 0, err
    assert seen(daemon) == 3


@pytest.mark.parametrize("options", ["", "isolate = true"])
def test_a_start_with_one_that_could_not_read_what_was_kept_is_refused(start, tmp_path, options):
    put(tmp_path, "keeps", KEEPS, STATE=2, VERSION='"2"')
    daemon = opened(start, tmp_path, "keeps", options)
    assert seen(daemon) == 1
    put(tmp_path, "keeps", KEEPS, STATE=1, VERSION='"1"')
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_line('keeps "seen" in version 1, and the one in force in version 2')
    assert daemon.stop() == 0
    for _ in range(2):  # the first has written nothing by which a second would know it
        refused = start("--config", tmp_path / "kith.lua", is_ready=False, env=BARE)
        refused.wait_line('keeps "seen" in version 1, and of what is kept there is version 2')
        assert refused.process.wait() != 0
    put(tmp_path, "keeps", KEEPS, STATE=2, VERSION='"3"')
    daemon = opened(start, tmp_path, "keeps", options)
    assert seen(daemon) == 2
    assert daemon.stop() == 0


def test_one_that_was_away_meanwhile_is_refused_all_the_same(start, tmp_path):
    put(tmp_path, "keeps", KEEPS, STATE=2, VERSION='"2"')
    daemon = opened(start, tmp_path, "keeps")
    assert seen(daemon) == 1
    assert daemon.stop() == 0
    assert start(env=BARE).stop() == 0
    put(tmp_path, "keeps", KEEPS, STATE=1, VERSION='"1"')
    refused = start("--config", tmp_path / "kith.lua", is_ready=False, env=BARE)
    refused.wait_line('keeps "seen" in version 1, and of what is kept there is version 2')
    assert refused.process.wait() != 0
    daemon = start("--config", tmp_path / "kith.lua", "--rebuild", env=BARE)  # all by version 1
    assert seen(daemon) == 2
    assert daemon.stop() == 0


DECLARES = """
#include "kith.h"

static const struct kith_kind kind = {
    .size = sizeof kind, .name = KIND, .json = "{\\"states\\":[\\"open\\"]}",
};
static const struct kith_kind *const kinds[] = { &kind, 0 };
static const struct kith_plugin plugin = {
    .size = sizeof plugin, .abi = KITH_ABI, .name = NAME, .version = "1",
    .about = "Declares", .kinds = kinds,
};

const struct kith_plugin *kith_describe(void)
{
    return &plugin;
}
"""
TICKET = 'kind "ticket" { states = { "open" } }\n'


def declares(folder, name, kind):
    put(folder, name, DECLARES, NAME=f'"{name}"', KIND=f'"{kind}"')


@pytest.fixture(name="declaring")
def _declaring(start, tmp_path):
    """Two plugins with a kind each, beside a bundle with one."""
    declares(tmp_path, "booth", "loan")
    declares(tmp_path, "shop", "sale")
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "rules.lua").write_text(TICKET)
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}/plugins"\nplugin "booth" {{}}\nplugin "shop" {{}}\n')
    return start("--config", config, "--scripts", scripts, env=BARE)


@pytest.mark.parametrize(
    "kind, why",
    [
        ("ticket", 'the bundle declares the kind "ticket", and so does plugin shop: one of them'),
        ("loan", 'plugin shop declares the kind "loan", and so does plugin booth: one of them'),
        ("booth", 'plugin shop declares the kind "booth", which is the name of a plugin: call it'),
    ],
)
def test_a_kind_that_has_its_name_from_another_is_not_put_in_force(declaring, tmp_path, kind, why):
    before = declaring.pid
    declares(tmp_path, "shop", kind)
    code, said, err = kith(declaring, "plugin", "reload", "shop")
    assert code != 0, said
    assert why in err
    assert declaring.pid == before
    kinds = [item["kind"] for item in declaring.get("/v1/records").json["items"]]
    assert sorted(kinds) == ["loan", "sale", "ticket"]
    declares(tmp_path, "shop", "repair")
    code, _, err = kith(declaring, "plugin", "reload", "shop")
    assert code == 0, err


def test_two_plugins_with_one_kind_are_refused_at_a_start(start, tmp_path):
    for name in ("booth", "shop"):
        declares(tmp_path, name, "loan")
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}/plugins"\nplugin "booth" {{}}\nplugin "shop" {{}}\n')
    daemon = start("--config", config, env=BARE, is_ready=False)
    daemon.wait_line('plugin shop declares the kind "loan", and so does plugin booth')
    assert daemon.wait() == 1
