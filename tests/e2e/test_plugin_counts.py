"""What a plugin wants and is refused counts as a failure of its own, wherever it is refused."""
import pytest

from conftest import eventually
from plugin_house import BARE, kith
from test_plugin_host import built
from test_plugin_outside import number
from test_plugin_reload_refused import KEEPS, opened, put, seen

SOURCE = """
#include "kith.h"

struct self {
    const struct kith_host *host;
    struct kith *kith;
};

static int32_t storm(const struct kith_engine *engine, struct kith_call *call)
{
    const struct kith_doc nothing = { 0, 0 };
    const struct kith_text here = { 0, 0 };
    for (int i = 0; i < 1001; i++)
        engine->emit(call, "drop", nothing, here);
    return KITH_OK;
}

static int32_t late(const struct kith_engine *engine, struct kith_call *call)
{
    char room[200];
    struct kith_writer w;
    kith_begin(&w, room, sizeof room);
    kith_put_string(&w, "title", "Call her");
    kith_put_string(&w, "due", "the day after never");
    return engine->act(call, "remind", kith_end(&w));
}

static int32_t well(const struct kith_engine *engine, struct kith_call *call)
{
    (void)engine;
    (void)call;
    return KITH_OK;
}

static void handle(void *arg, const struct kith_request *request)
{
    struct self *self = arg;
    const struct kith_event event = { .size = sizeof event, .type = "foreign.said",
                                      .customer = { "user_id:u-1", 11 } };
    const struct kith_reply reply = { .size = sizeof reply, .status = 204 };
    self->host->append(self->kith, &event, 0, 0);
    self->host->reply(self->kith, request->id, &reply);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **out_self, char *reason)
{
    static struct self self;
    (void)reason;
    self.host = host;
    self.kith = kith;
    *out_self = &self;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const reads[] = { 0 };
#define HANDLER(called, type)                                                               \\
    static const char *const called##_types[] = { type, 0 };                                \\
    static const struct kith_handler on_##called = { sizeof on_##called, #called,           \\
                                                     called##_types, reads, called }
HANDLER(storm, "Storm");
HANDLER(late, "Late");
HANDLER(well, "Well");
static const struct kith_handler *const handlers[] = { &on_storm, &on_late, &on_well, 0 };
static const char *const needs[] = { "act:remind", "append", "routes", 0 };
static const struct kith_route route = { .size = sizeof route, .method = "GET",
                                         .path = "/v1/odd", .summary = "A trial",
                                         .auth = KITH_AUTH_NONE, .handle = handle };
static const struct kith_route *const routes[] = { &route, 0 };
static const struct kith_plugin plugin = {
    .size = sizeof plugin, .abi = KITH_ABI, .name = "odd", .version = "1", .about = "Odd",
    .needs = needs, .handlers = handlers, .routes = routes, .start = start, .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &plugin;
}
"""
GRANT = 'grant = { "act:remind", "append", "routes" }'


@pytest.fixture(name="daemon", params=["", "isolate = true, "])
def _daemon(request, start, tmp_path):
    folder = built(tmp_path, "odd", SOURCE)
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{folder}"\nplugin "odd" {{ {request.param}{GRANT} }}\n')
    return start("--config", config, env=BARE)


def test_what_the_engine_refuses_of_a_call_is_a_failure_of_that_call(daemon):
    for event in ("Storm", "Late", "Well"):
        daemon.send({"type": "track", "userId": "u-1", "event": event})
    failed = [item for item in daemon.timeline("user_id:u-1") if item["type"] == "plugin.failed"]
    assert len(failed) == 2, failed
    listed = daemon.get("/v1/plugins/odd").json
    assert (listed["calls"], listed["failures"]) == (3, 2)
    assert daemon.metric('kith_plugin_engine_failures_total{plugin="odd"}') == 2


def test_an_event_that_is_refused_is_a_failure_of_append(daemon):
    name = r'kith_plugin_failures_total\{plugin="odd",call="host.append"\}'
    for wanted in (1, 2):
        assert daemon.get("/v1/odd", key=None).status == 204
        eventually(lambda wanted=wanted: number(daemon, name) == wanted)


SPOIL = """
static int32_t spoil(const struct kith_engine *engine, struct kith_call *call)
{
    return engine->fail(call, "it is too old");
}
"""


@pytest.mark.parametrize("options", ["", "isolate = true"])
def test_a_migrate_that_fails_where_a_handler_asks_for_the_document_is_a_hook_that_failed(
    start, tmp_path, options
):
    put(tmp_path, "keeps", KEEPS, STATE=1, VERSION='"1"')
    daemon = opened(start, tmp_path, "keeps", options)
    assert seen(daemon) == 1
    spoils = KEEPS.replace(
        "static const struct kith_state", SPOIL + "static const struct kith_state", 1
    )
    spoils = spoils.replace(".version = STATE }", ".version = STATE, .migrate = spoil }")
    put(tmp_path, "keeps", spoils, STATE=2, VERSION='"2"')
    code, _, err = kith(daemon, "plugin", "reload", "keeps")
    assert code == 0, err
    assert seen(daemon) == 1
    shown = daemon.get("/v1/plugins/keeps").json
    assert (shown["failures"], shown["hook_failures"]) == (1, 1)
    assert daemon.metric('kith_plugin_hook_failures_total{plugin="keeps"}') == 1
    assert daemon.stop() == 0
