"""An import that is only tried out: the real rules, and nothing that stays."""
import csv
import os

import pytest

from command import attach

RULES = """
rule "thank" {
  on = "Order Completed",
  run = function(event, customer)
    customer:set("orders", (customer.orders or 0) + 1)
    if event.total == 13 then error("unlucky") end
    if (event.total or 0) >= 1000 then
      remind { title = "Thank them", to = "anna", due = "1wd" }
      send { channel = "log", purpose = "service", body = "thanks" }
      send { channel = "log", purpose = "news", body = "our best" }
    end
  end,
}
rule "answered" {
  on = "effect.sent",
  run = function(event, customer) customer:set("written", true) end,
}
rule "later" {
  on = "customer.created",
  run = function(event, customer) after { due = "1d", key = "look", emit = "Look Again" } end,
}
purpose "news" { opt_in = true }
"""
MAPPED = ("--event", "Order Completed", "--map", "who=userId", "--map", "mail=email")
MAPPED += ("--map", "sum=total:number")


@pytest.fixture
def kith(start, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "rules.lua").write_text(RULES)
    daemon = start("--scripts", folder)
    return attach(daemon)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "orders.csv"
    rows = [["who", "mail", "sum"]]
    rows += [[f"u-{number % 700}", "", 5 if number % 100 else 1000] for number in range(1400)]
    rows += [["known", "known@example.com", 2000], ["twin", "known@example.com", 1]]
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def known(kith):
    event = {"type": "identify", "userId": "known", "traits": {"email": "known@example.com"}}
    assert kith.daemon.send(event) == []


def would(kith, path, *words):
    (report,) = kith.json("import", path, *MAPPED, "--dry-run", *words)
    assert report["tried_out_whole"]
    return report["would"]


def stands(kith):
    return kith.json("state-hash")[0]


def test_it_says_what_then_happens_and_nothing_has_happened(kith, path):
    known(kith)
    before = stands(kith)
    report = would(kith, path)
    assert report["customers"]["created"] == 701 and report["customers"]["existing"] == 1
    assert report["customers"]["suspected"] >= 1
    assert report["duplicates"] == report["refused"] == 0
    runs = {item["name"]: item["runs"] for item in report["rules"]}
    assert runs["thank"] == 1402 and runs["later"] == 701
    assert report["timers"] == 701
    assert report["reminders"] == [{"rule": "thank", "assignee": "anna", "count": 8}]
    states = {(item["state"], item.get("reason")): item["count"] for item in report["messages"]}
    assert states[("sent", None)] == 15 and states[("suppressed", "no consent")] == 15
    assert runs["answered"] == 15
    assert stands(kith) == before
    assert kith.json("reminders") == kith.json("effects") == []

    kith("import", path, *MAPPED)
    assert len(kith.soon("reminders", count=8)) == 8
    kith.soon("effects", "--state", "sent", count=15)
    kith.soon("effects", "--state", "suppressed", count=15)
    assert would(kith, path)["duplicates"] >= 1402


def test_a_historic_import_would_run_no_rules(kith, path):
    report = would(kith, path, "--historic")
    assert report["customers"]["created"] == 702
    assert report["rules"] == report["reminders"] == report["messages"] == []


def test_a_rule_that_would_fail_is_counted(kith, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("who,mail,sum\nu-1,,13\nu-2,,14\nu-3,,13\n")
    assert would(kith, path)["failures"] == 2
    assert "2 times a rule fails" in kith("import", path, *MAPPED, "--dry-run")


def test_people_are_told_in_tables(kith, path):
    out = kith("import", path, *MAPPED, "--dry-run")
    assert "customers created" in out and "nothing was written or sent" in out
    assert "8  thank  anna" in out and "no consent" in out


def test_rows_that_the_daemon_would_refuse_are_told(kith, tmp_path):
    path = tmp_path / "calls.ndjson"
    path.write_text(
        '{"type":"track","userId":"u-1","event":"A"}\n'
        '{"type":"track","userId":"u-1"}\n'
        '{"type":"tag.changed","customer":"user_id:nobody","data":{"tag":"x"}}\n'
    )
    code, out, err = kith.run("import", path, "--dry-run")
    assert code == 0 and "2 rows would be rejected" in out
    assert "line 2: " in err and "line 3: " in err
    assert not os.path.exists(str(path) + ".rejected")


def test_without_a_daemon_or_a_key_it_reads_and_counts_and_says_what_it_does_not_know(kith, path):
    kith.daemon.stop()
    for key in ("", kith.env["KITH_KEY"]):
        kith.env["KITH_KEY"] = key
        code, out, err = kith.run("import", path, *MAPPED, "--dry-run")
        assert code == 0 and "1402 Order Completed" in out
        assert "is not known" in err and "what would happen" not in out


def test_a_replay_is_not_tried_out_and_that_is_said(kith, path):
    path.write_text("who,at\nu-1,2026-01-01\n")
    code, out, err = kith.run(
        "import", path, "--map", "who=userId", "--map", "at=at:date", "--dry-run", "--replay"
    )
    assert code == 0 and "not tried out" in err and "what would happen" not in out


def test_there_is_one_at_a_time_and_it_can_be_ended(kith):
    daemon = kith.daemon
    first = daemon.post("/v1/dry-runs", {})
    assert first.status == 201
    path = f"/v1/dry-runs/{first.json['id']}"
    assert daemon.post("/v1/dry-runs", {}).status == 409
    assert daemon.post(path, {"batch": [{"type": "identify", "userId": "a"}]}).json == {
        "success": True,
        "rejected": [],
        "refused": [],
    }
    assert daemon.post(path, {"batch": 1}).status == 400
    assert daemon.get(path).json["customers"]["created"] == 1
    assert daemon.call("DELETE", path).status == 200
    assert daemon.get(path).status == 404
    assert daemon.get("/v1/dry-runs/x").status == 404
    assert daemon.post("/v1/dry-runs", {}, key="write").status == 403
    assert daemon.get("/v1/customers/user_id:a").status == 404


def test_the_daemon_goes_on_beside_it_and_ends_with_one_open(kith):
    daemon = kith.daemon
    path = f"/v1/dry-runs/{daemon.post('/v1/dry-runs', {}).json['id']}"
    for number in range(20):
        batch = [{"type": "identify", "userId": f"tried-{number}-{i}"} for i in range(50)]
        assert daemon.post(path, {"batch": batch}).status == 200
        assert daemon.send({"type": "identify", "userId": f"real-{number}"}) == []
    assert daemon.get(path).json["customers"]["created"] == 1000
    assert daemon.get("/v1/customers/user_id:real-19").json["id"] == 20
    assert kith("verify")


def test_a_name_of_any_bytes_is_told_as_it_is(start, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "rules.lua").write_text(
        'rule "o\\31dd" { on = "Order Completed", run = function()\n'
        '  remind { title = "x", key = "x", to = "an\\0na", due = "1wd" }\n'
        '  remind { title = "y", key = "y", to = "an\\31na", due = "1wd" }\n'
        '  send { channel = "log", purpose = "service", body = "z" } end }\n'
    )
    daemon = start("--scripts", folder)
    kith = attach(daemon)
    path = tmp_path / "one.csv"
    path.write_text("who,mail,sum\nu-1,,5\n")
    report = would(kith, path)
    assert [item["assignee"] for item in report["reminders"]] == ["an\0na", "an\x1fna"]
    assert [item["rule"] for item in report["messages"]] == ["o\x1fdd"]
