"""Plugins in the daemon: what is loaded is listed, and a person can take one out and in again."""
import subprocess
import time

import pytest

from conftest import BUILD, ROOT

FLAGS = "-std=c17 -O1 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -ffp-contract=off"
SHELF = ROOT / "tests" / "plugins"


@pytest.fixture(name="house")
def _house(start, tmp_path):
    """A daemon with these plugins of the shelf; `options` stand in kith.lua."""
    folder = tmp_path / "plugins"
    folder.mkdir()

    def opened(*names, options=""):
        lines = [f'plugins "{folder}"']
        for name in names:
            command = ["cc", *FLAGS.split(), "-I", ROOT / "plugins" / "sdk"]
            subprocess.run([*command, "-o", folder / f"{name}.so", SHELF / f"{name}.c"], check=True)
            lines.append(f'plugin "{name}" {{ {options} }}')
        (tmp_path / "kith.lua").write_text("\n".join(lines) + "\n")
        return start("--config", tmp_path / "kith.lua")

    return opened


def order(daemon, number):
    return daemon.send({"type": "track", "event": "Order Completed", "userId": f"u-{number}"})


def orders_of(daemon, number):
    """What good_state has counted and published."""
    return daemon.get(f"/v1/customers/user_id:u-{number}").json["traits"].get("good_state.orders")


def eventually(is_so, seconds=60):
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert is_so()


def kith(daemon, *words):
    done = subprocess.run(
        [BUILD / "kith", *words],
        capture_output=True,
        text=True,
        check=False,
        env={"KITH_URL": f"http://127.0.0.1:{daemon.port}", "KITH_KEY": daemon.key("admin")},
    )
    return done.returncode, done.stdout, done.stderr


def test_what_is_loaded_is_listed_with_what_it_is_and_may(house):
    daemon = house("good_act", options='grant = { "act:remind", "act:tag", "act:after" }')
    order(daemon, 1)
    (item,) = daemon.get("/v1/plugins").json["items"]
    assert item["name"] == "good_act" and item["state"] == "active" and item["version"] == "1"
    assert item["needs"] == ["act:remind", "act:tag", "act:after"] and not item["isolated"]
    assert item["calls"] == 1 and item["failures"] == 1 and len(item["hash"]) == 64
    assert daemon.get("/v1/plugins/good_act").json == item
    code, said, _ = kith(daemon, "plugin", "list")
    assert code == 0 and "good_act" in said and "act:remind act:tag act:after" in said


def test_without_plugins_the_list_is_empty(start):
    daemon = start()
    assert daemon.get("/v1/plugins").json == {"items": [], "next": None}
    code, said, _ = kith(daemon, "plugin", "list")
    assert code == 0 and len(said.splitlines()) == 1


@pytest.mark.parametrize("options", ["", "isolate = true"])
def test_who_is_disabled_takes_no_part_and_makes_up_for_it_when_enabled(options, house):
    daemon = house("good_state", options=options)
    order(daemon, 1)
    code, said, err = kith(daemon, "plugin", "disable", "good_state", "--reason", "looking at it")
    assert (code, said) == (
        0,
        "plugin good_state is quarantined, 0 events are parked for it\n",
    ), err
    order(daemon, 1)
    order(daemon, 2)
    item = daemon.get("/v1/plugins/good_state").json
    assert (item["state"], item["parked"]) == ("quarantined", 2)
    assert item["quarantined"]["kind"] == "staff"
    assert item["quarantined"]["reason"] == "looking at it"
    assert orders_of(daemon, 1) == 1

    code, said, err = kith(daemon, "plugin", "enable", "good_state")
    assert code == 0, err
    eventually(lambda: daemon.get("/v1/plugins/good_state").json["state"] == "active")
    assert daemon.get("/v1/plugins/good_state").json["parked"] == 0
    assert orders_of(daemon, 1) == 2


def test_who_is_enabled_may_skip_what_was_parked(house):
    daemon = house("good_state")
    order(daemon, 1)
    kith(daemon, "plugin", "disable", "good_state")
    order(daemon, 1)
    code, said, _ = kith(daemon, "plugin", "enable", "good_state", "--skip")
    assert (code, said) == (0, "plugin good_state is active, 0 events are parked for it\n")
    order(daemon, 1)
    assert orders_of(daemon, 1) == 2


@pytest.mark.parametrize("options", ["", "isolate = true"])
@pytest.mark.parametrize("name, needs", [("good_state", ""), ("good_route", '"routes"')])
def test_who_is_well_needs_not_be_enabled(house, name, needs, options):
    daemon = house(name, options=f"grant = {{ {needs} }}, {options}")
    answer = daemon.post(f"/v1/plugins/{name}/enable", {})
    assert answer.status == 409 and "not quarantined" in answer.json["detail"]
    assert daemon.get(f"/v1/plugins/{name}").json["state"] == "active"
    assert not [line for line in daemon.lines if "new process" in line]


def test_what_makes_no_sense_is_refused(house):
    daemon = house("good_state")
    assert daemon.get("/v1/plugins/nobody").status == 404
    assert daemon.post("/v1/plugins/nobody/enable", {}).status == 404
    assert daemon.post("/v1/plugins/nobody/disable", {}).status == 404
    answer = daemon.post("/v1/plugins/good_state/enable", {})
    assert answer.status == 409 and "not quarantined" in answer.json["detail"]
    answer = daemon.post("/v1/plugins/good_state/enable", {"skip": "yes"})
    assert answer.status == 422 and "skip" in answer.json["detail"]
    assert daemon.post("/v1/plugins/good_state/disable", {}, key="write").status == 403
