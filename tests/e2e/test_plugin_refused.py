"""What is refused of a plugin before it takes part, and in which words: grants, standards, secrets,
routes."""
import os

import pytest

from plugin_house import BARE
from test_plugin_host import built

DESCRIPTION = """
#include "kith.h"

static const struct kith_host *its_host;
static struct kith *its_kith;

static void handle(void *self, const struct kith_request *request)
{
    const struct kith_reply reply = { .size = sizeof reply, .status = 204 };
    (void)self;
    its_host->reply(its_kith, request->id, &reply);
}

static int32_t start(const struct kith_host *host, struct kith *kith, void **self, char *reason)
{
    (void)self;
    (void)reason;
    its_host = host;
    its_kith = kith;
    return KITH_OK;
}

static void stop(void *self)
{
    (void)self;
}

static const char *const needs[] = { NEEDS 0 };
static const struct kith_field field = { .size = sizeof field, .name = "one", .about = "A trial",
                                         FIELD };
static const struct kith_field *const fields[] = { &field, 0 };
static const struct kith_route route = { .size = sizeof route, .method = METHOD,
                                         .path = "/v1/odd", .summary = "A trial",
                                         .auth = KITH_AUTH_NONE, .handle = handle };
static const struct kith_route *const routes[] = { &route, 0 };
static const struct kith_plugin plugin = {
    .size = sizeof plugin, .abi = KITH_ABI, .name = "odd", .version = "1", .about = "Odd",
    .needs = needs, .config = fields, .routes = HAS_ROUTE ? routes : 0, .start = start,
    .stop = stop,
};

const struct kith_plugin *kith_describe(void)
{
    return &plugin;
}
"""
TEXT = '.type = "text"'


def put(folder, field=TEXT, needs="", method=None):
    head = (
        f"#define FIELD {field}\n#define NEEDS {needs}\n"
        f"#define METHOD {method or 'NULL'}\n#define HAS_ROUTE {int(method is not None)}\n"
    )
    return built(folder, "odd", head + DESCRIPTION)


def opened(start, folder, options="", is_ready=True):
    config = folder / "kith.lua"
    config.write_text(f'plugins "{folder}/plugins"\nplugin "odd" {{ {options} }}\n')
    return start("--config", config, env=BARE, is_ready=is_ready)


# -- Grants ------------------------------------------------------------------------------------


def test_what_is_not_granted_is_named_in_whole_words(start, tmp_path):
    words = """append read staff files channel on-behalf act:after act:assign act:cancel act:change
    act:create act:link act:move act:notify act:remind act:send act:set act:tag act:untag""".split()
    put(tmp_path, needs="".join(f'"{word}", ' for word in words))
    daemon = opened(start, tmp_path, is_ready=False)
    said = daemon.wait_line("needs what it is not granted: add (.*) to grant = { ... } if it may")
    assert daemon.wait() == 1
    *named, last = said.group(1).split(", ")
    last, more = last.split(" and ")
    named.append(last)
    assert [f'"{word}"' for word in words][: len(named)] == named and len(named) > 8
    assert more == f"{len(words) - len(named)} more"


# -- Standards ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, standard",
    [
        ("whole", "abc"),
        ("whole", "3 or more"),
        ("whole", ""),
        ("whole", "99999999999999999999"),
        ("flag", "yes"),
        ("flag", ""),
        ("number", "1,5"),
        ("number", "inf"),
        ("list", "a, b"),
        ("list", '{ "a", b }'),
        ("list", '{ "a"'),
        ("list", '{ "a" } and more'),
        ("duration", "soon"),
    ],
)
def test_a_standard_that_cannot_be_read_is_refused(start, tmp_path, kind, standard):
    quoted = standard.replace('"', '\\"')
    put(tmp_path, f'.type = "{kind}", .standard = "{quoted}"')
    daemon = opened(start, tmp_path, is_ready=False)
    words = f'plugin odd: config.one: its standard "{standard}" is no {kind}, or not within its'
    daemon.wait_line("its standard")
    assert any(words in line for line in daemon.lines), daemon.lines
    assert daemon.wait() == 1


def test_a_standard_beyond_its_bounds_is_refused_although_a_value_is_given(start, tmp_path):
    put(tmp_path, '.type = "whole", .standard = "11", .least = 1, .most = 10')
    daemon = opened(start, tmp_path, "config = { one = 5 }", is_ready=False)
    daemon.wait_line('its standard "11" is no whole, or not within its bounds')
    assert daemon.wait() == 1


@pytest.mark.parametrize(
    "kind, standard",
    [
        ("whole", "-3"),
        ("flag", "false"),
        ("number", "1.5"),
        ("list", "{}"),
        ("list", '{ "a", "b", }'),
        ("duration", "5min"),
        ("text", ""),
    ],
)
def test_a_standard_as_it_would_be_written_is_taken(start, tmp_path, kind, standard):
    quoted = standard.replace('"', '\\"')
    put(tmp_path, f'.type = "{kind}", .standard = "{quoted}"')
    daemon = opened(start, tmp_path)
    assert daemon.get("/v1/plugins/odd").json["state"] == "active"


# -- Secrets -----------------------------------------------------------------------------------

SECRET = f"{TEXT}, .flags = KITH_SECRET"


def test_a_secret_that_is_a_pipe_is_refused_and_not_waited_for(start, tmp_path):
    put(tmp_path, SECRET)
    os.mkfifo(tmp_path / "pipe")
    daemon = opened(start, tmp_path, f'config = {{ one = secret "{tmp_path}/pipe" }}', False)
    daemon.wait_line("plugin odd: config.one: .*/pipe: it is no file")
    assert daemon.wait() == 1


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a\0b", b"caf\xc3"])
def test_a_secret_that_is_no_text_is_refused(start, tmp_path, data):
    put(tmp_path, SECRET)
    (tmp_path / "word").write_bytes(data)
    daemon = opened(start, tmp_path, f'config = {{ one = secret "{tmp_path}/word" }}', False)
    daemon.wait_line("plugin odd: config.one: .*/word is no text: it is not UTF-8, or has a byte")
    assert daemon.wait() == 1


# -- Routes ------------------------------------------------------------------------------------

ROUTES = 'grant = { "routes" }'


@pytest.mark.parametrize("method", ["CONNECT", "FETCH", "get", "GET, POST", "DESCRIBE", "*GET"])
def test_a_route_of_a_method_that_never_comes_is_refused(start, tmp_path, method):
    put(tmp_path, needs='"routes",', method=f'"{method}"')
    daemon = opened(start, tmp_path, ROUTES, is_ready=False)
    daemon.wait_line("no request of that method is taken here")
    words = f"plugin odd: the route {method} /v1/odd: no request of that method is taken here"
    assert any(words in line for line in daemon.lines), daemon.lines
    assert daemon.wait() == 1


@pytest.mark.parametrize("method", ["PATCH", "PROPFIND", "M-SEARCH", "SOURCE", "TRACE", "*"])
def test_a_route_of_a_method_that_is_taken_is_answered(start, tmp_path, method):
    put(tmp_path, needs='"routes",', method=f'"{method}"')
    daemon = opened(start, tmp_path, ROUTES)
    asked = "REPORT" if method == "*" else method
    assert daemon.call(asked, "/v1/odd", key=None).status == 204
