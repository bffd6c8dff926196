"""Plugins that end the daemon one after the other, or are let in again and again: each is shut out,
and the daemon goes on."""
import http.client

from conftest import eventually
from plugin_house import BARE, kith
from test_parent import wait_lines
from test_plugin_host import built

CRASHES = """
#include "kith.h"

#define TEXT_OF(word) #word
#define TEXT(word) TEXT_OF(word)

static int32_t run(const struct kith_engine *engine, struct kith_call *call)
{
    volatile int *volatile nowhere = 0;
    (void)engine;
    (void)call;
    *nowhere = 1;
    return KITH_OK;
}

static void handle(void *self, const struct kith_request *request)
{
    (void)self;
    (void)request;
    run(0, 0);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **self, char *reason)
{
    (void)host;
    (void)kith;
    (void)self;
    (void)reason;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const types[] = { "Break", 0 };
static const char *const reads[] = { 0 };
static const struct kith_handler handler = { sizeof handler, "order", types, reads, run };
static const struct kith_handler *const handlers[] = { &handler, 0 };
static const struct kith_route route = {
    .size = sizeof route, .method = "GET", .path = "/v1/" TEXT(CALLED), .summary = "A trial",
    .auth = KITH_AUTH_NONE, .handle = handle,
};
static const struct kith_route *const routes[] = { &route, 0 };
static const char *const needs[] = { "routes", 0 };
static const struct kith_plugin plugin = {
    .size = sizeof plugin, .abi = KITH_ABI, .name = TEXT(CALLED), .version = "1",
    .about = "Breaks", .needs = needs, .handlers = handlers, .routes = routes, .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &plugin;
}
"""


def opened(start, folder, *names):
    lines = []
    for name in names:
        plugins = built(folder, name, f"#define CALLED {name}\n{CRASHES}")
        lines.append(f'plugin "{name}" {{ grant = {{ "routes" }} }}\n')
    config = folder / "kith.lua"
    config.write_text(f'plugins "{plugins}"\n' + "".join(lines))
    return start("--config", config, env=BARE)


def break_it(daemon):
    try:
        daemon.send({"type": "track", "userId": "u-1", "event": "Break"})
    except (ConnectionError, http.client.HTTPException):
        pass  # it may have gone before it answered


def test_many_plugins_that_crash_at_one_event_are_shut_out_one_by_one(start, tmp_path):
    names = [f"evil_{letter}" for letter in "abcdefg"]
    daemon = opened(start, tmp_path, *names)
    break_it(daemon)
    wait_lines(daemon, "it is started again, without that plugin", len(names))
    wait_lines(daemon, "ready on", 2)
    eventually(lambda: daemon.get("/readyz", key=None).status == 200)
    for item in daemon.get("/v1/plugins").json["items"]:
        assert item["state"] == "quarantined", item
    assert daemon.process.poll() is None
    assert daemon.stop() == 0


def test_a_plugin_may_be_let_in_again_however_often_it_crashes(start, tmp_path):
    daemon = opened(start, tmp_path, "evil")
    break_it(daemon)
    wait_lines(daemon, "ready on", 2)
    for turn in range(6):
        code, _, err = kith(daemon, "plugin", "enable", "evil")
        assert code == 0, err
        wait_lines(daemon, "ready on", 3 + turn)
    assert daemon.get("/v1/plugins/evil").json["state"] == "quarantined"
    assert not [line for line in daemon.lines if "giving up" in line]
    assert daemon.stop() == 0
