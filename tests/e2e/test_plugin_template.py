"""The plugin that `kith plugin new` makes, as it stands, with customers that turn out to be one."""
import os
import subprocess

import pytest

from conftest import BUILD, ROOT


@pytest.fixture(name="daemon")
def _daemon(start, tmp_path):
    subprocess.run([BUILD / "kith", "plugin", "new", "visits"], check=True, cwd=tmp_path)
    places = dict(os.environ, KITH_INCLUDE=str(ROOT / "plugins" / "sdk"))
    subprocess.run(["make", "-C", tmp_path / "visits"], check=True, env=places)
    config = tmp_path / "kith.lua"
    config.write_text(f'plugins "{tmp_path}/visits"\nplugin "visits" {{}}\n')
    return start("--config", config)


def visit(daemon, user, times):
    for _ in range(times):
        daemon.send({"type": "track", "userId": user, "event": "Shop Visited"})


def visits(daemon, user):
    return daemon.get(f"/v1/customers/user_id:{user}").json["traits"].get("visits.visits")


def test_two_who_are_one_have_the_visits_of_both(daemon):
    visit(daemon, "ann", 4)
    visit(daemon, "bea", 3)
    body = {"absorbed": "user_id:bea"}
    assert daemon.post("/v1/customers/user_id:ann/merge?wait=applied", body).status == 200
    assert visits(daemon, "ann") == visits(daemon, "bea") == 7
    assert daemon.post("/v1/customers/user_id:bea/unmerge?wait=applied", {}).status == 200
    assert (visits(daemon, "ann"), visits(daemon, "bea")) == (7, 3)
    visit(daemon, "bea", 1)
    assert (visits(daemon, "ann"), visits(daemon, "bea")) == (7, 4)


def test_who_has_never_come_has_no_visits_when_two_are_one(daemon):
    for user in ("ann", "bea"):
        daemon.send({"type": "identify", "userId": user, "traits": {"first_name": user}})
    body = {"absorbed": "user_id:bea"}
    assert daemon.post("/v1/customers/user_id:ann/merge?wait=applied", body).status == 200
    assert visits(daemon, "ann") is None
