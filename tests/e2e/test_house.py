"""Who works here and which keys there are, over HTTP and by the command; rates of keys."""
import json
import subprocess

import pytest

from conftest import BUILD

TRACK = {"event": "Hello", "userId": "u-1"}


def kith(daemon, *words):
    done = subprocess.run(
        [str(BUILD / "kith"), *words],
        env={"KITH_URL": f"http://127.0.0.1:{daemon.port}", "KITH_KEY": daemon.key("admin")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def make_key(daemon, name, **fields):
    answer = daemon.call("PUT", f"/v1/keys/{name}", {"scopes": ["write"], **fields})
    assert answer.status == 200, answer.body
    return answer.json["secret"]


def call_with(daemon, secret):
    return daemon.post("/v1/track", TRACK, key=None, headers=bearer(secret))


# -- How often -------------------------------------------------------------------------------


def test_a_key_may_call_as_often_as_its_rate_says_and_then_is_told_when_again(daemon):
    secret = make_key(daemon, "shop", rate="3/h")
    assert [call_with(daemon, secret).status for _ in range(4)] == [200, 200, 200, 429]
    refused = call_with(daemon, secret)
    assert 0 < int(refused.headers["Retry-After"]) <= 1200
    assert "shop" in refused.json["detail"] and "3 times in 3600 s" in refused.json["detail"]
    assert daemon.post("/v1/track", TRACK, key="write").status == 200  # another key


def test_the_burst_is_what_may_come_at_once(daemon):
    wide = make_key(daemon, "wide", rate="1/h", burst=3)
    assert [call_with(daemon, wide).status for _ in range(4)] == [200, 200, 200, 429]
    narrow = make_key(daemon, "narrow", rate="1000/h", burst=1)
    assert [call_with(daemon, narrow).status for _ in range(2)] == [200, 429]
    assert int(call_with(daemon, narrow).headers["Retry-After"]) in (1, 2, 3, 4)


def test_a_secret_in_the_body_is_counted_too(daemon):
    secret = make_key(daemon, "page", rate="1/h")
    statuses = [
        daemon.post("/v1/track", dict(TRACK, writeKey=secret), key=None).status for _ in range(2)
    ]
    assert statuses == [200, 429]


def test_the_configuration_gives_keys_without_a_rate_one_but_not_the_admin(start, tmp_path):
    config = tmp_path / "kith.lua"
    config.write_text('rate { "2/h", burst = 1 }\n')
    daemon = start("--config", config)
    assert [daemon.post("/v1/track", TRACK, key="write").status for _ in range(2)] == [200, 429]
    own = make_key(daemon, "own", rate="3/h")
    assert [call_with(daemon, own).status for _ in range(4)] == [200, 200, 200, 429]
    assert {daemon.get("/v1/keys").status for _ in range(5)} == {200}
    config.write_text("")
    daemon.process.send_signal(1)
    daemon.wait_line("has not changed")
    assert daemon.post("/v1/track", TRACK, key="write").status == 200


@pytest.mark.parametrize(
    "fields, word",
    [
        ({"rate": "often"}, "600/min"),
        ({"rate": "0/s"}, "600/min"),
        ({"rate": "10/d"}, "600/min"),
        ({"burst": 5}, "rate"),
        ({"rate": "1/s", "burst": 0}, "burst"),
    ],
)
def test_a_rate_that_is_none_is_refused_with_words(daemon, fields, word):
    answer = daemon.call("PUT", "/v1/keys/shop", {"scopes": ["write"], **fields})
    assert answer.status == 422 and word in answer.json["detail"]


def test_a_rate_in_the_configuration_that_is_none_is_refused_at_its_line(start, tmp_path):
    config = tmp_path / "kith.lua"
    for text in ('rate "often"', 'rate { "1/s", burst = "many" }', 'rate { "1/s", most = 3 }'):
        config.write_text("\n" + text + "\n")
        daemon = start("--config", config, is_ready=False)
        assert daemon.wait() != 0
        assert any("kith.lua:2:" in line for line in daemon.lines), daemon.lines


# -- Staff and keys --------------------------------------------------------------------------


def test_keys_are_made_listed_and_removed_by_the_command(daemon):
    code, secret, _ = kith(
        daemon, "key", "add", "shop", "--scope", "write", "--rate", "5/s", "--burst", "9"
    )
    assert code == 0 and call_with(daemon, secret.strip()).status == 200
    code, table, _ = kith(daemon, "key", "list")
    assert code == 0 and "shop" in table and "5/s" in table and secret.strip() not in table
    code, line, _ = kith(daemon, "key", "list", "--json")
    assert json.loads(line) == {"name": "shop", "scopes": ["write"], "rate": "5/s", "burst": 9}
    assert kith(daemon, "key", "remove", "shop")[0] == 0
    assert call_with(daemon, secret.strip()).status == 401
    assert kith(daemon, "key", "remove", "shop")[0] == 1
    assert kith(daemon, "key", "add", "x", "--burst", "many")[0] == 2


def test_staff_are_added_listed_shown_and_removed_by_the_command(daemon):
    kith(daemon, "staff", "add", "ann", "--name", "Ann A", "--email", "ann@example.com")
    daemon.call(
        "PUT",
        "/v1/staff/ben",
        {
            "teams": ["care", "sales"],
            "absences": [{"from": "2026-12-01", "until": "2026-12-09", "deputy": "ann"}],
        },
    )
    code, table, _ = kith(daemon, "staff", "list")
    assert code == 0 and "Ann A" in table and "care, sales" in table
    code, shown, _ = kith(daemon, "staff", "show", "ben")
    assert code == 0 and "care, sales" in shown and "2026-12-01" in shown
    assert json.loads(kith(daemon, "staff", "show", "ann", "--json")[1])["title"] == "Ann A"
    code, said, _ = kith(daemon, "staff", "remove", "ann")
    assert code == 0 and "no longer" in said
    assert kith(daemon, "staff", "show", "ann")[0] == 1
    assert [item["name"] for item in daemon.get("/v1/staff").json["items"]] == ["ben"]
    assert daemon.get("/v1/staff/ann").status == 404


def test_whoever_is_removed_takes_her_keys_along(daemon):
    daemon.call("PUT", "/v1/staff/ann", {})
    hers = make_key(daemon, "hers", staff="ann")
    other = make_key(daemon, "other")
    assert call_with(daemon, hers).status == 200
    assert daemon.call("DELETE", "/v1/staff/ann").status == 200
    assert call_with(daemon, hers).status == 401
    assert call_with(daemon, other).status == 200
    assert daemon.call("DELETE", "/v1/staff/ann").status == 404


def test_nobody_is_removed_whose_follow_ups_would_be_nobodys(daemon):
    daemon.post("/v1/identify?wait=applied", {"userId": "u-1"}, key="write")
    daemon.call("PUT", "/v1/staff/ann", {})
    body = {"customer": "user_id:u-1", "title": "call", "due": "2d", "to": "ann"}
    task = daemon.post("/v1/reminders", body).json["id"]
    answer = daemon.call("DELETE", "/v1/staff/ann")
    assert answer.status == 409 and "open reminders" in answer.json["detail"]
    daemon.call("PATCH", f"/v1/reminders/{task}", {"to": "ben"})
    assert daemon.call("DELETE", "/v1/staff/ann").status == 200
