"""Hooks of a plugin that fail, crash or hang while customers are merged, parted or erased."""
import http.client

import pytest

from conftest import eventually
from test_parent import BARE
from test_plugin_outside import PLUGINS, number
from test_plugins import kith

pytestmark = pytest.mark.skipif(
    not (PLUGINS / "odd_hooks.so").exists(), reason="a build tree without test plugins"
)
WHERE = pytest.mark.parametrize("isolated", [False, True], ids=["here", "isolated"])


@pytest.fixture(name="house")
def _house(start, tmp_path):
    def opened(isolated):
        config = tmp_path / "kith.lua"
        config.write_text(
            f'plugins "{PLUGINS}"\nplugin "odd_hooks" {{ isolate = {str(isolated).lower()} }}\n'
        )
        return start("--config", config, env=BARE)

    return opened


def order(daemon, user, what):
    daemon.send(
        {"type": "track", "userId": user, "event": "Order Completed", "properties": {"what": what}}
    )


def merge(daemon):
    return daemon.call(
        "POST", "/v1/customers/user_id:u-1/merge?wait=durable", {"absorbed": "user_id:u-2"}
    )


def unmerge(daemon):
    return daemon.call("POST", "/v1/customers/user_id:u-2/unmerge?wait=durable", {})


def try_to(do, daemon):
    """The daemon may die of it, and is back in a moment."""
    try:
        return do(daemon)
    except (OSError, http.client.HTTPException):
        return None


def shown(daemon):
    return daemon.get("/v1/plugins/odd_hooks").json


def told(daemon):
    return [e["data"] for e in daemon.timeline("user_id:u-1") if e["type"] == "plugin.failed"]


@WHERE
def test_what_fails_is_told_counted_and_listed_and_the_merge_is_made(house, isolated):
    daemon = house(isolated)
    order(daemon, "u-1", "")
    order(daemon, "u-2", "merge fail")
    assert merge(daemon).status < 300
    eventually(lambda: len(told(daemon)) == 1)
    assert told(daemon) == [
        {
            "plugin": "odd_hooks",
            "hook": "merge",
            "key": "orders",
            "message": "plugin odd_hooks: odd ones do not add up",
        }
    ]
    assert daemon.get("/v1/customers/user_id:u-2").json["id"] == 1
    assert (shown(daemon)["hook_failures"], shown(daemon)["state"]) == (1, "active")
    assert number(daemon, r'kith_plugin_hook_failures_total\{plugin="odd_hooks"\}') == 1
    assert "hooks failed" in kith(daemon, "plugin", "list")[1]
    assert daemon.post("/v1/verify", {}).json["ok"], "the log, folded again, gives the same"


@pytest.mark.parametrize("hook", ["merge", "unmerge"])
@pytest.mark.parametrize(
    "what, isolated",
    [("crash", False), ("crash", True), ("hang", True)],  # a hang here: test_plugin_loss.py
    ids=["crash-here", "crash-isolated", "hang-isolated"],
)
def test_one_that_is_lost_in_a_hook_is_quarantined_and_all_else_goes_on(
    house, isolated, hook, what
):
    daemon = house(isolated)
    order(daemon, "u-1", "")
    order(daemon, "u-2", f"{hook} {what}")
    if hook == "merge":
        try_to(merge, daemon)
    else:
        assert merge(daemon).status < 300
        try_to(unmerge, daemon)
    eventually(lambda: try_to(lambda it: shown(it)["state"], daemon) == "quarantined")
    standing = shown(daemon)
    assert standing["quarantined"]["kind"] == what
    order(daemon, "u-3", "")
    together = daemon.get("/v1/customers/user_id:u-2").json["id"] == 1
    assert together == (hook == "merge"), "they are one, or two, without the plugin"
    assert kith(daemon, "plugin", "enable", "odd_hooks")[0] == 0
    eventually(lambda: shown(daemon)["parked"] == 0)
    assert daemon.post("/v1/verify", {}).json["ok"], "the log, folded again, gives the same"


@WHERE
def test_a_refusal_to_forget_is_counted_and_asked_again_until_it_is_done(house, isolated):
    daemon = house(isolated)
    order(daemon, "u-1", "")
    assert daemon.call("DELETE", "/v1/customers/user_id:u-1").status < 300
    eventually(lambda: shown(daemon)["hook_failures"] == 2)
    eventually(lambda: daemon.get("/v1/erasures").json["items"] == [])
    pattern = r'kith_plugin_failures_total\{plugin="odd_hooks",call="erased"\}'
    assert number(daemon, pattern) == 2


def finding(daemon, name):
    checks = {check["name"]: check for check in daemon.get("/v1/doctor").json["checks"]}
    return checks[name]


@WHERE
def test_a_plugin_that_holds_up_an_erasure_is_named_where_one_looks(house, isolated):
    daemon = house(isolated)
    held = "plugin odd_hooks has not yet forgotten customer 1: it is asked again"
    order(daemon, "u-1", "forget never")
    assert finding(daemon, "erasures")["text"] == "0 under way, 0 done"
    assert daemon.call("DELETE", "/v1/customers/user_id:u-1").status < 300
    eventually(
        lambda: [i.get("reason") for i in daemon.get("/v1/erasures").json["items"]] == [held]
    )
    assert held in kith(daemon, "erasures")[1]
    eventually(lambda: held in finding(daemon, "erasures")["text"])
    eventually(lambda: not finding(daemon, "erasures")["ok"])
    assert daemon.get("/v1/erasures").json["items"][0]["state"] == "files"


def test_the_doctor_names_plugins_that_take_no_part(house):
    daemon = house(True)
    assert (finding(daemon, "plugins")["ok"], finding(daemon, "plugins")["text"]) == (
        True,
        "1 loaded",
    )
    assert kith(daemon, "plugin", "disable", "odd_hooks")[0] == 0
    disabled = finding(daemon, "plugins")
    assert disabled["ok"] and "; odd_hooks is disabled" in disabled["text"]
    assert kith(daemon, "plugin", "enable", "odd_hooks")[0] == 0
    order(daemon, "u-1", "")
    order(daemon, "u-2", "merge crash")
    try_to(merge, daemon)
    eventually(lambda: not finding(daemon, "plugins")["ok"])
    said = finding(daemon, "plugins")["text"]
    assert "; odd_hooks is quarantined, it " in said, said
    assert "kith plugin enable odd_hooks" in said
    code, out, _ = kith(daemon, "doctor")
    assert code == 1 and "odd_hooks is quarantined" in out
