"""The words of act() refuse what the words of Lua refuse."""
import pytest

from conftest import eventually
from plugin_house import BARE
from test_plugin_host import built

ACTS = """
#include "kith.h"

enum { WORD, FIELDS };

static int32_t act(const struct kith_engine *engine, struct kith_call *call)
{
    struct kith_value word, fields;
    char name[20] = "";
    int32_t rc = engine->read(call, WORD, &word);
    if (rc == KITH_OK)
        rc = engine->read(call, FIELDS, &fields);
    struct kith_text text = rc == KITH_OK ? kith_as_text(&word) : kith_text("");
    for (size_t i = 0; i < text.size && i < sizeof name - 1; i++)
        name[i] = text.data[i];
    return rc == KITH_OK ? engine->act(call, name, kith_as_doc(&fields)) : rc;
}

static const char *const types[] = { "Act", 0 };
static const char *const reads[] = { "event.word", "event.fields", 0 };
static const struct kith_handler handler = { sizeof handler, "act", types, reads, act };
static const struct kith_handler *const handlers[] = { &handler, 0 };
static const char *const needs[] = { "act:remind", "act:after", "act:send", 0 };
static const struct kith_plugin plugin = {
    .size = sizeof plugin, .abi = KITH_ABI, .name = "acts", .version = "1", .about = "Acts",
    .needs = needs, .handlers = handlers,
};

const struct kith_plugin *kith_describe(void)
{
    return &plugin;
}
"""
LATEST, EARLIEST = 2**63 - 1, -(2**63)
SEND = {"channel": "log", "purpose": "service", "body": "Hello"}
REMIND = {"title": "Call her", "due": "3d"}


@pytest.fixture(name="acting")
def _acting(start, tmp_path):
    folder = built(tmp_path, "acts", ACTS)
    config = tmp_path / "kith.lua"
    grant = 'grant = { "act:remind", "act:after", "act:send" }'
    config.write_text(f'plugins "{folder}"\nplugin "acts" {{ {grant} }}\n')
    daemon = start("--config", config, env=BARE)

    def act(word, fields):
        """What became of it: the reason, or None."""
        properties = {"word": word, "fields": fields}
        daemon.send({"type": "track", "userId": "u-1", "event": "Act", "properties": properties})
        kinds = [item["type"] for item in daemon.timeline("user_id:u-1")]
        act.turns += 1
        assert kinds.count("Act") == act.turns
        failed = kinds.count("plugin.failed") - act.failed
        act.failed += failed
        return failed == 0

    act.turns, act.failed, act.daemon = 0, 0, daemon
    return act


@pytest.mark.parametrize(
    "word, fields",
    [
        ("send", {**SEND, "at": "2027-01-01"}),
        ("send", {**SEND, "expires": LATEST}),
        ("send", {**SEND, "expires": EARLIEST}),
        ("after", {"emit": "acts.late", "due": LATEST}),
        ("after", {"emit": "acts.late", "due": EARLIEST}),
        ("after", {"emit": "acts.late", "due": 4102444800000, "at": "09:00"}),
        ("remind", {**REMIND, "due": LATEST}),
        ("remind", {**REMIND, "escalate": {"after": EARLIEST, "to": "manager"}}),
        ("remind", {**REMIND, "escalate": {"after": LATEST, "to": "manager"}}),
        ("remind", {**REMIND, "escalate": {"after": "1d"}}),
        ("remind", {**REMIND, "escalate": {"after": "1d", "to": "manager", "at": "09:00"}}),
        ("remind", {**REMIND, "escalate": "manager"}),
    ],
)
def test_a_word_refuses_what_it_does_not_do(acting, word, fields):
    assert not acting(word, fields)
    assert acting.daemon.get("/v1/effects").json["items"] == []
    assert acting.daemon.get("/v1/reminders").json["items"] == []


def test_a_word_does_what_it_takes(acting):
    assert acting("send", {**SEND, "expires": "3d"})
    assert acting("after", {"emit": "acts.late", "due": 4102444800000})
    assert acting("remind", {**REMIND, "at": "09:00", "escalate": {"after": "1d", "to": "manager"}})
    eventually(lambda: len(acting.daemon.get("/v1/effects").json["items"]) == 1)
    (task,) = acting.daemon.get("/v1/reminders").json["items"]
    assert task["title"] == "Call her"
